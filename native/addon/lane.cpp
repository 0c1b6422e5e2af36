// See lane.h.
#include "addon/lane.h"

#include <chrono>

#include "addon/failure.h"

namespace mstar::addon {

struct Lane::Job {
  StopFlag stop;
  std::function<Result()> work;
  PendingPtr pending;
};

Lane::Lane(Napi::Env env) {
  bell_ = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "mstar", 0, 1);
  bell_.Unref(env);
  thread_ = std::thread([this] { loop(); });
}

Lane::~Lane() { close(); }

Napi::Promise Lane::submit(Napi::Env env, StopFlag stop, std::function<Result()> work, std::function<void()> release) {
  auto job = std::unique_ptr<Job>(new Job{std::move(stop), std::move(work), open(env, std::move(release))});
  auto promise = job->pending->promise();
  {
    const std::lock_guard lock(mutex_);
    if (job->stop) flags_.insert(job->stop);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return promise;
}

Lane::PendingPtr Lane::open(Napi::Env env, std::function<void()> release) {
  if (pending_++ == 0) bell_.Ref(env);  // a pending promise keeps the process alive, an idle engine does not
  return std::make_shared<Pending>(env, std::move(release));
}

void Lane::settle(PendingPtr pending, Result result) {
  deliver([this, pending = std::move(pending), result = std::move(result)](Napi::Env env) {
    pending->deferred_.Resolve(result(env));
    close_one(env, *pending);
  });
}

void Lane::fail(PendingPtr pending, std::exception_ptr error) {
  deliver([this, pending = std::move(pending), error = std::move(error)](Napi::Env env) {
    pending->deferred_.Reject(to_error(env, error).Value());
    close_one(env, *pending);
  });
}

void Lane::close_one(Napi::Env env, const Pending& pending) {
  if (pending.release_) pending.release_();
  if (--pending_ == 0) bell_.Unref(env);
}

void Lane::deliver(Delivery delivery) {
  const std::lock_guard lock(mutex_);
  if (closing_) return;
  deliveries_.push_back(std::move(delivery));
  if (deliveries_.size() == 1) bell_.NonBlockingCall([this](Napi::Env env, Napi::Function) { drain(env); });
}

void Lane::drain(Napi::Env env) {
  std::deque<Delivery> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(deliveries_);
  }
  for (Delivery& delivery : ready) {
    const Napi::HandleScope scope(env);
    try {
      delivery(env);
    } catch (const Napi::Error& thrown) {
      // A caller's hook threw: report it as uncaught, and still deliver the rest.
      napi_fatal_exception(env, thrown.Value());
    }
  }
}

void Lane::loop() {
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    Result result;
    std::exception_ptr error;
    const auto began = std::chrono::steady_clock::now();
    try {
      const During computing(Activity::computing);
      throw_if(job->stop);
      result = job->work();
    } catch (...) {
      error = std::current_exception();
    }
    busy_ns_ += std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count();
    job->work = nullptr;  // drops inputs, and with them models, on this thread
    {
      const std::lock_guard lock(mutex_);
      flags_.erase(job->stop);
    }
    if (error) {
      fail(std::move(job->pending), error);
    } else {
      settle(std::move(job->pending), std::move(result));
    }
  }
}

void Lane::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    closing_ = true;
    for (const StopFlag& flag : flags_) flag->store(true);
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  bell_.Abort();
}

}  // namespace mstar::addon
