// See kernels.h. Twins are LibTorch in double; a row computed alone must have the bits that it has among others.
#include "base/halves.h"
#include "engine/adamw.h"
#include "engine/check/kernels.h"
#include "ops/cpu/kernels.h"

namespace mstar {
namespace {

constexpr double kTiny = 1e-6;

uint16_t* halves_of(const at::Tensor& tensor) { return static_cast<uint16_t*>(tensor.mutable_data_ptr()); }

class SetComparison {
 public:
  explicit SetComparison(const cpu::Kernels& set) : set_(set) {}

  std::vector<KernelError> run() {
    for (const auto& [rows, n, k] : {std::tuple<int64_t, int64_t, int64_t>{1, 48, 7},
                                     {3, 5, 1},
                                     {13, 100, 600},
                                     {8, 192, 513},
                                     {300, 49, 64},
                                     {70, 33, 1030}}) {
      shape_ = std::to_string(rows) + " x " + std::to_string(n) + " x " + std::to_string(k);
      product(rows, n, k);
      product_of_halves(rows, n, k);
    }
    for (const auto& [group, head_dim] : {std::pair<int64_t, int64_t>{1, 96}, {2, 32}, {3, 64}, {4, 24}, {5, 13}}) {
      shape_ = std::to_string(group) + " heads of " + std::to_string(head_dim);
      attention<float>(group, head_dim);
      attention<uint16_t>(group, head_dim);
    }
    for (int64_t width : {16, 100, 1003}) {
      shape_ = "width " + std::to_string(width);
      rows(width);
      optimizer_step(width, at::kFloat);
      optimizer_step(width, at::kBFloat16);
      small_step(width, at::kFloat, at::kFloat);
      small_step(width, at::kBFloat16, at::kFloat);
      small_step(width, at::kBFloat16, at::kBFloat16);
    }
    shape_ = "1024 numbers";
    fallen_gradients();
    return std::move(errors_);
  }

 private:
  void add(const char* what, const at::Tensor& found, const at::Tensor& wanted) {
    const auto a = found.to(at::kDouble), b = wanted.to(at::kDouble);
    errors_.push_back({std::string(set_.name) + " " + what, shape_,
                       (a - b).abs().max().item<double>() / std::max(b.abs().max().item<double>(), kTiny)});
  }

  void product(int64_t rows, int64_t n, int64_t k) {
    const auto x = at::randn({rows, k}), weight = at::randn({n, k}), before = at::randn({rows, n});
    const auto wanted = at::mm(x.to(at::kDouble), weight.to(at::kDouble).t());
    const auto turned_x = x.t().contiguous(), turned_weight = weight.t().contiguous();
    std::vector<float> room(static_cast<size_t>(set_.packed_floats(n, k)));
    auto found = at::empty({rows, n});
    const auto floats = [](const at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); };
    auto packed = set_.pack_transposed(floats(turned_weight), n, k, n, room.data());
    set_.gemm(packed, floats(turned_x), rows, cpu::Layout::columns, floats(found), n, rows, false);
    add("gemm of columns", found, wanted);
    packed = set_.pack(floats(weight), n, k, k, room.data());
    set_.gemm(packed, floats(x), k, cpu::Layout::rows, floats(found), n, rows, false);
    add("gemm", found, wanted);
    auto alone = at::empty({rows, n});
    for (int64_t r = 0; r < rows; ++r)
      set_.gemm(packed, floats(x) + r * k, k, cpu::Layout::rows, floats(alone) + r * n, n, 1, false);
    add("gemm of rows alone", alone, found);
    auto sum = before.clone();
    set_.gemm(packed, floats(x), k, cpu::Layout::rows, floats(sum), n, rows, true);
    add("gemm onto a sum", sum, wanted + before);
  }

  /** The twin rounds what it multiplies to bfloat16, as the product does. */
  void product_of_halves(int64_t rows, int64_t n, int64_t k) {
    const auto x = at::randn({rows, k}), before = at::randn({rows, n});
    const auto weight = at::randn({n, k}).to(at::kBFloat16);
    const auto wanted = at::mm(x.to(at::kBFloat16).to(at::kDouble), weight.to(at::kDouble).t());
    auto room = at::empty({set_.packed_halves(n, k)}, at::kBFloat16);
    const auto halves = [](const at::Tensor& tensor) { return static_cast<uint16_t*>(tensor.mutable_data_ptr()); };
    const auto packed = set_.pack_halves(halves(weight), n, k, k, halves(room));
    auto found = at::empty({rows, n}), alone = at::empty({rows, n}), sum = before.clone();
    const auto floats = [](const at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); };
    set_.gemm_halves(packed, floats(x), k, floats(found), n, rows, false);
    add("gemm_halves", found, wanted);
    for (int64_t r = 0; r < rows; ++r)
      set_.gemm_halves(packed, floats(x) + r * k, k, floats(alone) + r * n, n, 1, false);
    add("gemm_halves of rows alone", alone, found);
    set_.gemm_halves(packed, floats(x), k, floats(sum), n, rows, true);
    add("gemm_halves onto a sum", sum, wanted + before);
  }

  /** Five siblings that share two spans; rows of their own reach from one token to several blocks. */
  template <class Cell>
  void attention(int64_t group, int64_t head_dim) {
    constexpr bool halves = std::is_same_v<Cell, uint16_t>;
    const std::vector<int64_t> shared{40, 16}, own{1, 16, 17, 75, 130};
    const auto row_count = static_cast<int64_t>(own.size());
    const float scale = 0.3f;
    const auto q = at::randn({row_count, group, head_dim});
    auto out = at::empty_like(q), alone = at::empty_like(q);
    std::vector<at::Tensor> blocks;
    std::vector<std::vector<const void*>> places;
    std::vector<std::pair<at::Tensor, at::Tensor>> cached;  // keys [head_dim, n] and values [n, head_dim]
    const auto make = [&](int64_t length) {
      std::vector<at::Tensor> keys, values;
      places.emplace_back();
      for (int64_t from = 0; from < length; from += kBlockTokens) {
        blocks.push_back(at::randn({2, head_dim * kBlockTokens}).to(halves ? at::kBFloat16 : at::kFloat));
        places.back().push_back(blocks.back().const_data_ptr());
        keys.push_back(blocks.back()[0].view({head_dim, kBlockTokens}));
        values.push_back(blocks.back()[1].view({kBlockTokens, head_dim}));
      }
      cached.emplace_back(at::cat(keys, 1).narrow(1, 0, length), at::cat(values).narrow(0, 0, length));
    };
    for (int64_t length : shared) make(length);
    for (int64_t length : own) make(length);
    std::vector<cpu::KvSpan> spans;
    std::vector<cpu::AttendRow> rows, rows_alone;
    for (size_t s = 0; s < shared.size(); ++s) spans.push_back({places[s].data(), shared[s]});
    std::vector<at::Tensor> wanted;
    for (int64_t r = 0; r < row_count; ++r) {
      const auto at = static_cast<size_t>(r);
      const cpu::KvSpan span{places[shared.size() + at].data(), own[at]};
      rows.push_back({q[r].const_data_ptr<float>(), out[r].mutable_data_ptr<float>(), span});
      rows_alone.push_back({q[r].const_data_ptr<float>(), alone[r].mutable_data_ptr<float>(), span});
      const auto& last = cached[shared.size() + at];
      const auto keys = at::cat({cached[0].first, cached[1].first, last.first}, 1).to(at::kDouble);
      const auto values = at::cat({cached[0].second, cached[1].second, last.second}).to(at::kDouble);
      wanted.push_back(at::mm(at::softmax(at::mm(q[r].to(at::kDouble), keys) * scale, -1), values));
    }
    const auto shared_count = static_cast<int64_t>(spans.size());
    const cpu::KvPlace place{0, head_dim * kBlockTokens};
    const auto number = halves ? cpu::Number::bfloat16 : cpu::Number::float32;
    cpu::AttendWorkspace workspace;
    cpu::attend_with(set_, {spans.data(), shared_count, rows.data(), row_count, group, head_dim, place, scale, number},
                     workspace);
    add(halves ? "attend in bfloat16" : "attend", out, at::stack(wanted));
    for (const cpu::AttendRow& row : rows_alone)
      cpu::attend_with(set_, {spans.data(), shared_count, &row, 1, group, head_dim, place, scale, number}, workspace);
    add(halves ? "attend in bfloat16 of rows alone" : "attend of rows alone", alone, out);
  }

  void rows(int64_t width) {
    constexpr int64_t kRows = 3;
    const auto x = at::randn({kRows, 2 * width}), weight = at::randn({width});
    const auto wide = x.to(at::kDouble);
    auto out = at::empty({kRows, width});
    const float* gate_up = x.const_data_ptr<float>();
    set_.swiglu(gate_up, gate_up + width, 2 * width, out.mutable_data_ptr<float>(), kRows, width);
    const auto gate = wide.narrow(1, 0, width), up = wide.narrow(1, width, width);
    add("swiglu", out, at::silu(gate) * up);
    const auto dy = at::randn({kRows, width}), into = dy.to(at::kDouble);
    auto dgate = at::empty_like(dy), dup = at::empty_like(dy);
    set_.swiglu_backward(gate_up, gate_up + width, 2 * width, dy.const_data_ptr<float>(),
                         dgate.mutable_data_ptr<float>(), dup.mutable_data_ptr<float>(), kRows, width);
    add("swiglu_backward gate", dgate, at::silu_backward(into * up, gate));
    add("swiglu_backward up", dup, into * at::silu(gate));
    auto normal = at::empty({2 * kRows, width});
    const auto flat = wide.view({2 * kRows, width});
    set_.rms_norm(x.const_data_ptr<float>(), weight.const_data_ptr<float>(), 1e-5f, normal.mutable_data_ptr<float>(),
                  2 * kRows, width);
    add("rms_norm", normal, flat * (flat.square().mean(-1, true) + 1e-5).rsqrt() * weight);
    const auto normal_dy = at::randn({2 * kRows, width});
    const auto scaled = normal_dy.to(at::kDouble) * weight;
    const auto inverse = (flat.square().mean(-1, true) + 1e-5).rsqrt();
    auto dx = at::empty_like(normal_dy), dweight = at::zeros({width});
    set_.rms_norm_backward(x.const_data_ptr<float>(), weight.const_data_ptr<float>(), 1e-5f,
                           normal_dy.const_data_ptr<float>(), dx.mutable_data_ptr<float>(),
                           dweight.mutable_data_ptr<float>(), 2 * kRows, width);
    add("rms_norm_backward x", dx, inverse * (scaled - flat * inverse.square() * (scaled * flat).mean(-1, true)));
    add("rms_norm_backward weight", dweight, (normal_dy.to(at::kDouble) * flat * inverse).sum(0));
    const float most = set_.max_of(x.const_data_ptr<float>(), width);
    add("max_of", at::scalar_tensor(most), x[0].narrow(0, 0, width).max());
    const double total = set_.exp_scaled(x.const_data_ptr<float>(), most, 0.7f, out.mutable_data_ptr<float>(), width);
    const auto powers = ((wide[0].narrow(0, 0, width) - most) * 0.7).exp();
    add("exp_scaled", out[0], powers);
    add("exp_scaled sum", at::scalar_tensor(total, at::kDouble), powers.sum());
    const auto left = wide[0].narrow(0, 0, width), right = wide[0].narrow(0, width, width);
    const float* row = x.const_data_ptr<float>();
    // Beside the sum of the magnitudes: what is lost is a share of those, while the product itself may be near 0.
    const auto terms = left * right, magnitude = terms.abs().sum();
    const auto dot = at::scalar_tensor(set_.dot(row, row + width, width), at::kDouble);
    add("dot", at::stack({dot, magnitude}), at::stack({terms.sum(), magnitude}));
    auto both = x[0].narrow(0, 0, width).clone();
    set_.add(both.mutable_data_ptr<float>(), row + width, width);
    add("add", both, left + right);
    auto softened = x[0].narrow(0, 0, width).clone(), slopes = x[0].narrow(0, width, width).clone();
    set_.softmax_backward(softened.mutable_data_ptr<float>(), slopes.mutable_data_ptr<float>(), most, 0.7f, 0.3f,
                          width);
    add("softmax_backward weights", softened, powers);
    add("softmax_backward slopes", slopes, powers * (right - 0.3) * 0.7);
    set_.logprob_backward(row, 0.7f, most, 0.3f, out.mutable_data_ptr<float>(), width);
    add("logprob_backward", out[0], (left * 0.7 - most).exp() * -0.3 * 0.7);
    const auto angles = at::randn({width}), cosine = angles.cos(), sine = angles.sin();
    auto turned = x.clone();
    set_.rotate_half(turned.mutable_data_ptr<float>(), cosine.const_data_ptr<float>(), sine.const_data_ptr<float>(),
                     kRows, 2 * width);
    const auto a = wide.narrow(1, 0, width), b = wide.narrow(1, width, width);
    add("rotate_half", turned, at::cat({a * cosine - b * sine, b * cosine + a * sine}, 1));
  }

  /** The twin is LibTorch's AdamW on the joined masters, in double. */
  void optimizer_step(int64_t n, at::ScalarType type) {
    const double lr = 0.01, beta1 = 0.9, beta2 = 0.95, decay = 0.1, eps = 1e-8, count = 3;
    const auto master = at::randn({n}), first = at::randn({n}), second = at::rand({n}), grad = at::randn({n}).to(type);
    const auto high = at::empty({n}, at::kBFloat16), low = at::empty({n}, at::kShort);
    split_halves(master, high, low);
    const auto wide = [](const at::Tensor& tensor) { return tensor.to(at::kDouble); };
    const auto wanted = wide(master), wanted_first = wide(first), wanted_second = wide(second);
    at::_fused_adamw_({wanted}, {wide(grad)}, {wanted_first}, {wanted_second}, {}, {at::full({}, count, at::kDouble)},
                      lr, beta1, beta2, decay, eps, false, false);
    const cpu::AdamWStep step = cpu_step({lr, beta1, beta2, eps, decay, static_cast<int64_t>(count)});
    auto* upper = static_cast<uint16_t*>(high.mutable_data_ptr());
    auto* lower = low.mutable_data_ptr<int16_t>();
    float *m = first.mutable_data_ptr<float>(), *v = second.mutable_data_ptr<float>();
    const bool halves = type == at::kBFloat16;
    if (halves) {
      set_.adamw_halves(step, upper, lower, static_cast<const uint16_t*>(grad.const_data_ptr()), m, v, n);
    } else {
      set_.adamw(step, upper, lower, grad.const_data_ptr<float>(), m, v, n);
    }
    const std::string name = halves ? "adamw of halves" : "adamw";
    add((name + " weights").c_str(), join_halves(high, low), wanted);
    add((name + " first moment").c_str(), first, wanted_first);
    add((name + " second moment").c_str(), second, wanted_second);
  }

  /** Of codes the share that differs; all of them where one differs by more than its last bit. */
  void add_codes(const std::string& what, const at::Tensor& found, const at::Tensor& wanted) {
    const auto apart = found.to(at::kInt).sub(wanted.to(at::kInt)).abs();
    const bool by_one = apart.max().item<int>() <= 1;
    errors_.push_back(
        {std::string(set_.name) + " " + what, shape_, by_one ? apart.to(at::kDouble).mean().item<double>() : 1.0});
  }

  /** Two steps, the second from the weights and moments that the twin has after the first. */
  void small_step(int64_t n, at::ScalarType type, at::ScalarType grad_type) {
    AdamW adamw{0.01, 0.9, 0.95, 1e-8, 0.1, 1};
    const bool halves = type == at::kBFloat16;
    const auto weights = at::randn({n}).to(type), wanted_weights = weights.clone();
    const auto state = AdamWState::zeros(n, true, halves, at::kFloat),
               wanted = AdamWState::zeros(n, true, halves, at::kFloat);
    for (; adamw.steps <= 2; ++adamw.steps) {
      weights.copy_(wanted_weights);
      state.copy_from(wanted);
      const auto rounding = Rounding::of("weight", adamw.steps, 12288);
      const auto grad = at::randn({n}).mul_(at::rand({n})).to(grad_type);
      adamw_step_plain(adamw, wanted_weights, grad, wanted, rounding);
      const cpu::AdamWStep step = cpu_step(adamw);
      const cpu::SmallMoments moments{halves_of(state.first), state.second.mutable_data_ptr<uint8_t>(),
                                      state.scales.mutable_data_ptr<float>(), rounding.seed, rounding.from};
      if (!halves) {
        set_.adamw_small_floats(step, weights.mutable_data_ptr<float>(), grad.const_data_ptr<float>(), moments, n);
      } else if (grad_type == at::kFloat) {
        set_.adamw_small(step, halves_of(weights), state.low.mutable_data_ptr<int16_t>(), grad.const_data_ptr<float>(),
                         moments, n);
      } else {
        set_.adamw_small_halves(step, halves_of(weights), state.low.mutable_data_ptr<int16_t>(), halves_of(grad),
                                moments, n);
      }
    }
    const std::string name = std::string("adamw_small") + (!halves                   ? " floats"
                                                           : grad_type == at::kFloat ? ""
                                                                                     : " halves");
    const auto master = [&](const at::Tensor& high, const at::Tensor& low) {
      return halves ? join_halves(high, low) : high;
    };
    add((name + " weights").c_str(), master(weights, state.low), master(wanted_weights, wanted.low));
    add((name + " scales").c_str(), state.scales, wanted.scales);
    add((name + " first moment, rounded").c_str(), state.first, wanted.first);
    add_codes(name + " second moment, rounded", state.second, wanted.second);
  }

  /** Second moments follow gradients of which every other one becomes a tenth: the nearest code would never change. */
  void fallen_gradients() {
    constexpr int64_t kNumbers = 4 * cpu::kRootBlock;
    AdamW adamw{0.01, 0.9, 0.999, 1e-8, 0, 1};
    const auto weights = at::zeros({kNumbers}), exact = at::zeros({kNumbers}, at::kDouble);
    const auto falls = at::arange(kNumbers).remainder(2).to(at::kBool);
    const auto state = AdamWState::zeros(kNumbers, true, false, at::kFloat);
    for (; adamw.steps <= 4000; ++adamw.steps) {
      const auto rounding = Rounding::of("weight", adamw.steps, 0);
      const auto grad = at::randn({kNumbers});
      if (adamw.steps > 500) grad.mul_(at::where(falls, 0.1, 1.0));
      exact.mul_(adamw.beta2).addcmul_(grad, grad, 1 - adamw.beta2);
      set_.adamw_small_floats(cpu_step(adamw), weights.mutable_data_ptr<float>(), grad.const_data_ptr<float>(),
                              {halves_of(state.first), state.second.mutable_data_ptr<uint8_t>(),
                               state.scales.mutable_data_ptr<float>(), rounding.seed, rounding.from},
                              kNumbers);
    }
    const auto ratio = unpack_second(state).to(at::kDouble).div(exact).sqrt().masked_select(falls);
    errors_.push_back({std::string(set_.name) + " adamw_small root of second moments of fallen gradients", shape_,
                       std::abs(ratio.median().item<double>() - 1)});
  }

  const cpu::Kernels& set_;
  std::string shape_;
  std::vector<KernelError> errors_;
};

}  // namespace

std::vector<KernelError> compare_cpu_kernels() {
  const at::NoGradGuard no_grad;
  std::vector<KernelError> errors;
  for (const cpu::Kernels* set : cpu::machine_kernels())
    for (KernelError& error : SetComparison(*set).run()) errors.push_back(std::move(error));
  return errors;
}

}  // namespace mstar
