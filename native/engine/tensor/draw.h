#pragma once
// packed/draw.h for all rows of a step at once, in LibTorch operations on the device: the same rule, the same draws.
#include <ATen/core/Tensor.h>

#include "engine/rollout/row.h"
#include "ops/fused.h"

namespace mstar {

struct DrawnRows {
  at::Tensor tokens;    // int64 [R]
  at::Tensor logprobs;  // float32 [R], as DrawnToken's
};

/** Rows of a batch that draw alike: those that `mask` (bool [R]) says, or all where it is undefined. */
struct DrawGroup {
  Sampling sampling;
  at::Tensor mask;
};

/** Of rows that lie first in a batch of `padded` rows. */
std::vector<DrawGroup> draw_groups(const std::vector<Row>& rows, int64_t padded, const at::Device& device);

/** One token per row of logits [R, V] by uniform [R] (float32, in [0, 1)). Every group draws for all rows, so that what
 * a row gets does not depend on the others. */
DrawnRows draw_rows(const at::Tensor& logits_RV, const std::vector<DrawGroup>& groups, const at::Tensor& uniform_R,
                    const FusedOps& ops);

/** The same for rows that all draw alike. */
DrawnRows draw_rows(const at::Tensor& logits_RV, const Sampling& sampling, const at::Tensor& uniform_R,
                    const FusedOps& ops);

}  // namespace mstar
