// See rollout.h. One Worker is one thread's loop; Shared is what the workers of a call have in common.
#include "engine/rollout.h"

#include <ATen/Parallel.h>

#include <deque>
#include <thread>

#include "base/random.h"
#include "engine/forward.h"
#include "engine/rollout_rows.h"
#include "engine/sampler.h"

namespace mstar {
namespace {

constexpr int64_t kMostRows = 256, kPrefillRows = 256;
/** Part of the memory that prompts of earlier calls may keep. */
constexpr int64_t kKeptPart = 4;

class Worker {
 public:
  Worker(const RolloutContext& context, Shared& shared, int64_t blocks)
      : context_(context),
        shared_(shared),
        pool_(context.pool),
        quota_(std::make_shared<BlockQuota>(blocks)),
        shape_(context.decoder.shape()) {}

  void run() {
    const at::NoGradGuard no_grad;
    while (refill()) step();
  }

 private:
  /** Resumes rows, then takes prompts, until the rows or the memory are full; false when nothing is left to do. */
  bool refill() {
    resume();
    while (paused_.empty() && !is_full()) {
      if (next_ == nullptr) {
        const size_t next = shared_.next_unit.fetch_add(1);
        if (next >= shared_.units.size()) break;
        next_ = &shared_.units[next];
      }
      if (blocks_of(*next_) > quota_->free()) {
        check_memory(!rows_.empty(), "a prompt of ", next_->prompt->tokens.size(), " tokens with its responses");
        break;
      }
      start(*std::exchange(next_, nullptr));
    }
    return !rows_.empty();
  }

  bool is_full() const {
    // A new prompt would overfill rows that are nearly full.
    return static_cast<int64_t>(rows_.size()) * 4 > kMostRows * 3;
  }

  /** Blocks that a unit takes before its rows have any, and one for each of the first rows. */
  int64_t blocks_of(const Unit& unit) const {
    int64_t blocks = blocks_for(static_cast<int64_t>(unit.prompt->tokens.size())) + 1;
    for (const auto& chain : unit.chains) blocks += blocks_for(static_cast<int64_t>(chain.size()));
    return blocks;
  }

  template <class... Parts>
  void check_memory(bool enough, const Parts&... what) const {
    TORCH_CHECK(enough, "memory for keys and values: ", quota_->limit * pool_.block_bytes() / (int64_t{1} << 20),
                " MiB a thread are too little for ", what..., "; give kvGib more, or fewer threads");
  }

  /** Brings back rows that had given up their memory, the oldest first, with some room for all to go on. */
  void resume() {
    while (!paused_.empty()) {
      Row& row = paused_.front();
      const int64_t length = row.is_whole() ? row.whole_length : row.own_tokens();
      const int64_t wanted = blocks_for(length + 1) + std::min<int64_t>(static_cast<int64_t>(rows_.size()), 16);
      if (static_cast<int64_t>(rows_.size()) >= kMostRows || wanted > quota_->free()) {
        check_memory(!rows_.empty(), "one response of ", length, " tokens");
        return;
      }
      replay(row);
      auto after = rows_.end();
      for (auto it = rows_.begin(); it != rows_.end(); ++it)
        if (same_spans(*it, row)) after = it + 1;
      rows_.insert(after, std::move(row));
      paused_.pop_front();
    }
  }

  /** Lets the youngest rows wait until every other one has a place for its next token. */
  void make_room() {
    const auto wanted = [&] {
      return std::count_if(rows_.begin(), rows_.end(),
                           [](const Row& row) { return row.own->length == row.own->blocks() * cpu::kBlockTokens; });
    };
    while (wanted() > quota_->free()) {
      Row& row = rows_.back();
      check_memory(rows_.size() > 1, "one response of ", row.own->length, " tokens");
      row.whole_length = row.own->length;
      row.own.reset();
      paused_.push_front(std::move(row));
      rows_.pop_back();
    }
  }

  /** The keys and values of a row anew, with the same sums as when they were first computed. */
  void replay(Row& row) {
    std::vector<int64_t> tokens(row.response.tokens.begin(), row.response.tokens.end() - 1);
    if (row.is_whole()) {
      row.own = renew(row.request, {row.response.tokens.begin(), row.response.tokens.end() - 1}).first;
      shared_.recomputed += row.own->length;
      return;
    }
    row.own = std::make_shared<Segment>(pool_, quota_);
    if (tokens.empty()) return;
    const auto length = static_cast<int64_t>(tokens.size());
    auto embedded = embed(tokens);
    std::vector<cpu::KvSpan> before;
    for (const SharedSpan& span : row.shared) before.push_back(span.segment->span(span.length));
    row.own->reserve(length);
    for (int64_t from = 0; from < length; from += kPrefillRows) {
      check_stop();
      const int64_t count = std::min(kPrefillRows, length - from);
      std::vector<DecodeRow> rows;
      for (int64_t i = from; i < from + count; ++i)
        rows.push_back({row.own.get(), i, row.shared_length + i, row.shared_length + i + 1});
      context_.decoder.forward(pool_, rows, {{before, 0, count}},
                               embedded.mutable_data_ptr<float>() + from * shape_.hidden, scratch_);
    }
    row.own->length = length;
    shared_.recomputed += length;
  }

  /** Prefills a prompt, unless an earlier call has, and its chains, then forks every sample from them. */
  void start(const Unit& unit) {
    check_stop();
    const Prompt& prompt = *unit.prompt;
    const auto prompt_length = static_cast<int64_t>(prompt.tokens.size());
    const PromptKey key = key_of(prompt);
    auto known = context_.prompts.find(key);
    if (known) {
      ++shared_.cached;
    } else {
      auto embedded = embed_prompts(context_.backbone, context_.parameters, {&prompt}).to(at::kFloat);
      shared_.encodes += static_cast<int64_t>(prompt.images.size());
      auto segment = std::make_shared<Segment>(pool_, quota_);
      auto last = prefill(embedded.mutable_data_ptr<float>(), prompt_length, *segment, {}, 0, prompt_length,
                          {prompt_length - 1});
      known = CachedPrompt{segment, std::make_shared<const std::vector<float>>(std::move(last))};
      context_.prompts.keep(key, *known);
    }
    const SharedSpan root{known->segment, prompt_length};
    for (size_t f = 0; f < unit.forks.size() && unit.forks[f].chain < 0; ++f)
      fork(unit.forks[f], {root}, known->logits->data());
    for (size_t c = 0; c < unit.chains.size(); ++c) start_chain(unit, static_cast<int64_t>(c), root);
  }

  void start_chain(const Unit& unit, int64_t chain, const SharedSpan& root) {
    const auto& tokens = unit.chains[static_cast<size_t>(chain)];
    std::vector<const Fork*> forks;
    std::vector<int64_t> ends;
    for (const Fork& f : unit.forks) {
      if (f.chain != chain) continue;
      if (switches_between(root.length, root.length + f.length)) {
        const auto [whole, logits] = renew(f.request, {});
        fork(f, {{whole, whole->length}}, logits.data());
        continue;
      }
      forks.push_back(&f);
      ends.push_back(f.length - 1);
    }
    if (forks.empty()) return;
    const int64_t length = ends.back() + 1;  // forks ascend; longer ones may have been made anew above
    auto embedded = embed({tokens.begin(), tokens.begin() + length});
    auto segment = std::make_shared<Segment>(pool_, quota_);
    const auto logits = prefill(embedded.mutable_data_ptr<float>(), length, *segment, {root.segment->span(root.length)},
                                root.length, root.length + length, ends);
    for (size_t f = 0; f < forks.size(); ++f)
      fork(*forks[f], {root, {segment, forks[f]->length}}, logits.data() + static_cast<int64_t>(f) * shape_.vocab);
  }

  /** Computes `length` tokens of a fresh segment in one go; returns logits [wanted.size(), V] at the wanted indices
   * (ascending). */
  std::vector<float> prefill(float* x, int64_t length, Segment& segment, const std::vector<cpu::KvSpan>& before,
                             int64_t first_position, int64_t sequence_length, const std::vector<int64_t>& wanted) {
    std::vector<float> out(wanted.size() * static_cast<size_t>(shape_.vocab));
    size_t w = 0;
    segment.reserve(length);
    for (int64_t from = 0; from < length; from += kPrefillRows) {
      check_stop();
      const int64_t count = std::min(kPrefillRows, length - from);
      std::vector<DecodeRow> rows;
      for (int64_t i = from; i < from + count; ++i) rows.push_back({&segment, i, first_position + i, sequence_length});
      float* chunk = x + from * shape_.hidden;
      context_.decoder.forward(pool_, rows, {{before, 0, count}}, chunk, scratch_);
      for (; w < wanted.size() && wanted[w] < from + count; ++w)
        context_.decoder.logits(chunk + (wanted[w] - from) * shape_.hidden, 1,
                                out.data() + static_cast<int64_t>(w) * shape_.vocab);
    }
    segment.length = length;
    shared_.prefill += length;
    return out;
  }

  /** Embeddings [N, D] in float32, as the decoder takes them. */
  at::Tensor embed(const std::vector<int64_t>& tokens) const {
    return context_.backbone.embed(context_.parameters, at::tensor(tokens, at::kLong)).to(at::kFloat).contiguous();
  }

  /** Whether keys cached for a sequence of `cached` tokens are of no use once it has `length`. */
  bool switches_between(int64_t cached, int64_t length) const {
    return shape_.rotation_switches && cached <= shape_.max_positions && length > shape_.max_positions;
  }

  /** Prompt, prefix and `response` in one segment, computed anew, and the logits after its last token. */
  std::pair<std::shared_ptr<Segment>, std::vector<float>> renew(size_t request, const std::vector<int32_t>& response) {
    const RolloutRequest& asked = shared_.requests[request];
    std::vector<int64_t> tokens = asked.prefix;
    tokens.insert(tokens.end(), response.begin(), response.end());
    const auto before = embed_prompts(context_.backbone, context_.parameters, {&asked.prompt}).to(at::kFloat);
    auto embedded = at::cat({before, embed(tokens)});
    shared_.encodes += static_cast<int64_t>(asked.prompt.images.size());
    auto segment = std::make_shared<Segment>(pool_, quota_);
    const int64_t length = embedded.size(0);
    auto logits = prefill(embedded.mutable_data_ptr<float>(), length, *segment, {}, 0, length, {length - 1});
    return {std::move(segment), std::move(logits)};
  }

  /** Rows whose next token makes them longer than the rotation of their cached keys get it from a pass of their own. */
  void step_switching_rows() {
    size_t kept = 0;
    for (size_t r = 0; r < rows_.size(); ++r) {
      Row& row = rows_[r];
      const int64_t cached = row.shared_length + row.own->length;
      bool finished = false;
      if (switches_between(cached, cached + 1)) {
        auto [segment, logits] = renew(row.request, row.response.tokens);
        row.shared.clear();
        row.shared_length = 0;
        row.own = std::move(segment);
        finished = append(row, logits.data());
      }
      if (finished) continue;
      if (kept != r) rows_[kept] = std::move(row);
      ++kept;
    }
    rows_.erase(rows_.begin() + static_cast<int64_t>(kept), rows_.end());
  }

  /** Starts all samples of one request; their first tokens come from the same logits. */
  void fork(const Fork& fork, const std::vector<SharedSpan>& spans, const float* logits) {
    const RolloutRequest& request = shared_.requests[fork.request];
    int64_t length = 0;
    for (const SharedSpan& span : spans) length += span.length;
    for (int64_t sample = 0; sample < request.n; ++sample) {
      Row row{fork.request, sample, hash_key(request.key), spans, length, std::make_shared<Segment>(pool_, quota_), {}};
      // Rows beyond those that are decoded together wait without memory of their own.
      if (append(row, logits)) continue;
      if (static_cast<int64_t>(rows_.size()) < kMostRows) {
        rows_.push_back(std::move(row));
      } else {
        row.own.reset();
        paused_.push_back(std::move(row));
      }
    }
  }

  /** Draws the next token of a row; true when that finished it. */
  bool append(Row& row, const float* logits) {
    const auto position = static_cast<uint32_t>(row.response.tokens.size());
    const double uniform =
        philox_uniform(shared_.sampling.seed, row.stream, static_cast<uint32_t>(row.sample), position);
    const Drawn drawn = draw(logits, shape_.vocab, shared_.sampling, uniform, sampler_);
    row.response.tokens.push_back(drawn.token);
    row.response.logprobs.push_back(drawn.logprob);
    ++shared_.tokens;
    const auto& stop = shared_.sampling.stop;
    const bool stopped = std::find(stop.begin(), stop.end(), drawn.token) != stop.end();
    if (!stopped && static_cast<int64_t>(row.response.tokens.size()) < shared_.sampling.max_tokens) return false;
    row.response.finish = stopped ? Finish::stop : Finish::length;
    finish(row);
    return true;
  }

  void finish(Row& row) {
    ++shared_.done;
    if (shared_.hooks.on_response)
      shared_.hooks.on_response(static_cast<int64_t>(row.request), row.sample, row.response);
    const std::lock_guard lock(shared_.mutex);
    shared_.result.responses[row.request][static_cast<size_t>(row.sample)] = std::move(row.response);
  }

  /** One token for every row. */
  void step() {
    check_stop();
    if (shape_.rotation_switches) step_switching_rows();
    if (rows_.empty()) return;
    make_room();
    const auto count = static_cast<int64_t>(rows_.size());
    std::vector<int64_t> tokens;
    std::vector<DecodeRow> rows;
    std::vector<DecodeGroup> groups;
    for (int64_t r = 0; r < count; ++r) {
      Row& row = rows_[static_cast<size_t>(r)];
      const int64_t at = row.own->length++;
      tokens.push_back(row.response.tokens.back());
      rows.push_back({row.own.get(), at, row.shared_length + at, row.shared_length + at + 1});
      if (r == 0 || !same_spans(row, rows_[static_cast<size_t>(r - 1)])) {
        DecodeGroup& group = groups.emplace_back();
        group.first_row = r;
        for (const SharedSpan& span : row.shared) group.shared.push_back(span.segment->span(span.length));
      }
      ++groups.back().rows;
    }
    auto x = embed(tokens);
    float* hidden = x.mutable_data_ptr<float>();
    context_.decoder.forward(pool_, rows, groups, hidden, scratch_);
    logits_.resize(static_cast<size_t>(count * shape_.vocab));
    context_.decoder.logits(hidden, count, logits_.data());
    size_t kept = 0;
    for (int64_t r = 0; r < count; ++r) {
      Row& row = rows_[static_cast<size_t>(r)];
      if (append(row, logits_.data() + r * shape_.vocab)) continue;
      if (kept != static_cast<size_t>(r)) rows_[kept] = std::move(row);
      ++kept;
    }
    rows_.erase(rows_.begin() + static_cast<int64_t>(kept), rows_.end());
    report();
  }

  void report() {
    if (!shared_.hooks.on_progress) return;
    const std::lock_guard lock(shared_.mutex);
    const auto now = Clock::now();
    if (now - shared_.last_progress < std::chrono::milliseconds(200)) return;
    shared_.last_progress = now;
    shared_.hooks.on_progress(shared_.done, shared_.total, shared_.tokens);
  }

  void check_stop() const {
    throw_if(shared_.stop);
    if (shared_.failed) throw Cancelled();
  }

  const RolloutContext& context_;
  Shared& shared_;
  BlockPool& pool_;
  std::shared_ptr<BlockQuota> quota_;
  DecoderShape shape_;
  const Unit* next_ = nullptr;  // taken from the list, but not yet begun
  std::vector<Row> rows_;
  std::deque<Row> paused_;
  std::vector<float> logits_;
  DecodeScratch scratch_;
  SamplerScratch sampler_;
};

}  // namespace

RolloutResult run_rollout(const RolloutContext& context, const std::vector<RolloutRequest>& requests,
                          const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop) {
  const auto started = Clock::now();
  Shared shared(requests, sampling, hooks, stop);
  for (const auto& request : requests) {
    shared.result.responses.emplace_back(static_cast<size_t>(request.n));
    shared.total += request.n;
  }
  const auto threads = static_cast<int64_t>(
      std::min<size_t>(static_cast<size_t>(context.threads), std::max<size_t>(shared.units.size(), 1)));
  const int64_t blocks = std::max<int64_t>(1, context.kv_bytes / context.pool.block_bytes());
  context.prompts.limit(blocks / kKeptPart);
  context.pool.trim();
  const int64_t blocks_each = std::max<int64_t>(1, (blocks - blocks / kKeptPart) / threads);
  const auto work = [&] {
    at::set_num_threads(1);
    try {
      Worker(context, shared, blocks_each).run();
    } catch (...) {
      const std::lock_guard lock(shared.mutex);
      // The first failure counts; the others only heard of it.
      if (!shared.failed.exchange(true)) shared.error = std::current_exception();
    }
  };
  std::vector<std::thread> workers;
  for (int64_t i = 0; i < threads; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  if (shared.error) std::rethrow_exception(shared.error);
  if (hooks.on_progress) hooks.on_progress(shared.done, shared.total, shared.tokens);
  shared.result.vision_encodes = shared.encodes;
  shared.result.prefill_tokens = shared.prefill;
  shared.result.decode_tokens = shared.tokens;
  shared.result.cached_prompts = shared.cached;
  shared.result.recomputed_tokens = shared.recomputed;
  shared.result.kv_bytes = context.pool.most_held() * context.pool.block_bytes();
  shared.result.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return std::move(shared.result);
}

}  // namespace mstar
