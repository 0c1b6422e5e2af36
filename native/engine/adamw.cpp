// See adamw.h.
#include "engine/adamw.h"

#include <ATen/Parallel.h>

#include "base/halves.h"
#include "base/random.h"

namespace mstar {
namespace {

using cpu::kLeastRoot;
using cpu::kRootBlock;
using cpu::kRootShift;
using cpu::root_blocks;

/** Numbers that are worth a thread. */
constexpr int64_t kGrain = int64_t{1} << 15;

constexpr at::Tensor AdamWState::*kMembers[] = {&AdamWState::first, &AdamWState::second, &AdamWState::scales,
                                                &AdamWState::low};

/** As rows of a block each, the last filled up with zeros. */
at::Tensor by_block(const at::Tensor& flat) {
  const int64_t missing = root_blocks(flat.numel()) * kRootBlock - flat.numel();
  return (missing > 0 ? at::constant_pad_nd(flat, {0, missing}) : flat).view({-1, kRootBlock});
}

/** `cpu::rounding_chance` of neighbouring numbers, in int64, whose products cannot overflow. */
at::Tensor chances(const Rounding& rounding, int64_t count, const at::Device& device) {
  const auto options = at::TensorOptions(at::kLong).device(device);
  auto bits = at::arange(rounding.from, rounding.from + count, options).bitwise_and_(0xffffffff);
  bits.bitwise_xor_(static_cast<int64_t>(rounding.seed));
  for (int round = 0; round < 2; ++round)
    bits.bitwise_xor_(bits.bitwise_right_shift(16))
        .mul_(static_cast<int64_t>(cpu::kChanceFactor))
        .bitwise_and_(0xffffffff);
  bits.bitwise_xor_(bits.bitwise_right_shift(16));
  return bits.bitwise_right_shift_(32 - kRootShift).to(at::kInt);
}

void pack_second(const at::Tensor& second, const Rounding& rounding, const AdamWState& state) {
  const auto roots = by_block(second.sqrt());
  const auto scales = roots.amax(1);
  const auto shares =
      roots.div(scales.masked_fill(scales == 0, 1).unsqueeze(1)).view({-1}).narrow(0, 0, second.numel());
  const auto bits = shares.view(at::kInt).sub(kLeastRoot).clamp_min_(0);
  const auto rounded = bits.add_(chances(rounding, second.numel(), second.device())).bitwise_right_shift_(kRootShift);
  state.second.copy_(rounded.clamp_max_(255));
  state.scales.copy_(scales);
}

uint16_t* halves_of(const at::Tensor& tensor) { return static_cast<uint16_t*>(tensor.mutable_data_ptr()); }

}  // namespace

AdamWState AdamWState::zeros(int64_t count, bool small, bool halves, const at::TensorOptions& options) {
  AdamWState state;
  state.first = at::zeros({count}, options.dtype(small ? at::kBFloat16 : at::kFloat));
  state.second = at::zeros({count}, options.dtype(small ? at::kByte : at::kFloat));
  if (small) state.scales = at::zeros({root_blocks(count)}, options.dtype(at::kFloat));
  if (halves) state.low = at::zeros({count}, options.dtype(at::kShort));
  return state;
}

int64_t AdamWState::bytes(int64_t count, bool small, bool halves) {
  return count * ((small ? 3 : 8) + (halves ? 2 : 0)) + (small ? 4 * root_blocks(count) : 0);
}

AdamWState AdamWState::copied_to(const at::Device& device) const {
  AdamWState copy;
  for (const auto member : kMembers)
    if ((this->*member).defined()) copy.*member = (this->*member).to(device, (this->*member).scalar_type(), true, true);
  return copy;
}

void AdamWState::copy_from(const AdamWState& other) const {
  for (const auto member : kMembers)
    if ((this->*member).defined()) (this->*member).copy_(other.*member, true);
}

AdamWState AdamWState::narrow(int64_t from, int64_t count) const {
  const auto part = [](const at::Tensor& tensor, int64_t at, int64_t size) {
    return tensor.defined() ? tensor.narrow(0, at, size) : tensor;
  };
  return {part(first, from, count), part(second, from, count), part(scales, from / kRootBlock, root_blocks(count)),
          part(low, from, count)};
}

Rounding Rounding::of(const std::string& parameter, int64_t step, int64_t from) {
  const double uniform = philox_uniform(static_cast<uint64_t>(step), hash_key(parameter), 0, 0);
  return {static_cast<uint32_t>(uniform * 0x1.0p32), from};
}

at::Tensor unpack_second(const AdamWState& state) {
  const auto shares = state.second.to(at::kInt).mul_(1 << kRootShift).add_(kLeastRoot).view(at::kFloat);
  return by_block(shares).mul(state.scales.unsqueeze(1)).square_().view({-1}).narrow(0, 0, state.second.numel());
}

cpu::AdamWStep cpu_step(const AdamW& adamw) {
  const auto number = [](double x) { return static_cast<float>(x); };
  const auto steps = static_cast<double>(adamw.steps);
  return {number(adamw.beta1),
          number(adamw.beta2),
          number(adamw.eps),
          number(1 - adamw.lr * adamw.decay),
          number(adamw.lr / (1 - std::pow(adamw.beta1, steps))),
          number(std::sqrt(1 - std::pow(adamw.beta2, steps)))};
}

void adamw_step_plain(const AdamW& adamw, const at::Tensor& weights, const at::Tensor& grad, const AdamWState& state,
                      const Rounding& rounding) {
  const bool small = state.scales.defined(), halves = state.low.defined();
  const auto master = halves ? join_halves(weights, state.low) : weights;
  const auto first = state.first.to(at::kFloat), second = small ? unpack_second(state) : state.second;
  const auto count = at::full({}, static_cast<double>(adamw.steps), first.options());
  at::_fused_adamw_({master}, {grad.to(at::kFloat)}, {first}, {second}, {}, {count}, adamw.lr, adamw.beta1, adamw.beta2,
                    adamw.decay, adamw.eps, false, false);
  if (halves) split_halves(master, weights, state.low);
  if (!small) return;
  state.first.copy_(nearest_bfloat16(first));
  pack_second(second, rounding, state);
}

void adamw_step(const AdamW& adamw, const at::Tensor& weights, const at::Tensor& grad, const AdamWState& state,
                const Rounding& rounding) {
  const bool small = state.scales.defined(), halves = state.low.defined();
  if (!weights.is_cpu() || !(small || halves)) return adamw_step_plain(adamw, weights, grad, state, rounding);
  const cpu::AdamWStep step = cpu_step(adamw);
  const auto gradient = halves ? grad.contiguous() : grad.to(at::kFloat).contiguous();
  const bool wide = gradient.scalar_type() == at::kFloat;
  const int64_t count = weights.numel();
  at::parallel_for(0, root_blocks(count), kGrain / kRootBlock, [&](int64_t block, int64_t end) {
    const int64_t at = block * kRootBlock, n = std::min(count, end * kRootBlock) - at;
    const auto* floats = wide ? gradient.const_data_ptr<float>() + at : nullptr;
    const auto* short_floats = wide ? nullptr : static_cast<const uint16_t*>(gradient.const_data_ptr()) + at;
    auto* low = halves ? state.low.mutable_data_ptr<int16_t>() + at : nullptr;
    if (!small) {
      auto* first = state.first.mutable_data_ptr<float>() + at;
      auto* second = state.second.mutable_data_ptr<float>() + at;
      if (wide) return cpu::adamw(step, halves_of(weights) + at, low, floats, first, second, n);
      return cpu::adamw_halves(step, halves_of(weights) + at, low, short_floats, first, second, n);
    }
    const cpu::SmallMoments moments{halves_of(state.first) + at, state.second.mutable_data_ptr<uint8_t>() + at,
                                    state.scales.mutable_data_ptr<float>() + block, rounding.seed, rounding.from + at};
    if (!halves) return cpu::adamw_small_floats(step, weights.mutable_data_ptr<float>() + at, floats, moments, n);
    if (wide) return cpu::adamw_small(step, halves_of(weights) + at, low, floats, moments, n);
    cpu::adamw_small_halves(step, halves_of(weights) + at, low, short_floats, moments, n);
  });
}

}  // namespace mstar
