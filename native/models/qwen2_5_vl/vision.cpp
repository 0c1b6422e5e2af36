// See vision.h. All blocks run in the order of windows, so that a window's patches lie side by side.
#include "models/qwen2_5_vl/vision.h"

#include "engine/segments.h"
#include "ops/dense.h"

namespace mstar::qwen2_5_vl {
namespace {

const std::string kPatch = "visual.patch_embed.proj.weight", kMerger = "visual.merger.";

std::string block_name(int64_t i) { return "visual.blocks." + std::to_string(i) + "."; }

/** Cells in the order of windows, and the patches of every window and picture. */
struct Windows {
  std::vector<int64_t> order, windows, pictures;
};

/** Cuts every picture from its upper left corner; windows at the right and lower edge are smaller. */
Windows windows_of(const Shape& s, const std::vector<layers::CellGrid>& grids) {
  const int64_t patches = s.patches.merge * s.patches.merge;
  Windows out;
  int64_t first = 0;
  for (const auto& grid : grids) {
    for (int64_t top = 0; top < grid.rows; top += s.window)
      for (int64_t left = 0; left < grid.cols; left += s.window) {
        const int64_t bottom = std::min(top + s.window, grid.rows), right = std::min(left + s.window, grid.cols);
        for (int64_t row = top; row < bottom; ++row)
          for (int64_t col = left; col < right; ++col) out.order.push_back(first + row * grid.cols + col);
        out.windows.push_back((bottom - top) * (right - left) * patches);
      }
    out.pictures.push_back(grid.cells() * patches);
    first += grid.cells();
  }
  return out;
}

at::Tensor block(const Shape& s, const Parameters& p, int64_t i, at::Tensor x_PC, const layers::Rotation& rotation,
                 const std::vector<int64_t>& groups) {
  const auto name = block_name(i);
  const auto norm = [&](const char* which) { return layers::rms_norm(x_PC, p[name + which + ".weight"], s.v_eps); };
  x_PC = x_PC + layers::patch_attention(p, name + "attn", norm("norm1"), s.v_heads, rotation, groups);
  const auto normal = norm("norm2");
  const auto gated =
      layers::gated(layers::affine(p, name + "mlp.gate_proj", normal), layers::affine(p, name + "mlp.up_proj", normal));
  return x_PC + layers::affine(p, name + "mlp.down_proj", gated);
}

/** Rows of cells [cells, ...] as [P, C]. */
at::Tensor as_patches(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}); }

}  // namespace

std::vector<ParameterShape> vision_shapes(const Shape& s) {
  std::vector<ParameterShape> out;
  const int64_t c = s.v_hidden, wide = s.v_intermediate, merged = s.merged();
  const auto add_affine = [&](const std::string& name, int64_t outputs, int64_t inputs) {
    out.push_back({name + ".weight", {outputs, inputs}});
    out.push_back({name + ".bias", {outputs}});
  };
  out.push_back({kPatch, {c, 3, 2, s.patches.patch, s.patches.patch}});
  for (int64_t i = 0; i < s.v_layers; ++i) {
    const auto name = block_name(i);
    out.push_back({name + "norm1.weight", {c}});
    out.push_back({name + "norm2.weight", {c}});
    add_affine(name + "attn.qkv", 3 * c, c);
    add_affine(name + "attn.proj", c, c);
    add_affine(name + "mlp.gate_proj", wide, c);
    add_affine(name + "mlp.up_proj", wide, c);
    add_affine(name + "mlp.down_proj", c, wide);
  }
  out.push_back({kMerger + "ln_q.weight", {c}});
  add_affine(kMerger + "mlp.0", merged, merged);
  add_affine(kMerger + "mlp.2", s.decoder.shape.hidden, merged);
  return out;
}

at::Tensor encode_pictures(const Shape& s, const Parameters& p, const std::vector<Pixels>& images, Stages* stages) {
  const auto run = [](const at::Tensor& x, SegmentWork work) { return segment(Part::vision, x, std::move(work)); };
  const auto device = p.device();
  const int64_t c = s.v_hidden, patches = s.patches.merge * s.patches.merge;
  const auto grids = layers::grids_of(images);
  const Windows windows = windows_of(s, grids);
  const auto order = at::tensor(windows.order, at::kLong).to(device), back = order.argsort();
  const auto ordered = [&](const at::Tensor& x_PC) {
    return as_patches(x_PC.reshape({-1, patches, x_PC.size(1)}).index_select(0, order));
  };
  const auto restored = [&](const at::Tensor& x_PC) {
    return as_patches(x_PC.reshape({-1, patches, x_PC.size(1)}).index_select(0, back));
  };

  std::vector<at::Tensor> values;
  for (const Pixels& image : images) values.push_back(as_patches(image[0]));
  const auto pixels = at::cat(values);
  const auto embedded = dense(pixels, p[kPatch].reshape({c, -1}));
  const auto plain = layers::patch_rotation(grids, s.patches.merge, c / s.v_heads, device);
  const layers::Rotation rotation{ordered(plain.cosine), ordered(plain.sine)};
  auto x_PC = ordered(embedded);
  std::vector<at::Tensor> blocks;
  for (int64_t i = 0; i < s.v_layers; ++i) {
    const auto& groups = s.full[static_cast<size_t>(i)] ? windows.pictures : windows.windows;
    x_PC =
        run(x_PC, [&s, &p, i, rotation, groups](const at::Tensor& x) { return block(s, p, i, x, rotation, groups); });
    if (stages != nullptr) blocks.push_back(restored(x_PC));
  }
  const auto merged = run(x_PC, [&s, &p](const at::Tensor& x) {
    const auto normal = layers::rms_norm(x, p[kMerger + "ln_q.weight"], s.v_eps).reshape({-1, s.merged()});
    return layers::affine(p, kMerger + "mlp.2", at::gelu(layers::affine(p, kMerger + "mlp.0", normal)));
  });
  const auto tokens = merged.index_select(0, back);
  if (stages != nullptr) {
    (*stages)["pixel_values"] = pixels;
    (*stages)["window_index"] = order;
    (*stages)["patch_embed_output"] = embedded;
    (*stages)["vision_block_outputs"] = at::stack(blocks);
    (*stages)["projector_output"] = tokens;
    std::vector<int64_t> ends{0};
    for (int64_t length : windows.windows) ends.push_back(ends.back() + length);
    (*stages)["cu_window_seqlens"] = at::tensor(ends, at::kLong);
  }
  return tokens;
}

}  // namespace mstar::qwen2_5_vl
