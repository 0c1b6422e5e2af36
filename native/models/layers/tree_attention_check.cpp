// See compare_training in engine/check/kernels.h. The twin of a tree is each of its branches as a sequence of its own;
// all twins compute in double.
#include <sstream>

#include "engine/check/kernels.h"
#include "models/layers/decoder.h"
#include "models/layers/tree_attention.h"
#include "ops/logprobs.h"

namespace mstar {
namespace {

constexpr double kTiny = 1e-6;

/** Causal attention of every path from a trunk's first token to a branch's last; rows of a trunk from its first path.
 */
at::Tensor by_paths(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const std::vector<Tree>& trees) {
  const int64_t group = q.size(1) / k.size(1);
  std::vector<at::Tensor> outs;
  int64_t begin = 0;
  for (const Tree& tree : trees) {
    int64_t at = begin + tree.trunk;
    const auto path = [&](int64_t length) {
      const auto rows = at::cat({at::arange(begin, begin + tree.trunk), at::arange(at, at + length)});
      const auto heads = [&](const at::Tensor& x, int64_t copies) {
        return x.index_select(0, rows).repeat_interleave(copies, 1).transpose(0, 1);
      };
      const auto scores = at::matmul(heads(q, 1), heads(k, group).transpose(1, 2)) / std::sqrt(q.size(2));
      const auto hidden = at::ones({rows.size(0), rows.size(0)}, at::kBool).triu(1);
      const auto weights = at::softmax(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), -1);
      return at::matmul(weights, heads(v, group)).transpose(0, 1).flatten(1);
    };
    outs.push_back(path(tree.branches.empty() ? 0 : tree.branches[0]).narrow(0, 0, tree.trunk));
    for (int64_t length : tree.branches) {
      outs.push_back(path(length).narrow(0, tree.trunk, length));
      at += length;
    }
    begin += tree.tokens();
  }
  return at::cat(outs);
}

/** Result and the gradients of the inputs that a given gradient of the result makes. */
template <typename Compute>
std::vector<at::Tensor> with_gradients(std::vector<at::Tensor> inputs, const at::Tensor& into, const Compute& compute) {
  const at::AutoGradMode with_grad(true);
  for (at::Tensor& input : inputs) input = input.detach().requires_grad_(true);
  const auto out = compute(inputs);
  auto results = torch::autograd::grad({out}, inputs, {into.to(out.scalar_type())});
  results.insert(results.begin(), out.detach());
  return results;
}

double difference(const at::Tensor& found, const at::Tensor& wanted) {
  return (found - wanted).abs().max().item<double>() / std::max(wanted.abs().max().item<double>(), kTiny);
}

/** `compute` of one input in float32 beside itself in double, for which there is no fast way. */
template <typename Compute>
void compare_with_double(std::vector<KernelError>& errors, const std::string& name, const std::string& shape,
                         const at::Tensor& input, const at::Tensor& into, const Compute& compute) {
  const auto found = with_gradients({input}, into, compute);
  const auto wanted = with_gradients({input.to(at::kDouble)}, into, compute);
  errors.push_back({name, shape, difference(found[0], wanted[0])});
  errors.push_back({name + " gradient", shape, difference(found[1], wanted[1])});
}

void compare_heads(std::vector<KernelError>& errors) {
  constexpr int64_t kRows = 70;
  for (const auto& [groups, queries, keys, width] :
       {std::tuple<int64_t, int64_t, int64_t, int64_t>{3, 2, 1, 32}, {1, 4, 2, 24}}) {
    const auto angles = at::randn({kRows, width / 2});
    const layers::Rotation rotation{angles.cos(), angles.sin()};
    const auto split = [&, key_heads = keys](const std::vector<at::Tensor>& inputs) {
      const auto heads = layers::split_heads(inputs[0], key_heads, rotation);
      return at::cat({heads.q, heads.k, heads.v}, 1);
    };
    const int64_t all = queries + 2 * keys;
    compare_with_double(errors, "split_heads", std::to_string(groups) + " groups of " + std::to_string(all),
                        at::randn({kRows, groups, all, width}), at::randn({kRows, groups * all, width}), split);
  }
}

void compare_logprobs(std::vector<KernelError>& errors) {
  constexpr int64_t kRows = 9;
  for (const auto& [vocabulary, temperature] :
       {std::pair<int64_t, double>{5, 1}, {512, 1}, {3001, 1}, {512, 0.6}, {3001, 1.4}}) {
    const auto target = at::randint(vocabulary, {kRows}, at::kLong);
    const auto logprobs = [&, temperature = temperature](const std::vector<at::Tensor>& inputs) {
      return token_logprobs(inputs[0], target, temperature);
    };
    std::ostringstream shape;
    shape << vocabulary << " tokens at " << temperature;
    compare_with_double(errors, "token_logprobs", shape.str(), 3 * at::randn({kRows, vocabulary}), at::randn({kRows}),
                        logprobs);
  }
}

}  // namespace

std::vector<KernelError> compare_training() {
  const std::vector<Tree> trees{{7, {}}, {40, {3, 1, 70, 9}}, {1, {1}}, {300, {20, 33}}};
  int64_t rows = 0;
  for (const Tree& tree : trees) rows += tree.tokens();
  std::vector<KernelError> errors;
  for (const auto& [heads, kv_heads, width] :
       {std::tuple<int64_t, int64_t, int64_t>{6, 3, 32}, {2, 2, 96}, {4, 1, 16}}) {
    const std::vector<at::Tensor> inputs{at::randn({rows, heads, width}), at::randn({rows, kv_heads, width}),
                                         at::randn({rows, kv_heads, width})};
    const auto into = at::randn({rows, heads * width});
    std::vector<at::Tensor> exact;
    for (const at::Tensor& input : inputs) exact.push_back(input.to(at::kDouble));
    const auto wanted =
        with_gradients(exact, into, [&](const auto& qkv) { return by_paths(qkv[0], qkv[1], qkv[2], trees); });
    const auto plan = layers::padded_tree_plan(trees, at::kCPU);
    for (const bool plain : {false, true}) {
      const auto found = with_gradients(inputs, into, [&](const auto& qkv) {
        return plain ? layers::tree_attention_plain(qkv[0], qkv[1], qkv[2], plan)
                     : layers::tree_attention(qkv[0], qkv[1], qkv[2], plan);
      });
      const char* names[] = {"", " gradient of q", " gradient of k", " gradient of v"};
      for (size_t i = 0; i < found.size(); ++i)
        errors.push_back({std::string(plain ? "tree_attention_plain" : "tree_attention") + names[i],
                          std::to_string(heads) + "/" + std::to_string(kv_heads) + " heads of " + std::to_string(width),
                          difference(found[i], wanted[i])});
    }
  }
  compare_heads(errors);
  compare_logprobs(errors);
  return errors;
}

}  // namespace mstar
