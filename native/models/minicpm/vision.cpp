// See vision.h. Three things are as the released code does them, and not as its names suggest. The patches of a slice
// lie in one row of positions, whatever its grid. That row is as long as the longest slice of the batch. Nothing is
// masked: real patches attend to padding. So a slice's output depends on the other slices of its prompt.
// S here counts slices, P patches of the longest one, C the tower's width.
#include "models/minicpm/vision.h"

#include "engine/segments.h"
#include "ops/dense.h"

namespace mstar::minicpm {
namespace {

std::string layer_name(int64_t i) { return "vpm.encoder.layers." + std::to_string(i) + "."; }

at::Tensor attention(const Shape& s, const Parameters& p, const std::string& name, const at::Tensor& x_SPC) {
  const int64_t slices = x_SPC.size(0), positions = x_SPC.size(1);
  const auto linear = [&](const std::string& which, const at::Tensor& x) {
    return dense(x, p[name + which + ".weight"], p[name + which + ".bias"]);
  };
  const auto heads = [&](const std::string& which) {
    return linear(which, x_SPC).reshape({slices, positions, s.v_heads, s.v_hidden / s.v_heads}).transpose(1, 2);
  };
  const auto out = at::scaled_dot_product_attention(heads("q_proj"), heads("k_proj"), heads("v_proj"));
  return linear("out_proj", out.transpose(1, 2).reshape({slices, positions, s.v_hidden}));
}

at::Tensor norm(const Shape& s, const Parameters& p, const std::string& name, const at::Tensor& x_SPC) {
  return at::layer_norm(x_SPC, {s.v_hidden}, p[name + ".weight"], p[name + ".bias"], s.v_eps);
}

at::Tensor layer(const Shape& s, const Parameters& p, int64_t i, at::Tensor x_SPC) {
  const auto name = layer_name(i);
  x_SPC = x_SPC + attention(s, p, name + "self_attn.", norm(s, p, name + "layer_norm1", x_SPC));
  const auto wide =
      dense(norm(s, p, name + "layer_norm2", x_SPC), p[name + "mlp.fc1.weight"], p[name + "mlp.fc1.bias"]);
  return x_SPC + dense(at::gelu(wide, "tanh"), p[name + "mlp.fc2.weight"], p[name + "mlp.fc2.bias"]);
}

}  // namespace

void vision_shapes(const Shape& s, std::vector<ParameterShape>& out) {
  const int64_t c = s.v_hidden, wide = s.v_intermediate;
  const auto add = [&](const std::string& name, int64_t rows, int64_t cols) {
    out.push_back({name + ".weight", {rows, cols}});
    out.push_back({name + ".bias", {rows}});
  };
  const auto add_norm = [&](const std::string& name) {
    out.push_back({name + ".weight", {c}});
    out.push_back({name + ".bias", {c}});
  };
  out.push_back({"vpm.embeddings.patch_embedding.weight", {c, 3, s.patch_size, s.patch_size}});
  out.push_back({"vpm.embeddings.patch_embedding.bias", {c}});
  out.push_back({"vpm.embeddings.position_embedding.weight", {s.position_side * s.position_side, c}});
  for (int64_t i = 0; i < s.v_layers; ++i) {
    const auto n = layer_name(i);
    for (const char* which : {"q_proj", "k_proj", "v_proj", "out_proj"}) add(n + "self_attn." + which, c, c);
    add_norm(n + "layer_norm1");
    add(n + "mlp.fc1", wide, c);
    add(n + "mlp.fc2", c, wide);
    add_norm(n + "layer_norm2");
  }
  add_norm("vpm.post_layernorm");
}

Patches cut_patches(const Shape& s, const std::vector<at::Tensor>& slices) {
  const int64_t size = s.patch_size;
  Patches patches;
  std::vector<at::Tensor> rows;
  int64_t longest = 0;
  for (const at::Tensor& slice : slices) {
    const int64_t h = slice.size(1) / size, w = slice.size(2) / size;
    patches.grids.push_back({h, w});
    longest = std::max(longest, h * w);
    rows.push_back(slice.reshape({3, h, size, w, size}).permute({1, 3, 0, 2, 4}).reshape({h * w, 3 * size * size}));
  }
  for (at::Tensor& row : rows) row = at::constant_pad_nd(row, {0, 0, 0, longest - row.size(0)});
  patches.values_SPC = at::stack(rows);
  return patches;
}

at::Tensor position_ids(const Shape& s, int64_t patches) {
  // In exact arithmetic this is floor(side * i / patches); where that falls on a bound, the rounding of at::arange in
  // float32 decides, so its own results are used.
  const auto step = static_cast<double>(1.0f / static_cast<float>(patches));
  const double bucket = 1.0 / static_cast<double>(s.position_side);
  const auto fractions = at::arange(0, 1 - 1e-6, step, at::kFloat);
  const auto bounds = at::arange(bucket, 1.0, bucket, at::kFloat);
  return at::bucketize(fractions, bounds, false, true);
}

at::Tensor encode_slices(const Shape& s, const Parameters& p, const Patches& patches) {
  const auto ids = position_ids(s, patches.values_SPC.size(1)).to(p.device());
  const auto run = [](const at::Tensor& x, SegmentWork work) { return segment(Part::vision, x, std::move(work)); };
  auto x_SPC = run(patches.values_SPC, [&s, &p, ids](const at::Tensor& x) {
    // A convolution whose stride is its size is one matrix product over cut patches.
    const auto weight = p["vpm.embeddings.patch_embedding.weight"].reshape({s.v_hidden, -1});
    return dense(x, weight, p["vpm.embeddings.patch_embedding.bias"]) +
           at::embedding(p["vpm.embeddings.position_embedding.weight"], ids);
  });
  for (int64_t i = 0; i < s.v_layers; ++i)
    x_SPC = run(x_SPC, [&s, &p, i](const at::Tensor& x) { return layer(s, p, i, x); });
  return norm(s, p, "vpm.post_layernorm", x_SPC);
}

}  // namespace mstar::minicpm
