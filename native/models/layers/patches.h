#pragma once
// Pictures that keep their shape: they are resized to whole cells and cut into patches, and in attention each patch is
// rotated by its row and column and sees the patches of its group (a window or its picture). The rest of a block is in
// the backbones. P counts the patches of all pictures, cell by cell; a cell of merge x merge patches becomes one token.
#include <array>

#include "models/layers/decoder.h"

namespace mstar::layers {

struct PatchRules {
  int64_t patch, merge;            // pixels a side of a patch, patches a side of a cell
  int64_t min_pixels, max_pixels;  // areas that pictures are resized into
  std::array<float, 3> mean, deviation;
};

/** The grid of cells that a picture is resized to. Throws where one side is more than 200 times the other. */
ImageLayout smart_layout(const PatchRules& rules, int64_t width, int64_t height);

/** [rows, cols, merge^2, 6 patch^2] float32: every cell's patches, each by channel, frame (the picture twice), y, x. */
at::Tensor patch_values(const PatchRules& rules, const Image& image);

/** Cells of a picture by its values. */
struct CellGrid {
  int64_t rows, cols;
  int64_t cells() const { return rows * cols; }
};
std::vector<CellGrid> grids_of(const std::vector<Pixels>& images);

/** Row and column of every patch in its picture, as positions. */
std::vector<Position> patch_positions(const std::vector<CellGrid>& grids, int64_t merge);

/** Rotation of heads of this width by row in its first half of angles, by column in the second. */
Rotation patch_rotation(const std::vector<CellGrid>& grids, int64_t merge, int64_t head_dim, at::Device device);

/** Softmax attention of q, k, v [P, H, E]: each sees its group; groups of these lengths lie end to end. [P, H E]. */
at::Tensor group_attention(const at::Tensor& q_PHE, const at::Tensor& k_PHE, const at::Tensor& v_PHE,
                           const std::vector<int64_t>& lengths);

/** x [P, C] through the matrix and bias of this name. */
at::Tensor affine(const Parameters& p, const std::string& name, const at::Tensor& x_PC);

/** Attention of a block: `name`.qkv, rotation, groups, `name`.proj. */
at::Tensor patch_attention(const Parameters& p, const std::string& name, const at::Tensor& x_PC, int64_t heads,
                           const Rotation& rotation, const std::vector<int64_t>& lengths);

}  // namespace mstar::layers
