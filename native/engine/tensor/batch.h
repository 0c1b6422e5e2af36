#pragma once
// Rows that are decoded together on a device, and what a few steps of theirs need there. Leaves which rows there are to
// the scheduler.
#include "engine/rollout/row.h"
#include "engine/tensor/decoder.h"

namespace mstar {

/** Rows that fill a batch up: they compute for nothing, and keep their keys in the block `scratch`. */
struct Padding {
  int64_t rows;  // of the whole batch
  int32_t scratch;
};

/** The batch for so many rows: on a GPU one of a few sizes, so that the same shapes come again. */
Padding padding_for(int64_t rows, int32_t scratch, const at::Device& device);

/** What these tokens see. Those that share spans should lie together. */
TensorRows spans_of(const std::vector<RowToken>& tokens, int64_t group, const Padding& padding,
                    const at::Device& device);

/** What draws the token `ahead` of a row's next one: kept away from 1, where float32 sums could be overrun. */
inline float uniform_of(const Row& row, int64_t ahead) {
  return std::min(static_cast<float>(row.uniform(ahead)), 1.0f - 0x1p-22f);
}

/** Inputs of some steps in advance, so that no step waits for the host: one row of each tensor per step. */
class StepInputs {
 public:
  /** Of `tokens` and those that will be drawn after them, where a row has room for them; beyond that a row computes for
   * nothing. */
  StepInputs(const std::vector<RowToken>& tokens, int64_t steps, const Padding& padding, const TensorDecoder& decoder);
  /** What `out` needs for a step; rows see a token more than at the step before. */
  void set(TensorRows& out, int64_t step) const;
  at::Tensor tokens;   // int64 [R], of the first step
  at::Tensor uniform;  // float32 [steps, R]

 private:
  at::Tensor places_, lengths_, cosine_, sine_;
};

}  // namespace mstar
