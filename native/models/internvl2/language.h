#pragma once
// InternLM2: grouped wqkv, RMSNorm, SwiGLU, rotary embedding with dynamic NTK scaling.
#include "models/internvl2/shape.h"

namespace mstar::internvl2 {

void language_shapes(const Shape& shape, std::vector<ParameterShape>& out);

/** Frequencies for a sequence of `length` tokens: the base grows once the sequence is longer than the model was trained
 * on. */
at::Tensor rope_frequencies(const Shape& shape, int64_t length);

/** Final hidden states after the last norm [N, D] of packed trees. */
at::Tensor decode_hidden(const Shape& shape, const Parameters& p, at::Tensor x_ND, const std::vector<Tree>& trees);

/** The same weights as the decode path packs them. */
DecoderWeights decoder_weights(const Shape& shape, const Parameters& p);

}  // namespace mstar::internvl2
