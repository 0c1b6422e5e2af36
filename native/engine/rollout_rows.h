#pragma once
// What the workers of a rollout have in common, and one response being decoded. Leaves what is done with them to
// rollout.cpp.
#include <chrono>
#include <exception>
#include <mutex>

#include "engine/kv_cache.h"
#include "engine/prefix_tree.h"

namespace mstar {

using Clock = std::chrono::steady_clock;

struct Shared {
  Shared(const std::vector<RolloutRequest>& asked, const Sampling& how, const RolloutHooks& told, StopFlag flag)
      : requests(asked), sampling(how), hooks(told), stop(std::move(flag)), units(plan_units(asked)) {}

  const std::vector<RolloutRequest>& requests;
  const Sampling& sampling;
  const RolloutHooks& hooks;
  StopFlag stop;
  std::vector<Unit> units;
  std::atomic<size_t> next_unit{0};
  std::atomic<int64_t> done{0}, tokens{0}, prefill{0}, encodes{0}, cached{0}, recomputed{0};
  std::atomic<bool> failed{false};
  int64_t total = 0;
  std::mutex mutex;  // result, error, progress clock
  std::exception_ptr error;
  Clock::time_point last_progress = Clock::now();
  RolloutResult result;
};

/** One response being decoded. */
struct Row {
  size_t request;
  int64_t sample;
  uint64_t stream;
  std::vector<SharedSpan> shared;
  int64_t shared_length;
  std::shared_ptr<Segment> own;  // null while the row waits for memory
  Response response;
  int64_t whole_length = 0;  // of `own` when it was given up
  /** Drawn tokens whose keys are in `own` when it is there: all but the last. */
  int64_t own_tokens() const { return static_cast<int64_t>(response.tokens.size()) - 1; }
  /** Its keys were all made anew for another rotation: nothing is shared any more. */
  bool is_whole() const { return shared.empty(); }
};

inline bool same_spans(const Row& a, const Row& b) {
  if (a.shared.size() != b.shared.size()) return false;
  for (size_t i = 0; i < a.shared.size(); ++i)
    if (a.shared[i].segment != b.shared[i].segment || a.shared[i].length != b.shared[i].length) return false;
  return true;
}

}  // namespace mstar
