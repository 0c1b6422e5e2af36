#pragma once
// Responses that are decoded together on a device, and what a few steps of theirs need there. Leaves which rows there
// are to device_rollout.cpp.
#include "engine/device_decoder.h"
#include "engine/span_pool.h"

namespace mstar {

/** Decode steps between two looks at the tokens. A row that ends in between computes a few tokens for nothing; a look
 * makes the device wait. */
constexpr int64_t kSteps = 8;

/** The part of a span that a row sees. */
struct View {
  ArenaSpanPtr span;
  int64_t length;
};

int64_t total_length(const std::vector<View>& views);

/** A response being decoded. Its last token is drawn but not yet in `own`. */
struct DeviceRow {
  size_t request;
  int64_t sample;
  uint64_t stream;
  std::vector<View> shared;
  int64_t shared_length;
  ArenaSpanPtr own;
  int64_t own_length = 0;
  Response response;
  int64_t cached() const { return shared_length + own_length; }
  /** The draw of the token `ahead` of the next one; kept away from 1, where float32 sums could be overrun. */
  float uniform(uint64_t seed, int64_t ahead) const;
};

/** Brings rows that share the same spans together. */
void sort_by_shared(std::vector<DeviceRow>& rows);

/** Spans of the shared levels and the own span of every row. */
/** Rows that fill a batch up: they compute for nothing, and keep their keys at `scratch`. */
struct Padding {
  int64_t rows;  // of the whole batch
  int64_t scratch;
};

/** The batch for so many rows: on a GPU one of a few sizes, so that the same shapes come again. */
Padding padding_for(int64_t rows, int64_t scratch, const at::Device& device);

DeviceRows spans_of(const std::vector<DeviceRow>& rows, int64_t group, const Padding& padding,
                    const at::Device& device);

/** Inputs of some steps in advance, so that no step waits for the host: one row of each tensor per step. */
class StepInputs {
 public:
  StepInputs(const std::vector<DeviceRow>& rows, int64_t steps, const Padding& padding, const DeviceDecoder& decoder,
             uint64_t seed);
  /** What `out` needs for a step; its own spans are a token longer than at the step before. */
  void set(DeviceRows& out, int64_t step) const;
  at::Tensor tokens;   // int64 [R], of the first step
  at::Tensor uniform;  // float32 [steps, R]

 private:
  at::Tensor places_, lengths_, cosine_, sine_;
  std::vector<int32_t> lengths_host_;  // [steps * R]
};

}  // namespace mstar
