// See optimizer.h. The update itself is LibTorch's fused AdamW.
#include "engine/optimizer.h"

namespace mstar {
namespace {

bool is_frozen(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

/** In double and in a fixed order: the norm must not depend on how threads cut a sum. */
double l2_norm(const std::vector<at::Tensor>& grads) {
  double squares = 0;
  for (const at::Tensor& grad : grads)
    if (grad.defined()) {
      const double norm = grad.norm(2, at::kDouble).item<double>();
      squares += norm * norm;
    }
  return std::sqrt(squares);
}

}  // namespace

Optimizer::Optimizer(const Parameters& parameters, OptimizerSettings settings) : settings_(std::move(settings)) {
  for (const std::string& name : parameters.names()) {
    if (is_frozen(name, settings_.frozen)) continue;
    const at::Tensor& parameter = parameters[name];
    trained_.push_back(name);
    moments_.emplace(name,
                     std::pair{at::zeros(parameter.sizes(), at::kFloat), at::zeros(parameter.sizes(), at::kFloat)});
  }
}

double Optimizer::next_lr() const {
  if (settings_.warmup_steps <= 0) return settings_.lr;
  return settings_.lr * std::min(1.0, static_cast<double>(steps_ + 1) / static_cast<double>(settings_.warmup_steps));
}

const at::Tensor& Optimizer::moment(const std::string& parameter, bool second) const {
  const auto found = moments_.find(parameter);
  TORCH_CHECK(found != moments_.end(), "no optimizer state for ", parameter);
  return second ? found->second.second : found->second.first;
}

double Optimizer::step(const Parameters& parameters, std::vector<at::Tensor>& grads) {
  const at::NoGradGuard no_grad;
  const double norm = l2_norm(grads), lr = next_lr();
  TORCH_CHECK(std::isfinite(norm), "gradients are not finite: the step was not taken");
  if (settings_.clip > 0 && norm > settings_.clip)
    for (at::Tensor& grad : grads)
      if (grad.defined()) grad.mul_(settings_.clip / norm);
  ++steps_;
  for (const bool decays : {true, false}) {
    std::vector<at::Tensor> values, gradients, first, second, counts;
    for (size_t i = 0; i < trained_.size(); ++i) {
      const at::Tensor& value = parameters[trained_[i]];
      if (!grads[i].defined() || (value.dim() >= 2) != decays) continue;
      values.push_back(value.detach());
      gradients.push_back(grads[i]);
      first.push_back(moment(trained_[i], false));
      second.push_back(moment(trained_[i], true));
      counts.push_back(at::full({}, static_cast<double>(steps_), at::kFloat));
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, gradients, first, second, {}, counts, lr, settings_.beta1, settings_.beta2,
                      decays ? settings_.weight_decay : 0.0, settings_.eps, false, false);
  }
  return norm;
}

}  // namespace mstar
