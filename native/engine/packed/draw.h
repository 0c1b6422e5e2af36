#pragma once
// Draws one token from a row of logits: greedy, temperature, top-k, top-p by inverse CDF over one uniform number.
#include <vector>

#include "engine/types.h"

namespace mstar {

struct DrawnToken {
  int32_t token;
  float logprob;  // nothing cut off, at temperature 1 or, where scaled_logprobs asks for it, at that of the draw
};

struct SamplerScratch {
  std::vector<float> weights;
  std::vector<int32_t> order;
};

/**
 * temperature 0 takes the largest logit (lowest id on a tie). Otherwise softmax(logits / temperature), cut to the top_k
 * largest (0: off) and then to the smallest set whose mass reaches top_p (1: off; the token that crosses it is kept),
 * drawn by `uniform` in [0, 1).
 */
DrawnToken draw(const float* logits, int64_t vocab, const Sampling& sampling, double uniform, SamplerScratch& scratch);

}  // namespace mstar
