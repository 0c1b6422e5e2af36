#pragma once
// Log-probabilities of given tokens, differentiable. On CPU in float32 a row of logits is read once each way and no
// copy of the logits is made but their gradient; elsewhere it is log_softmax and gather, which is also its plain twin.
#include <ATen/core/Tensor.h>

namespace mstar {

/** Of a logit, `max` being the largest of its row and `log_sum` the logarithm of the sum of e^((x - max) * scale). */
inline float logprob_of(float logit, float max, float scale, double log_sum) {
  return static_cast<float>((static_cast<double>(logit) - max) * scale - log_sum);
}

/** Under softmax(logits / temperature): logits [M, V], target int64 [M] -> float32 [M]. */
at::Tensor token_logprobs(const at::Tensor& logits_MV, const at::Tensor& target_M, double temperature = 1);

/** The plain twin. */
at::Tensor token_logprobs_plain(const at::Tensor& logits_MV, const at::Tensor& target_M, double temperature = 1);

}  // namespace mstar
