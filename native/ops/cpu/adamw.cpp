// See adamw.h. A loop that the compiler makes vectors of.
#include "ops/cpu/adamw.h"

#include <cmath>

#include "ops/cpu/simd.h"

namespace mstar::cpu::MSTAR_ISA {
namespace {

template <class Cell>
MSTAR_INLINE void take_step(const AdamWStep& s, uint16_t* __restrict high, int16_t* __restrict low,
                            const Cell* __restrict grad, float* __restrict first, float* __restrict second, int64_t n) {
  const float into1 = 1 - s.beta1, into2 = 1 - s.beta2;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t bits = (static_cast<uint32_t>(high[i]) << 16) + static_cast<uint32_t>(static_cast<int32_t>(low[i]));
    float weight;
    std::memcpy(&weight, &bits, sizeof weight);
    const float g = get(grad[i]);
    first[i] += into1 * (g - first[i]);
    second[i] = s.beta2 * second[i] + into2 * g * g;
    weight = s.keep * weight - s.step_size * first[i] / (__builtin_sqrtf(second[i]) / s.root + s.eps);
    std::memcpy(&bits, &weight, sizeof bits);
    const uint32_t upper = (bits + 0x8000) >> 16;
    high[i] = static_cast<uint16_t>(upper);
    low[i] = static_cast<int16_t>(bits - (upper << 16));
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

}  // namespace mstar::cpu::MSTAR_ISA
