#pragma once
// The vision tower: a SigLIP encoder over the slices of a whole prompt in one batch.
#include "models/minicpm/shape.h"

namespace mstar::minicpm {

void vision_shapes(const Shape& shape, std::vector<ParameterShape>& out);

/** Slices of a prompt cut into patches. */
struct Patches {
  at::Tensor values_SPC;  // [slices, P, 3 * patch * patch], padded with zeros to the longest slice
  struct Grid {
    int64_t rows = 0, cols = 0;
    int64_t count() const { return rows * cols; }
  };
  std::vector<Grid> grids;  // of each slice
};
Patches cut_patches(const Shape& shape, const std::vector<at::Tensor>& slices);

/** Position ids of `patches` patches in a row, int64 on the CPU. */
at::Tensor position_ids(const Shape& shape, int64_t patches);

/** [slices, P, Dv] with the padding's outputs, differentiable. */
at::Tensor encode_slices(const Shape& shape, const Parameters& p, const Patches& patches);

}  // namespace mstar::minicpm
