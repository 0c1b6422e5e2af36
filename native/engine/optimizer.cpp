// See optimizer.h. The update itself is LibTorch's fused AdamW, but for bfloat16 on the CPU.
#include "engine/optimizer.h"

#include <ATen/Parallel.h>

#include "base/halves.h"
#include "ops/cpu/adamw.h"

namespace mstar {
namespace {

bool is_frozen(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

/** In double and in a fixed order: the norm must not depend on how threads cut a sum. */
double l2_norm(const std::vector<at::Tensor>& grads) {
  std::vector<at::Tensor> norms;
  for (const at::Tensor& grad : grads)
    if (grad.defined()) norms.push_back(grad.norm(2, at::kDouble));
  if (norms.empty()) return 0;
  const auto all = at::stack(norms).cpu();  // one wait for the device
  double squares = 0;
  for (int64_t i = 0; i < all.numel(); ++i)
    squares += all.const_data_ptr<double>()[i] * all.const_data_ptr<double>()[i];
  return std::sqrt(squares);
}

/** Numbers of a bfloat16 parameter whose float32 copies exist at one time. */
constexpr int64_t kMasterChunk = int64_t{1} << 24;
/** Numbers that are worth a thread. */
constexpr int64_t kGrain = int64_t{1} << 15;

}  // namespace

Optimizer::Optimizer(const Parameters& parameters, OptimizerSettings settings) : settings_(std::move(settings)) {
  for (const std::string& name : parameters.learnable()) {
    if (is_frozen(name, settings_.frozen)) continue;
    const at::Tensor& parameter = parameters[name];
    trained_.push_back(name);
    const auto options = parameter.options().dtype(at::kFloat).requires_grad(false);
    moments_.emplace(name, std::pair{at::zeros(parameter.sizes(), options), at::zeros(parameter.sizes(), options)});
    if (parameter.scalar_type() == at::kBFloat16)
      low_.emplace(name, at::zeros(parameter.sizes(), options.dtype(at::kShort)));
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

at::Tensor Optimizer::master(const std::string& parameter, const at::Tensor& value) const {
  const auto low = low_.find(parameter);
  return low == low_.end() ? value.detach() : join_halves(value.detach(), low->second);
}

void Optimizer::set_master(const std::string& parameter, const at::Tensor& value, const at::Tensor& master) {
  const at::NoGradGuard no_grad;
  const auto low = low_.find(parameter);
  if (low == low_.end()) {
    value.detach().copy_(master);
  } else {
    split_halves(master.to(value.device()), value.detach(), low->second);
  }
}

/** One bfloat16 parameter on the CPU. */
void Optimizer::update_halves(const std::string& name, const at::Tensor& value, const at::Tensor& grad, double lr,
                              double decay) {
  const auto steps = static_cast<double>(steps_);
  const auto number = [](double x) { return static_cast<float>(x); };
  const cpu::AdamWStep step{number(settings_.beta1),
                            number(settings_.beta2),
                            number(settings_.eps),
                            number(1 - lr * decay),
                            number(lr / (1 - std::pow(settings_.beta1, steps))),
                            number(std::sqrt(1 - std::pow(settings_.beta2, steps)))};
  const auto gradient = grad.contiguous();
  auto* high = static_cast<uint16_t*>(value.mutable_data_ptr());
  auto* low = low_.at(name).mutable_data_ptr<int16_t>();
  auto* first = moment(name, false).mutable_data_ptr<float>();
  auto* second = moment(name, true).mutable_data_ptr<float>();
  at::parallel_for(0, value.numel(), kGrain, [&](int64_t i, int64_t end) {
    if (gradient.scalar_type() == at::kFloat) {
      cpu::adamw(step, high + i, low + i, gradient.const_data_ptr<float>() + i, first + i, second + i, end - i);
    } else {
      const auto* halves = static_cast<const uint16_t*>(gradient.const_data_ptr());
      cpu::adamw_halves(step, high + i, low + i, halves + i, first + i, second + i, end - i);
    }
  });
}

/** One bfloat16 parameter, chunk by chunk through its float32 master. */
void Optimizer::update(const std::string& name, const at::Tensor& value, const at::Tensor& grad, double lr,
                       double decay) {
  if (value.is_cpu()) return update_halves(name, value, grad, lr, decay);
  const auto flat = [](const at::Tensor& tensor) { return tensor.view({-1}); };
  const auto high = flat(value), low = flat(low_.at(name)), gradient = grad.reshape({-1});
  const auto first = flat(moment(name, false)), second = flat(moment(name, true));
  const auto count = at::full({}, static_cast<double>(steps_), first.options());
  for (int64_t from = 0; from < high.numel(); from += kMasterChunk) {
    const int64_t size = std::min(kMasterChunk, high.numel() - from);
    const auto part = [&](const at::Tensor& tensor) { return tensor.narrow(0, from, size); };
    const auto master = join_halves(part(high), part(low));
    at::_fused_adamw_({master}, {part(gradient).to(at::kFloat)}, {part(first)}, {part(second)}, {}, {count}, lr,
                      settings_.beta1, settings_.beta2, decay, settings_.eps, false, false);
    split_halves(master, part(high), part(low));
  }
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
    const double decay = decays ? settings_.weight_decay : 0.0;
    std::vector<at::Tensor> values, gradients, first, second, counts;
    for (size_t i = 0; i < trained_.size(); ++i) {
      const at::Tensor& value = parameters[trained_[i]];
      if (!grads[i].defined() || (value.dim() >= 2) != decays) continue;
      if (low_.count(trained_[i]) > 0) {
        update(trained_[i], value.detach(), grads[i], lr, decay);
        continue;
      }
      values.push_back(value.detach());
      gradients.push_back(grads[i]);
      first.push_back(moment(trained_[i], false));
      second.push_back(moment(trained_[i], true));
      counts.push_back(at::full({}, static_cast<double>(steps_), first.back().options()));
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, gradients, first, second, {}, counts, lr, settings_.beta1, settings_.beta2, decay,
                      settings_.eps, false, false);
  }
  return norm;
}

}  // namespace mstar
