#pragma once
// What golden checks look at inside a model: intermediate tensors of the plain forward, and gradients.
#include "engine/model.h"

namespace mstar {

/** Named intermediate tensors of a plain forward of prompt and response, and its logits, on the CPU. */
Stages inspect(const Model& model, const Example& example);

/** The loss, and the gradient of every parameter that the objective's loss on this batch reaches, frozen ones too. */
std::pair<double, Stages> gradients(const Model& model, const std::vector<Example>& batch, Objective objective,
                                    const StopFlag& stop);

}  // namespace mstar
