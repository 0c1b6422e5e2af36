#pragma once
// x W^T + b, differentiable. On CPU in float32 it runs on the packed kernels of ops/cpu in all three products of
// training, where a row has the same bits among any others; elsewhere it is at::linear, which is also its plain twin.
#include <ATen/core/Tensor.h>

namespace mstar {

/** x [..., k], weight [n, k], bias [n] or undefined -> [..., n]. */
at::Tensor dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

}  // namespace mstar
