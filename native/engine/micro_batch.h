#pragma once
// How a batch is cut into micro-batches: a function of the batch and the sizes alone, never of threads, so that what is
// computed does not depend on them either. Leaves computing to loss.cpp.
#include <vector>

#include "engine/backbone.h"

namespace mstar {

/** Indices into a batch; neighbours with the same prompt share it. */
using MicroBatch = std::vector<size_t>;

/**
 * Cuts a batch into micro-batches of about equal cost in tokens, a shared prompt counted once.
 * @param wanted tokens that a micro-batch should have; there are as many as that makes
 * @param budget tokens that none exceeds, unless one example does; responses to one prompt are parted only for it
 */
std::vector<MicroBatch> micro_batches(const Backbone& backbone, const std::vector<Example>& batch, int64_t wanted,
                                      int64_t budget);

}  // namespace mstar
