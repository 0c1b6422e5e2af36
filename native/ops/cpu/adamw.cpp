// See adamw.h. Loops that the compiler makes vectors of.
#include "ops/cpu/adamw.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/simd.h"

namespace mstar::cpu::MSTAR_ISA {
namespace {

MSTAR_INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

MSTAR_INLINE float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/** Upper half of the bits of the nearest bfloat16, ties away from zero (base/halves.h). */
MSTAR_INLINE uint32_t upper_half(uint32_t bits) { return (bits + 0x8000) >> 16; }

// A weight is float32, or two halves of one.
MSTAR_INLINE float weight_at(const float* weight, const int16_t*, int64_t i) { return weight[i]; }
MSTAR_INLINE float weight_at(const uint16_t* high, const int16_t* low, int64_t i) {
  return float_of((static_cast<uint32_t>(high[i]) << 16) + static_cast<uint32_t>(static_cast<int32_t>(low[i])));
}
MSTAR_INLINE void set_weight(float* weight, int16_t*, int64_t i, float value) { weight[i] = value; }
MSTAR_INLINE void set_weight(uint16_t* high, int16_t* low, int64_t i, float value) {
  const uint32_t bits = bits_of(value), upper = upper_half(bits);
  high[i] = static_cast<uint16_t>(upper);
  low[i] = static_cast<int16_t>(bits - (upper << 16));
}

template <class Cell>
MSTAR_INLINE void take_step(const AdamWStep& s, uint16_t* __restrict high, int16_t* __restrict low,
                            const Cell* __restrict grad, float* __restrict first, float* __restrict second, int64_t n) {
  const float into1 = 1 - s.beta1, into2 = 1 - s.beta2;
  for (int64_t i = 0; i < n; ++i) {
    const float weight = weight_at(high, low, i), g = get(grad[i]);
    first[i] += into1 * (g - first[i]);
    second[i] = s.beta2 * second[i] + into2 * g * g;
    set_weight(high, low, i, s.keep * weight - s.step_size * first[i] / (__builtin_sqrtf(second[i]) / s.root + s.eps));
  }
}

/** One block whose moments are in few bits: numbers from `index` on of their parameter. */
template <class Weight, class Cell>
MSTAR_INLINE void take_small_step(const AdamWStep& s, Weight* __restrict weight, int16_t* __restrict low,
                                  const Cell* __restrict grad, uint16_t* __restrict first, uint8_t* __restrict codes,
                                  float& scale, uint32_t seed, uint32_t index, int n) {
  const float into1 = 1 - s.beta1, into2 = 1 - s.beta2, largest = scale;
  float roots[kRootBlock];
  int32_t most = 0;  // bits of the largest root, which are in the order of the roots
  for (int i = 0; i < n; ++i) {
    const float before = weight_at(weight, low, i), g = get(grad[i]);
    const float root = float_of(static_cast<uint32_t>(kLeastRoot + (codes[i] << kRootShift))) * largest;
    float moment = get(first[i]);
    moment += into1 * (g - moment);
    roots[i] = __builtin_sqrtf(s.beta2 * root * root + into2 * g * g);
    set_weight(weight, low, i, s.keep * before - s.step_size * moment / (roots[i] / s.root + s.eps));
    first[i] = static_cast<uint16_t>(upper_half(bits_of(moment)));
    most = std::max(most, static_cast<int32_t>(bits_of(roots[i])));
  }
  scale = float_of(static_cast<uint32_t>(most));
  const float divisor = most > 0 ? scale : 1.0f;
  for (int i = 0; i < n; ++i) {
    const int32_t above = std::max(static_cast<int32_t>(bits_of(roots[i] / divisor)) - kLeastRoot, 0);
    const auto chance = static_cast<int32_t>(rounding_chance(seed, index + static_cast<uint32_t>(i)));
    codes[i] = static_cast<uint8_t>(std::min((above + chance) >> kRootShift, 255));
  }
}

template <class Weight, class Cell>
MSTAR_INLINE void take_small_steps(const AdamWStep& s, Weight* weight, int16_t* low, const Cell* grad,
                                   const SmallMoments& m, int64_t n) {
  for (int64_t at = 0; at < n; at += kRootBlock) {
    const auto index = static_cast<uint32_t>(m.from + at);
    const auto block = [&](int count) __attribute__((always_inline)) {
      take_small_step(s, weight + at, low == nullptr ? nullptr : low + at, grad + at, m.first + at, m.roots + at,
                      m.scales[at / kRootBlock], m.seed, index, count);
    };
    // A number that the compiler knows makes whole vectors.
    if (n - at >= kRootBlock) {
      block(kRootBlock);
    } else {
      block(static_cast<int>(n - at));
    }
  }
}

}  // namespace

void adamw(const AdamWStep& step, uint16_t* high, int16_t* low, const float* grad, float* first, float* second,
           int64_t n) {
  take_step(step, high, low, grad, first, second, n);
}

void adamw_halves(const AdamWStep& step, uint16_t* high, int16_t* low, const uint16_t* grad, float* first,
                  float* second, int64_t n) {
  take_step(step, high, low, grad, first, second, n);
}

void adamw_small(const AdamWStep& step, uint16_t* high, int16_t* low, const float* grad, const SmallMoments& moments,
                 int64_t n) {
  take_small_steps(step, high, low, grad, moments, n);
}

void adamw_small_halves(const AdamWStep& step, uint16_t* high, int16_t* low, const uint16_t* grad,
                        const SmallMoments& moments, int64_t n) {
  take_small_steps(step, high, low, grad, moments, n);
}

void adamw_small_floats(const AdamWStep& step, float* weight, const float* grad, const SmallMoments& moments,
                        int64_t n) {
  take_small_steps(step, weight, static_cast<int16_t*>(nullptr), grad, moments, n);
}

}  // namespace mstar::cpu::MSTAR_ISA
