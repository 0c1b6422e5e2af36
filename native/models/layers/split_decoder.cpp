// See split_decoder.h.
#include "models/layers/split_decoder.h"

#include "engine/segments.h"
#include "models/layers/tree_attention.h"
#include "ops/dense.h"

namespace mstar::layers {
namespace {

std::string layer_name(const SplitDecoder& decoder, int64_t i) {
  return decoder.prefix + "layers." + std::to_string(i) + ".";
}

at::Tensor optional(const Parameters& p, const std::string& name) { return p.has(name) ? p[name] : at::Tensor(); }

/** Queries or keys [N, heads, E], normalised and rotated; values are neither. */
at::Tensor heads_of(const SplitDecoder& d, const Parameters& p, const std::string& name, const char* which,
                    const at::Tensor& x_ND) {
  const auto projected = dense(x_ND, p.weight(name + which + "_proj.weight"), optional(p, name + which + "_proj.bias"));
  const auto norm = optional(p, name + which + "_norm.weight");
  const int64_t e = d.shape.head_dim;
  return (norm.defined() ? rms_norm(projected.reshape({-1, e}), norm, d.shape.eps) : projected)
      .reshape({x_ND.size(0), -1, e});
}

at::Tensor layer(const SplitDecoder& d, const Parameters& p, int64_t i, at::Tensor x_ND, const Rotation& rotation,
                 const TreePlan& plan) {
  const auto name = layer_name(d, i), attention = name + "self_attn.";
  const auto normal = rms_norm(x_ND, p[name + "input_layernorm.weight"], d.shape.eps);
  const auto q = rotate_half(heads_of(d, p, attention, "q", normal), rotation);
  const auto k = rotate_half(heads_of(d, p, attention, "k", normal), rotation);
  const auto mixed = tree_attention(q, k, heads_of(d, p, attention, "v", normal), plan);
  x_ND = x_ND + dense(mixed, p.weight(attention + "o_proj.weight"));
  return x_ND + swiglu(rms_norm(x_ND, p[name + "post_attention_layernorm.weight"], d.shape.eps),
                       p.weight(name + "mlp.gate_proj.weight"), p.weight(name + "mlp.up_proj.weight"),
                       p.weight(name + "mlp.down_proj.weight"));
}

}  // namespace

DecoderShape shape_of(const Config& c) {
  DecoderShape shape;
  shape.layers = c.integer("l_layers");
  shape.hidden = c.integer("l_hidden");
  shape.heads = c.integer("l_heads");
  shape.kv_heads = c.integer("l_kv_heads");
  shape.head_dim = c.integer("l_head_dim");
  shape.intermediate = c.integer("l_intermediate");
  shape.vocab = c.integer("vocab");
  shape.max_positions = INT64_MAX;
  shape.grid_positions = true;
  shape.eps = static_cast<float>(c.number("l_eps"));
  return shape;
}

std::array<int64_t, 3> sections_of(const Config& c) {
  return {c.integer("section_0"), c.integer("section_1"), c.integer("section_2")};
}

at::Tensor axes_in_runs(const std::array<int64_t, 3>& sections) {
  return at::arange(3, at::kLong).repeat_interleave(at::tensor(at::IntArrayRef(sections), at::kLong));
}

at::Tensor axes_in_turns(const std::array<int64_t, 3>& sections) {
  auto axes = at::zeros({sections[0] + sections[1] + sections[2]}, at::kLong);
  for (size_t part : {1, 2})
    for (int64_t i = static_cast<int64_t>(part); i < std::min(3 * sections[part], axes.size(0)); i += 3)
      axes[i] = static_cast<int64_t>(part);
  return axes;
}

at::Tensor rope_frequencies(double theta, int64_t head_dim) {
  return at::reciprocal(at::pow(theta, at::arange(0, head_dim, 2, at::kFloat) / static_cast<double>(head_dim)));
}

void decoder_shapes(const SplitDecoder& d, std::vector<ParameterShape>& out) {
  const int64_t width = d.shape.hidden, wide = d.shape.intermediate, e = d.shape.head_dim;
  out.push_back({d.table(), {d.shape.vocab, width}});
  for (int64_t i = 0; i < d.shape.layers; ++i) {
    const auto name = layer_name(d, i), attention = name + "self_attn.";
    for (const auto& [which, heads] :
         {std::pair{"q", d.shape.heads}, std::pair{"k", d.shape.kv_heads}, std::pair{"v", d.shape.kv_heads}}) {
      out.push_back({attention + which + "_proj.weight", {heads * e, width}});
      if (d.qkv_biases) out.push_back({attention + which + "_proj.bias", {heads * e}});
    }
    out.push_back({attention + "o_proj.weight", {width, d.shape.heads * e}});
    if (d.head_norms) {
      out.push_back({attention + "q_norm.weight", {e}});
      out.push_back({attention + "k_norm.weight", {e}});
    }
    const std::vector<ParameterShape> rest = {{name + "mlp.gate_proj.weight", {wide, width}},
                                              {name + "mlp.up_proj.weight", {wide, width}},
                                              {name + "mlp.down_proj.weight", {width, wide}},
                                              {name + "input_layernorm.weight", {width}},
                                              {name + "post_attention_layernorm.weight", {width}}};
    out.insert(out.end(), rest.begin(), rest.end());
  }
  out.push_back({d.prefix + "norm.weight", {width}});
  if (d.head != d.table()) out.push_back({d.head, {d.shape.vocab, width}});
}

at::Tensor decode_hidden(const SplitDecoder& d, const Parameters& p, const at::Tensor& embedded,
                         const std::vector<Tree>& trees) {
  // Embeddings, and what pictures add after each of the first layers.
  const auto parts = embedded.split(d.shape.hidden, 1);
  const auto rotation = rotation_of(
      trees, [&](int64_t) { return d.rope; }, embedded.device());
  const auto plan = tree_plan(trees, embedded);
  at::Tensor x_ND = parts[0];
  for (int64_t i = 0; i < d.shape.layers; ++i) {
    x_ND = segment(Part::layer, x_ND,
                   [&d, &p, i, rotation, plan](const at::Tensor& x) { return layer(d, p, i, x, rotation, plan); });
    if (i + 1 < static_cast<int64_t>(parts.size())) x_ND = x_ND + parts[static_cast<size_t>(i) + 1];
  }
  return rms_norm(x_ND, p[d.prefix + "norm.weight"], d.shape.eps);
}

DecoderWeights decoder_weights(const SplitDecoder& d, const Parameters& p) {
  DecoderWeights weights;
  for (int64_t i = 0; i < d.shape.layers; ++i) {
    const auto name = layer_name(d, i), attention = name + "self_attn.";
    const auto part = [&](const char* which) { return p.weight(attention + which + "_proj.weight"); };
    const auto bias = [&](const char* which) { return p[attention + which + "_proj.bias"]; };
    DecoderLayer& layer = weights.layers.emplace_back();
    layer.attention_norm = p[name + "input_layernorm.weight"];
    layer.qkv = stacked({part("q"), part("k"), part("v")});
    if (d.qkv_biases) layer.qkv_bias = at::cat({bias("q"), bias("k"), bias("v")});
    layer.query_norm = optional(p, attention + "q_norm.weight");
    layer.key_norm = optional(p, attention + "k_norm.weight");
    layer.output = p.weight(attention + "o_proj.weight");
    layer.ffn_norm = p[name + "post_attention_layernorm.weight"];
    layer.gate = p.weight(name + "mlp.gate_proj.weight");
    layer.up = p.weight(name + "mlp.up_proj.weight");
    layer.down = p.weight(name + "mlp.down_proj.weight");
  }
  weights.norm = p[d.prefix + "norm.weight"];
  weights.head = p[d.head];
  return weights;
}

}  // namespace mstar::layers
