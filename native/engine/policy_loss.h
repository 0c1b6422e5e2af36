#pragma once
// The objective of online policy optimisation in the form of GRPO (DeepSeekMath, 2024), token by token: the ratio of a
// token's probability now to that when it was sampled, times the advantage of its response, clipped (PPO; with two
// limits as in DAPO, 2025), and a divergence from a reference policy. Who gives log-probabilities is in loss.cpp.
#include <ATen/core/Tensor.h>

#include "engine/types.h"

namespace mstar {

/** Responses and response tokens of a whole batch, of which a micro-batch is a part. */
struct BatchSize {
  int64_t responses = 0, tokens = 0;
};

/**
 * Part of the loss of a batch that some of its responses make, a double.
 *
 * With r = exp(logprob - sampled logprob), A the advantage and d = reference - logprob, the loss of a token is
 * -min(r A, clamp(r, 1 - clip_low, 1 + clip_high) A) + kl (exp(d) - d - 1). It counts
 * - by `response`: 1 / (responses of the batch x tokens of its response), as in GRPO;
 * - by `token`: 1 / tokens of the batch, as in DAPO;
 * - by `constant`: 1 / (responses of the batch x length), as in Dr. GRPO.
 *
 * @param logprob_M of the tokens of the responses, one response after the other, at the objective's temperature
 * @param sums takes what is measured, without gradients
 */
at::Tensor policy_loss(const at::Tensor& logprob_M, const std::vector<const Example*>& examples,
                       const Objective& objective, const BatchSize& batch, PolicyMeasures& sums);

/** Throws where an example has not what the policy objective asks for. */
void check_sampled(const std::vector<Example>& batch, const Objective& objective);

}  // namespace mstar
