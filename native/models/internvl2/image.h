#pragma once
// One picture to tiles: the grid rule, the thumbnail, resize and normalisation of InternVL2.
#include "models/internvl2/shape.h"

namespace mstar::internvl2 {

/** Grid with the closest aspect ratio; a later grid of equal closeness wins when the picture is large enough for it. */
ImageLayout choose_layout(const Shape& shape, int64_t width, int64_t height);

/** [tiles, 3, S, S] float32: tiles row by row, the thumbnail last when there is more than one. */
at::Tensor tile_pixels(const Shape& shape, const Image& image);

}  // namespace mstar::internvl2
