// See patches.h.
#include "models/layers/patches.h"

#include "ops/dense.h"
#include "ops/pillow_resize.h"

namespace mstar::layers {
namespace {

constexpr int64_t kFrames = 2, kMostRatio = 200;
constexpr double kTheta = 10000;

}  // namespace

ImageLayout smart_layout(const PatchRules& rules, int64_t width, int64_t height) {
  TORCH_CHECK(width > 0 && height > 0, "picture of ", width, " x ", height, " pixels");
  const double longer = static_cast<double>(std::max(width, height)),
               shorter = static_cast<double>(std::min(width, height));
  TORCH_CHECK(longer / shorter <= kMostRatio, "picture of ", width, " x ", height,
              " pixels, wanted a longer side of at most ", kMostRatio, " times the shorter");
  const int64_t cell = rules.patch * rules.merge;
  const double side = static_cast<double>(cell), w = static_cast<double>(width), h = static_cast<double>(height);
  // Halves go to the even number, as they do in Python.
  int64_t cols = static_cast<int64_t>(std::nearbyint(w / side)), rows = static_cast<int64_t>(std::nearbyint(h / side));
  const int64_t area = rows * cell * cols * cell;
  if (area > rules.max_pixels) {
    const double by = std::sqrt(h * w / static_cast<double>(rules.max_pixels));
    rows = std::max<int64_t>(1, static_cast<int64_t>(std::floor(h / by / side)));
    cols = std::max<int64_t>(1, static_cast<int64_t>(std::floor(w / by / side)));
  } else if (area < rules.min_pixels) {
    const double by = std::sqrt(static_cast<double>(rules.min_pixels) / (h * w));
    rows = static_cast<int64_t>(std::ceil(h * by / side));
    cols = static_cast<int64_t>(std::ceil(w * by / side));
  }
  return {cols, rows, 1, cols * rows};
}

at::Tensor patch_values(const PatchRules& rules, const Image& image) {
  const ImageLayout grid = smart_layout(rules, image.width, image.height);
  const int64_t size = rules.patch, merge = rules.merge, width = grid.cols * merge * size,
                height = grid.rows * merge * size;
  const auto rgb = pillow_resize(image.rgb, image.width, image.height, width, height);
  auto plane = at::empty({3, height, width}, at::kFloat);
  float* to = plane.mutable_data_ptr<float>();
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = c; i < rgb.size(); i += 3) {
      const auto grey = static_cast<float>(static_cast<double>(rgb[i]) * (1.0 / 255.0));
      *to++ = (grey - rules.mean[c]) / rules.deviation[c];
    }
  return plane.reshape({3, grid.rows, merge, size, grid.cols, merge, size})
      .permute({1, 4, 2, 5, 0, 3, 6})
      .unsqueeze(5)
      .expand({-1, -1, -1, -1, -1, kFrames, -1, -1})
      .reshape({grid.rows, grid.cols, merge * merge, 3 * kFrames * size * size});
}

std::vector<CellGrid> grids_of(const std::vector<Pixels>& images) {
  std::vector<CellGrid> grids;
  for (const Pixels& image : images) grids.push_back({image[0].size(0), image[0].size(1)});
  return grids;
}

std::vector<Position> patch_positions(const std::vector<CellGrid>& grids, int64_t merge) {
  std::vector<Position> positions;
  for (const CellGrid& grid : grids)
    for (int64_t cell = 0; cell < grid.cells(); ++cell)
      for (int64_t part = 0; part < merge * merge; ++part)
        positions.push_back({0, cell / grid.cols * merge + part / merge, cell % grid.cols * merge + part % merge});
  return positions;
}

Rotation patch_rotation(const std::vector<CellGrid>& grids, int64_t merge, int64_t head_dim, at::Device device) {
  const int64_t quarter = head_dim / 4;
  const auto exponents = at::arange(0, head_dim / 2, 2, at::kFloat) / static_cast<double>(head_dim / 2);
  const auto frequencies = at::reciprocal(at::pow(kTheta, exponents));
  const auto axes = at::arange(1, 3, at::kLong).repeat_interleave(quarter);
  const auto angles =
      Rope{at::cat({frequencies, frequencies}), 1, axes}.angles(tensor_of(patch_positions(grids, merge)));
  return {angles.cos().to(device), angles.sin().to(device)};
}

at::Tensor group_attention(const at::Tensor& q_PHE, const at::Tensor& k_PHE, const at::Tensor& v_PHE,
                           const std::vector<int64_t>& lengths) {
  // Groups of one length are one batch.
  std::map<int64_t, std::vector<int64_t>> begins;
  int64_t begin = 0;
  for (int64_t length : lengths) {
    begins[length].push_back(begin);
    begin += length;
  }
  const auto attend = [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t length) {
    const auto batch = [&](const at::Tensor& x) { return x.unflatten(0, {-1, length}).transpose(1, 2); };
    return at::scaled_dot_product_attention(batch(q), batch(k), batch(v)).transpose(1, 2).flatten(2, 3).flatten(0, 1);
  };
  if (begins.size() == 1) return attend(q_PHE, k_PHE, v_PHE, lengths[0]);
  std::vector<at::Tensor> rows, outs;
  for (const auto& [length, all] : begins) {
    const auto first = at::tensor(all, at::kLong).unsqueeze(1);
    rows.push_back((first + at::arange(length, at::kLong)).flatten());
    const auto own = rows.back().to(q_PHE.device());
    outs.push_back(attend(q_PHE.index_select(0, own), k_PHE.index_select(0, own), v_PHE.index_select(0, own), length));
  }
  return at::cat(outs).index_select(0, at::cat(rows).argsort().to(q_PHE.device()));
}

at::Tensor affine(const Parameters& p, const std::string& name, const at::Tensor& x_PC) {
  return dense(x_PC, p[name + ".weight"], p[name + ".bias"]);
}

at::Tensor patch_attention(const Parameters& p, const std::string& name, const at::Tensor& x_PC, int64_t heads,
                           const Rotation& rotation, const std::vector<int64_t>& lengths) {
  const auto qkv = affine(p, name + ".qkv", x_PC).unflatten(1, {3 * heads, -1});
  const auto rotated = rotate_half(qkv.narrow(1, 0, 2 * heads), rotation);
  const auto mixed = group_attention(rotated.narrow(1, 0, heads), rotated.narrow(1, heads, heads),
                                     qkv.narrow(1, 2 * heads, heads), lengths);
  return affine(p, name + ".proj", mixed);
}

}  // namespace mstar::layers
