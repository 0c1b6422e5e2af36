#pragma once
// What golden checks look at inside a model: intermediate tensors of the plain forward, and gradients.
#include "engine/model.h"

namespace mstar {

/** Named intermediate tensors of a plain forward of prompt and response, and its logits, on the CPU. */
Stages inspect(const Model& model, const Example& example);

/** The loss, and the gradient of every parameter that the objective's loss on this batch reaches, frozen ones too. */
std::pair<double, Stages> gradients(const Model& model, const std::vector<Example>& batch, const Objective& objective,
                                    const StopFlag& stop);

/** The policy objective of a whole batch alone: of these log-probabilities [M], its loss, its gradient with respect to
 * them, and what is measured. */
struct PolicyLoss {
  double loss = 0;
  std::vector<float> gradient;
  PolicyMeasures sums;
};
PolicyLoss policy_loss_of(const std::vector<float>& logprobs, const std::vector<Example>& batch,
                          const Objective& objective);

}  // namespace mstar
