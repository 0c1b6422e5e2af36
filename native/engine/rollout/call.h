#pragma once
// A call for responses: what was asked, and what came of it. The workers of a session share it.
#include <chrono>
#include <exception>
#include <mutex>

#include "engine/rollout/prefix_tree.h"
#include "engine/types.h"

namespace mstar {

using Clock = std::chrono::steady_clock;

struct Row;

struct Call;

struct CallHooks : RolloutHooks {
  /** Of a response that goes on: from index `from` on its tokens are new. Any thread. */
  std::function<void(int64_t request, int64_t sample, const Response&, size_t from)> on_tokens;
  /** Once, on the thread that ended the call: all responses are there, or it failed or was cancelled. The session may
   * be locked then: only what takes no lock of it may be asked. */
  std::function<void(Call&)> on_over;
};

struct Call {
  Call(std::vector<RolloutRequest> asked, const Sampling& how, CallHooks told, StopFlag flag);
  Call(const Call&) = delete;

  /** Whether it has all its responses, failed or was cancelled: nobody waits for its rows then. Any thread. */
  bool is_over();
  /** Whether nobody waits for this row. Any thread. */
  bool is_unwanted(const Row& row);
  /** Gives up one response: `finish` is never told of it. Any thread. */
  void drop(size_t request, int64_t sample);
  /** Tells of the tokens of a row that goes on which were drawn since the last time. Any thread. */
  void tell(Row& row) const;
  /** Takes a response that has ended. Any thread. */
  void finish(Row& row);
  /** Takes a row that was dropped. Any thread. */
  void discard() { count_one(); }
  /** Ends the call, with what it failed by or null; the first time counts. Any thread. */
  void end(const std::exception_ptr& failure);
  /** Tells how far the call is, a few times a second. Any thread. */
  void report();
  /** What came of it. Throws its failure. Once it is over. */
  RolloutResult take_result();

  const std::vector<RolloutRequest> requests;
  const Sampling sampling;
  const CallHooks hooks;
  const StopFlag stop;
  const std::vector<Unit> units;
  std::atomic<int64_t> done{0}, tokens{0}, prefill{0}, encodes{0}, cached{0}, recomputed{0};
  int64_t total = 0;

 private:
  void count_one();

  const Clock::time_point started_ = Clock::now();
  std::vector<std::vector<std::atomic<bool>>> dropped_;  // [request][sample]
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;  // responses, error, progress clock
  std::exception_ptr error_;
  Clock::time_point last_progress_ = Clock::now();
  std::vector<std::vector<Response>> responses_;
};

}  // namespace mstar
