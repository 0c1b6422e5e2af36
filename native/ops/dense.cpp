// See dense.h. Forward packs W, the gradient of x packs W^T, the gradient of W packs x: packing is linear where the
// product is cubic. Threads, where the caller allows several, take ranges of outputs, so that their number does not
// change a bit.
#include "ops/dense.h"

#include <ATen/Parallel.h>

#include "ops/cpu/gemm.h"

namespace mstar {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** Below this many rows packing a weight costs more than it gains. */
constexpr int64_t kFewRows = 24;

void product(const cpu::PackedWeight& w, const float* x, int64_t x_stride, cpu::Layout layout, float* y, int64_t rows) {
  const int64_t panels = (w.n + 15) / 16;
  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 20) / std::max<int64_t>(1, w.k * 16 * rows));
  at::parallel_for(0, panels, grain, [&](int64_t from, int64_t to) {
    cpu::gemm_range(w, x, x_stride, layout, y, w.n, rows, false, {from * 16, std::min(to * 16, w.n)});
  });
}

at::Tensor forward_product(const at::Tensor& x_RK, const at::Tensor& weight_NK) {
  const int64_t rows = x_RK.size(0), n = weight_NK.size(0), k = weight_NK.size(1);
  cpu::PackedWeight packed;
  cpu::pack(packed, weight_NK.const_data_ptr<float>(), n, k, k);
  auto y = at::empty({rows, n}, x_RK.options());
  product(packed, x_RK.const_data_ptr<float>(), k, cpu::Layout::rows, y.mutable_data_ptr<float>(), rows);
  return y;
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
    const int64_t rows = x_RK.size(0), n = weight_NK.size(0), k = weight_NK.size(1);
    cpu::PackedWeight packed;
    at::Tensor dx_RK, dw_NK;
    if (context->needs_input_grad(0)) {
      dx_RK = at::empty({rows, k}, x_RK.options());
      cpu::pack_transposed(packed, weight_NK.const_data_ptr<float>(), k, n, k);
      product(packed, dy_RN.const_data_ptr<float>(), n, cpu::Layout::rows, dx_RK.mutable_data_ptr<float>(), rows);
    }
    if (context->needs_input_grad(1)) {
      dw_NK = at::empty({n, k}, x_RK.options());
      cpu::pack_transposed(packed, x_RK.const_data_ptr<float>(), k, rows, k);
      product(packed, dy_RN.const_data_ptr<float>(), n, cpu::Layout::columns, dw_NK.mutable_data_ptr<float>(), n);
    }
    return {dx_RK, dw_NK};
  }
};

}  // namespace

at::Tensor dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const int64_t k = weight.size(1), rows = x.numel() / k;
  const bool fast =
      x.device().is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat && rows >= kFewRows;
  if (!fast) return at::linear(x, weight, bias);
  const auto flat = x.reshape({rows, k}).contiguous();
  auto sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  auto y = PackedLinear::apply(flat, weight.contiguous());
  if (bias.defined()) y = y + bias;
  return y.reshape(sizes);
}

}  // namespace mstar
