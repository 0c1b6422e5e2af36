#pragma once
// One picture to slices: the overview and, for a large picture, a grid of cells at their own resolution.
#include "models/minicpm/shape.h"

namespace mstar::minicpm {

/** Grid of cells with the closest aspect ratio, 1 x 1 for a picture that is not cut; tiles count the overview too. */
ImageLayout choose_layout(const Shape& shape, int64_t width, int64_t height);

/** Overview first, then cells row by row: [3, H, W] float32 each, sides multiples of the patch size. */
Pixels slice_pixels(const Shape& shape, const Image& image);

}  // namespace mstar::minicpm
