#pragma once
// What the workers of one rollout have in common: what was asked, which prompts are not begun, what came of the others.
#include <chrono>
#include <exception>
#include <mutex>

#include "engine/rollout/prefix_tree.h"
#include "engine/rollout/row.h"

namespace mstar {

using Clock = std::chrono::steady_clock;

struct Call {
  Call(const std::vector<RolloutRequest>& asked, const Sampling& how, const RolloutHooks& told, StopFlag flag);

  /** Throws Cancelled where the call was cancelled or another worker has failed. */
  void check_stop() const;
  /** The next prompt that no worker has begun; null when there is none. Any thread. */
  const Unit* next_unit();
  /** Takes a response that has ended. Any thread. */
  void finish(Row& row);
  /** Tells how far the call is, a few times a second. Any thread. */
  void report();

  const std::vector<RolloutRequest>& requests;
  const Sampling& sampling;
  const RolloutHooks& hooks;
  const StopFlag stop;
  const std::vector<Unit> units;
  std::atomic<size_t> begun{0};
  std::atomic<int64_t> done{0}, tokens{0}, prefill{0}, encodes{0}, cached{0}, recomputed{0};
  std::atomic<bool> failed{false};
  int64_t total = 0;
  std::mutex mutex;  // result, error, progress clock
  std::exception_ptr error;
  Clock::time_point last_progress = Clock::now();
  RolloutResult result;
};

}  // namespace mstar
