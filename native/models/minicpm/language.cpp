// See language.h.
#include "models/minicpm/language.h"

#include "engine/segments.h"
#include "models/layers/decoder.h"
#include "models/layers/tree_attention.h"
#include "ops/dense.h"

namespace mstar::minicpm {
namespace {

const std::string kNorm = "llm.model.norm.weight";

std::string layer_name(int64_t i) { return "llm.model.layers." + std::to_string(i) + "."; }

}  // namespace

void language_shapes(const Shape& s, std::vector<ParameterShape>& out) {
  const int64_t d = s.l_hidden, keys = s.l_kv_heads * s.head_dim();
  out.push_back({kEmbedding, {s.vocab, d}});
  for (int64_t i = 0; i < s.l_layers; ++i) {
    const auto n = layer_name(i);
    const std::vector<ParameterShape> own = {{n + "self_attn.q_proj.weight", {d, d}},
                                             {n + "self_attn.k_proj.weight", {keys, d}},
                                             {n + "self_attn.v_proj.weight", {keys, d}},
                                             {n + "self_attn.o_proj.weight", {d, d}},
                                             {n + "mlp.gate_proj.weight", {s.l_intermediate, d}},
                                             {n + "mlp.up_proj.weight", {s.l_intermediate, d}},
                                             {n + "mlp.down_proj.weight", {d, s.l_intermediate}},
                                             {n + "input_layernorm.weight", {d}},
                                             {n + "post_attention_layernorm.weight", {d}}};
    out.insert(out.end(), own.begin(), own.end());
  }
  out.push_back({kNorm, {d}});
  out.push_back({kHead, {s.vocab, d}});
}

at::Tensor rope_frequencies(const Shape& s) {
  const double d = static_cast<double>(s.head_dim());
  return at::reciprocal(at::pow(s.rope_theta, at::arange(0, s.head_dim(), 2, at::kFloat) / d));
}

at::Tensor decode_hidden(const Shape& s, const Parameters& p, at::Tensor x_ND, const std::vector<Tree>& trees) {
  const int64_t n = x_ND.size(0), e = s.head_dim();
  const auto rope = [&](int64_t) { return Rope{rope_frequencies(s)}; };
  const auto rotation = layers::rotation_of(trees, rope, x_ND.device());
  const auto plan = layers::tree_plan(trees, x_ND);
  const auto layer = [&s, &p, rotation, plan, n, e](at::Tensor x_ND, const std::string& name) {
    const auto normal = layers::rms_norm(x_ND, p[name + "input_layernorm.weight"], s.l_eps);
    const auto heads = [&](const char* which) {
      return dense(normal, p.weight(name + "self_attn." + which + ".weight")).reshape({n, -1, e});
    };
    const auto q = layers::rotate_half(heads("q_proj"), rotation), k = layers::rotate_half(heads("k_proj"), rotation);
    const auto mixed = layers::tree_attention(q, k, heads("v_proj"), plan);
    x_ND = x_ND + dense(mixed, p.weight(name + "self_attn.o_proj.weight"));
    return x_ND + layers::swiglu(layers::rms_norm(x_ND, p[name + "post_attention_layernorm.weight"], s.l_eps),
                                 p.weight(name + "mlp.gate_proj.weight"), p.weight(name + "mlp.up_proj.weight"),
                                 p.weight(name + "mlp.down_proj.weight"));
  };
  for (int64_t i = 0; i < s.l_layers; ++i)
    x_ND = segment(Part::layer, x_ND, [layer, name = layer_name(i)](const at::Tensor& x) { return layer(x, name); });
  return layers::rms_norm(x_ND, p[kNorm], s.l_eps);
}

DecoderWeights decoder_weights(const Shape& s, const Parameters& p) {
  DecoderWeights weights;
  for (int64_t i = 0; i < s.l_layers; ++i) {
    const auto name = layer_name(i);
    const auto part = [&](const char* which) { return p.weight(name + which + ".weight"); };
    const auto qkv = stacked({part("self_attn.q_proj"), part("self_attn.k_proj"), part("self_attn.v_proj")});
    weights.layers.push_back({p[name + "input_layernorm.weight"], qkv, part("self_attn.o_proj"),
                              p[name + "post_attention_layernorm.weight"], part("mlp.gate_proj"), part("mlp.up_proj"),
                              part("mlp.down_proj")});
  }
  weights.norm = p[kNorm];
  weights.head = p[kHead];
  return weights;
}

}  // namespace mstar::minicpm
