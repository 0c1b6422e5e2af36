#pragma once
// Sampling many responses in one call. Workers run whole prompts side by side (session.h) and never wait for each other
// in a step. A response depends on its request and the seed alone, not on what else is in the call or the session, nor
// on the memory; with the tensor executor in deterministic mode only.
#include "engine/rollout/session.h"

namespace mstar {

RolloutResult run_rollout(const RolloutContext& context, const std::vector<RolloutRequest>& requests,
                          const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop);

}  // namespace mstar
