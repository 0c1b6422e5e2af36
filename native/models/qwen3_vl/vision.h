#pragma once
// The vision tower with its learnt grid of positions, the merger of cells into image tokens, and those of deep layers.
#include "models/qwen3_vl/shape.h"

namespace mstar::qwen3_vl {

std::vector<ParameterShape> vision_shapes(const Shape& shape);

/** Image tokens of pictures laid end to end, the features of deep layers beside them: [I, (1 + L) D], differentiable.
 */
at::Tensor encode_pictures(const Shape& shape, const Parameters& p, const std::vector<Pixels>& images, Stages* stages);

}  // namespace mstar::qwen3_vl
