#pragma once
// Which requests share what: requests of one prompt form a unit; prefixes that continue each other form a chain, so
// that a response forked at all its step ends is prefilled once. Pure planning over token lists; leaves computing to
// scheduler.cpp.
#include <vector>

#include "engine/types.h"

namespace mstar {

/** Where a request's samples fork: after the first `length` tokens of chain `chain` (-1: right after the prompt). */
struct Fork {
  size_t request;
  int64_t chain, length;
};

/** All requests with the same prompt tokens and pictures. */
struct Unit {
  const Prompt* prompt;
  std::vector<std::vector<int64_t>> chains;  // longest prefixes; every other prefix of the unit is the start of one
  std::vector<Fork> forks;                   // in the order of the chains, shorter forks first
  int64_t samples = 0;
};

/** Units in the order in which their prompts first appear. */
std::vector<Unit> plan_units(const std::vector<RolloutRequest>& requests);

}  // namespace mstar
