// See tree_attention.h. On a CPU each piece is a call of flash attention without padding. A branch's rows attend to the
// trunk, all branches together, and to themselves; the two results are merged by their log-sum-exp. Backward, the same
// pieces get the merged result and its log-sum-exp: what flash attention's backward recomputes from them are then the
// weights of the whole row, so that the gradients of the pieces add up to those of the whole.
#include "models/layers/tree_attention.h"

#include <numeric>

namespace mstar::layers {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** Packed rows from `begin` on. */
struct Rows {
  int64_t begin = 0, count = 0;
};

/** Calls `piece(queries, keys, causal)` for everything that is attended, a trunk's own before its branches. */
template <typename Piece>
void for_each_piece(const std::vector<Tree>& trees, const Piece& piece) {
  int64_t at = 0;
  for (const Tree& tree : trees) {
    const Rows trunk{at, tree.trunk};
    piece(trunk, trunk, true);
    at += tree.trunk;
    if (tree.branches.empty()) continue;
    piece(Rows{at, tree.tokens() - tree.trunk}, trunk, false);
    for (int64_t length : tree.branches) {
      piece(Rows{at, length}, Rows{at, length}, true);
      at += length;
    }
  }
}

/** [1, heads, rows, E] of x [N, heads, E]. */
at::Tensor heads_of(const at::Tensor& x, const Rows& rows) {
  return x.narrow(0, rows.begin, rows.count).transpose(0, 1).unsqueeze(0);
}

struct TreeAttention : torch::autograd::Function<TreeAttention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const std::vector<Tree>& trees) {
    auto out = at::empty(q.sizes(), q.options());
    auto lse = at::empty({1, q.size(1), q.size(0)}, q.options().dtype(at::kFloat));
    int64_t known = 0;  // rows that have seen their trunk already
    for_each_piece(trees, [&](const Rows& queries, const Rows& keys, bool causal) {
      const auto [part, sums] = at::_scaled_dot_product_flash_attention_for_cpu(heads_of(q, queries), heads_of(k, keys),
                                                                                heads_of(v, keys), 0.0, causal);
      auto to = heads_of(out, queries), to_sums = lse.narrow(2, queries.begin, queries.count);
      if (queries.begin >= known) {
        to.copy_(part);
        to_sums.copy_(sums);
        if (!causal) known = queries.begin + queries.count;
        return;
      }
      const auto share = at::sigmoid(sums - to_sums).unsqueeze(-1);  // of a row's own part in the whole
      to.copy_(at::lerp(to.to(share.scalar_type()), part.to(share.scalar_type()), share));
      to_sums.copy_(at::logaddexp(sums, to_sums));
    });
    context->save_for_backward({q, k, v, out, lse});
    context->saved_data["trees"] = c10::IValue::make_capsule(c10::make_intrusive<Kept>(trees));
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &lse = saved[4];
    const auto& trees = static_cast<const Kept&>(*context->saved_data["trees"].toCapsule()).trees;
    auto dq = at::empty_like(q, at::MemoryFormat::Contiguous), dk = at::empty_like(k, at::MemoryFormat::Contiguous);
    auto dv = at::empty_like(v, at::MemoryFormat::Contiguous);
    int64_t known = 0;  // rows whose gradients hold something already
    for_each_piece(trees, [&](const Rows& queries, const Rows& keys, bool causal) {
      const auto [into_q, into_k, into_v] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
          heads_of(grads[0], queries), heads_of(q, queries), heads_of(k, keys), heads_of(v, keys),
          heads_of(out, queries), lse.narrow(2, queries.begin, queries.count), 0.0, causal);
      const auto add = [](const at::Tensor& whole, const Rows& rows, const at::Tensor& part, bool fresh) {
        auto to = heads_of(whole, rows);
        fresh ? to.copy_(part) : to.add_(part);
      };
      add(dq, queries, into_q, queries.begin >= known);
      if (!causal) known = queries.begin + queries.count;
      // Keys are met first by their own rows, which come after the trunk's pieces.
      add(dk, keys, into_k, causal);
      add(dv, keys, into_v, causal);
    });
    return {dq, dk, dv, at::Tensor()};
  }

 private:
  struct Kept : torch::CustomClassHolder {
    explicit Kept(std::vector<Tree> of) : trees(std::move(of)) {}
    std::vector<Tree> trees;
  };
};

at::Tensor list_of(const std::vector<int64_t>& numbers, at::Device device) {
  return at::tensor(numbers, at::kLong).to(device);
}

}  // namespace

TreePlan padded_tree_plan(const std::vector<Tree>& trees, at::Device device) {
  int64_t longest_trunk = 0, longest_branch = 0;
  TreePlan plan;
  plan.trees = trees;
  for (const Tree& tree : trees) {
    ++plan.trunks.sequences;
    plan.branches.sequences += static_cast<int64_t>(tree.branches.size());
    longest_trunk = std::max(longest_trunk, tree.trunk);
    for (int64_t length : tree.branches) longest_branch = std::max(longest_branch, length);
  }
  const int64_t seen = longest_trunk + longest_branch;
  // Where there is nothing, row 0 stands in: nobody sees it, or nobody reads what it sees.
  std::vector<int64_t> trunk_rows(static_cast<size_t>(plan.trunks.sequences * longest_trunk));
  std::vector<int64_t> queries(static_cast<size_t>(plan.branches.sequences * longest_branch));
  std::vector<int64_t> keys(static_cast<size_t>(plan.branches.sequences * seen)), places;
  auto mask = at::zeros({plan.branches.sequences, 1, longest_branch, seen}, at::kBool);
  int64_t at = 0, tree_index = 0, branch = 0;
  for (const Tree& tree : trees) {
    const int64_t begin = at;
    for (int64_t i = 0; i < tree.trunk; ++i) {
      places.push_back(tree_index * longest_trunk + i);
      trunk_rows[static_cast<size_t>(places.back())] = at++;
    }
    for (int64_t length : tree.branches) {
      int64_t* key = keys.data() + branch * seen;
      std::iota(key, key + tree.trunk, begin);
      std::iota(key + longest_trunk, key + longest_trunk + length, at);
      for (int64_t i = 0; i < length; ++i) {
        places.push_back(static_cast<int64_t>(trunk_rows.size()) + branch * longest_branch + i);
        queries[static_cast<size_t>(branch * longest_branch + i)] = at++;
      }
      mask[branch][0].narrow(1, 0, tree.trunk).fill_(true);
      mask[branch][0].narrow(1, longest_trunk, longest_branch).copy_(at::ones({longest_branch, longest_branch}).tril());
      ++branch;
    }
    ++tree_index;
  }
  plan.trunks.queries = plan.trunks.keys = list_of(trunk_rows, device);
  plan.branches.queries = list_of(queries, device);
  plan.branches.keys = list_of(keys, device);
  plan.branches.mask = mask.to(device);
  plan.places = list_of(places, device);
  return plan;
}

TreePlan tree_plan(const std::vector<Tree>& trees, at::Device device) {
  if (!device.is_cpu()) return padded_tree_plan(trees, device);
  TreePlan plan;
  plan.trees = trees;
  return plan;
}

at::Tensor tree_attention_plain(const at::Tensor& q_NHE, const at::Tensor& k_NKE, const at::Tensor& v_NKE,
                                const TreePlan& plan) {
  std::vector<at::Tensor> outs;
  for (const TreePlan::Batch* batch : {&plan.trunks, &plan.branches}) {
    if (batch->sequences == 0) continue;
    const auto padded = [&](const at::Tensor& x, const at::Tensor& rows) {
      return x.index_select(0, rows).reshape({batch->sequences, -1, x.size(1), x.size(2)}).transpose(1, 2);
    };
    // Kernels that take a mask know no groups of heads.
    const int64_t group = batch->mask.defined() ? q_NHE.size(1) / k_NKE.size(1) : 1;
    const auto wide = [&](const at::Tensor& x) {
      const auto heads = padded(x, batch->keys);
      return group > 1 ? heads.repeat_interleave(group, 1) : heads;
    };
    const auto mask = batch->mask.defined() ? std::optional(batch->mask) : std::nullopt;
    const auto out = at::scaled_dot_product_attention(padded(q_NHE, batch->queries), wide(k_NKE), wide(v_NKE), mask,
                                                      0.0, !mask, std::nullopt, !mask);
    outs.push_back(out.transpose(1, 2).reshape({-1, q_NHE.size(1) * q_NHE.size(2)}));
  }
  return at::cat(outs).index_select(0, plan.places);
}

at::Tensor tree_attention(const at::Tensor& q_NHE, const at::Tensor& k_NKE, const at::Tensor& v_NKE,
                          const TreePlan& plan) {
  if (!q_NHE.is_cpu()) return tree_attention_plain(q_NHE, k_NKE, v_NKE, plan);
  return TreeAttention::apply(q_NHE, k_NKE, v_NKE, plan.trees).flatten(1);
}

}  // namespace mstar::layers
