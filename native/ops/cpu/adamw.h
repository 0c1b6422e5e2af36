#pragma once
// One step of AdamW for bfloat16 weights whose float32 masters lie in two halves (base/halves.h), in one pass over
// memory: through LibTorch the halves are joined, stepped and split by a dozen passes that take longer than the
// products of a small batch. Every weight is computed alone. Plain twin: Optimizer::update without it.
#include <cstdint>

namespace mstar::cpu {

struct AdamWStep {
  float beta1, beta2, eps;
  float keep;       // 1 - lr * decay
  float step_size;  // lr / (1 - beta1^t)
  float root;       // sqrt(1 - beta2^t)
};

/** Steps n weights; high, low and the moments are changed. The gradient is float32 or bfloat16. */
void adamw(const AdamWStep& step, uint16_t* high, int16_t* low, const float* grad, float* first, float* second,
           int64_t n);
void adamw_halves(const AdamWStep& step, uint16_t* high, int16_t* low, const uint16_t* grad, float* first,
                  float* second, int64_t n);

}  // namespace mstar::cpu
