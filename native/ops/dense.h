#pragma once
// x W^T + b, differentiable, and the low-rank products of an adapter beside it. On CPU in float32 it runs on the packed
// kernels of ops/cpu in all three products of training, where a row has the same bits among any others; elsewhere it is
// at::linear, which is also its plain twin.
#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

namespace mstar {

/** A matrix [n, k] and, where it has an adapter, what this adds to it: scale * b a. The matrix of an adapter does not
 * learn and is never changed: rounded to bfloat16, the sum would lose what small updates add. */
struct Weight {
  Weight() = default;
  Weight(at::Tensor of) : matrix(std::move(of)) {}  // NOLINT: a tensor is a matrix without an adapter
  at::Tensor matrix;
  at::Tensor a, b;  // [r, k] and [n, r] in float32; undefined where there is no adapter
  double scale = 1;

  /** The same weight with its outputs cut or in another order: `pick` is given [n, ...] and returns [m, ...]. */
  template <typename Pick>
  Weight with_rows(const Pick& pick) const {
    Weight out(pick(matrix));
    if (a.defined()) out.a = a, out.b = pick(b), out.scale = scale;
    return out;
  }
  /** matrix + scale * b a: a float32 copy where there is an adapter, else the matrix itself. */
  at::Tensor merged() const;
};

/** Weights of the same inputs as one: outputs lie one after the other. Adapters have one scale; some may have none. */
Weight stacked(const std::vector<Weight>& parts);

/** x [..., k], weight [n, k], bias [n] or undefined -> [..., n]. */
at::Tensor dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});
at::Tensor dense(const at::Tensor& x, const Weight& weight, const at::Tensor& bias = {});

/** y = x W^T with what the adapter of W adds to it, computed in float32. */
at::Tensor with_adapter(const at::Tensor& y, const at::Tensor& x, const Weight& weight);

}  // namespace mstar
