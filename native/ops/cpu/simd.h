#pragma once
// Eight floats at a time through GCC vector extensions: one source for AVX-512, AVX2 and plain x86-64, chosen at run
// time by MSTAR_SIMD on the entry points. Everything here is inlined into them; nothing else may include this header.
#include <cstdint>
#include <cstring>

#define MSTAR_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define MSTAR_INLINE static inline __attribute__((always_inline))

// Vectors are passed by value between functions that are always inlined: no calling convention is at stake.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace mstar::simd {

// Eight, not sixteen: GCC lowers 64-byte vectors through memory where the machine has only AVX2.
typedef float f8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t i8 __attribute__((vector_size(32), aligned(4), may_alias));

#define MSTAR_LOAD(p) (*reinterpret_cast<const ::mstar::simd::f8*>(p))
#define MSTAR_STORE(p, v) (*reinterpret_cast<::mstar::simd::f8*>(p) = (v))

/** The larger of each pair of lanes. */
MSTAR_INLINE f8 max8(const f8& a, const f8& b) { return a > b ? a : b; }

/** e^x to about 2 ulp for x in [-87, 88]; smaller x gives values below 1.2e-38 or 0. */
MSTAR_INLINE f8 exp8(f8 x) {
  x = x < -87.0f ? (f8{} - 87.0f) : x;
  x = x > 88.0f ? (f8{} + 88.0f) : x;
  const f8 magic = f8{} + 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const f8 scaled = x * 1.44269504088896341f + magic;
  const f8 n = scaled - magic;
  const f8 r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  f8 p = f8{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const i8 power = (__builtin_convertvector(n, i8) + 127) << 23;
  return p * reinterpret_cast<const f8&>(power);
}

/** Up to eight floats, zeros behind them. */
MSTAR_INLINE f8 load_some(const float* from, int64_t count) {
  float padded[8] = {0};
  std::memcpy(padded, from, static_cast<size_t>(count) * sizeof(float));
  return MSTAR_LOAD(padded);
}

MSTAR_INLINE void store_some(float* to, const f8& value, int64_t count) {
  float padded[8];
  MSTAR_STORE(padded, value);
  std::memcpy(to, padded, static_cast<size_t>(count) * sizeof(float));
}

/** Sum of eight lanes in a fixed tree order. */
MSTAR_INLINE float sum8(const f8& v) {
  float lane[8];
  std::memcpy(lane, &v, sizeof lane);
  for (int width = 4; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}

}  // namespace mstar::simd
