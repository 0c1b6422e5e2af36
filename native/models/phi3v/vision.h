#pragma once
// CLIP tower, 2 x 2 merge, separators and the projector.
#include "models/phi3v/shape.h"

namespace mstar::phi3v {

void vision_shapes(const Shape& shape, std::vector<ParameterShape>& out);

/** Image tokens [I, D] of pictures laid end to end, differentiable: of each the crops' common grid row by row, then the
 * global view. */
at::Tensor encode_pictures(const Shape& shape, const Parameters& p, const std::vector<Pixels>& images, Stages* stages);

}  // namespace mstar::phi3v
