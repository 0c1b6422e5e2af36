// See lane.h. The only place where a C++ exception becomes a JavaScript error.
#include "addon/lane.h"

#include <c10/util/Exception.h>

namespace mstar::addon {

struct Lane::Job {
  StopFlag stop;
  std::function<Result()> work;
  Napi::Promise::Deferred deferred;
  std::function<void()> release;
};

namespace {

struct Failure {
  std::string code, message;
};

/** First line only: LibTorch appends source locations and stacks. */
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Failure failure_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled& e) {
    return {"ERR_CANCELLED", e.what()};
  } catch (const c10::Error& e) {
    return {"ERR_ENGINE", first_line(e.what_without_backtrace())};
  } catch (const std::bad_alloc&) {
    return {"ERR_MEMORY", "out of memory"};
  } catch (const std::exception& e) {
    return {"ERR_ENGINE", first_line(e.what())};
  } catch (...) {
    return {"ERR_ENGINE", "unknown native failure"};
  }
}

}  // namespace

Lane::Lane(Napi::Env env) {
  bell_ = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "mstar", 0, 1);
  bell_.Unref(env);
  thread_ = std::thread([this] { loop(); });
}

Lane::~Lane() { close(); }

Napi::Promise Lane::submit(Napi::Env env, StopFlag stop, std::function<Result()> work, std::function<void()> release) {
  auto job = std::unique_ptr<Job>(
      new Job{std::move(stop), std::move(work), Napi::Promise::Deferred::New(env), std::move(release)});
  auto promise = job->deferred.Promise();
  if (pending_++ == 0) bell_.Ref(env);  // a pending promise keeps the process alive, an idle engine does not
  {
    const std::lock_guard lock(mutex_);
    if (job->stop) flags_.insert(job->stop);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return promise;
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
    try {
      const During computing(Activity::computing);
      throw_if(job->stop);
      result = job->work();
    } catch (...) {
      error = std::current_exception();
    }
    job->work = nullptr;  // drops inputs, and with them models, on this thread
    {
      const std::lock_guard lock(mutex_);
      flags_.erase(job->stop);
    }
    deliver([this, job = std::shared_ptr<Job>(std::move(job)), result = std::move(result), error](Napi::Env env) {
      if (error) {
        const Failure failure = failure_of(error);
        Napi::Error value = Napi::Error::New(env, failure.message);
        value.Set("code", failure.code);
        job->deferred.Reject(value.Value());
      } else {
        job->deferred.Resolve(result(env));
      }
      if (job->release) job->release();
      if (--pending_ == 0) bell_.Unref(env);
    });
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
