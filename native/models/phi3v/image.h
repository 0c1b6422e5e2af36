#pragma once
// One picture to a global view and a padded grid of crops: the "HD transform" of Phi-3.5-vision.
#include "models/phi3v/shape.h"

namespace mstar::phi3v {

/** The longer side gets as many crops as `num_crops` allows; the crops and the global view are the tiles. */
ImageLayout choose_layout(const Shape& shape, int64_t width, int64_t height);

/** The global view [3, S, S] and the picture scaled and padded to whole crops [3, rows * S, cols * S], float32. */
Pixels crop_pixels(const Shape& shape, const Image& image);

}  // namespace mstar::phi3v
