// See vision.h.
#include "models/qwen3_vl/vision.h"

#include "engine/segments.h"
#include "ops/dense.h"

namespace mstar::qwen3_vl {
namespace {

const std::string kTower = "model.visual.", kPatch = kTower + "patch_embed.proj", kTable = kTower + "pos_embed.weight",
                  kMerger = kTower + "merger.";

std::string block_name(int64_t i) { return kTower + "blocks." + std::to_string(i) + "."; }

std::string deep_name(int64_t k) { return kTower + "deepstack_merger_list." + std::to_string(k) + "."; }

at::Tensor norm(const Shape& s, const Parameters& p, const std::string& name, const at::Tensor& x) {
  return at::layer_norm(x, {x.size(-1)}, p[name + ".weight"], p[name + ".bias"], s.v_eps);
}

/** Learnt positions of every patch [P, C]: the grid of the table, read bilinearly with its corners on the picture's. */
at::Tensor position_embedding(const Shape& s, const Parameters& p, const std::vector<layers::CellGrid>& grids) {
  const int64_t side = s.position_side, merge = s.patches.merge;
  std::vector<int64_t> rows;
  std::vector<float> weights;
  const auto positions = layers::patch_positions(grids, merge);
  auto at = positions.begin();
  for (const auto& grid : grids) {
    const auto place = [&](int64_t i, int64_t count) {
      return count == 1 ? 0.0f : static_cast<float>(i * (side - 1)) / static_cast<float>(count - 1);
    };
    for (const auto end = at + grid.cells() * merge * merge; at != end; ++at) {
      const float y = place((*at)[1], grid.rows * merge), x = place((*at)[2], grid.cols * merge);
      const auto top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
      const float down = y - static_cast<float>(top), across = x - static_cast<float>(left);
      const int64_t bottom = std::min(top + 1, side - 1), right = std::min(left + 1, side - 1);
      rows.insert(rows.end(), {top * side + left, top * side + right, bottom * side + left, bottom * side + right});
      weights.insert(weights.end(),
                     {(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across});
    }
  }
  const auto corners =
      at::embedding(p[kTable], at::tensor(rows, at::kLong).to(p.device())).reshape({-1, 4, s.v_hidden});
  const auto shares = at::tensor(weights).to(p.device()).reshape({-1, 4, 1});
  return (corners * shares).sum(1).to(corners.scalar_type());
}

at::Tensor block(const Shape& s, const Parameters& p, int64_t i, at::Tensor x_PC, const layers::Rotation& rotation,
                 const std::vector<int64_t>& pictures) {
  const auto name = block_name(i);
  x_PC =
      x_PC + layers::patch_attention(p, name + "attn", norm(s, p, name + "norm1", x_PC), s.v_heads, rotation, pictures);
  const auto wide = layers::affine(p, name + "mlp.linear_fc1", norm(s, p, name + "norm2", x_PC));
  return x_PC + layers::affine(p, name + "mlp.linear_fc2", at::gelu(wide, "tanh"));
}

/** Cells [I, 4C] to the width of the language model. */
at::Tensor projected(const Parameters& p, const std::string& name, const at::Tensor& cells) {
  return layers::affine(p, name + "linear_fc2", at::gelu(layers::affine(p, name + "linear_fc1", cells)));
}

}  // namespace

std::vector<ParameterShape> vision_shapes(const Shape& s) {
  std::vector<ParameterShape> out;
  const int64_t c = s.v_hidden, wide = s.v_intermediate, merged = s.merged(), d = s.decoder.shape.hidden;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    const int64_t outputs = shape[0];
    out.push_back({name + ".weight", std::move(shape)});
    out.push_back({name + ".bias", {outputs}});
  };
  const auto add_merger = [&](const std::string& name, int64_t normalised) {
    add(name + "norm", {normalised});
    add(name + "linear_fc1", {merged, merged});
    add(name + "linear_fc2", {d, merged});
  };
  add(kPatch, {c, 3, 2, s.patches.patch, s.patches.patch});
  out.push_back({kTable, {s.position_side * s.position_side, c}});
  for (int64_t i = 0; i < s.v_layers; ++i) {
    const auto name = block_name(i);
    add(name + "norm1", {c});
    add(name + "norm2", {c});
    add(name + "attn.qkv", {3 * c, c});
    add(name + "attn.proj", {c, c});
    add(name + "mlp.linear_fc1", {wide, c});
    add(name + "mlp.linear_fc2", {c, wide});
  }
  add_merger(kMerger, c);
  for (int64_t k = 0; k < s.decoder.shape.deep_layers; ++k) add_merger(deep_name(k), merged);
  return out;
}

at::Tensor encode_pictures(const Shape& s, const Parameters& p, const std::vector<Pixels>& images, Stages* stages) {
  const auto run = [](const at::Tensor& x, SegmentWork work) { return segment(Part::vision, x, std::move(work)); };
  const auto grids = layers::grids_of(images);
  const int64_t c = s.v_hidden, merge = s.patches.merge;
  std::vector<int64_t> pictures;
  std::vector<at::Tensor> values, blocks;
  for (const Pixels& image : images) {
    values.push_back(image[0].reshape({-1, image[0].size(-1)}));
    pictures.push_back(values.back().size(0));
  }
  const auto pixels = at::cat(values);
  const auto embedded = dense(pixels, p[kPatch + ".weight"].reshape({c, -1}), p[kPatch + ".bias"]);
  const auto positions = position_embedding(s, p, grids);
  const auto rotation = layers::patch_rotation(grids, merge, c / s.v_heads, p.device());
  auto x_PC = embedded + positions;
  std::vector<at::Tensor> deep(s.deep.size());
  for (int64_t i = 0; i < s.v_layers; ++i) {
    x_PC = run(x_PC,
               [&s, &p, i, rotation, pictures](const at::Tensor& x) { return block(s, p, i, x, rotation, pictures); });
    if (stages != nullptr) blocks.push_back(x_PC);
    for (size_t k = 0; k < s.deep.size(); ++k) {
      if (s.deep[k] != i) continue;
      const auto name = deep_name(static_cast<int64_t>(k));
      // Normalised after four patches became one; the last merger normalises before.
      deep[k] = run(x_PC, [&s, &p, name](const at::Tensor& x) {
        return projected(p, name, norm(s, p, name + "norm", x.reshape({-1, s.merged()})));
      });
    }
  }
  const auto tokens = run(x_PC, [&s, &p](const at::Tensor& x) {
    return projected(p, kMerger, norm(s, p, kMerger + "norm", x).reshape({-1, s.merged()}));
  });
  if (stages != nullptr) {
    (*stages)["pixel_values"] = pixels;
    (*stages)["patch_embed_output"] = embedded;
    (*stages)["position_embedding_output"] = positions;
    (*stages)["vision_block_outputs"] = at::stack(blocks);
    (*stages)["projector_output"] = tokens;
    if (!deep.empty()) (*stages)["deepstack_features"] = at::stack(deep);
  }
  deep.insert(deep.begin(), tokens);
  return at::cat(deep, 1);
}

}  // namespace mstar::qwen3_vl
