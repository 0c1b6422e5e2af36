// See rollout.h.
#include "engine/rollout/rollout.h"

#include <thread>

namespace mstar {
namespace {

/** Part of the memory that prompts of earlier calls may keep. */
constexpr int64_t kKeptPart = 4;

/** Blocks that all prompts and responses of a call take where nothing ends before its limit. */
int64_t blocks_of_all(const Call& call, const DecoderShape& shape) {
  int64_t blocks = 0;
  for (const Unit& unit : call.units) {
    const auto prompt = static_cast<int64_t>(unit.prompt->tokens.size());
    blocks += blocks_for(prompt);
    for (const auto& chain : unit.chains) blocks += blocks_for(static_cast<int64_t>(chain.size()));
    for (const Fork& fork : unit.forks) {
      // Rows that outgrow their rotation take their whole sequence along, and so may the prefix they fork from.
      const int64_t whole = shape.rotation_switches ? prompt + fork.length : 0;
      blocks += blocks_for(whole) + call.requests[fork.request].n * blocks_for(whole + call.sampling.max_tokens);
    }
  }
  return blocks;
}

void work(const RolloutContext& context, Call& call, int64_t blocks) {
  try {
    const at::NoGradGuard no_grad;
    const auto executor = context.executors.make(call);
    Scheduler(context, call, *executor, std::make_shared<BlockQuota>(blocks)).run();
  } catch (...) {
    const std::lock_guard lock(call.mutex);
    // The first failure counts; the others only heard of it.
    if (!call.failed.exchange(true)) call.error = std::current_exception();
  }
}

}  // namespace

RolloutResult run_rollout(const RolloutContext& context, const std::vector<RolloutRequest>& requests,
                          const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop) {
  const auto started = Clock::now();
  Call call(requests, sampling, hooks, stop);
  const int64_t units = std::max<int64_t>(1, static_cast<int64_t>(call.units.size()));
  const int64_t workers = std::min(context.executors.workers(), units);
  const int64_t block_bytes = context.executors.block_bytes();
  const int64_t blocks = std::max<int64_t>(1, context.executors.budget(context.kv_bytes) / block_bytes);
  context.prompts.limit(blocks / kKeptPart);
  context.executors.begin(blocks_of_all(call, context.backbone.decoder_shape()), blocks);
  const int64_t blocks_each = std::max<int64_t>(1, (blocks - blocks / kKeptPart) / workers);
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < workers; ++i) threads.emplace_back([&] { work(context, call, blocks_each); });
  for (std::thread& thread : threads) thread.join();
  RolloutResult& result = call.result;
  result.kv_bytes = context.executors.most_held() * block_bytes;
  context.executors.end();
  if (call.error) std::rethrow_exception(call.error);
  TORCH_CHECK(call.done == call.total, "a rollout ended with ", call.done.load(), " of ", call.total, " responses");
  if (hooks.on_progress) hooks.on_progress(call.done, call.total, call.tokens);
  result.vision_encodes = call.encodes;
  result.prefill_tokens = call.prefill;
  result.decode_tokens = call.tokens;
  result.cached_prompts = call.cached;
  result.recomputed_tokens = call.recomputed;
  result.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return std::move(result);
}

}  // namespace mstar
