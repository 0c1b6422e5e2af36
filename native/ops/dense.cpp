// See dense.h. Forward packs W, the gradient of x packs W^T, the gradient of W packs x: packing is linear where the
// product is cubic. Threads, where the caller allows several, take ranges of outputs or of rows, so that their number
// does not change a bit.
#include "ops/dense.h"

#include <ATen/Parallel.h>

#include "base/huge_pages.h"
#include "ops/cpu/gemm.h"

namespace mstar {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** Outputs that are packed together: whole panels of every instruction set. */
constexpr int64_t kOutputs = 96;
/** Rows that one thread takes together. */
constexpr int64_t kRows = 64;
/** Multiplications that are worth a thread. */
constexpr int64_t kGrain = int64_t{1} << 20;

int64_t grain(int64_t multiplications) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, multiplications)); }

/** y [rows, n] = x [rows, k] W^T. Each thread packs the outputs that it computes, a piece at a time that stays in
 * cache. `pack_piece` packs `count` outputs from `first` on into a place. */
template <typename Pack>
void product(const float* x, int64_t rows, int64_t n, int64_t k, float* y, const Pack& pack_piece) {
  at::parallel_for(0, (n + kOutputs - 1) / kOutputs, grain(rows * kOutputs * k), [&](int64_t from, int64_t to) {
    HugeVector room;
    room.resize(static_cast<size_t>(cpu::packed_floats(kOutputs, k)));
    for (int64_t j = from * kOutputs; j < std::min(to * kOutputs, n); j += kOutputs) {
      const cpu::PackedWeight packed = pack_piece(j, std::min(kOutputs, n - j), room.data());
      cpu::gemm(packed, x, k, cpu::Layout::rows, y + j, n, rows, false);
    }
  });
}

at::Tensor forward_product(const at::Tensor& x_RK, const at::Tensor& weight_NK) {
  const int64_t rows = x_RK.size(0), n = weight_NK.size(0), k = weight_NK.size(1);
  auto y = at::empty({rows, n}, x_RK.options());
  const float* weight = weight_NK.const_data_ptr<float>();
  product(x_RK.const_data_ptr<float>(), rows, n, k, y.mutable_data_ptr<float>(),
          [&](int64_t first, int64_t count, float* to) { return cpu::pack(weight + first * k, count, k, k, to); });
  return y;
}

/** dy W. */
at::Tensor gradient_of_x(const at::Tensor& dy_RN, const at::Tensor& weight_NK) {
  const int64_t rows = dy_RN.size(0), n = weight_NK.size(0), k = weight_NK.size(1);
  auto dx_RK = at::empty({rows, k}, dy_RN.options());
  const float* weight = weight_NK.const_data_ptr<float>();
  product(
      dy_RN.const_data_ptr<float>(), rows, k, n, dx_RK.mutable_data_ptr<float>(),
      [&](int64_t first, int64_t count, float* to) { return cpu::pack_transposed(weight + first, count, n, k, to); });
  return dx_RK;
}

/** dy^T x. */
at::Tensor gradient_of_weight(const at::Tensor& dy_RN, const at::Tensor& x_RK) {
  const int64_t rows = x_RK.size(0), n = dy_RN.size(1), k = x_RK.size(1);
  auto dw_NK = at::empty({n, k}, x_RK.options());
  HugeVector room;
  room.resize(static_cast<size_t>(cpu::packed_floats(k, rows)));
  const auto packed = cpu::pack_transposed(x_RK.const_data_ptr<float>(), k, rows, k, room.data());
  const float* dy = dy_RN.const_data_ptr<float>();
  float* dw = dw_NK.mutable_data_ptr<float>();
  at::parallel_for(0, (n + kRows - 1) / kRows, grain(kRows * rows * k), [&](int64_t from, int64_t to) {
    const int64_t first = from * kRows, last = std::min(to * kRows, n);
    cpu::gemm(packed, dy + first, n, cpu::Layout::columns, dw + first * k, k, last - first, false);
  });
  return dw_NK;
}

struct PackedLinear : torch::autograd::Function<PackedLinear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_RK, const at::Tensor& weight_NK) {
    context->save_for_backward({x_RK, weight_NK});
    return forward_product(x_RK, weight_NK);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto &x_RK = saved[0], &weight_NK = saved[1];
    const auto dy_RN = grads[0].contiguous();
    at::Tensor dx_RK, dw_NK;
    if (context->needs_input_grad(0)) dx_RK = gradient_of_x(dy_RN, weight_NK);
    if (context->needs_input_grad(1)) dw_NK = gradient_of_weight(dy_RN, x_RK);
    return {dx_RK, dw_NK};
  }
};

}  // namespace

at::Tensor dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const int64_t k = weight.size(1), rows = x.numel() / k;
  // However few rows there are: LibTorch sums in another order, and a row's bits must not depend on their number.
  const bool fast =
      x.device().is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat && rows > 0;
  if (!fast) return at::linear(x, weight, bias);
  const auto flat = x.reshape({rows, k}).contiguous();
  auto sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  auto y = PackedLinear::apply(flat, weight.contiguous());
  if (bias.defined()) y = y + bias;
  return y.reshape(sizes);
}

at::Tensor dense(const at::Tensor& x, const Weight& weight, const at::Tensor& bias) {
  return with_adapter(dense(x, weight.matrix, bias), x, weight);
}

at::Tensor with_adapter(const at::Tensor& y, const at::Tensor& x, const Weight& weight) {
  if (!weight.a.defined()) return y;
  const auto inner = dense(x.to(at::kFloat), weight.a);
  return (y + dense(inner, weight.b) * weight.scale).to(y.scalar_type());
}

at::Tensor Weight::merged() const {
  if (!a.defined()) return matrix;
  return matrix.to(at::kFloat) + dense(b, a.t().contiguous()) * scale;
}

Weight stacked(const std::vector<Weight>& parts) {
  Weight out;
  std::vector<at::Tensor> matrices, inner, outer;
  for (const Weight& part : parts) {
    matrices.push_back(part.matrix);
    if (part.a.defined()) inner.push_back(part.a), out.scale = part.scale;
    outer.push_back(part.a.defined() ? part.b : at::empty({part.matrix.size(0), 0}, part.matrix.options()));
  }
  out.matrix = at::cat(matrices);
  if (inner.empty()) return out;
  for (at::Tensor& block : outer) block = block.to(at::kFloat);
  out.a = at::cat(inner);
  out.b = at::block_diag(outer);
  return out;
}

}  // namespace mstar
