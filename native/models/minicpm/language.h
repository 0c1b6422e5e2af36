#pragma once
// Llama-3: separate q, k and v, RMSNorm, SwiGLU, rotary embedding of one base.
#include "models/minicpm/shape.h"

namespace mstar::minicpm {

inline const std::string kEmbedding = "llm.model.embed_tokens.weight", kHead = "llm.lm_head.weight";

void language_shapes(const Shape& shape, std::vector<ParameterShape>& out);

at::Tensor rope_frequencies(const Shape& shape);

/** Final hidden states after the last norm [N, D] of packed trees. */
at::Tensor decode_hidden(const Shape& shape, const Parameters& p, at::Tensor x_ND, const std::vector<Tree>& trees);

/** The same weights as the decode path packs them. */
DecoderWeights decoder_weights(const Shape& shape, const Parameters& p);

}  // namespace mstar::minicpm
