// See vision.h. T here counts tiles, P patches a tile (class token included where said), C the tower's width.
#include "models/internvl2/vision.h"

#include "engine/segments.h"
#include "ops/dense.h"

namespace mstar::internvl2 {
namespace {

std::string layer_name(int64_t i) { return "vision_model.encoder.layers." + std::to_string(i) + "."; }

at::Tensor patches(const Shape& s, const Parameters& p, const at::Tensor& pixels) {
  const int64_t tiles = pixels.size(0), g = s.grid(), size = s.patch_size;
  // A convolution whose stride is its size is one matrix product over cut patches.
  const auto cut =
      pixels.reshape({tiles, 3, g, size, g, size}).permute({0, 2, 4, 1, 3, 5}).reshape({tiles, g * g, 3 * size * size});
  const auto& weight = p["vision_model.embeddings.patch_embedding.weight"];
  const auto embedded = dense(cut, weight.reshape({s.v_hidden, -1}), p["vision_model.embeddings.patch_embedding.bias"]);
  const auto first = p["vision_model.embeddings.class_embedding"].expand({tiles, 1, s.v_hidden});
  return at::cat({first, embedded}, 1) + p["vision_model.embeddings.position_embedding"];
}

at::Tensor attention(const Shape& s, const Parameters& p, const std::string& name, const at::Tensor& x_TPC) {
  const int64_t tiles = x_TPC.size(0), positions = x_TPC.size(1);
  const auto qkv = dense(x_TPC, p[name + "attn.qkv.weight"], p[name + "attn.qkv.bias"])
                       .reshape({tiles, positions, 3, s.v_heads, s.v_hidden / s.v_heads})
                       .permute({2, 0, 3, 1, 4});
  const auto out = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
  return dense(out.transpose(1, 2).reshape({tiles, positions, s.v_hidden}), p[name + "attn.proj.weight"],
               p[name + "attn.proj.bias"]);
}

at::Tensor layer(const Shape& s, const Parameters& p, int64_t i, at::Tensor x_TPC) {
  const auto name = layer_name(i);
  const auto norm = [&](const std::string& which, const at::Tensor& x) {
    return at::layer_norm(x, {s.v_hidden}, p[name + which + ".weight"], p[name + which + ".bias"], s.v_eps);
  };
  x_TPC = x_TPC + attention(s, p, name, norm("norm1", x_TPC)) * p[name + "ls1"];
  const auto wide = at::gelu(dense(norm("norm2", x_TPC), p[name + "mlp.fc1.weight"], p[name + "mlp.fc1.bias"]));
  return x_TPC + dense(wide, p[name + "mlp.fc2.weight"], p[name + "mlp.fc2.bias"]) * p[name + "ls2"];
}

/** merge x merge neighbouring patches become one position; channels run (row, column) inside the block. */
at::Tensor pixel_shuffle(const Shape& s, const at::Tensor& x_TPC) {
  const int64_t tiles = x_TPC.size(0), m = s.merge(), side = s.grid() / m;
  return x_TPC.reshape({tiles, side, m, side, m, s.v_hidden})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({tiles, side * side, m * m * s.v_hidden});
}

at::Tensor project(const Parameters& p, const at::Tensor& x_TPC) {
  const auto normal = at::layer_norm(x_TPC, {x_TPC.size(-1)}, p["mlp1.0.weight"], p["mlp1.0.bias"], 1e-5);
  return dense(at::gelu(dense(normal, p["mlp1.1.weight"], p["mlp1.1.bias"])), p["mlp1.3.weight"], p["mlp1.3.bias"]);
}

}  // namespace

void vision_shapes(const Shape& s, std::vector<ParameterShape>& out) {
  const int64_t c = s.v_hidden, wide = s.v_intermediate, merged = c * s.merge() * s.merge();
  out.push_back({"vision_model.embeddings.class_embedding", {1, 1, c}});
  out.push_back({"vision_model.embeddings.position_embedding", {1, s.grid() * s.grid() + 1, c}});
  out.push_back({"vision_model.embeddings.patch_embedding.weight", {c, 3, s.patch_size, s.patch_size}});
  out.push_back({"vision_model.embeddings.patch_embedding.bias", {c}});
  for (int64_t i = 0; i < s.v_layers; ++i) {
    const auto n = layer_name(i);
    const std::vector<ParameterShape> own = {{n + "ls1", {c}},
                                             {n + "ls2", {c}},
                                             {n + "attn.qkv.weight", {3 * c, c}},
                                             {n + "attn.qkv.bias", {3 * c}},
                                             {n + "attn.proj.weight", {c, c}},
                                             {n + "attn.proj.bias", {c}},
                                             {n + "mlp.fc1.weight", {wide, c}},
                                             {n + "mlp.fc1.bias", {wide}},
                                             {n + "mlp.fc2.weight", {c, wide}},
                                             {n + "mlp.fc2.bias", {c}},
                                             {n + "norm1.weight", {c}},
                                             {n + "norm1.bias", {c}},
                                             {n + "norm2.weight", {c}},
                                             {n + "norm2.bias", {c}}};
    out.insert(out.end(), own.begin(), own.end());
  }
  const std::vector<ParameterShape> projector = {{"mlp1.0.weight", {merged}},
                                                 {"mlp1.0.bias", {merged}},
                                                 {"mlp1.1.weight", {s.l_hidden, merged}},
                                                 {"mlp1.1.bias", {s.l_hidden}},
                                                 {"mlp1.3.weight", {s.l_hidden, s.l_hidden}},
                                                 {"mlp1.3.bias", {s.l_hidden}}};
  out.insert(out.end(), projector.begin(), projector.end());
}

at::Tensor encode_tiles(const Shape& s, const Parameters& p, const at::Tensor& pixels, Stages* stages) {
  const auto run = [](const at::Tensor& x, SegmentWork work) { return segment(Part::vision, x, std::move(work)); };
  auto x_TPC = run(pixels, [&s, &p](const at::Tensor& x) { return patches(s, p, x); });
  for (int64_t i = 0; i < s.v_layers; ++i)
    x_TPC = run(x_TPC, [&s, &p, i](const at::Tensor& x) { return layer(s, p, i, x); });
  const auto shuffled = pixel_shuffle(s, x_TPC.narrow(1, 1, x_TPC.size(1) - 1));
  const auto y = run(shuffled, [&p](const at::Tensor& x) { return project(p, x); });
  if (stages != nullptr) {
    (*stages)["pixel_values"] = pixels;
    (*stages)["vision_tower_output"] = x_TPC;
    (*stages)["pixel_shuffle_output"] = shuffled;
    (*stages)["projector_output"] = y;
  }
  return y.reshape({-1, s.l_hidden});
}

}  // namespace mstar::internvl2
