#pragma once
// The loop of one worker: which rows are decoded together, whatever calls they belong to. Every prompt is prefilled
// once, its samples fork from it, ended rows are replaced at once by the next prompt's. Rows that the memory does not
// hold give theirs up and are computed again later. Leaves computing to an Executor.
#include <deque>

#include "engine/rollout/executor.h"
#include "engine/rollout/prompt_cache.h"

namespace mstar {

/** What a model lends to its sessions. */
struct RolloutContext {
  const Backbone& backbone;
  const Parameters& parameters;
  Executors& executors;
  PromptCache& prompts;
  int64_t kv_bytes;  // that keys and values may take; 0: what suits
};

/** A prompt to compute with its responses. */
struct Task {
  std::shared_ptr<Call> call;
  const Unit* unit = nullptr;
};

class Session;

class Scheduler {
 public:
  /** The scheduler of the `worker`-th worker of a session. `quota`: blocks that its rows and prompts may hold. */
  Scheduler(const RolloutContext& context, Session& session, size_t worker, Executor& executor,
            std::shared_ptr<BlockQuota> quota, StopFlag stop);
  /** Works until the session has nothing more for it; false where it failed, and with it the calls at hand. */
  bool run();

 private:
  bool refill();
  void resume();
  std::vector<Task> take_tasks();
  void start(const std::vector<Task>& tasks);
  void start_chain(const Task& task, int64_t chain, const SharedSpan& root);
  void fork(const std::shared_ptr<Call>& call, const Fork& fork, const std::vector<SharedSpan>& spans,
            const at::Tensor& logits);
  void drop_unwanted();
  void fail(const std::exception_ptr& failure);
  void step();
  void report() const;
  void set_switching_aside();
  int64_t steps() const;
  void make_room(int64_t steps);
  void keep(const Drawn& drawn, int64_t steps);
  bool append(Row& row, int32_t token, float logprob);
  void replay(Row& row);

  Fresh fresh(Call& call, const at::Tensor& embedded, std::vector<SharedSpan> before, int64_t sequence_length,
              std::vector<Position> positions) const;
  Fresh anew(Call& call, size_t request, int64_t length, const std::vector<int32_t>& response, int64_t sequence_length);
  at::Tensor prefill(const std::vector<Fresh>& sequences, const std::vector<int64_t>& wanted);
  at::Tensor embed(const std::vector<int64_t>& tokens) const;
  int64_t held() const;
  bool is_full(int64_t more) const;
  bool switches_between(int64_t cached, int64_t length) const;
  int64_t blocks_wanted(const Row& row, int64_t steps) const;
  template <class... Parts>
  void refuse(Call& call, const Parts&... what) const;

  const RolloutContext& context_;
  Session& session_;
  const size_t worker_;
  Executor& executor_;
  const Limits limits_;
  const std::shared_ptr<BlockQuota> quota_;
  const StopFlag stop_;
  const DecoderShape shape_;
  Task next_;                   // taken from the session, but not yet begun
  std::vector<Task> starting_;  // being prefilled
  std::vector<Row> rows_;
  std::deque<Row> paused_;  // without memory of their own, the oldest first
};

}  // namespace mstar
