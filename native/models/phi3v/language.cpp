// See language.h. Rows of qkv_proj: all query heads, all key heads, all value heads; of gate_up_proj: gate, then up.
#include "models/phi3v/language.h"

#include "engine/segments.h"
#include "models/layers/decoder.h"
#include "models/layers/tree_attention.h"
#include "ops/dense.h"

namespace mstar::phi3v {
namespace {

std::string layer_name(int64_t i) { return "model.layers." + std::to_string(i) + "."; }

at::Tensor attention(const Shape& s, const Parameters& p, const std::string& name, const at::Tensor& x_ND,
                     const layers::Rotation& rotation, const layers::TreePlan& plan) {
  const int64_t h = s.l_heads, k = s.l_kv_heads;
  const auto qkv = dense(x_ND, p.weight(name + "qkv_proj.weight")).unflatten(1, {1, h + 2 * k, s.head_dim()});
  const auto heads = layers::split_heads(qkv, k, rotation);
  const auto mixed = layers::tree_attention(heads.q, heads.k, heads.v, plan);
  return dense(mixed, p.weight(name + "o_proj.weight"));
}

at::Tensor feed_forward(const Parameters& p, const std::string& name, const at::Tensor& x_ND) {
  const auto gate_up = dense(x_ND, p.weight(name + "gate_up_proj.weight")).chunk(2, -1);
  return dense(layers::gated(gate_up[0], gate_up[1]), p.weight(name + "down_proj.weight"));
}

}  // namespace

void language_shapes(const Shape& s, std::vector<ParameterShape>& out) {
  const int64_t d = s.l_hidden, e = s.head_dim();
  out.push_back({"model.embed_tokens.weight", {s.vocab, d}});
  for (int64_t i = 0; i < s.l_layers; ++i) {
    const auto n = layer_name(i);
    const std::vector<ParameterShape> own = {{n + "self_attn.o_proj.weight", {d, d}},
                                             {n + "self_attn.qkv_proj.weight", {(s.l_heads + 2 * s.l_kv_heads) * e, d}},
                                             {n + "mlp.gate_up_proj.weight", {2 * s.l_intermediate, d}},
                                             {n + "mlp.down_proj.weight", {d, s.l_intermediate}},
                                             {n + "input_layernorm.weight", {d}},
                                             {n + "post_attention_layernorm.weight", {d}}};
    out.insert(out.end(), own.begin(), own.end());
  }
  out.push_back({"model.norm.weight", {d}});
  out.push_back({"lm_head.weight", {s.vocab, d}});
}

Rope rope_of(const Shape& s, int64_t length) {
  const auto& factors = length > s.original_positions ? s.long_factors : s.short_factors;
  const auto exponents = at::arange(0, s.head_dim(), 2, at::kFloat) / static_cast<double>(s.head_dim());
  const double stretch = static_cast<double>(s.max_positions) / static_cast<double>(s.original_positions);
  const double scale =
      stretch <= 1 ? 1 : std::sqrt(1 + std::log(stretch) / std::log(static_cast<double>(s.original_positions)));
  return {at::reciprocal(at::tensor(factors, at::kFloat) * at::pow(s.rope_theta, exponents)), scale};
}

at::Tensor decode_hidden(const Shape& s, const Parameters& p, at::Tensor x_ND, const std::vector<Tree>& trees) {
  const auto rope = [&](int64_t length) { return rope_of(s, length); };
  const auto rotation = layers::rotation_of(trees, rope, x_ND.device());
  const auto plan = layers::tree_plan(trees, x_ND);
  const auto layer = [&s, &p, rotation, plan](at::Tensor x_ND, const std::string& name) {
    const auto normal = layers::rms_norm(x_ND, p[name + "input_layernorm.weight"], s.l_eps);
    x_ND = x_ND + attention(s, p, name + "self_attn.", normal, rotation, plan);
    return x_ND +
           feed_forward(p, name + "mlp.", layers::rms_norm(x_ND, p[name + "post_attention_layernorm.weight"], s.l_eps));
  };
  for (int64_t i = 0; i < s.l_layers; ++i)
    x_ND = segment(Part::layer, x_ND, [layer, name = layer_name(i)](const at::Tensor& x) { return layer(x, name); });
  return layers::rms_norm(x_ND, p["model.norm.weight"], s.l_eps);
}

DecoderWeights decoder_weights(const Shape& s, const Parameters& p) {
  DecoderWeights weights;
  for (int64_t i = 0; i < s.l_layers; ++i) {
    const auto name = layer_name(i);
    const auto gate_up = p.weight(name + "mlp.gate_up_proj.weight");
    const auto half = [&](size_t which) {
      return gate_up.with_rows([&](const at::Tensor& rows) { return rows.chunk(2)[which]; });
    };
    weights.layers.push_back({p[name + "input_layernorm.weight"], p.weight(name + "self_attn.qkv_proj.weight"),
                              p.weight(name + "self_attn.o_proj.weight"), p[name + "post_attention_layernorm.weight"],
                              half(0), half(1), p.weight(name + "mlp.down_proj.weight")});
  }
  weights.norm = p["model.norm.weight"];
  weights.head = p["lm_head.weight"];
  return weights;
}

}  // namespace mstar::phi3v
