// See tree_attention.h. On a CPU scores, weights and their gradients are packed products of blocks of kBlock queries
// and kBlock keys: a block of queries meets the blocks of its trunk, then those of its own run up to itself, and its
// softmax is over all of them. Backward computes the weights again from the log-sum-exp. The blocks of one tree and one
// kv head are one piece of work, so that neither threads nor other trees change a bit.
#include "models/layers/tree_attention.h"

#include <ATen/Parallel.h>

#include <numeric>

#include "base/huge_pages.h"
#include "base/stopwatch.h"
#include "ops/cpu/gemm.h"
#include "ops/cpu/rows.h"

namespace mstar::layers {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kBlock = 64;

/** Up to kBlock packed rows of one run. */
struct Block {
  int64_t row = 0, count = 0;
  size_t run = 0;  // 0: the trunk
};

/** Blocks of a tree whose first row is `begin`, runs one after the other. */
std::vector<Block> blocks_of(const Tree& tree, int64_t begin) {
  std::vector<Block> blocks;
  const auto add = [&](int64_t length, size_t run) {
    for (int64_t done = 0; done < length; done += kBlock)
      blocks.push_back({begin + done, std::min(kBlock, length - done), run});
    begin += length;
  };
  add(tree.trunk, 0);
  for (size_t i = 0; i < tree.branches.size(); ++i) add(tree.branches[i], i + 1);
  return blocks;
}

/** Rows of one head of a tensor [N, heads, E] with neighbouring E. */
struct HeadRows {
  float* data;
  int64_t stride;
  HeadRows(const at::Tensor& x, int64_t head)
      : data(const_cast<float*>(x.const_data_ptr<float>()) + head * x.stride(1)), stride(x.stride(0)) {}
  float* at(int64_t row) const { return data + row * stride; }
};

/** What one kv head of one tree attends with. */
class TreeHead {
 public:
  TreeHead(const Tree& tree, int64_t begin, int64_t width)
      : blocks_(blocks_of(tree, begin)), width_(width), scale_(1 / std::sqrt(static_cast<float>(width))) {
    weights_.resize(static_cast<size_t>(kBlock * tree.longest()));
  }

  /** out and lse of one query head; the keys must be packed. */
  void forward(const HeadRows& q, const HeadRows& out, float* lse) {
    for (size_t block = 0; block < blocks_.size(); ++block) {
      const Block& rows = blocks_[block];
      const auto seen = seen_by(block);
      const int64_t stride = scores(seen, q, rows);  // of the rows of weights_, the last `rows.count` are its own
      float inverse[kBlock];
      for (int64_t r = 0; r < rows.count; ++r) {
        float* row = weights_.data() + r * stride;
        const int64_t length = stride - rows.count + r + 1;
        const float most = cpu::max_of(row, length);
        const double sum = cpu::exp_scaled(row, most, scale_, row, length);
        std::fill(row + length, row + stride, 0.0f);
        lse[rows.row + r] = most * scale_ + static_cast<float>(std::log(sum));
        inverse[r] = static_cast<float>(1 / sum);
      }
      float* to = out.at(rows.row);
      for (const Seen& keys : seen)
        cpu::gemm(values_turned_[keys.block], weights_.data() + keys.at, stride, cpu::Layout::rows, to, out.stride,
                  rows.count, keys.at > 0);
      for (int64_t r = 0; r < rows.count; ++r)
        for (int64_t d = 0; d < width_; ++d) out.at(rows.row + r)[d] *= inverse[r];
    }
  }

  /** Gradients of one query head; those of keys and values are added to what is there. */
  void backward(const HeadRows& q, const HeadRows& out, const float* lse, const HeadRows& into, const HeadRows& dq,
                const HeadRows& dk, const HeadRows& dv) {
    for (size_t block = 0; block < blocks_.size(); ++block) {
      const Block& rows = blocks_[block];
      const auto seen = seen_by(block);
      const int64_t stride = scores(seen, q, rows);  // of the rows of weights_, the last `rows.count` are its own
      slopes_.resize(weights_.size());
      for (const Seen& keys : seen)
        cpu::gemm(values_[keys.block], into.at(rows.row), into.stride, cpu::Layout::rows, slopes_.data() + keys.at,
                  stride, rows.count, false);
      for (int64_t r = 0; r < rows.count; ++r) {
        float *weight = weights_.data() + r * stride, *slope = slopes_.data() + r * stride;
        const int64_t length = stride - rows.count + r + 1, at = rows.row + r;
        const float along = cpu::dot(into.at(at), out.at(at), width_);
        cpu::softmax_backward(weight, slope, lse[at] / scale_, scale_, along, length);
        std::fill(weight + length, weight + stride, 0.0f);
        std::fill(slope + length, slope + stride, 0.0f);
      }
      float* to = scratch_;
      const auto q_turned = packed(q, rows, true, to), into_turned = packed(into, rows, true, to);
      for (const auto& [index, at] : seen) {
        const Block& keys = blocks_[index];
        cpu::gemm(keys_turned_[index], slopes_.data() + at, stride, cpu::Layout::rows, dq.at(rows.row), dq.stride,
                  rows.count, at > 0);
        cpu::gemm(q_turned, slopes_.data() + at, stride, cpu::Layout::columns, dk.at(keys.row), dk.stride, keys.count,
                  true);
        cpu::gemm(into_turned, weights_.data() + at, stride, cpu::Layout::columns, dv.at(keys.row), dv.stride,
                  keys.count, true);
      }
    }
  }

  /** Packs what forward needs of keys and values, and what backward needs. */
  void pack(const HeadRows& k, const HeadRows& v, bool backward) {
    int64_t floats = 2 * cpu::packed_floats(width_, kBlock);
    for (const Block& block : blocks_)
      floats += (backward ? 2 : 1) * cpu::packed_floats(block.count, width_) + cpu::packed_floats(width_, block.count);
    room_.resize(static_cast<size_t>(floats));
    float* to = room_.data();
    for (const Block& block : blocks_) {
      keys_.push_back(packed(k, block, false, to));
      if (backward) {
        values_.push_back(packed(v, block, false, to));
        keys_turned_.push_back(packed(k, block, true, to));
      } else {
        values_turned_.push_back(packed(v, block, true, to));
      }
    }
    scratch_ = to;
  }

 private:
  /** A block of keys and where its weights begin in a row. */
  struct Seen {
    size_t block;
    int64_t at;
  };

  /** Rows of x, or their transpose, packed into `to`, which moves on. */
  cpu::PackedWeight packed(const HeadRows& x, const Block& rows, bool turned, float*& to) const {
    const int64_t n = turned ? width_ : rows.count, k = turned ? rows.count : width_;
    const auto pack = turned ? cpu::pack_transposed : cpu::pack;
    return pack(x.at(rows.row), n, k, x.stride, std::exchange(to, to + cpu::packed_floats(n, k)));
  }

  /** What a block of queries sees, itself last. */
  std::vector<Seen> seen_by(size_t block) const {
    std::vector<Seen> seen;
    int64_t at = 0;
    for (size_t i = 0; i <= block; ++i) {
      if (blocks_[i].run != 0 && blocks_[i].run != blocks_[block].run) continue;
      seen.push_back({i, at});
      at += blocks_[i].count;
    }
    return seen;
  }

  /** q K^T of a block of queries into weights_; returns the length of a row. */
  int64_t scores(const std::vector<Seen>& seen, const HeadRows& q, const Block& rows) {
    const int64_t stride = seen.back().at + rows.count;
    for (const Seen& keys : seen)
      cpu::gemm(keys_[keys.block], q.at(rows.row), q.stride, cpu::Layout::rows, weights_.data() + keys.at, stride,
                rows.count, false);
    return stride;
  }

  std::vector<Block> blocks_;
  int64_t width_;
  float scale_;
  HugeVector room_;           // of what is packed
  float* scratch_ = nullptr;  // its end, for two blocks of queries
  std::vector<cpu::PackedWeight> keys_, values_, keys_turned_, values_turned_;
  HugeVector weights_, slopes_;  // of a block of queries
};

/** Calls each(head of a tree, kv head) for each, side by side where threads are allowed. */
template <typename Each>
void for_tree_heads(const std::vector<Tree>& trees, int64_t kv_heads, int64_t width, const Each& each) {
  std::vector<int64_t> begins{0};
  for (const Tree& tree : trees) begins.push_back(begins.back() + tree.tokens());
  at::parallel_for(0, static_cast<int64_t>(trees.size()) * kv_heads, 1, [&](int64_t from, int64_t to) {
    const Stopwatch watch(Work::attention);
    for (int64_t i = from; i < to; ++i) {
      const auto tree = static_cast<size_t>(i / kv_heads);
      each(TreeHead(trees[tree], begins[tree], width), i % kv_heads);
    }
  });
}

at::Tensor with_close_channels(const at::Tensor& x) { return x.stride(2) == 1 ? x : x.contiguous(); }

struct TreeAttention : torch::autograd::Function<TreeAttention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given_q, const at::Tensor& given_k,
                            const at::Tensor& given_v, const std::vector<Tree>& trees) {
    const auto q = with_close_channels(given_q), k = with_close_channels(given_k), v = with_close_channels(given_v);
    auto out = at::empty(q.sizes(), q.options()), lse = at::empty({q.size(1), q.size(0)}, q.options());
    const int64_t group = q.size(1) / k.size(1);
    float* sums = lse.mutable_data_ptr<float>();
    for_tree_heads(trees, k.size(1), q.size(2), [&](TreeHead head, int64_t kv_head) {
      head.pack({k, kv_head}, {v, kv_head}, false);
      for (int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h)
        head.forward({q, h}, {out, h}, sums + h * q.size(0));
    });
    context->save_for_backward({q, k, v, out, lse});
    context->saved_data["trees"] = c10::IValue::make_capsule(c10::make_intrusive<Kept>(trees));
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &lse = saved[4];
    const auto& trees = static_cast<const Kept&>(*context->saved_data["trees"].toCapsule()).trees;
    const auto into = with_close_channels(grads[0]);
    auto dq = at::empty(q.sizes(), q.options()), dk = at::zeros(k.sizes(), k.options());
    auto dv = at::zeros(v.sizes(), v.options());
    const int64_t group = q.size(1) / k.size(1);
    const float* sums = lse.const_data_ptr<float>();
    for_tree_heads(trees, k.size(1), q.size(2), [&](TreeHead head, int64_t kv_head) {
      head.pack({k, kv_head}, {v, kv_head}, true);
      for (int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h)
        head.backward({q, h}, {out, h}, sums + h * q.size(0), {into, h}, {dq, h}, {dk, kv_head}, {dv, kv_head});
    });
    return {dq, dk, dv, at::Tensor()};
  }

 private:
  struct Kept : torch::CustomClassHolder {
    explicit Kept(std::vector<Tree> of) : trees(std::move(of)) {}
    std::vector<Tree> trees;
  };
};

/** Whether the kernels of ops/cpu take it. */
bool kernels_take(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

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

TreePlan tree_plan(const std::vector<Tree>& trees, const at::Tensor& like) {
  if (!kernels_take(like)) return padded_tree_plan(trees, like.device());
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
  if (!kernels_take(q_NHE)) return tree_attention_plain(q_NHE, k_NKE, v_NKE, plan);
  return TreeAttention::apply(q_NHE, k_NKE, v_NKE, plan.trees).flatten(1);
}

}  // namespace mstar::layers
