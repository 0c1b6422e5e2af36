#pragma once
// Workers that compute calls, each with a scheduler of its own (scheduler.h): calls may be added while others are
// computed, and each ends by itself. A rollout is a session with one call.
#include <condition_variable>
#include <deque>
#include <thread>

#include "engine/rollout/scheduler.h"

namespace mstar {

/** What sessions are asked about themselves. */
struct SessionState {
  int64_t waiting = 0, running = 0;  // responses: of prompts that no worker has begun; begun and not ended
  int64_t kv_bytes = 0,
          most_kv_bytes = 0;  // that keys and values hold and may hold: responses, and prompts being computed
  int64_t kept_bytes = 0;     // of prompts that are kept for calls to come
};

class Session {
 public:
  /** `workers` at most. `wanted`: blocks that its calls will take, as far as that is known. A raised `stop` fails all
   * calls with Cancelled. */
  Session(const RolloutContext& context, StopFlag stop, int64_t workers, int64_t wanted);
  /** Stops. */
  ~Session();
  /** Throws where the session is closed or stopped. Any thread. */
  void add(std::shared_ptr<Call> call);
  /** No call comes any more: waits until those at hand have ended. */
  void close();
  SessionState state() const;
  /** Most memory that keys and values have held at once. */
  int64_t kv_bytes() const;

  /** For a worker that holds so many rows, between two steps: passes over calls that have ended. */
  void check_in(size_t worker, int64_t rows);
  /** The next prompt for it; none where there is none, or others have fewer rows. `waits`: until there is one; none
   * means that none comes any more. */
  Task next(size_t worker, int64_t rows, bool waits);

 private:
  void work(size_t worker);
  /** Fails what no worker has begun, and all that comes later. */
  void fail(const std::exception_ptr& failure);
  /** Takes calls that have ended out of the queue, which is locked. */
  void drop_over();
  void shut(bool now);

  const RolloutContext context_;
  const StopFlag stop_;
  std::vector<std::shared_ptr<BlockQuota>> quotas_;  // of the workers
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  /** A call with prompts that no worker has begun, and the first of these. */
  struct Queued {
    std::shared_ptr<Call> call;
    size_t unit;
  };
  std::deque<Queued> queue_;
  std::vector<int64_t> rows_;  // of the workers, when they were last here
  int64_t queued_ = 0;         // responses to the prompts in the queue
  bool closed_ = false;
  int64_t kv_bytes_ = 0;              // once it is over
  std::vector<std::thread> threads_;  // none once it is over
};

}  // namespace mstar
