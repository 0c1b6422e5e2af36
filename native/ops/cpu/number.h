#pragma once
// The number types that kernels of the CPU read weights, keys and values in. A bfloat16 is the upper half of a
// float32's bits, here a uint16_t; sums are float32 whatever is summed.
#include <cstdint>
#include <cstring>

namespace mstar::cpu {

enum class Number { float32, bfloat16 };

constexpr int64_t bytes_of(Number number) { return number == Number::float32 ? 4 : 2; }

// Conversions between a number in memory and a float32, named alike for both types. Finite numbers are rounded to the
// nearest bfloat16, ties to even.
static inline void put(float value, float& to) { to = value; }
static inline void put(float value, uint16_t& to) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  to = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
static inline float get(float from) { return from; }
static inline float get(uint16_t from) {
  const uint32_t bits = static_cast<uint32_t>(from) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace mstar::cpu
