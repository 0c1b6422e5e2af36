#pragma once
// Blocks of a Llama-style decoder over packed trees, in plain ATen and differentiable: the training path and the
// oracle of the decode path. Used unchanged by every backbone; anything that would need a flag is written in the
// backbone's folder.
#include <functional>
#include <vector>

#include "engine/backbone.h"

namespace mstar::layers {

/** x / sqrt(mean(x^2) + eps) * weight over the last dimension, in float32. */
at::Tensor rms_norm(const at::Tensor& x_ND, const at::Tensor& weight_D, double eps);

/** Cosines and sines of every token's position: each [N, E / 2]. */
struct Rotation {
  at::Tensor cosine, sine;
};

/** Of trees laid end to end; angles in float32. `rope` gives the frequencies for a length, here a tree's longest. */
Rotation rotation_of(const std::vector<Tree>& trees, const std::function<Rope(int64_t)>& rope, at::Device device);

/** Rotates x [N, heads, E] by the two-halves rule. */
at::Tensor rotate_half(const at::Tensor& x_NHE, const Rotation& rotation);

/** Queries [N, H, E], keys and values [N, K, E]. */
struct Heads {
  at::Tensor q, k, v;
};

/** The heads of qkv [N, groups, heads, E], where each group holds query heads, then `key_heads` key heads, then as many
 * value heads; those of queries and keys are rotated. */
Heads split_heads(const at::Tensor& qkv_NGHE, int64_t key_heads, const Rotation& rotation);

/** silu(gate) * up of [N, I] each. */
at::Tensor gated(const at::Tensor& gate, const at::Tensor& up);

/** down(silu(gate x) * up x). */
at::Tensor swiglu(const at::Tensor& x_ND, const Weight& gate, const Weight& up, const Weight& down);

}  // namespace mstar::layers
