// See call.h.
#include "engine/rollout/call.h"

#include <c10/util/Exception.h>

#include "engine/rollout/row.h"

namespace mstar {

Call::Call(std::vector<RolloutRequest> asked, const Sampling& how, CallHooks told, StopFlag flag)
    : requests(std::move(asked)),
      sampling(how),
      hooks(std::move(told)),
      stop(std::move(flag)),
      units(plan_units(requests)) {
  for (const RolloutRequest& request : requests) {
    responses_.emplace_back(static_cast<size_t>(request.n));
    dropped_.emplace_back(static_cast<size_t>(request.n));
    total += request.n;
  }
}

bool Call::is_over() {
  if (!is_over_ && stop && *stop) end(std::make_exception_ptr(Cancelled()));
  return is_over_;
}

bool Call::is_unwanted(const Row& row) {
  return is_over() || dropped_[row.request][static_cast<size_t>(row.sample)].load(std::memory_order_relaxed);
}

void Call::drop(size_t request, int64_t sample) {
  if (request < dropped_.size() && sample >= 0 && sample < requests[request].n)
    dropped_[request][static_cast<size_t>(sample)] = true;
}

void Call::tell(Row& row) const {
  const size_t count = row.response.tokens.size();
  if (!hooks.on_tokens || row.told == count) return;
  hooks.on_tokens(static_cast<int64_t>(row.request), row.sample, row.response, row.told);
  row.told = count;
}

void Call::finish(Row& row) {
  if (hooks.on_response) hooks.on_response(static_cast<int64_t>(row.request), row.sample, row.response);
  {
    const std::lock_guard lock(mutex_);
    responses_[row.request][static_cast<size_t>(row.sample)] = std::move(row.response);
  }
  count_one();
}

void Call::count_one() {
  if (++done == total) end(nullptr);
}

void Call::end(const std::exception_ptr& failure) {
  {
    const std::lock_guard lock(mutex_);
    if (is_over_) return;
    error_ = failure;
    is_over_ = true;
  }
  if (hooks.on_over) hooks.on_over(*this);
}

void Call::report() {
  if (!hooks.on_progress) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (now - last_progress_ < std::chrono::milliseconds(200)) return;
  last_progress_ = now;
  hooks.on_progress(done, total, tokens);
}

RolloutResult Call::take_result() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
  TORCH_CHECK(done == total, "a rollout ended with ", done.load(), " of ", total, " responses");
  if (hooks.on_progress) hooks.on_progress(done, total, tokens);
  RolloutResult result;
  result.responses = std::move(responses_);
  result.vision_encodes = encodes;
  result.prefill_tokens = prefill;
  result.decode_tokens = tokens;
  result.cached_prompts = cached;
  result.recomputed_tokens = recomputed;
  result.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  return result;
}

}  // namespace mstar
