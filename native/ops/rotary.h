#pragma once
// Rotary embedding without autograd, for the decode path of any device; the differentiable one is in models/layers.
#include <ATen/core/Tensor.h>

namespace mstar {

/** Rotates x [N, heads, E] by the two-halves rule with cosine and sine [N, E / 2]; computed in float32. */
at::Tensor rotate_rows(const at::Tensor& x_NHE, const at::Tensor& cosine, const at::Tensor& sine);

}  // namespace mstar
