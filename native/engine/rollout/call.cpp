// See call.h.
#include "engine/rollout/call.h"

namespace mstar {

Call::Call(const std::vector<RolloutRequest>& asked, const Sampling& how, const RolloutHooks& told, StopFlag flag)
    : requests(asked), sampling(how), hooks(told), stop(std::move(flag)), units(plan_units(asked)) {
  for (const RolloutRequest& request : requests) {
    result.responses.emplace_back(static_cast<size_t>(request.n));
    total += request.n;
  }
}

void Call::check_stop() const {
  throw_if(stop);
  if (failed) throw Cancelled();
}

const Unit* Call::next_unit() {
  const size_t next = begun.fetch_add(1);
  return next < units.size() ? &units[next] : nullptr;
}

void Call::finish(Row& row) {
  ++done;
  if (hooks.on_response) hooks.on_response(static_cast<int64_t>(row.request), row.sample, row.response);
  const std::lock_guard lock(mutex);
  result.responses[row.request][static_cast<size_t>(row.sample)] = std::move(row.response);
}

void Call::report() {
  if (!hooks.on_progress) return;
  const std::lock_guard lock(mutex);
  const auto now = Clock::now();
  if (now - last_progress < std::chrono::milliseconds(200)) return;
  last_progress = now;
  hooks.on_progress(done, total, tokens);
}

}  // namespace mstar
