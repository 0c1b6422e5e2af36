#pragma once
// Sampling many responses. Workers run whole prompts side by side (scheduler.h) and never wait for each other in a
// step. A response depends on its request and the seed alone, not on what else is in the call, nor on the memory; with
// the tensor executor in deterministic mode only.
#include "engine/rollout/scheduler.h"

namespace mstar {

RolloutResult run_rollout(const RolloutContext& context, const std::vector<RolloutRequest>& requests,
                          const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop);

}  // namespace mstar
