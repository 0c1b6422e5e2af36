#pragma once
// InternViT, pixel shuffle and the mlp1 projector.
#include "models/internvl2/shape.h"

namespace mstar::internvl2 {

void vision_shapes(const Shape& shape, std::vector<ParameterShape>& out);

/** [tiles, 3, S, S] -> [tiles * tokens_per_tile, D], differentiable. */
at::Tensor encode_tiles(const Shape& shape, const Parameters& p, const at::Tensor& pixels, Stages* stages);

}  // namespace mstar::internvl2
