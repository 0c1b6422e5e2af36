// See rollout.h. One Worker is one thread's loop; Shared is what the workers of a call have in common.
#include "engine/rollout.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "base/random.h"
#include "engine/forward.h"
#include "engine/prefix_tree.h"
#include "engine/sampler.h"

namespace mstar {
namespace {

using Clock = std::chrono::steady_clock;

/** KV memory that all rows of a call may take together; rows in flight follow from it. */
constexpr int64_t kKvBudgetBytes = int64_t{4} << 30;
constexpr int64_t kMostRows = 256, kPrefillRows = 256;

struct Shared {
  Shared(const std::vector<RolloutRequest>& asked, const Sampling& how, const RolloutHooks& told, StopFlag flag)
      : requests(asked), sampling(how), hooks(told), stop(std::move(flag)), units(plan_units(asked)) {}

  const std::vector<RolloutRequest>& requests;
  const Sampling& sampling;
  const RolloutHooks& hooks;
  StopFlag stop;
  std::vector<Unit> units;
  std::atomic<size_t> next_unit{0};
  std::atomic<int64_t> done{0}, tokens{0}, prefill{0}, encodes{0};
  std::atomic<bool> failed{false};
  int64_t total = 0;
  std::mutex mutex;  // result, error, progress clock
  std::exception_ptr error;
  Clock::time_point last_progress = Clock::now();
  RolloutResult result;
};

/** One response being decoded. */
struct Row {
  size_t request;
  int64_t sample;
  uint64_t stream;
  std::vector<SharedSpan> shared;
  int64_t shared_length;
  std::shared_ptr<Segment> own;
  Response response;
};

bool same_spans(const Row& a, const Row& b) {
  if (a.shared.size() != b.shared.size()) return false;
  for (size_t i = 0; i < a.shared.size(); ++i)
    if (a.shared[i].segment != b.shared[i].segment || a.shared[i].length != b.shared[i].length) return false;
  return true;
}

class Worker {
 public:
  Worker(const RolloutContext& context, Shared& shared, BlockPool& pool, int64_t most_rows)
      : context_(context), shared_(shared), pool_(pool), most_rows_(most_rows), shape_(context.decoder.shape()) {}

  void run() {
    const at::NoGradGuard no_grad;
    while (refill()) step();
  }

 private:
  /** Takes prompts until the rows are full; false when nothing is left to do. */
  bool refill() {
    while (static_cast<int64_t>(rows_.size()) < most_rows_) {
      if (!rows_.empty() && static_cast<int64_t>(rows_.size()) * 4 > most_rows_ * 3)
        break;  // a new prompt would overfill
      const size_t next = shared_.next_unit.fetch_add(1);
      if (next >= shared_.units.size()) break;
      start(shared_.units[next]);
    }
    return !rows_.empty();
  }

  /** Prefills a prompt and its chains, then forks every sample from them. */
  void start(const Unit& unit) {
    check_stop();
    const Prompt& prompt = *unit.prompt;
    const auto prompt_length = static_cast<int64_t>(prompt.tokens.size());
    auto embedded = embed_prompts(context_.backbone, context_.parameters, {&prompt});
    shared_.encodes += static_cast<int64_t>(prompt.images.size());
    auto segment = std::make_shared<Segment>(pool_);
    const auto last =
        prefill(embedded.mutable_data_ptr<float>(), prompt_length, *segment, {}, 0, prompt_length, {prompt_length - 1});
    const SharedSpan root{segment, prompt_length};
    for (size_t f = 0; f < unit.forks.size() && unit.forks[f].chain < 0; ++f) fork(unit.forks[f], {root}, last.data());
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
    auto embedded = context_.backbone.embed(context_.parameters, at::tensor(tokens, at::kLong).narrow(0, 0, length));
    embedded = embedded.contiguous();
    auto segment = std::make_shared<Segment>(pool_);
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

  /** Whether keys cached for a sequence of `cached` tokens are of no use once it has `length`. */
  bool switches_between(int64_t cached, int64_t length) const {
    return shape_.rotation_switches && cached <= shape_.max_positions && length > shape_.max_positions;
  }

  /** Prompt, prefix and `response` in one segment, computed anew, and the logits after its last token. */
  std::pair<std::shared_ptr<Segment>, std::vector<float>> renew(size_t request, const std::vector<int32_t>& response) {
    const RolloutRequest& asked = shared_.requests[request];
    std::vector<int64_t> tokens = asked.prefix;
    tokens.insert(tokens.end(), response.begin(), response.end());
    const auto after = context_.backbone.embed(context_.parameters, at::tensor(tokens, at::kLong));
    auto embedded =
        at::cat({embed_prompts(context_.backbone, context_.parameters, {&asked.prompt}), after}).contiguous();
    shared_.encodes += static_cast<int64_t>(asked.prompt.images.size());
    auto segment = std::make_shared<Segment>(pool_);
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
      Row row{fork.request, sample, hash_key(request.key), spans, length, std::make_shared<Segment>(pool_), {}};
      if (!append(row, logits)) rows_.push_back(std::move(row));
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
    auto x = context_.backbone.embed(context_.parameters, at::tensor(tokens, at::kLong)).contiguous();
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
  int64_t most_rows_;
  DecoderShape shape_;
  std::vector<Row> rows_;
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
  BlockPool pool(context.decoder.shape());
  const auto threads = static_cast<int64_t>(
      std::min<size_t>(static_cast<size_t>(context.threads), std::max<size_t>(shared.units.size(), 1)));
  const int64_t row_bytes =
      (sampling.max_tokens / cpu::kBlockTokens + 1) * pool.block_floats() * static_cast<int64_t>(sizeof(float));
  const int64_t most_rows = std::clamp<int64_t>(kKvBudgetBytes / row_bytes / threads, 1, kMostRows);
  const auto work = [&] {
    at::set_num_threads(1);
    try {
      Worker(context, shared, pool, most_rows).run();
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
  shared.result.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return std::move(shared.result);
}

}  // namespace mstar
