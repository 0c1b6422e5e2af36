// See decoder.h.
#include "engine/tensor/decoder.h"

namespace mstar {
namespace {

/** An odd vocabulary makes the product over it several times slower. */
constexpr int64_t kHeadRows = 64;

/** x W^T + b, with what the adapter of W adds. */
at::Tensor project(const at::Tensor& x, const Weight& weight, const at::Tensor& bias = {}) {
  return with_adapter(at::linear(x, weight.matrix, bias), x, weight);
}

/** [N, K * g, E] to [N * g, K, E], as FusedOps folds queries. */
at::Tensor fold(const at::Tensor& x, int64_t kv_heads) {
  const int64_t n = x.size(0), g = x.size(1) / kv_heads, e = x.size(2);
  return g == 1 ? x : x.reshape({n, kv_heads, g, e}).transpose(1, 2).reshape({n * g, kv_heads, e});
}

at::Tensor unfold(const at::Tensor& x, int64_t rows) {
  const int64_t g = x.size(0) / rows, k = x.size(1), e = x.size(2);
  return g == 1 ? x : x.reshape({rows, g, k, e}).transpose(1, 2).reshape({rows, k * g, e});
}

/** The log-sum-exp [H, N] of unfolded heads in the folded order [K, N * g]. */
at::Tensor fold_lse(const at::Tensor& lse, int64_t kv_heads) {
  const int64_t g = lse.size(0) / kv_heads, n = lse.size(1);
  return lse.reshape({kv_heads, g, n}).transpose(1, 2).reshape({kv_heads, n * g});
}

}  // namespace

TensorDecoder::TensorDecoder(const Backbone& backbone, const Parameters& parameters)
    : backbone_(backbone), options_(parameters.options()), ops_(fused_ops(options_)), shape_(backbone.decoder_shape()) {
  const at::NoGradGuard no_grad;
  weights_ = backbone.decoder_weights(parameters);
  head_ = weights_.head;
  if (options_.device().is_cuda() && head_.size(0) % kHeadRows != 0)
    head_ = at::constant_pad_nd(head_, {0, 0, 0, kHeadRows - head_.size(0) % kHeadRows});
  for (const DecoderLayer& layer : weights_.layers) {
    if (!layer.query_norm.defined()) {
      head_norms_.emplace_back();
      continue;
    }
    const auto times = [&](const at::Tensor& norm, int64_t heads) { return norm.expand({heads, norm.size(0)}); };
    head_norms_.push_back(at::cat({times(layer.query_norm, shape_.heads), times(layer.key_norm, shape_.kv_heads)}));
  }
  base_ = backbone.rope(0);
}

void TensorDecoder::rotate(TensorRows& rows, const std::vector<Position>& positions,
                           const std::vector<int64_t>& lengths) const {
  std::vector<at::Tensor> frequencies;
  std::vector<float> scales;
  Rope stretched;
  int64_t stretched_for = -1;
  const bool plain = *std::max_element(lengths.begin(), lengths.end()) <= shape_.max_positions;
  if (!plain)
    for (int64_t length : lengths) {
      if (length > shape_.max_positions && stretched_for != length) stretched = backbone_.rope(stretched_for = length);
      const Rope& rope = length > shape_.max_positions ? stretched : base_;
      frequencies.push_back(rope.frequencies);
      scales.push_back(static_cast<float>(rope.scale));
    }
  // On the device: there are many angles, and it would wait for them.
  const auto device = options_.device();
  const auto position = tensor_of(positions).to(device);
  const auto angles = plain ? base_.angles(position) : position.narrow(1, 0, 1) * at::stack(frequencies).to(device);
  const auto scale = (plain ? at::full({1, 1}, base_.scale, at::kFloat) : at::tensor(scales).unsqueeze(1)).to(device);
  rows.cosine = angles.cos() * scale;
  rows.sine = angles.sin() * scale;
}

/** Queries, keys and values [N, (H + 2K) E] before the rotation. */
at::Tensor TensorDecoder::projected(int64_t layer, const at::Tensor& normal) const {
  const DecoderLayer& weights = weights_.layers[static_cast<size_t>(layer)];
  const auto qkv = project(normal, weights.qkv, weights.qkv_bias);
  const at::Tensor& scales = head_norms_[static_cast<size_t>(layer)];
  if (!scales.defined()) return qkv;
  auto heads = qkv.narrow(1, 0, scales.numel()).unflatten(1, scales.sizes());
  heads.copy_(at::rms_norm(heads, {shape_.head_dim}, {}, shape_.eps).mul_(scales));
  return qkv;
}

at::Tensor TensorDecoder::attention(const KvArena& arena, const TensorRows& rows, int64_t layer,
                                    const at::Tensor& normal) const {
  const at::Tensor &keys = arena.keys(layer), &values = arena.values(layer);
  const int64_t n = normal.size(0), k = shape_.kv_heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape_.head_dim));
  const auto qkv = projected(layer, normal);
  const auto q =
      ops_.rotate_and_store(qkv, rows.cosine, rows.sine, rows.places, keys, values, {shape_.heads, k, shape_.head_dim});
  std::vector<at::Tensor> outs, lse;
  const auto add = [&](const at::Tensor& out, const at::Tensor& sums) {
    outs.push_back(out);
    lse.push_back(sums);
  };
  if (!rows.causal.empty()) {
    // Read back from the arena: the keys were rotated on their way into it.
    const auto own = attend_causal(unfold(q, n), keys.index_select(0, rows.places), values.index_select(0, rows.places),
                                   rows.causal, scale);
    if (rows.levels.empty()) return own.out.reshape({n, -1});
    add(fold(own.out, k), fold_lse(own.lse, k));
  }
  for (const auto& [spans, copies] : rows.levels)
    for (const auto& part : attend_copies(q, keys, values, spans, copies, scale)) add(part.out, part.lse);
  if (rows.own.size() == 0) return ops_.merge(outs, lse, n);
  return ops_.attend_rows(q, keys, values, rows.own, outs, lse, scale);
}

at::Tensor TensorDecoder::forward(const KvArena& arena, const TensorRows& rows, const at::Tensor& embedded) const {
  const int64_t d = shape_.hidden;
  auto x = embedded.narrow(1, 0, d).clone(at::MemoryFormat::Contiguous);
  at::Tensor delta;
  for (int64_t l = 0; l < shape_.layers; ++l) {
    const DecoderLayer& layer = weights_.layers[static_cast<size_t>(l)];
    delta = project(attention(arena, rows, l, ops_.add_norm(x, delta, layer.attention_norm, shape_.eps)), layer.output);
    const auto normal = ops_.add_norm(x, delta, layer.ffn_norm, shape_.eps);
    delta = project(ops_.swiglu(project(normal, layer.gate), project(normal, layer.up)), layer.down);
    if (l < shape_.deep_layers && embedded.size(1) > d) delta = delta + embedded.narrow(1, (l + 1) * d, d);
  }
  return ops_.add_norm(x, delta, weights_.norm, shape_.eps);
}

at::Tensor TensorDecoder::logits(const at::Tensor& hidden) const {
  return at::linear(hidden, head_).narrow(1, 0, weights_.head.size(0));
}

}  // namespace mstar
