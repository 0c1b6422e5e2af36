// See inspect.h.
#include "engine/check/inspect.h"

#include "engine/forward.h"
#include "engine/policy_loss.h"

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

std::pair<double, Stages> gradients(const Model& model, const std::vector<Example>& batch, const Objective& objective,
                                    const StopFlag& stop) {
  model.check_head(objective.kind == Objective::step);
  const auto names = model.parameters().learnable();
  const auto result =
      loss_gradients(model.loss_context(), batch, objective, names, Exchange(model.parameters(), names), stop);
  Stages named;
  for (size_t i = 0; i < result.grads.size(); ++i)
    if (result.grads[i].defined()) named[names[i]] = result.grads[i].to(at::kCPU, at::kFloat);
  return {result.loss, std::move(named)};
}

PolicyLoss policy_loss_of(const std::vector<float>& logprobs, const std::vector<Example>& batch,
                          const Objective& objective) {
  check_sampled(batch, objective);
  std::vector<const Example*> members;
  for (const Example& e : batch) members.push_back(&e);
  const at::AutoGradMode with_grad(true);
  const auto logprob_M = at::tensor(logprobs, at::kFloat).requires_grad_(true);
  PolicyLoss found;
  const BatchSize size{static_cast<int64_t>(batch.size()), logprob_M.numel()};
  const auto loss = policy_loss(logprob_M, members, objective, size, found.sums);
  const auto gradient = torch::autograd::grad({loss}, {logprob_M})[0].contiguous();
  found.loss = loss.item<double>();
  found.gradient.assign(gradient.const_data_ptr<float>(), gradient.const_data_ptr<float>() + gradient.numel());
  return found;
}

}  // namespace mstar
