// See device_decoder.h.
#include "engine/device_decoder.h"

#include "ops/rotary.h"

namespace mstar {
namespace {

at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, float eps) {
  return at::rms_norm(x, {x.size(-1)}, weight, eps);
}

/** [N, K * g, E] to [N * g, K, E]: the queries of a key head's group become rows, so that its keys are read once. */
at::Tensor fold(const at::Tensor& q, int64_t kv_heads) {
  const int64_t n = q.size(0), g = q.size(1) / kv_heads, e = q.size(2);
  if (g == 1) return q;
  return q.reshape({n, kv_heads, g, e}).transpose(1, 2).reshape({n * g, kv_heads, e});
}

at::Tensor unfold(const at::Tensor& out, int64_t rows) {
  const int64_t g = out.size(0) / rows, k = out.size(1), e = out.size(2);
  if (g == 1) return out;
  return out.reshape({rows, g, k, e}).transpose(1, 2).reshape({rows, k * g, e});
}

/** The log-sum-exp [H, N] of unfolded heads in the folded order [K, N * g]. */
at::Tensor fold_lse(const at::Tensor& lse, int64_t kv_heads) {
  const int64_t g = lse.size(0) / kv_heads, n = lse.size(1);
  return lse.reshape({kv_heads, g, n}).transpose(1, 2).reshape({kv_heads, n * g});
}

}  // namespace

KvArena::KvArena(const DecoderShape& shape, const at::TensorOptions& options, int64_t tokens) {
  for (int64_t l = 0; l < shape.layers; ++l) {
    keys.push_back(at::empty({tokens, shape.kv_heads, shape.head_dim}, options));
    values.push_back(at::empty({tokens, shape.kv_heads, shape.head_dim}, options));
  }
}

int64_t KvArena::bytes_per_token(const DecoderShape& shape, const at::TensorOptions& options) {
  return 2 * shape.layers * shape.kv_heads * shape.head_dim * static_cast<int64_t>(options.dtype().itemsize());
}

DeviceDecoder::DeviceDecoder(const Backbone& backbone, const Parameters& parameters)
    : backbone_(backbone), options_(parameters.options()), shape_(backbone.decoder_shape()) {
  const at::NoGradGuard no_grad;
  weights_ = backbone.decoder_weights(parameters);
  base_ = backbone.rope(0);
}

void DeviceDecoder::rotate(DeviceRows& rows, const std::vector<int64_t>& positions,
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
  const auto position = at::tensor(positions, at::kLong).to(at::kFloat).unsqueeze(1);
  auto angles = position * (plain ? base_.frequencies.unsqueeze(0) : at::stack(frequencies));
  const auto scale = plain ? at::full({1, 1}, base_.scale, at::kFloat) : at::tensor(scales).unsqueeze(1);
  rows.cosine = (angles.cos() * scale).to(options_.device());
  rows.sine = (angles.sin() * scale).to(options_.device());
}

at::Tensor DeviceDecoder::attention(KvArena& arena, const DeviceRows& rows, int64_t layer,
                                    const at::Tensor& normal) const {
  const auto l = static_cast<size_t>(layer);
  const int64_t n = normal.size(0), e = shape_.head_dim, k = shape_.kv_heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(e));
  const auto qkv = at::linear(normal, weights_.layers[l].qkv).reshape({n, shape_.heads + 2 * k, e});
  const auto rotated = rotate_rows(qkv.narrow(1, 0, shape_.heads + k), rows.cosine, rows.sine);
  const auto q = rotated.narrow(1, 0, shape_.heads), key = rotated.narrow(1, shape_.heads, k),
             value = qkv.narrow(1, shape_.heads + k, k);
  arena.keys[l].index_copy_(0, rows.places, key);
  arena.values[l].index_copy_(0, rows.places, value);
  std::vector<Attended> parts;
  if (!rows.causal.empty()) {
    auto own = attend_causal(q, key, value, rows.causal, scale);
    if (rows.spans.empty()) return own.out.reshape({n, -1});
    parts.push_back({fold(own.out, k), fold_lse(own.lse, k)});
  }
  const auto folded = fold(q, k);
  for (const Spans& spans : rows.spans)
    parts.push_back(attend_spans(folded, arena.keys[l], arena.values[l], spans, scale));
  return unfold(merge(parts), n).reshape({n, -1});
}

at::Tensor DeviceDecoder::forward(KvArena& arena, const DeviceRows& rows, at::Tensor x) const {
  for (int64_t l = 0; l < shape_.layers; ++l) {
    const DecoderLayer& layer = weights_.layers[static_cast<size_t>(l)];
    x = x + at::linear(attention(arena, rows, l, norm(x, layer.attention_norm, shape_.eps)), layer.output);
    const auto normal = norm(x, layer.ffn_norm, shape_.eps);
    x = x + at::linear(at::silu(at::linear(normal, layer.gate)).mul_(at::linear(normal, layer.up)), layer.down);
  }
  return norm(x, weights_.norm, shape_.eps);
}

at::Tensor DeviceDecoder::logits(const at::Tensor& hidden) const {
  return at::linear(hidden, weights_.head).to(at::kFloat);
}

}  // namespace mstar
