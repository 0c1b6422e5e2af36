// See session.h.
#include "engine/rollout/session.h"

#include <numeric>

namespace mstar {
namespace {

/** Part of the memory that prompts of earlier calls may keep. */
constexpr int64_t kKeptPart = 4;

}  // namespace

Session::Session(const RolloutContext& context, StopFlag stop, int64_t workers, int64_t wanted)
    : context_(context), stop_(std::move(stop)) {
  const int64_t count = std::min(context_.executors.workers(), workers);
  const int64_t blocks =
      std::max<int64_t>(1, context_.executors.budget(context_.kv_bytes) / context_.executors.block_bytes());
  context_.prompts.limit(blocks / kKeptPart);
  context_.executors.begin(std::min(wanted, blocks), blocks);
  const int64_t blocks_each = std::max<int64_t>(1, (blocks - blocks / kKeptPart) / count);
  rows_.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) quotas_.push_back(std::make_shared<BlockQuota>(blocks_each));
  for (size_t i = 0; i < quotas_.size(); ++i) threads_.emplace_back([this, i] { work(i); });
}

Session::~Session() { shut(true); }

void Session::add(std::shared_ptr<Call> call) {
  {
    const std::lock_guard lock(mutex_);
    throw_if(stop_);
    TORCH_CHECK(!closed_, "the session is closed");
    queued_ += call->total;
    if (!call->units.empty()) queue_.push_back({call, 0});
  }
  if (call->units.empty()) call->end(nullptr);
  wake_.notify_all();
}

void Session::close() { shut(false); }

void Session::shut(bool now) {
  if (threads_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (now && stop_) *stop_ = true;
    closed_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  kv_bytes_ = kv_bytes();
  threads_.clear();
  context_.executors.end();
}

int64_t Session::kv_bytes() const {
  return threads_.empty() ? kv_bytes_ : context_.executors.most_held() * context_.executors.block_bytes();
}

SessionState Session::state() const {
  SessionState state;
  const int64_t block = context_.executors.block_bytes();
  for (const auto& quota : quotas_) {
    state.kv_bytes += quota->used * block;
    state.most_kv_bytes += quota->limit * block;
  }
  state.kept_bytes = context_.prompts.blocks() * block;
  const std::lock_guard lock(mutex_);
  state.waiting = queued_;
  state.running = std::accumulate(rows_.begin(), rows_.end(), int64_t{0});
  return state;
}

void Session::check_in(size_t worker, int64_t rows) {
  const std::lock_guard lock(mutex_);
  rows_[worker] = rows;
  drop_over();
}

void Session::drop_over() {
  std::erase_if(queue_, [&](const Queued& queued) {
    if (!queued.call->is_over()) return false;
    for (size_t u = queued.unit; u < queued.call->units.size(); ++u) queued_ -= queued.call->units[u].samples;
    return true;
  });
}

/** A worker takes no more than its share, so that all have about as many rows. */
Task Session::next(size_t worker, int64_t rows, bool waits) {
  std::unique_lock lock(mutex_);
  rows_[worker] = rows;
  if (waits) wake_.wait(lock, [&] { return closed_ || !queue_.empty(); });
  drop_over();
  if (queue_.empty()) return {};
  const auto workers = static_cast<int64_t>(rows_.size());
  const int64_t all = std::accumulate(rows_.begin(), rows_.end(), queued_);
  if (rows >= (all + workers - 1) / workers) return {};
  auto& [call, unit] = queue_.front();
  const Task task{call, &call->units[unit]};
  queued_ -= task.unit->samples;
  rows_[worker] += task.unit->samples;
  if (++unit == call->units.size()) queue_.pop_front();
  return task;
}

void Session::fail(const std::exception_ptr& failure) {
  std::deque<Queued> queue;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    queue.swap(queue_);
    queued_ = 0;
  }
  wake_.notify_all();
  for (const Queued& queued : queue) queued.call->end(failure);
}

void Session::work(size_t worker) {
  try {
    const at::NoGradGuard no_grad;
    const auto executor = context_.executors.make(stop_);
    Scheduler scheduler(context_, *this, worker, *executor, quotas_[worker], stop_);
    while (!scheduler.run()) throw_if(stop_);
  } catch (...) {
    fail(std::current_exception());
  }
}

}  // namespace mstar
