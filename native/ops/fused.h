#pragma once
// Steps of the device decode path that are one kernel each where the CUDA plug-in has them, and a few LibTorch
// operations elsewhere: the plain versions are the twins that the kernels are tested against. No autograd.
#include <vector>

#include "ops/span_attention.h"

namespace mstar {

/** How queries and keys lie side by side in a row of qkv: H query heads, K key heads, K value heads of width E. */
struct HeadShape {
  int64_t heads, kv_heads, head_dim;
  int64_t group() const { return heads / kv_heads; }
};

class FusedOps {
 public:
  virtual ~FusedOps() = default;
  /** Rotates the queries and keys of qkv [N, (H + 2K) E] by cosine and sine [N, E / 2] (two-halves rule, float32),
   * stores keys and values at `places` [N] of [tokens, K, E], and returns the queries folded: [N * H / K, K, E], where
   * row n * g
   * + j holds the j-th query of every key head's group. */
  virtual at::Tensor rotate_and_store(const at::Tensor& qkv, const at::Tensor& cosine, const at::Tensor& sine,
                                      const at::Tensor& places, const at::Tensor& keys, const at::Tensor& values,
                                      const HeadShape& shape) const = 0;
  /** Merges attentions over different spans, folded outs [N * g, K, E] with their log-sum-exp [K, N * g] (infinite
   * where a span is empty), into [N, H * E]. */
  virtual at::Tensor merge(const std::vector<at::Tensor>& outs, const std::vector<at::Tensor>& lse,
                           int64_t rows) const = 0;
  /** Attention of folded queries [N * g, K, E] over what each of N rows sees alone, merged with attentions over other
   * spans as `merge` takes them, into [N, H * E]. */
  virtual at::Tensor attend_rows(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                                 const RowBlocks& own, const std::vector<at::Tensor>& outs,
                                 const std::vector<at::Tensor>& lse, double scale) const = 0;
  /** x += delta in place, then RMSNorm of x. An undefined delta adds nothing. */
  virtual at::Tensor add_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                              double eps) const = 0;
  /** silu(gate) * up. */
  virtual at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) const = 0;
  /** Token (int64) and its log-probability (float32, plain distribution) of every row of logits [R, V]: greedy where
   * temperature is 0, else by inverse CDF of softmax(logits / temperature) over uniform [R]. */
  virtual std::pair<at::Tensor, at::Tensor> draw(const at::Tensor& logits, double temperature,
                                                 const at::Tensor& uniform) const = 0;
};

/** The plain versions, for any device and type. */
const FusedOps& plain_ops();

/** The fastest versions for tensors of these options. */
const FusedOps& fused_ops(const at::TensorOptions& options);

}  // namespace mstar
