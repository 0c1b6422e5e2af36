// See fused.h.
#include "ops/fused.h"

#include "base/device.h"

namespace mstar {
namespace {

at::Tensor rotated(const at::Tensor& given, const at::Tensor& cosine, const at::Tensor& sine) {
  const auto x = given.to(at::kFloat);
  const int64_t half = x.size(-1) / 2;
  const auto a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half), c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  return at::cat({a * c - b * s, b * c + a * s}, -1).to(given.scalar_type());
}

class PlainOps final : public FusedOps {
 public:
  at::Tensor rotate_and_store(const at::Tensor& qkv, const at::Tensor& cosine, const at::Tensor& sine,
                              const at::Tensor& places, const at::Tensor& keys, const at::Tensor& values,
                              const HeadShape& s) const override {
    const int64_t n = qkv.size(0), g = s.group(), k = s.kv_heads, e = s.head_dim;
    const auto split = qkv.reshape({n, s.heads + 2 * k, e});
    const auto turned = rotated(split.narrow(1, 0, s.heads + k), cosine, sine);
    keys.index_copy_(0, places, turned.narrow(1, s.heads, k));
    values.index_copy_(0, places, split.narrow(1, s.heads + k, k));
    return turned.narrow(1, 0, s.heads).reshape({n, k, g, e}).transpose(1, 2).reshape({n * g, k, e});
  }

  at::Tensor merge(const std::vector<at::Tensor>& outs, const std::vector<at::Tensor>& lse, int64_t n) const override {
    const int64_t g = outs[0].size(0) / n, k = outs[0].size(1), e = outs[0].size(2);
    auto total = outs[0];
    if (outs.size() > 1) {
      // An empty span has an infinite log-sum-exp of either sign; it must weigh nothing.
      const auto sums = at::stack(lse);
      const auto known = at::where(at::isinf(sums), -std::numeric_limits<float>::infinity(), sums);
      const auto weights = at::softmax(known, 0).transpose(1, 2).unsqueeze(-1);  // [parts, M, K, 1]
      total = at::zeros(outs[0].sizes(), outs[0].options().dtype(at::kFloat));
      for (size_t i = 0; i < outs.size(); ++i) total += outs[i] * weights[static_cast<int64_t>(i)];
      total = total.to(outs[0].scalar_type());
    }
    return total.reshape({n, g, k, e}).transpose(1, 2).reshape({n, g * k * e});
  }

  at::Tensor attend_rows(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                         const RowBlocks& own, const std::vector<at::Tensor>& outs, const std::vector<at::Tensor>& lse,
                         double scale) const override {
    const auto part = attend_blocks(queries, keys, values, own, scale);
    auto all_outs = outs, all_lse = lse;
    all_outs.push_back(part.out);
    all_lse.push_back(part.lse);
    return merge(all_outs, all_lse, own.size());
  }

  at::Tensor add_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                      double eps) const override {
    if (delta.defined()) x.add_(delta);
    const auto wide = x.to(at::kFloat);
    const auto inverse = wide.square().mean(-1, true).add_(eps).rsqrt_();
    return (wide * inverse).mul_(weight).to(x.scalar_type());
  }

  at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) const override { return at::silu(gate).mul_(up); }

  std::pair<at::Tensor, at::Tensor> draw(const at::Tensor& given, double temperature,
                                         const at::Tensor& uniform) const override {
    const auto logits = given.to(at::kFloat);
    at::Tensor token;
    if (temperature == 0) {
      token = logits.argmax(-1, true);
    } else {
      const auto sums = at::softmax(temperature == 1 ? logits : logits / temperature, -1).cumsum(-1);
      const auto target = uniform.unsqueeze(1) * sums.narrow(1, sums.size(1) - 1, 1);
      token = at::searchsorted(sums, target, false, true).clamp_max_(sums.size(1) - 1);
    }
    return {token.squeeze(1), logits.gather(1, token).squeeze(1) - at::logsumexp(logits, {-1})};
  }
};

}  // namespace

const FusedOps& plain_ops() {
  static const PlainOps ops;
  return ops;
}

const FusedOps& fused_ops(const at::TensorOptions& options) {
  if (!options.device().is_cuda() || options.dtype() != at::kBFloat16) return plain_ops();
  using Make = const FusedOps* (*)(const FusedOps*);
  static const auto make = reinterpret_cast<Make>(cuda_plugin_symbol("mstar_cuda_ops"));
  return make != nullptr ? *make(&plain_ops()) : plain_ops();
}

}  // namespace mstar
