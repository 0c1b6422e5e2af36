#pragma once
// Phi-3.5-mini: fused qkv and gate_up projections, RMSNorm, SwiGLU, LongRoPE.
#include "models/phi3v/shape.h"

namespace mstar::phi3v {

void language_shapes(const Shape& shape, std::vector<ParameterShape>& out);

/** One set of factors up to the length that the model was trained on, another beyond it. */
Rope rope_of(const Shape& shape, int64_t length);

/** Final hidden states after the last norm [N, D] of packed trees. */
at::Tensor decode_hidden(const Shape& shape, const Parameters& p, at::Tensor x_ND, const std::vector<Tree>& trees);

/** The same weights as the decode path packs them. */
DecoderWeights decoder_weights(const Shape& shape, const Parameters& p);

}  // namespace mstar::phi3v
