// See language.h. wqkv rows are grouped by kv head: its `group` query heads, its key, its value.
#include "models/internvl2/language.h"

#include "engine/segments.h"
#include "models/layers/decoder.h"
#include "models/layers/tree_attention.h"
#include "ops/dense.h"

namespace mstar::internvl2 {
namespace {

std::string layer_name(int64_t i) { return "language_model.model.layers." + std::to_string(i) + "."; }

}  // namespace

void language_shapes(const Shape& s, std::vector<ParameterShape>& out) {
  const int64_t d = s.l_hidden, e = s.head_dim();
  out.push_back({"language_model.model.tok_embeddings.weight", {s.vocab, d}});
  for (int64_t i = 0; i < s.l_layers; ++i) {
    const auto n = layer_name(i);
    const std::vector<ParameterShape> own = {{n + "attention.wqkv.weight", {(s.l_heads + 2 * s.l_kv_heads) * e, d}},
                                             {n + "attention.wo.weight", {d, d}},
                                             {n + "feed_forward.w1.weight", {s.l_intermediate, d}},
                                             {n + "feed_forward.w3.weight", {s.l_intermediate, d}},
                                             {n + "feed_forward.w2.weight", {d, s.l_intermediate}},
                                             {n + "attention_norm.weight", {d}},
                                             {n + "ffn_norm.weight", {d}}};
    out.insert(out.end(), own.begin(), own.end());
  }
  out.push_back({"language_model.model.norm.weight", {d}});
  out.push_back({"language_model.output.weight", {s.vocab, d}});
}

at::Tensor rope_frequencies(const Shape& s, int64_t length) {
  const double d = static_cast<double>(s.head_dim());
  double theta = s.rope_theta;
  if (s.rope_dynamic && length > s.max_positions) {
    const double stretch =
        s.rope_factor * static_cast<double>(length) / static_cast<double>(s.max_positions) - (s.rope_factor - 1);
    theta *= std::pow(stretch, d / (d - 2));
  }
  return at::reciprocal(at::pow(theta, at::arange(0, s.head_dim(), 2, at::kFloat) / d));
}

at::Tensor decode_hidden(const Shape& s, const Parameters& p, at::Tensor x_ND, const std::vector<Tree>& trees) {
  const int64_t n = x_ND.size(0), g = s.group(), k = s.l_kv_heads, e = s.head_dim();
  const auto rope = [&](int64_t length) { return Rope{rope_frequencies(s, length)}; };
  const auto rotation = layers::rotation_of(trees, rope, x_ND.device());
  const auto plan = layers::tree_plan(trees, x_ND);
  const auto layer = [&s, &p, rotation, plan, n, g, k, e](at::Tensor x_ND, const std::string& name) {
    const auto normal = layers::rms_norm(x_ND, p[name + "attention_norm.weight"], s.l_eps);
    const auto qkv = dense(normal, p.weight(name + "attention.wqkv.weight")).reshape({n, k, g + 2, e});
    const auto heads = layers::split_heads(qkv, 1, rotation);
    const auto mixed = layers::tree_attention(heads.q, heads.k, heads.v, plan);
    x_ND = x_ND + dense(mixed, p.weight(name + "attention.wo.weight"));
    return x_ND + layers::swiglu(layers::rms_norm(x_ND, p[name + "ffn_norm.weight"], s.l_eps),
                                 p.weight(name + "feed_forward.w1.weight"), p.weight(name + "feed_forward.w3.weight"),
                                 p.weight(name + "feed_forward.w2.weight"));
  };
  for (int64_t i = 0; i < s.l_layers; ++i)
    x_ND = segment(Part::layer, x_ND, [layer, name = layer_name(i)](const at::Tensor& x) { return layer(x, name); });
  return layers::rms_norm(x_ND, p["language_model.model.norm.weight"], s.l_eps);
}

DecoderWeights decoder_weights(const Shape& s, const Parameters& p) {
  const int64_t g = s.group(), k = s.l_kv_heads, e = s.head_dim();
  const auto by_kind = [&](const at::Tensor& rows) {
    const int64_t width = rows.size(1);
    const auto grouped = rows.reshape({k, g + 2, e, width});
    return at::cat({grouped.narrow(1, 0, g).reshape({-1, width}), grouped.select(1, g).reshape({-1, width}),
                    grouped.select(1, g + 1).reshape({-1, width})});
  };
  DecoderWeights weights;
  for (int64_t i = 0; i < s.l_layers; ++i) {
    const auto name = layer_name(i);
    const auto part = [&](const char* which) { return p.weight(name + which + ".weight"); };
    weights.layers.push_back({p[name + "attention_norm.weight"], part("attention.wqkv").with_rows(by_kind),
                              part("attention.wo"), p[name + "ffn_norm.weight"], part("feed_forward.w1"),
                              part("feed_forward.w3"), part("feed_forward.w2")});
  }
  weights.norm = p["language_model.model.norm.weight"];
  weights.head = p["language_model.output.weight"];
  return weights;
}

}  // namespace mstar::internvl2
