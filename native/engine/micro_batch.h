#pragma once
// How a batch is cut into micro-batches: a function of the batch and the sizes alone, never of threads, so that what is
// computed does not depend on them either. Leaves computing to loss.cpp.
#include <vector>

#include "engine/backbone.h"

namespace mstar {

/** Indices into a batch; neighbours with the same prompt share it. */
using MicroBatch = std::vector<size_t>;

/** What takes the micro-batches of a step. */
enum class TakenBy {
  all,   // one after the other, each by all threads: as few as the budget allows
  each,  // side by side, each by one thread: small enough that threads find work in a small batch too
};

/**
 * Cuts a batch into micro-batches of about equal cost in tokens, a shared prompt counted once.
 * @param budget tokens that none exceeds, unless one example does; responses to one prompt are parted only for it
 */
std::vector<MicroBatch> micro_batches(const Backbone& backbone, const std::vector<Example>& batch, TakenBy taken,
                                      int64_t budget);

}  // namespace mstar
