#pragma once
// packed/draw.h for all rows of a step at once, in LibTorch operations on the device: the same rule, the same draws.
#include <ATen/core/Tensor.h>

#include "engine/types.h"
#include "ops/fused.h"

namespace mstar {

struct DrawnRows {
  at::Tensor tokens;    // int64 [R]
  at::Tensor logprobs;  // float32 [R], as DrawnToken's
};

/** One token per row of logits [R, V] by uniform [R] (float32, in [0, 1)). */
DrawnRows draw_rows(const at::Tensor& logits_RV, const Sampling& sampling, const at::Tensor& uniform_R,
                    const FusedOps& ops);

}  // namespace mstar
