#pragma once
// The loop of one worker: which rows are decoded together. Every prompt is prefilled once, its samples fork from it,
// ended rows are replaced at once by the next prompt's. Rows that the memory does not hold give theirs up and are
// computed again later. Leaves computing to an Executor.
#include <deque>

#include "engine/rollout/executor.h"
#include "engine/rollout/prompt_cache.h"

namespace mstar {

/** What a model lends to its rollouts. */
struct RolloutContext {
  const Backbone& backbone;
  const Parameters& parameters;
  Executors& executors;
  PromptCache& prompts;
  int64_t kv_bytes;  // that keys and values may take; 0: what suits
};

class Scheduler {
 public:
  /** `quota`: blocks that this worker's rows and prompts may hold. */
  Scheduler(const RolloutContext& context, Call& call, Executor& executor, std::shared_ptr<BlockQuota> quota);
  /** Works until no prompt is left. */
  void run();

 private:
  bool refill();
  void resume();
  std::vector<const Unit*> take_units();
  void start(const std::vector<const Unit*>& units);
  void start_chain(const Unit& unit, int64_t chain, const SharedSpan& root);
  void fork(const Fork& fork, const std::vector<SharedSpan>& spans, const at::Tensor& logits);
  void step();
  void set_switching_aside();
  int64_t steps() const;
  void make_room(int64_t steps);
  void keep(const Drawn& drawn, int64_t steps);
  bool append(Row& row, int32_t token, float logprob);
  void replay(Row& row);

  Fresh fresh(const at::Tensor& embedded, std::vector<SharedSpan> before, int64_t sequence_length,
              std::vector<Position> positions) const;
  Fresh anew(size_t request, int64_t length, const std::vector<int32_t>& response, int64_t sequence_length);
  at::Tensor prefill(const std::vector<Fresh>& sequences, const std::vector<int64_t>& wanted);
  at::Tensor embed(const std::vector<int64_t>& tokens) const;
  bool is_full(int64_t more) const;
  bool switches_between(int64_t cached, int64_t length) const;
  int64_t blocks_wanted(const Row& row, int64_t steps) const;
  template <class... Parts>
  void check_memory(bool enough, const Parts&... what) const;

  const RolloutContext& context_;
  Call& call_;
  Executor& executor_;
  const Limits limits_;
  const std::shared_ptr<BlockQuota> quota_;
  const DecoderShape shape_;
  const Unit* next_ = nullptr;  // taken from the call, but not yet begun
  std::vector<Row> rows_;
  std::deque<Row> paused_;  // without memory of their own, the oldest first
};

}  // namespace mstar
