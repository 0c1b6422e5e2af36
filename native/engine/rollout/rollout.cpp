// See rollout.h.
#include "engine/rollout/rollout.h"

namespace mstar {
namespace {

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

}  // namespace

RolloutResult run_rollout(const RolloutContext& context, const std::vector<RolloutRequest>& requests,
                          const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop) {
  const auto call = std::make_shared<Call>(requests, sampling, CallHooks{hooks, {}, {}}, stop);
  const int64_t units = std::max<int64_t>(1, static_cast<int64_t>(call->units.size()));
  Session session(context, stop, units, blocks_of_all(*call, context.backbone.decoder_shape()));
  session.add(call);
  session.close();
  RolloutResult result = call->take_result();
  result.kv_bytes = session.kv_bytes();
  return result;
}

}  // namespace mstar
