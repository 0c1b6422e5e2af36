// See inspect.h.
#include "engine/check/inspect.h"

#include "engine/forward.h"

namespace mstar {

Stages inspect(const Model& model, const Example& example) {
  const at::NoGradGuard no_grad;
  Stages stages;
  const auto& backbone = model.backbone();
  const auto hidden = forward_hidden(backbone, model.parameters(), pack(backbone, {&example}), &stages);
  stages["logits"] = at::linear(hidden, backbone.head(model.parameters()));
  for (auto& [name, tensor] : stages)
    tensor = tensor.to(at::kCPU, tensor.is_floating_point() ? at::kFloat : tensor.scalar_type());
  return stages;
}

std::pair<double, Stages> gradients(const Model& model, const std::vector<Example>& batch, Objective objective,
                                    const StopFlag& stop) {
  model.check_head(objective == Objective::step);
  const auto names = model.parameters().learnable();
  const auto result =
      loss_gradients(model.loss_context(), batch, objective, names, Exchange(model.parameters(), names), stop);
  Stages named;
  for (size_t i = 0; i < result.grads.size(); ++i)
    if (result.grads[i].defined()) named[names[i]] = result.grads[i].to(at::kCPU, at::kFloat);
  return {result.loss, std::move(named)};
}

}  // namespace mstar
