// See optimizer.h.
#include "engine/optimizer.h"

#include "base/halves.h"
#include "base/room.h"
#include "ops/cpu/adamw.h"

namespace mstar {
namespace {

static_assert(Cuts::kBlock % cpu::kRootBlock == 0, "what shares a scale must have one owner");

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

/** Of the sum of a gradient's number. */
constexpr int64_t kSumBytes = 4;
/** Of a message for each number of a piece that is stepped at one time: 16 million numbers, so that what a step makes
 * of them besides takes little memory. */
constexpr int64_t kStepBytes = 8;

struct Kind {
  std::string prefix;
  at::Tensor AdamWState::*tensor;
};
const Kind kKinds[] = {
    {"exp_avg.", &AdamWState::first}, {"exp_avg_sq.", &AdamWState::second}, {"exp_avg_sq_scale.", &AdamWState::scales}};

}  // namespace

Optimizer::Optimizer(const Parameters& parameters, OptimizerSettings settings, const StateForm& form,
                     std::shared_ptr<Group> group, ExchangeSizes sizes)
    : settings_(std::move(settings)),
      trained_(learning(parameters, settings_)),
      exchange_(parameters, trained_, std::move(group), sizes),
      piece_(std::max(sizes.message / kStepBytes / sizes.block, int64_t{1}) * sizes.block) {
  // Vectors are few numbers.
  const auto small = [&](const at::Tensor& parameter) { return form.small_moments && parameter.dim() >= 2; };
  const auto halves = [](const at::Tensor& parameter) { return parameter.scalar_type() == at::kBFloat16; };
  int64_t bytes = 0;
  for (size_t i = 0; i < trained_.size(); ++i) {
    const at::Tensor& parameter = parameters[trained_[i]];
    const int64_t count = exchange_.owned(i).count;
    bytes += AdamWState::bytes(count, small(parameter), halves(parameter)) + kSumBytes * count;
  }
  const auto device = parameters.device();
  on_host_ = form.on_host.value_or(!device.is_cpu() && bytes > room_on(device) / 5 * 4);
  const auto place = at::TensorOptions(on_host_ ? at::kCPU : device).pinned_memory(on_host_ && !device.is_cpu());
  for (size_t i = 0; i < trained_.size(); ++i) {
    index_.emplace(trained_[i], i);
    const at::Tensor& parameter = parameters[trained_[i]];
    states_.push_back(AdamWState::zeros(exchange_.owned(i).count, small(parameter), halves(parameter), place));
  }
}

double Optimizer::next_lr() const {
  const auto share = [](int64_t step, int64_t of) {
    return of <= 0 ? 1 : std::clamp(static_cast<double>(step) / static_cast<double>(of), 0.0, 1.0);
  };
  return settings_.lr * share(steps_ + 1, settings_.warmup_steps) *
         share(settings_.total_steps - steps_, settings_.decay_steps);
}

std::vector<StateTensor> Optimizer::state(const Parameters& parameters) const {
  std::vector<StateTensor> tensors;
  for (size_t i = 0; i < trained_.size(); ++i)
    for (const Kind& kind : kKinds) {
      const at::Tensor& own = states_[i].*kind.tensor;
      if (!own.defined()) continue;
      const auto& parameter = parameters[trained_[i]];
      const bool scales = kind.tensor == &AdamWState::scales;
      tensors.push_back({kind.prefix + trained_[i], own.scalar_type(),
                         scales ? std::vector{cpu::root_blocks(parameter.numel())} : parameter.sizes().vec()});
    }
  return tensors;
}

bool Optimizer::names_moment(const std::string& name) {
  return std::any_of(std::begin(kKinds), std::end(kKinds),
                     [&](const Kind& kind) { return name.starts_with(kind.prefix); });
}

std::pair<size_t, at::Tensor AdamWState::*> Optimizer::find(const std::string& name) const {
  for (const Kind& kind : kKinds) {
    if (!name.starts_with(kind.prefix)) continue;
    const auto found = index_.find(name.substr(kind.prefix.size()));
    if (found != index_.end() && (states_[found->second].*kind.tensor).defined()) return {found->second, kind.tensor};
  }
  TORCH_CHECK(false, "there is no optimizer state for ", name);
}

OwnState Optimizer::own_moment(const std::string& name) const {
  const auto [i, tensor] = find(name);
  const int64_t each = tensor == &AdamWState::scales ? cpu::kRootBlock : 1;
  return {states_[i].*tensor, exchange_.owned(i).from / each, (exchange_.size(i) + each - 1) / each};
}

at::Tensor Optimizer::moment(const std::string& name, int to) const {
  const auto [i, tensor] = find(name);
  return exchange_.whole(i, (states_[i].*tensor).to(exchange_.device()), to,
                         tensor == &AdamWState::scales ? cpu::kRootBlock : 1);
}

at::Tensor Optimizer::master(const std::string& parameter, const at::Tensor& value, int to) const {
  const auto high = value.detach().view({-1});
  const auto found = index_.find(parameter);
  if (found == index_.end() || !states_[found->second].low.defined()) return high;
  const auto low = exchange_.whole(found->second, states_[found->second].low.to(exchange_.device()), to);
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

double Optimizer::step(const Parameters& parameters, GradientSums& sums) {
  const at::NoGradGuard no_grad;
  const double norm = exchange_.norm(sums), lr = next_lr();
  TORCH_CHECK(std::isfinite(norm), "gradients are not finite: the step was not taken");
  if (settings_.clip > 0 && norm > settings_.clip)
    for (at::Tensor& grad : sums.grads)
      if (grad.defined()) grad.mul_(settings_.clip / norm);
  ++steps_;
  for (size_t i = 0; i < trained_.size(); ++i) {
    if (!sums.grads[i].defined()) continue;
    const at::Tensor& parameter = parameters[trained_[i]];
    const Span span = exchange_.owned(i);
    const auto weights = parameter.detach().view({-1}).narrow(0, span.from, span.count);
    const auto grad = sums.grads[i].view({-1});
    const AdamW adamw{
        lr,    settings_.beta1, settings_.beta2, settings_.eps, parameter.dim() >= 2 ? settings_.weight_decay : 0.0,
        steps_};
    for (int64_t from = 0; from < span.count; from += piece_) {
      const int64_t count = std::min(piece_, span.count - from);
      const AdamWState kept = states_[i].narrow(from, count);
      const AdamWState state = on_host_ ? kept.copied_to(weights.device()) : kept;
      adamw_step(adamw, weights.narrow(0, from, count), grad.narrow(0, from, count), state,
                 Rounding::of(trained_[i], steps_, span.from + from));
      if (on_host_) kept.copy_from(state);
    }
  }
  if (on_host_) synchronize(parameters.device());  // copies into pinned memory go on by themselves
  exchange_.share(parameters, trained_);
  return norm;
}

}  // namespace mstar
