// See vision.h. T here counts tiles (crops and global views), P patches a tile, C the tower's width. The tower's last
// layer and its post_layernorm are in checkpoints but take no part: the features are the input of the last layer.
#include "models/phi3v/vision.h"

#include "engine/segments.h"
#include "ops/dense.h"

namespace mstar::phi3v {
namespace {

const std::string kPrefix = "model.vision_embed_tokens.", kTower = kPrefix + "img_processor.vision_model.";
constexpr double kEps = 1e-5, kQuick = 1.702;

std::string layer_name(int64_t i) { return kTower + "encoder.layers." + std::to_string(i) + "."; }

at::Tensor norm(const Shape& s, const Parameters& p, const std::string& name, const at::Tensor& x) {
  return at::layer_norm(x, {s.v_hidden}, p[name + ".weight"], p[name + ".bias"], kEps);
}

at::Tensor affine(const Parameters& p, const std::string& name, const at::Tensor& x) {
  return dense(x, p[name + ".weight"], p[name + ".bias"]);
}

at::Tensor patches(const Shape& s, const Parameters& p, const at::Tensor& pixels) {
  const int64_t tiles = pixels.size(0), g = s.grid, size = s.patch_size;
  // A convolution whose stride is its size is one matrix product over cut patches.
  const auto cut =
      pixels.reshape({tiles, 3, g, size, g, size}).permute({0, 2, 4, 1, 3, 5}).reshape({tiles, g * g, 3 * size * size});
  const auto embedded = dense(cut, p[kTower + "embeddings.patch_embedding.weight"].reshape({s.v_hidden, -1}));
  const auto first = p[kTower + "embeddings.class_embedding"].expand({tiles, 1, s.v_hidden});
  return at::cat({first, embedded}, 1) + p[kTower + "embeddings.position_embedding.weight"];
}

at::Tensor attention(const Shape& s, const Parameters& p, const std::string& name, const at::Tensor& x_TPC) {
  const auto heads = [&](const char* which) {
    return affine(p, name + which, x_TPC).unflatten(2, {s.v_heads, s.v_hidden / s.v_heads}).transpose(1, 2);
  };
  const auto out = at::scaled_dot_product_attention(heads("q_proj"), heads("k_proj"), heads("v_proj"));
  return affine(p, name + "out_proj", out.transpose(1, 2).flatten(2));
}

at::Tensor layer(const Shape& s, const Parameters& p, int64_t i, at::Tensor x_TPC) {
  const auto name = layer_name(i);
  x_TPC = x_TPC + attention(s, p, name + "self_attn.", norm(s, p, name + "layer_norm1", x_TPC));
  const auto wide = affine(p, name + "mlp.fc1", norm(s, p, name + "layer_norm2", x_TPC));
  return x_TPC + affine(p, name + "mlp.fc2", wide * at::sigmoid(wide * kQuick));
}

/** Features of every patch [T, P, C], without the class token. */
at::Tensor tower(const Shape& s, const Parameters& p, const at::Tensor& pixels) {
  const auto run = [](const at::Tensor& x, SegmentWork work) { return segment(Part::vision, x, std::move(work)); };
  auto x_TPC =
      run(pixels, [&s, &p](const at::Tensor& x) { return norm(s, p, kTower + "pre_layrnorm", patches(s, p, x)); });
  for (int64_t i = 0; i + 1 < s.v_layers; ++i)
    x_TPC = run(x_TPC, [&s, &p, i](const at::Tensor& x) { return layer(s, p, i, x); });
  return x_TPC.narrow(1, 1, s.grid * s.grid);
}

/** The tiles of one picture [1 + rows * cols, 3, S, S], the global view first. */
at::Tensor tiles_of(const Shape& s, const Pixels& pixels) {
  const at::Tensor &global = pixels[0], &picture = pixels[1];
  const int64_t size = s.crop(), rows = picture.size(1) / size, cols = picture.size(2) / size;
  const auto crops = picture.reshape({3, rows, size, cols, size}).permute({1, 3, 0, 2, 4}).reshape({-1, 3, size, size});
  return at::cat({global.unsqueeze(0), crops});
}

/** 2 x 2 neighbouring patches of [T, P, C] become one cell: [T, side, side, 4C], channels by (row, column). */
at::Tensor merge(const Shape& s, const at::Tensor& x_TPC) {
  const int64_t tiles = x_TPC.size(0), side = s.side();
  return x_TPC.reshape({tiles, side, 2, side, 2, s.v_hidden})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({tiles, side, side, s.merged()});
}

/** The cells of one picture in the order of its tokens [I, 4C], separators among them. */
at::Tensor sequence(const Shape& s, const Parameters& p, const at::Tensor& features_TPC, const at::Tensor& picture) {
  const int64_t side = s.side(), rows = picture.size(1) / s.crop(), cols = picture.size(2) / s.crop();
  const auto cells = merge(s, features_TPC);
  const auto with_row_ends = [&](const at::Tensor& grid) {
    const auto end = p[kPrefix + "sub_GN"].reshape({1, 1, s.merged()}).expand({grid.size(0), 1, s.merged()});
    return at::cat({grid, end}, 1).reshape({-1, s.merged()});
  };
  const auto crops = cells.narrow(0, 1, rows * cols)
                         .reshape({rows, cols, side, side, s.merged()})
                         .transpose(1, 2)
                         .reshape({rows * side, cols * side, s.merged()});
  return at::cat(
      {with_row_ends(crops), p[kPrefix + "glb_GN"].reshape({1, s.merged()}), with_row_ends(cells.select(0, 0))});
}

}  // namespace

void vision_shapes(const Shape& s, std::vector<ParameterShape>& out) {
  const int64_t c = s.v_hidden, wide = s.v_intermediate, d = s.l_hidden;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    out.push_back({name, std::move(shape)});
  };
  const auto add_affine = [&](const std::string& name, int64_t outputs, int64_t inputs) {
    add(name + ".weight", {outputs, inputs});
    add(name + ".bias", {outputs});
  };
  const auto add_norm = [&](const std::string& name) {
    add(name + ".weight", {c});
    add(name + ".bias", {c});
  };
  add(kPrefix + "glb_GN", {1, 1, s.merged()});
  add(kPrefix + "sub_GN", {1, 1, 1, s.merged()});
  add(kTower + "embeddings.class_embedding", {c});
  add(kTower + "embeddings.patch_embedding.weight", {c, 3, s.patch_size, s.patch_size});
  add(kTower + "embeddings.position_embedding.weight", {s.grid * s.grid + 1, c});
  add_norm(kTower + "pre_layrnorm");
  for (int64_t i = 0; i < s.v_layers; ++i) {
    const auto name = layer_name(i);
    for (const char* which : {"k_proj", "v_proj", "q_proj", "out_proj"}) add_affine(name + "self_attn." + which, c, c);
    add_norm(name + "layer_norm1");
    add_affine(name + "mlp.fc1", wide, c);
    add_affine(name + "mlp.fc2", c, wide);
    add_norm(name + "layer_norm2");
  }
  add_norm(kTower + "post_layernorm");
  add_affine(kPrefix + "img_projection.0", d, s.merged());
  add_affine(kPrefix + "img_projection.2", d, d);
}

at::Tensor encode_pictures(const Shape& s, const Parameters& p, const std::vector<Pixels>& images, Stages* stages) {
  std::vector<at::Tensor> pixels, sequences;
  std::vector<int64_t> tiles, tokens;
  for (const Pixels& image : images) {
    pixels.push_back(tiles_of(s, image));
    tiles.push_back(pixels.back().size(0));
  }
  const auto features = tower(s, p, at::cat(pixels)).split_with_sizes(tiles);
  for (size_t i = 0; i < images.size(); ++i) {
    sequences.push_back(sequence(s, p, features[i], images[i][1]));
    tokens.push_back(sequences.back().size(0));
  }
  const auto projected = segment(Part::vision, at::cat(sequences), [&p](const at::Tensor& x) {
    return affine(p, kPrefix + "img_projection.2", at::gelu(affine(p, kPrefix + "img_projection.0", x)));
  });
  if (stages != nullptr) {
    const auto embeds = projected.split_with_sizes(tokens);
    for (size_t i = 0; i < images.size(); ++i) {
      const auto number = "." + std::to_string(i);
      (*stages)["pixel_values" + number] = pixels[i];
      (*stages)["vision_tower_output" + number] = features[i];
      (*stages)["image_embeds" + number] = embeds[i];
    }
  }
  return projected;
}

}  // namespace mstar::phi3v
