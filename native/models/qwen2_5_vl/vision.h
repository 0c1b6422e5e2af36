#pragma once
// The vision tower, attending within windows in most blocks, and the merger of cells into image tokens.
#include "models/qwen2_5_vl/shape.h"

namespace mstar::qwen2_5_vl {

std::vector<ParameterShape> vision_shapes(const Shape& shape);

/** Image tokens [I, D] of pictures laid end to end, differentiable. */
at::Tensor encode_pictures(const Shape& shape, const Parameters& p, const std::vector<Pixels>& images, Stages* stages);

}  // namespace mstar::qwen2_5_vl
