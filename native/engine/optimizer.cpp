// See optimizer.h. The update itself is LibTorch's fused AdamW, but for bfloat16 on the CPU.
#include "engine/optimizer.h"

#include <ATen/Parallel.h>

#include "base/halves.h"
#include "base/stopwatch.h"
#include "ops/cpu/adamw.h"

namespace mstar {
namespace {

bool is_frozen(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

std::vector<std::string> learning(const Parameters& parameters, const OptimizerSettings& settings) {
  std::vector<std::string> names;
  for (const std::string& name : parameters.learnable())
    if (!is_frozen(name, settings.frozen)) names.push_back(name);
  return names;
}

/** Numbers of a bfloat16 parameter whose float32 copies exist at one time. */
constexpr int64_t kMasterChunk = int64_t{1} << 24;
/** Numbers that are worth a thread. */
constexpr int64_t kGrain = int64_t{1} << 15;

}  // namespace

Optimizer::Optimizer(const Parameters& parameters, OptimizerSettings settings, std::shared_ptr<Group> group,
                     ExchangeSizes sizes)
    : settings_(std::move(settings)),
      trained_(learning(parameters, settings_)),
      exchange_(parameters, trained_, std::move(group), sizes) {
  for (size_t i = 0; i < trained_.size(); ++i) {
    index_.emplace(trained_[i], i);
    const at::Tensor& parameter = parameters[trained_[i]];
    const int64_t count = exchange_.owned(i).count;
    const auto options = parameter.options().dtype(at::kFloat).requires_grad(false);
    State& state = states_.emplace_back(State{at::zeros({count}, options), at::zeros({count}, options), {}});
    if (parameter.scalar_type() == at::kBFloat16) state.low = at::zeros({count}, options.dtype(at::kShort));
  }
}

double Optimizer::next_lr() const {
  if (settings_.warmup_steps <= 0) return settings_.lr;
  return settings_.lr * std::min(1.0, static_cast<double>(steps_ + 1) / static_cast<double>(settings_.warmup_steps));
}

size_t Optimizer::index_of(const std::string& parameter) const {
  const auto found = index_.find(parameter);
  TORCH_CHECK(found != index_.end(), "no optimizer state for ", parameter);
  return found->second;
}

std::pair<at::Tensor, Span> Optimizer::own_moment(const std::string& parameter, bool second) const {
  const size_t i = index_of(parameter);
  return {second ? states_[i].second : states_[i].first, exchange_.owned(i)};
}

at::Tensor Optimizer::moment(const std::string& parameter, bool second) const {
  return exchange_.whole(index_of(parameter), own_moment(parameter, second).first);
}

at::Tensor Optimizer::master(const std::string& parameter, const at::Tensor& value) const {
  const auto high = value.detach().view({-1});
  const auto found = index_.find(parameter);
  if (found == index_.end() || !states_[found->second].low.defined()) return high;
  const auto low = exchange_.whole(found->second, states_[found->second].low);
  return low.defined() ? join_halves(high, low) : low;
}

void Optimizer::set_master(const std::string& parameter, const at::Tensor& value, const at::Tensor& master) {
  const at::NoGradGuard no_grad;
  const auto found = index_.find(parameter);
  if (found == index_.end() || !states_[found->second].low.defined()) {
    value.detach().copy_(master);
    return;
  }
  const auto exact = master.to(value.device());
  const Span span = exchange_.owned(found->second);
  const auto own = value.detach().view({-1}).narrow(0, span.from, span.count);
  value.detach().copy_(nearest_bfloat16(exact));
  split_halves(exact.view({-1}).narrow(0, span.from, span.count), own, states_[found->second].low);
}

/** One bfloat16 parameter on the CPU. */
void Optimizer::update_halves(State& state, const at::Tensor& value, const at::Tensor& grad, double lr, double decay) {
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
  auto* low = state.low.mutable_data_ptr<int16_t>();
  auto* first = state.first.mutable_data_ptr<float>();
  auto* second = state.second.mutable_data_ptr<float>();
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
void Optimizer::update(State& state, const at::Tensor& value, const at::Tensor& grad, double lr, double decay) {
  if (value.is_cpu()) return update_halves(state, value, grad, lr, decay);
  const auto count = at::full({}, static_cast<double>(steps_), state.first.options());
  for (int64_t from = 0; from < value.numel(); from += kMasterChunk) {
    const int64_t size = std::min(kMasterChunk, value.numel() - from);
    const auto part = [&](const at::Tensor& tensor) { return tensor.narrow(0, from, size); };
    const auto master = join_halves(part(value), part(state.low));
    at::_fused_adamw_({master}, {part(grad).to(at::kFloat)}, {part(state.first)}, {part(state.second)}, {}, {count}, lr,
                      settings_.beta1, settings_.beta2, decay, settings_.eps, false, false);
    split_halves(master, part(value), part(state.low));
  }
}

double Optimizer::step(const Parameters& parameters, GradientSums& sums) {
  const at::NoGradGuard no_grad;
  const Stopwatch watch(Work::optimizer);
  const double norm = exchange_.norm(sums), lr = next_lr();
  TORCH_CHECK(std::isfinite(norm), "gradients are not finite: the step was not taken");
  if (settings_.clip > 0 && norm > settings_.clip)
    for (at::Tensor& grad : sums.grads)
      if (grad.defined()) grad.mul_(settings_.clip / norm);
  ++steps_;
  for (const bool decays : {true, false}) {
    const double decay = decays ? settings_.weight_decay : 0.0;
    std::vector<at::Tensor> values, gradients, first, second, counts;
    for (size_t i = 0; i < trained_.size(); ++i) {
      const at::Tensor& parameter = parameters[trained_[i]];
      if (!sums.grads[i].defined() || (parameter.dim() >= 2) != decays) continue;
      const Span span = exchange_.owned(i);
      const auto value = parameter.detach().view({-1}).narrow(0, span.from, span.count);
      const auto grad = sums.grads[i].view({-1});
      State& state = states_[i];
      if (state.low.defined()) {
        update(state, value, grad, lr, decay);
        continue;
      }
      values.push_back(value);
      gradients.push_back(grad);
      first.push_back(state.first);
      second.push_back(state.second);
      counts.push_back(at::full({}, static_cast<double>(steps_), state.first.options()));
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, gradients, first, second, {}, counts, lr, settings_.beta1, settings_.beta2, decay,
                      settings_.eps, false, false);
  }
  exchange_.share(parameters, trained_);
  return norm;
}

}  // namespace mstar
