#pragma once
// Sampling many responses: every prompt is prefilled once, its samples fork from it and are decoded together, finished
// rows are replaced at once by the next prompt's. Worker threads run whole prompts side by side and never wait for each
// other in a step. Rows that the memory does not hold give theirs up and are computed again later. A response depends
// on its request and the seed alone, not on what else is in the call, nor on the memory.
#include "engine/cpu_decoder.h"
#include "engine/prompt_cache.h"
#include "engine/types.h"

namespace mstar {

struct RolloutContext {
  const Backbone& backbone;
  const Parameters& parameters;
  const CpuDecoder& decoder;
  int threads;
  BlockPool& pool;
  PromptCache& prompts;
  int64_t kv_bytes;  // that keys and values may take
};

RolloutResult run_rollout(const RolloutContext& context, const std::vector<RolloutRequest>& requests,
                          const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop);

}  // namespace mstar
