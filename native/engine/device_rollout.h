#pragma once
// The rollout loop of GPUs and of bfloat16: one batch of rows for the whole call, refilled as rows end; several decode
// steps are asked of the device before the host looks at what was drawn. rollout.h is its twin for float32 on CPU.
#include "engine/device_decoder.h"

namespace mstar {

struct DeviceRolloutContext {
  const Backbone& backbone;
  const Parameters& parameters;
  const DeviceDecoder& decoder;
  int64_t kv_bytes;    // that keys and values may take; 0: most of what is free
  bool deterministic;  // a response's bits do not depend on what else is in the call
};

RolloutResult run_device_rollout(const DeviceRolloutContext& context, const std::vector<RolloutRequest>& requests,
                                 const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop);

}  // namespace mstar
