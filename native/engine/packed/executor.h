#pragma once
// The executor of the CPU: packed weights, blocks of keys and values, kernels of ops/cpu. A row's bits depend on
// the instruction set and on nothing else.
#include "engine/rollout/executor.h"

namespace mstar {

/** `threads`: executors that may run side by side, each on one. */
std::unique_ptr<Executors> packed_executors(const Backbone& backbone, const Parameters& parameters, int threads);

}  // namespace mstar
