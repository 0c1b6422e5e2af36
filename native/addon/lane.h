#pragma once
// One engine thread per JavaScript environment: calls run in call order, away from the event loop, and promises resolve
// back on it. LibTorch's grad mode, thread count and device are per thread, which is why libuv's anonymous pool is not
// used.
#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "engine/types.h"

namespace mstar::addon {

/** Runs on the JavaScript thread. */
using Delivery = std::function<void(Napi::Env)>;

class Lane {
 public:
  explicit Lane(Napi::Env env);
  ~Lane();
  /** What a job gives back: builds the JavaScript value on the JavaScript thread. */
  using Result = std::function<Napi::Value(Napi::Env)>;
  /** Queues work; its result, or its exception, settles the promise. Call on the JavaScript thread. `release` runs
   * there after the promise is settled: the place to drop JavaScript references. */
  Napi::Promise submit(Napi::Env env, StopFlag stop, std::function<Result()> work, std::function<void()> release = {});
  /** A promise that is to be settled, and what is released then. */
  class Pending {
   public:
    Pending(Napi::Env env, std::function<void()> release)
        : deferred_(Napi::Promise::Deferred::New(env)), release_(std::move(release)) {}
    Napi::Promise promise() const { return deferred_.Promise(); }

   private:
    friend class Lane;
    Napi::Promise::Deferred deferred_;
    std::function<void()> release_;
  };
  using PendingPtr = std::shared_ptr<Pending>;
  /** A promise of work that is done elsewhere. Call on the JavaScript thread. */
  PendingPtr open(Napi::Env env, std::function<void()> release);
  /** Settles it, once, from any thread; dropped when the environment is closing. */
  void settle(PendingPtr pending, Result result);
  void fail(PendingPtr pending, std::exception_ptr error);
  /** Queues a call to JavaScript from any thread; dropped when the environment is closing. */
  void deliver(Delivery delivery);
  /** Seconds that the thread has worked; the job at hand counts once it is done. */
  double busy_seconds() const { return static_cast<double>(busy_ns_) * 1e-9; }
  /** Stops running and queued work and joins the thread; idempotent. Undelivered results are dropped. */
  void close();

 private:
  struct Job;
  void loop();
  void close_one(Napi::Env env, const Pending& pending);
  void drain(Napi::Env env);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  std::deque<Delivery> deliveries_;
  std::unordered_set<StopFlag> flags_;
  bool closing_ = false;
  std::atomic<int64_t> busy_ns_{0};
  int64_t pending_ = 0;  // JavaScript thread only: promises not settled yet
  Napi::ThreadSafeFunction bell_;
  std::thread thread_;
};

}  // namespace mstar::addon
