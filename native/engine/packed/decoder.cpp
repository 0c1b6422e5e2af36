// See decoder.h.
#include "engine/packed/decoder.h"

#include "ops/cpu/rows.h"

namespace mstar {
namespace {

std::vector<float> floats(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  const auto flat = tensor.detach().to(at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

/** One token's key and value of one head, into its lane of a block. */
template <class Cell>
void write_lane(void* block, const cpu::KvPlace& place, int64_t lane, const float* key, const float* value,
                int64_t width) {
  Cell* cells = static_cast<Cell*>(block);
  for (int64_t d = 0; d < width; ++d) cpu::put(key[d], cells[place.keys + d * kBlockTokens + lane]);
  for (int64_t d = 0; d < width; ++d) cpu::put(value[d], cells[place.values + lane * width + d]);
}

float* sized(std::vector<float>& buffer, int64_t floats) {
  if (static_cast<int64_t>(buffer.size()) < floats) buffer.resize(static_cast<size_t>(floats));
  return buffer.data();
}

}  // namespace

PackedDecoder::PackedDecoder(const Backbone& backbone, const Parameters& parameters)
    : backbone_(backbone),
      shape_(backbone.decoder_shape()),
      number_(parameters.options().dtype() == at::kBFloat16 ? cpu::Number::bfloat16 : cpu::Number::float32) {
  const at::NoGradGuard no_grad;
  const DecoderWeights weights = backbone.decoder_weights(parameters);
  layers_.resize(weights.layers.size());
  const auto each_matrix = [&](const auto& visit) {
    for (size_t l = 0; l < layers_.size(); ++l) {
      const DecoderLayer& from = weights.layers[l];
      visit(layers_[l].qkv, std::vector{from.qkv});
      visit(layers_[l].output, std::vector{from.output});
      visit(layers_[l].gate_up, std::vector{from.gate, from.up});
      visit(layers_[l].down, std::vector{from.down});
    }
    visit(head_, std::vector<Weight>{weights.head});
  };
  const bool halves = number_ == cpu::Number::bfloat16;
  const auto room = [&](const cpu::PackedWeight& matrix) {
    return halves ? cpu::packed_halves(matrix.n, matrix.k) / 2 : cpu::packed_floats(matrix.n, matrix.k);
  };
  int64_t floats_wanted = 0;
  each_matrix([&](cpu::PackedWeight& matrix, const std::vector<Weight>& parts) {
    for (const Weight& part : parts) matrix.n += part.matrix.size(0);
    matrix.k = parts[0].matrix.size(1);
    floats_wanted += room(matrix);
  });
  matrices_.resize(static_cast<size_t>(floats_wanted));
  float* to = matrices_.data();
  each_matrix([&](cpu::PackedWeight& matrix, const std::vector<Weight>& parts) {
    std::vector<at::Tensor> merged;
    for (const Weight& part : parts) merged.push_back(part.merged());
    const auto flat = (merged.size() == 1 ? merged[0] : at::cat(merged)).detach().contiguous();
    const int64_t n = matrix.n, k = matrix.k;
    matrix = halves ? cpu::pack_halves(static_cast<const uint16_t*>(flat.const_data_ptr()), n, k, k,
                                       static_cast<uint16_t*>(static_cast<void*>(to)))
                    : cpu::pack(flat.const_data_ptr<float>(), n, k, k, to);
    to += room(matrix);
  });
  for (size_t l = 0; l < layers_.size(); ++l) {
    layers_[l].attention_norm = floats(weights.layers[l].attention_norm);
    layers_[l].ffn_norm = floats(weights.layers[l].ffn_norm);
    layers_[l].qkv_bias = floats(weights.layers[l].qkv_bias);
    layers_[l].query_norm = floats(weights.layers[l].query_norm);
    layers_[l].key_norm = floats(weights.layers[l].key_norm);
  }
  norm_ = floats(weights.norm);
  base_ = rotation_of(0);
}

PackedDecoder::Rotation PackedDecoder::rotation_of(int64_t length) const {
  const Rope rope = backbone_.rope(length);
  std::vector<size_t> axes(static_cast<size_t>(rope.frequencies.numel()), 0);
  if (rope.axes.defined()) std::copy_n(rope.axes.const_data_ptr<int64_t>(), axes.size(), axes.begin());
  return {floats(rope.frequencies), std::move(axes), static_cast<float>(rope.scale)};
}

void PackedDecoder::rotation(const std::vector<DecodeRow>& rows, DecodeScratch& scratch) const {
  const int64_t half = shape_.head_dim / 2, count = static_cast<int64_t>(rows.size());
  float* cosine = sized(scratch.cosine, count * half);
  float* sine = sized(scratch.sine, count * half);
  Rotation stretched;
  int64_t stretched_for = -1;
  for (const DecodeRow& row : rows) {
    const Rotation* rotation = &base_;
    if (row.sequence_length > shape_.max_positions) {
      if (stretched_for != row.sequence_length) stretched = rotation_of(row.sequence_length);
      stretched_for = row.sequence_length;
      rotation = &stretched;
    }
    for (size_t i = 0; i < static_cast<size_t>(half); ++i) {
      const float angle = static_cast<float>(row.position[rotation->axes[i]]) * rotation->frequencies[i];
      *cosine++ = std::cos(angle) * rotation->scale;
      *sine++ = std::sin(angle) * rotation->scale;
    }
  }
}

/** Bias, norms and rotation of queries and keys, and the bias of values. */
void PackedDecoder::finish_heads(const Layer& layer, const DecodeScratch& scratch, int64_t rows, float* qkv) const {
  const int64_t e = shape_.head_dim, heads = shape_.heads, kv = shape_.kv_heads;
  const auto width = static_cast<size_t>((heads + 2 * kv) * e);
  for (int64_t r = 0; r < rows; ++r, qkv += width) {
    if (!layer.qkv_bias.empty())
      for (size_t i = 0; i < width; ++i) qkv[i] += layer.qkv_bias[i];
    if (!layer.query_norm.empty()) cpu::rms_norm(qkv, layer.query_norm.data(), shape_.eps, qkv, heads, e);
    if (!layer.key_norm.empty())
      cpu::rms_norm(qkv + heads * e, layer.key_norm.data(), shape_.eps, qkv + heads * e, kv, e);
    // Query and key heads lie side by side: one rotation for both.
    cpu::rotate_half(qkv, scratch.cosine.data() + r * e / 2, scratch.sine.data() + r * e / 2, heads + kv, e);
  }
}

void PackedDecoder::store(const BlockPool& pool, int64_t layer, const std::vector<DecodeRow>& rows,
                          const float* qkv) const {
  const int64_t e = shape_.head_dim, stride = (shape_.heads + 2 * shape_.kv_heads) * e;
  const auto write = pool.number() == cpu::Number::float32 ? write_lane<float> : write_lane<uint16_t>;
  for (const DecodeRow& row : rows) {
    void* block = row.own->block(row.at / kBlockTokens);
    const int64_t lane = row.at % kBlockTokens;
    for (int64_t h = 0; h < shape_.kv_heads; ++h) {
      const float* key = qkv + (shape_.heads + h) * e;
      write(block, pool.place(layer, h), lane, key, key + shape_.kv_heads * e, e);
    }
    qkv += stride;
  }
}

void PackedDecoder::forward(BlockPool& pool, const std::vector<DecodeRow>& rows, const std::vector<DecodeGroup>& groups,
                            float* x, DecodeScratch& scratch, const float* deep, int64_t stride) const {
  const int64_t count = static_cast<int64_t>(rows.size()), d = shape_.hidden, e = shape_.head_dim,
                wide = shape_.intermediate;
  const int64_t heads = shape_.heads, kv = shape_.kv_heads, group = heads / kv, qkv_width = (heads + 2 * kv) * e;
  const float scale = 1.0f / std::sqrt(static_cast<float>(e));
  float* normal = sized(scratch.normal, count * d);
  float* qkv = sized(scratch.qkv, count * qkv_width);
  float* mixed = sized(scratch.mixed, count * heads * e);
  float* gate_up = sized(scratch.gate_up, count * 2 * wide);
  float* gated = sized(scratch.gated, count * wide);
  rotation(rows, scratch);

  for (int64_t l = 0; l < shape_.layers; ++l) {
    const Layer& layer = layers_[static_cast<size_t>(l)];
    cpu::rms_norm(x, layer.attention_norm.data(), shape_.eps, normal, count, d);
    cpu::gemm(layer.qkv, normal, d, cpu::Layout::rows, qkv, qkv_width, count, false);
    finish_heads(layer, scratch, count, qkv);
    store(pool, l, rows, qkv);
    for (const DecodeGroup& g : groups)
      for (int64_t h = 0; h < kv; ++h) {
        scratch.attend.clear();
        for (int64_t r = g.first_row; r < g.first_row + g.rows; ++r) {
          const DecodeRow& row = rows[static_cast<size_t>(r)];
          scratch.attend.push_back(
              {qkv + r * qkv_width + h * group * e, mixed + (r * heads + h * group) * e, row.own->span(row.at + 1)});
        }
        cpu::attend({g.shared.data(), static_cast<int64_t>(g.shared.size()), scratch.attend.data(), g.rows, group, e,
                     pool.place(l, h), scale, pool.number()},
                    scratch.attended);
      }
    // Training adds the finished product to x; summing it up onto x would round differently.
    cpu::gemm(layer.output, mixed, heads * e, cpu::Layout::rows, normal, d, count, false);
    cpu::add(x, normal, count * d);
    cpu::rms_norm(x, layer.ffn_norm.data(), shape_.eps, normal, count, d);
    cpu::gemm(layer.gate_up, normal, d, cpu::Layout::rows, gate_up, 2 * wide, count, false);
    cpu::swiglu(gate_up, gate_up + wide, 2 * wide, gated, count, wide);
    cpu::gemm(layer.down, gated, wide, cpu::Layout::rows, normal, d, count, false);
    cpu::add(x, normal, count * d);
    if (deep != nullptr && l < shape_.deep_layers)
      for (int64_t r = 0; r < count; ++r)
        for (int64_t i = 0; i < d; ++i) x[r * d + i] += deep[r * stride + l * d + i];
  }
  cpu::rms_norm(x, norm_.data(), shape_.eps, x, count, d);
}

void PackedDecoder::logits(const float* hidden, int64_t rows, float* out) const {
  cpu::gemm(head_, hidden, shape_.hidden, cpu::Layout::rows, out, shape_.vocab, rows, false);
}

}  // namespace mstar
