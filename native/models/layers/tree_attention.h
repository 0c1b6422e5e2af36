#pragma once
// Self-attention of trees laid end to end: a token sees the trunk before it, and its own branch up to itself. Responses
// to one prompt so share the prompt's keys and values. Used by every backbone for training and scoring; leaves what
// shares a trunk to engine/forward.cpp.
#include <vector>

#include "engine/backbone.h"

namespace mstar::layers {

/** What attention of the same trees needs in every layer. */
struct TreePlan {
  /** Sequences of one kind, padded to the longest, for the plain way. */
  struct Batch {
    int64_t sequences = 0;
    at::Tensor queries, keys;  // int64 [sequences * T]: the packed row at each padded place
    at::Tensor mask;           // bool [sequences, 1, queries, keys]; undefined where attention is causal
  };
  std::vector<Tree> trees;
  Batch trunks, branches;
  at::Tensor places;  // int64 [N]: where each packed row lies among the padded queries of trunks, then branches
};

/** `like` has the number type and device of q: float32 on a CPU needs the trees alone. */
TreePlan tree_plan(const std::vector<Tree>& trees, const at::Tensor& like);

/** With the padded batches, wherever it runs: for tree_attention_plain on a CPU. */
TreePlan padded_tree_plan(const std::vector<Tree>& trees, at::Device device);

/** q [N, H, E], k and v [N, K, E] with H a multiple of K; returns [N, H * E], differentiable. In float32 on a CPU a
 * row's numbers depend on the rows that it sees alone, not on the other trees. */
at::Tensor tree_attention(const at::Tensor& q_NHE, const at::Tensor& k_NKE, const at::Tensor& v_NKE,
                          const TreePlan& plan);

/** The plain twin, which is also the way on a GPU and in bfloat16: padded batches and a mask, differentiated by
 * LibTorch. */
at::Tensor tree_attention_plain(const at::Tensor& q_NHE, const at::Tensor& k_NKE, const at::Tensor& v_NKE,
                                const TreePlan& plan);

}  // namespace mstar::layers
