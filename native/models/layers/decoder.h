#pragma once
// Blocks of a Llama-style decoder over packed sequences, in plain ATen and differentiable: the training path and the
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

/** Of sequences laid end to end; angles in float32. `rope` gives the frequencies for a length. */
Rotation rotation_of(const std::vector<int64_t>& lengths, const std::function<Rope(int64_t)>& rope, at::Device device);

/** Rotates x [N, heads, E] by the two-halves rule. */
at::Tensor rotate_half(const at::Tensor& x_NHE, const Rotation& rotation);

/** Where packed tokens lie in a padded [B, T] batch; empty `place` means that no padding is needed. */
struct Padding {
  int64_t sequences = 1, longest = 0;
  at::Tensor place;  // int64 [N]
};
Padding padding_of(const std::vector<int64_t>& lengths);

/** Causal self-attention inside each sequence; q [N, H, E], k and v [N, K, E] with H a multiple of K. Returns [N, H *
 * E]. */
at::Tensor causal_attention(const at::Tensor& q_NHE, const at::Tensor& k_NKE, const at::Tensor& v_NKE,
                            const Padding& padding);

/** down(silu(gate x) * up x). */
at::Tensor swiglu(const at::Tensor& x_ND, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down);

}  // namespace mstar::layers
