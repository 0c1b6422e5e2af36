// See scheduler.h.
#include "engine/rollout/scheduler.h"

#include "engine/forward.h"
#include "engine/rollout/session.h"

namespace mstar {
namespace {

/** Blocks that a unit takes before its rows have many. */
int64_t blocks_of(const Unit& unit) {
  int64_t blocks = blocks_for(static_cast<int64_t>(unit.prompt->tokens.size())) + 1;
  for (const auto& chain : unit.chains) blocks += blocks_for(static_cast<int64_t>(chain.size()));
  return blocks;
}

/** `count` positions of text, from `next` on, behind `positions`. */
std::vector<Position> with_text(std::vector<Position> positions, int64_t next, int64_t count) {
  for (int64_t end = next + count; next < end; ++next) positions.push_back({next, next, next});
  return positions;
}

}  // namespace

Scheduler::Scheduler(const RolloutContext& context, Session& session, size_t worker, Executor& executor,
                     std::shared_ptr<BlockQuota> quota, StopFlag stop)
    : context_(context),
      session_(session),
      worker_(worker),
      executor_(executor),
      limits_(executor.limits()),
      quota_(std::move(quota)),
      stop_(std::move(stop)),
      shape_(context.backbone.decoder_shape()) {}

bool Scheduler::run() try {
  while (refill()) step();
  return true;
} catch (...) {
  fail(std::current_exception());
  return false;
}

/** Ends all calls that it has begun work for. */
void Scheduler::fail(const std::exception_ptr& failure) {
  if (next_.call) starting_.push_back(std::exchange(next_, {}));
  for (const Task& task : std::exchange(starting_, {})) task.call->end(failure);
  for (const Row& row : std::exchange(rows_, {})) row.call->end(failure);
  for (const Row& row : std::exchange(paused_, {})) row.call->end(failure);
}

/** Resumes rows, then takes prompts, until the rows or the memory are full; false when nothing is left to do. */
bool Scheduler::refill() {
  session_.check_in(worker_, held());
  drop_unwanted();
  resume();
  while (paused_.empty()) {
    starting_ = take_tasks();
    if (starting_.empty()) break;
    start(starting_);
    starting_.clear();
  }
  return !rows_.empty();
}

/** Lets go of rows that nobody waits for. */
void Scheduler::drop_unwanted() {
  if (next_.call && next_.call->is_over()) next_ = {};
  const auto drop = [](auto& rows) {
    std::erase_if(rows, [](const Row& row) {
      if (!row.call->is_unwanted(row)) return false;
      row.call->discard();
      return true;
    });
  };
  drop(rows_);
  drop(paused_);
}

/** Responses that this worker has taken. */
int64_t Scheduler::held() const {
  return static_cast<int64_t>(rows_.size() + paused_.size()) + (next_.call ? next_.unit->samples : 0);
}

bool Scheduler::is_full(int64_t more) const { return static_cast<int64_t>(rows_.size()) + more >= limits_.full_rows; }

/** The next prompts that are computed together and fit. */
std::vector<Task> Scheduler::take_tasks() {
  std::vector<Task> tasks;
  int64_t tokens = 0, blocks = 0, samples = 0;
  while (tokens < limits_.prefill_tokens && !is_full(samples)) {
    const bool idle = rows_.empty() && tasks.empty();
    if (!next_.call && !(next_ = session_.next(worker_, held() + samples, idle)).call) break;
    const auto length = static_cast<int64_t>(next_.unit->prompt->tokens.size());
    blocks += blocks_of(*next_.unit);
    if (blocks > quota_->free()) {
      if (!idle) break;
      refuse(*next_.call, "a prompt of ", length, " tokens with its responses");
      next_ = {};
      blocks = 0;
      continue;
    }
    tokens += length;
    samples += next_.unit->samples;
    tasks.push_back(std::exchange(next_, {}));
  }
  return tasks;
}

/** Ends a call for whose rows or prompt there would not be room if they were alone. */
template <class... Parts>
void Scheduler::refuse(Call& call, const Parts&... what) const {
  const bool several = context_.executors.workers() > 1;
  const int64_t mib = quota_->limit * context_.executors.block_bytes() / (int64_t{1} << 20);
  call.end(std::make_exception_ptr(std::runtime_error(
      c10::str("memory for keys and values: ", mib, " MiB", several ? " a thread" : "", " are too little for ", what...,
               "; give kvGib more", several ? ", or fewer threads" : ""))));
}

/** Brings back rows that had given up their memory, the oldest first, with some room for all to go on. */
void Scheduler::resume() {
  while (!paused_.empty()) {
    Row& row = paused_.front();
    const auto count = static_cast<int64_t>(rows_.size());
    const int64_t length = row.own_tokens();
    const int64_t wanted = blocks_for(length + 1) + std::min(count, limits_.spare);
    if (count >= limits_.rows || wanted > quota_->free()) {
      if (count > 0) return;
      refuse(*row.call, "one response of ", length, " tokens");
      paused_.pop_front();
      continue;
    }
    replay(row);
    // Rows that share most lie together: what they share is read once.
    auto after = rows_.end();
    size_t most = 1;
    for (auto it = rows_.begin(); it != rows_.end(); ++it) {
      const size_t common = spans_in_common(*it, row);
      if (common < most) continue;
      most = common;
      after = it + 1;
    }
    rows_.insert(after, std::move(row));
    paused_.pop_front();
  }
}

/** The keys and values of a row anew, with the same sums as when they were first computed. */
void Scheduler::replay(Row& row) {
  const int64_t length = row.own_tokens();
  int64_t from = 0;
  if (row.is_whole()) {
    from = shape_.max_positions;
    const Fresh whole = anew(*row.call, row.request, from, row.response.tokens, from + 1);
    prefill({whole}, {});
    row.own = whole.segment;
  } else {
    row.own = executor_.segment(quota_, 0);
  }
  row.own->reserve(length);
  while (from < length) {
    throw_if(stop_);
    std::vector<RowToken> tokens;
    for (; from < length && static_cast<int64_t>(tokens.size()) < limits_.rows; ++from) tokens.push_back({&row, from});
    executor_.compute(tokens);
  }
}

/** Prefills prompts, unless an earlier call has, and their chains, then forks every sample from them. */
void Scheduler::start(const std::vector<Task>& tasks) {
  std::vector<std::optional<CachedPrompt>> roots;
  std::vector<const Prompt*> prompts;
  for (const auto& [call, unit] : tasks) {
    if (roots.emplace_back(context_.prompts.find(key_of(*unit->prompt))))
      ++call->cached;
    else
      prompts.push_back(unit->prompt);
  }
  if (!prompts.empty()) {
    const auto embedded = embed_prompts(context_.backbone, context_.parameters, prompts);
    std::vector<Fresh> sequences;
    std::vector<int64_t> last;
    int64_t row = 0;
    for (size_t t = 0; t < tasks.size(); ++t) {
      if (roots[t]) continue;
      const Prompt& prompt = *tasks[t].unit->prompt;
      const auto length = static_cast<int64_t>(prompt.tokens.size());
      sequences.push_back(
          fresh(*tasks[t].call, embedded.narrow(0, row, length), {}, length, positions_of(context_.backbone, prompt)));
      last.push_back((row += length) - 1);
      tasks[t].call->encodes += static_cast<int64_t>(prompt.images.size());
    }
    const auto logits = prefill(sequences, last);
    size_t next = 0;
    for (size_t t = 0; t < tasks.size(); ++t) {
      if (roots[t]) continue;
      // A copy, so that no prompt keeps the logits of the others.
      roots[t] = CachedPrompt{sequences[next].segment, logits[static_cast<int64_t>(next++)].clone()};
      context_.prompts.keep(key_of(*tasks[t].unit->prompt), *roots[t]);
    }
  }
  for (size_t t = 0; t < tasks.size(); ++t) {
    const Unit& unit = *tasks[t].unit;
    const SharedSpan root{roots[t]->segment, static_cast<int64_t>(unit.prompt->tokens.size())};
    for (const Fork& f : unit.forks)
      if (f.chain < 0) fork(tasks[t].call, f, {root}, roots[t]->logits);
    for (size_t c = 0; c < unit.chains.size(); ++c) start_chain(tasks[t], static_cast<int64_t>(c), root);
  }
}

void Scheduler::start_chain(const Task& task, int64_t chain, const SharedSpan& root) {
  const Unit& unit = *task.unit;
  std::vector<const Fork*> forks;
  std::vector<int64_t> ends;
  for (const Fork& f : unit.forks) {
    if (f.chain != chain) continue;
    const int64_t length = root.length + f.length;
    if (switches_between(root.length, length)) {
      const Fresh whole = anew(*task.call, f.request, length, {}, length);
      const auto logits = prefill({whole}, {length - 1});
      fork(task.call, f, {{whole.segment, length}}, logits[0]);
      continue;
    }
    forks.push_back(&f);
    ends.push_back(f.length - 1);
  }
  if (forks.empty()) return;
  const int64_t length = ends.back() + 1;  // forks ascend; longer ones may have been made anew above
  const auto embedded = embed(unit.chains[static_cast<size_t>(chain)]).narrow(0, 0, length);
  const int64_t next = root.length + position_shift(context_.backbone, *unit.prompt);
  const Fresh sequence = fresh(*task.call, embedded, {root}, root.length + length, with_text({}, next, length));
  const auto logits = prefill({sequence}, ends);
  for (size_t f = 0; f < forks.size(); ++f)
    fork(task.call, *forks[f], {root, {sequence.segment, forks[f]->length}}, logits[static_cast<int64_t>(f)]);
}

Fresh Scheduler::fresh(Call& call, const at::Tensor& embedded, std::vector<SharedSpan> before, int64_t sequence_length,
                       std::vector<Position> positions) const {
  call.prefill += embedded.size(0);
  return {embedded, executor_.segment(quota_, embedded.size(0)), std::move(before), sequence_length,
          std::move(positions)};
}

/** The first `length` tokens of prompt, prefix and `response` as one sequence. */
Fresh Scheduler::anew(Call& call, size_t request, int64_t length, const std::vector<int32_t>& response,
                      int64_t sequence_length) {
  const RolloutRequest& asked = call.requests[request];
  std::vector<int64_t> tokens = asked.prefix;
  tokens.insert(tokens.end(), response.begin(), response.end());
  const auto prompt = embed_prompts(context_.backbone, context_.parameters, {&asked.prompt});
  call.encodes += static_cast<int64_t>(asked.prompt.images.size());
  const auto text = at::constant_pad_nd(embed(tokens), {0, prompt.size(1) - shape_.hidden});
  const auto next = prompt.size(0) + position_shift(context_.backbone, asked.prompt);
  auto positions = with_text(positions_of(context_.backbone, asked.prompt), next, text.size(0));
  positions.resize(static_cast<size_t>(length));
  return fresh(call, at::cat({prompt, text}).narrow(0, 0, length), {}, sequence_length, std::move(positions));
}

at::Tensor Scheduler::prefill(const std::vector<Fresh>& sequences, const std::vector<int64_t>& wanted) {
  throw_if(stop_);
  return executor_.prefill(sequences, wanted);
}

at::Tensor Scheduler::embed(const std::vector<int64_t>& tokens) const {
  return context_.backbone.embed(context_.parameters, at::tensor(tokens, at::kLong).to(context_.parameters.device()));
}

/** Starts all samples of one request; their first tokens come from the same logits. */
void Scheduler::fork(const std::shared_ptr<Call>& call, const Fork& fork, const std::vector<SharedSpan>& spans,
                     const at::Tensor& logits) {
  const RolloutRequest& request = call->requests[fork.request];
  const auto base = static_cast<int64_t>(request.prompt.tokens.size() + request.prefix.size());
  const int64_t length = total_length(spans), shift = position_shift(context_.backbone, request.prompt);
  for (int64_t sample = 0; sample < request.n;) {
    std::vector<Row> rows;
    for (; sample < request.n && static_cast<int64_t>(rows.size()) < limits_.rows; ++sample)
      rows.push_back({call, fork.request, sample, hash_key(request.key), base, shift, spans, length, nullptr, {}});
    const Drawn drawn = executor_.draw(logits, rows);
    for (size_t r = 0; r < rows.size(); ++r) {
      if (append(rows[r], drawn.tokens[r], drawn.logprobs[r])) continue;
      call->tell(rows[r]);
      // Rows beyond those that are decoded together wait without memory of their own.
      if (static_cast<int64_t>(rows_.size()) < limits_.rows) {
        rows[r].own = executor_.segment(quota_, 0);
        rows_.push_back(std::move(rows[r]));
      } else {
        paused_.push_back(std::move(rows[r]));
      }
    }
  }
}

/** A token for every row, or a few. */
void Scheduler::step() {
  throw_if(stop_);
  if (shape_.rotation_switches) set_switching_aside();
  const int64_t count = steps();
  make_room(count);
  if (rows_.empty()) return;
  keep(executor_.decode(rows_, count), count);
  report();
}

/** Tells the calls of all rows how far they are. */
void Scheduler::report() const {
  const Call* last = nullptr;
  for (const Row& row : rows_)
    if (row.call.get() != std::exchange(last, row.call.get())) row.call->report();
}

/** Whether keys cached for a sequence of `cached` tokens are of no use once it has `length`. */
bool Scheduler::switches_between(int64_t cached, int64_t length) const {
  return shape_.rotation_switches && cached <= shape_.max_positions && length > shape_.max_positions;
}

/** Rows whose next token makes them longer than the rotation of their cached keys give these up; resuming them makes
 * them anew. */
void Scheduler::set_switching_aside() {
  const auto first = std::stable_partition(rows_.begin(), rows_.end(), [&](const Row& row) {
    return row.is_whole() || !switches_between(row.cached(), row.cached() + 1);
  });
  for (auto row = first; row != rows_.end(); ++row) {
    row->shared.clear();
    row->shared_length = 0;
    row->own.reset();
    paused_.push_back(std::move(*row));
  }
  rows_.erase(first, rows_.end());
}

/** Steps that all rows can take before one of them needs another rotation. */
int64_t Scheduler::steps() const {
  int64_t steps = limits_.steps;
  if (shape_.rotation_switches)
    for (const Row& row : rows_)
      if (!row.is_whole() && row.cached() < shape_.max_positions)
        steps = std::min(steps, shape_.max_positions - row.cached());
  return steps;
}

/** Blocks that a row lacks for its next steps. */
int64_t Scheduler::blocks_wanted(const Row& row, int64_t steps) const {
  const auto left = row.call->sampling.max_tokens - static_cast<int64_t>(row.response.tokens.size());
  return std::max<int64_t>(0, blocks_for(row.own_tokens() + std::min(steps, left)) - row.own->blocks());
}

/** Lets the youngest rows wait until every other one has places for its next tokens. */
void Scheduler::make_room(int64_t steps) {
  const auto wanted = [&] {
    int64_t blocks = 0;
    for (const Row& row : rows_) blocks += blocks_wanted(row, steps);
    return blocks;
  };
  while (wanted() > quota_->free()) {
    Row& row = rows_.back();
    if (rows_.size() == 1) {
      refuse(*row.call, "one response of ", row.own_tokens(), " tokens");
      rows_.clear();
      return;
    }
    row.call->recomputed += row.own_tokens();
    row.own.reset();
    paused_.push_front(std::move(row));
    rows_.pop_back();
  }
  for (Row& row : rows_) row.own->reserve((row.own->blocks() + blocks_wanted(row, steps)) * kBlockTokens);
}

/** Adds what was drawn to the rows and drops those that ended. */
void Scheduler::keep(const Drawn& drawn, int64_t steps) {
  const size_t count = rows_.size();
  size_t kept = 0;
  for (size_t r = 0; r < count; ++r) {
    bool finished = false;
    for (size_t at = r; at < static_cast<size_t>(steps) * count && !finished; at += count)
      finished = append(rows_[r], drawn.tokens[at], drawn.logprobs[at]);
    if (finished) continue;
    rows_[r].call->tell(rows_[r]);
    if (kept != r) rows_[kept] = std::move(rows_[r]);
    ++kept;
  }
  rows_.erase(rows_.begin() + static_cast<int64_t>(kept), rows_.end());
}

/** Adds a token to a row; true when that finished it. */
bool Scheduler::append(Row& row, int32_t token, float logprob) {
  if (!std::isfinite(logprob)) throw std::runtime_error("logits are not finite: the weights have diverged");
  row.response.tokens.push_back(token);
  row.response.logprobs.push_back(logprob);
  Call& call = *row.call;
  ++call.tokens;
  const auto& stop = call.sampling.stop;
  const bool stopped = std::find(stop.begin(), stop.end(), token) != stop.end();
  if (!stopped && static_cast<int64_t>(row.response.tokens.size()) < call.sampling.max_tokens) return false;
  row.response.finish = stopped ? Finish::stop : Finish::length;
  call.finish(row);
  return true;
}

}  // namespace mstar
