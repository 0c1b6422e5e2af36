#pragma once
// The executor of GPUs, in LibTorch operations and the kernels of the CUDA plug-in: one batch of rows
// for the whole call; several decode steps are asked of the device before the host looks at what was drawn.
#include "engine/rollout/executor.h"

namespace mstar {

/** `threads`: of LibTorch's operations on CPU. `deterministic`: batches of one size throughout, so that a response's
 * bits do not depend on what else is in the call. */
std::unique_ptr<Executors> tensor_executors(const Backbone& backbone, const Parameters& parameters, int threads,
                                            bool deterministic);

}  // namespace mstar
