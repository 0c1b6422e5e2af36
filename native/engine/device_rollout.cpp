// See device_rollout.h. A row's keys lie in shared spans (prompt, then a prefix) and one span of its own.
#include "engine/device_rollout.h"

#include <ATen/DeviceAccelerator.h>
#include <c10/core/DeviceGuard.h>

#include <chrono>
#include <deque>

#include "base/device.h"
#include "base/random.h"
#include "engine/decode_steps.h"
#include "engine/device_prefill.h"
#include "engine/device_sampler.h"
#include "engine/forward.h"
#include "engine/prefix_tree.h"

namespace mstar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMostRowsCpu = 256, kMostRowsGpu = 512, kMostRowsSame = 256, kPrefillTokens = 8192;

/** A sample that has not begun: where it forks, and the logits of its first token [V]. */
struct Waiting {
  size_t request;
  int64_t sample;
  std::vector<View> shared;
  at::Tensor logits;
};

class DeviceRollout {
 public:
  DeviceRollout(const DeviceRolloutContext& context, const std::vector<RolloutRequest>& requests,
                const Sampling& sampling, const RolloutHooks& hooks, StopFlag stop)
      : context_(context),
        requests_(requests),
        sampling_(sampling),
        hooks_(hooks),
        stop_(std::move(stop)),
        shape_(context.decoder.shape()),
        device_(context.parameters.device()),
        units_(plan_units(requests)),
        most_rows_(context.deterministic ? kMostRowsSame
                   : device_.is_cpu()    ? kMostRowsCpu
                                         : kMostRowsGpu),
        places_(arena_places()),
        arena_(shape_, context.decoder.options(), places_ + 1),  // the last place is for rows of padding
        pool_(places_),
        prefill_(context.decoder, arena_, context.deterministic, places_),
        decoding_({context.backbone, context.parameters, context.decoder, sampling, arena_}) {
    for (const auto& request : requests) {
      result_.responses.emplace_back(static_cast<size_t>(request.n));
      total_ += request.n;
    }
  }

  RolloutResult run() {
    const auto started = Clock::now();
    while (admit()) decode();
    TORCH_CHECK(done_ == total_, "a rollout ended with ", done_, " of ", total_, " responses");
    if (hooks_.on_progress) hooks_.on_progress(done_, total_, result_.decode_tokens);
    result_.prefill_tokens = prefill_.tokens();
    result_.kv_bytes = (places_ + 1) * KvArena::bytes_per_token(shape_, context_.decoder.options());
    result_.seconds = std::chrono::duration<double>(Clock::now() - started).count();
    return std::move(result_);
  }

 private:
  int64_t own_places() const { return sampling_.max_tokens + kSteps; }

  /** Places that all requests would need at once, cut to what memory and the number of rows allow. */
  int64_t arena_places() const {
    int64_t wanted = 0, rows = 0;
    for (const Unit& unit : units_) {
      int64_t longest = 0;
      wanted += static_cast<int64_t>(unit.prompt->tokens.size());
      for (const auto& chain : unit.chains) {
        wanted += static_cast<int64_t>(chain.size());
        longest = std::max(longest, static_cast<int64_t>(chain.size()));
      }
      rows += unit.samples;
      // Rows that outgrow their rotation take their whole sequence along.
      if (shape_.rotation_switches)
        wanted += unit.samples * (static_cast<int64_t>(unit.prompt->tokens.size()) + longest);
    }
    wanted += rows * own_places();
    if (!device_.is_cpu()) at::accelerator::emptyCache();
    const int64_t free = free_bytes(device_);
    const int64_t chosen = device_.is_cpu() ? std::min(free / 2, int64_t{4} << 30) : free / 10 * 7;
    const int64_t budget = context_.kv_bytes > 0 ? std::min(context_.kv_bytes, free) : chosen;
    const int64_t most = budget / KvArena::bytes_per_token(shape_, context_.decoder.options());
    return std::max<int64_t>(1, std::min(wanted, most));
  }

  /** Starts what fits; false when nothing is left to do. */
  bool admit() {
    throw_if(stop_);
    std::vector<DeviceRow> fresh;
    std::vector<at::Tensor> logits;
    while (static_cast<int64_t>(rows_.size() + fresh.size()) < most_rows_) {
      if (waiting_.empty() && !prefill_units()) break;
      Waiting& next = waiting_.front();
      auto own = pool_.take(own_places());
      if (!own) break;
      const RolloutRequest& request = requests_[next.request];
      const int64_t length = total_length(next.shared);
      fresh.push_back(
          {next.request, next.sample, hash_key(request.key), std::move(next.shared), length, std::move(own), 0, {}});
      logits.push_back(std::move(next.logits));
      waiting_.pop_front();
    }
    TORCH_CHECK(!rows_.empty() || !fresh.empty() || (waiting_.empty() && next_unit_ == units_.size()),
                "memory for keys and values is too small for one response of ", sampling_.max_tokens, " tokens");
    draw_next(fresh, logits);
    // All that was started may have ended with its first token.
    return !rows_.empty() || !waiting_.empty() || next_unit_ < units_.size();
  }

  /** Prefills the next prompts with their chains; false when there are none or they do not fit. */
  bool prefill_units() {
    std::vector<const Unit*> units;
    std::vector<ArenaSpanPtr> roots;
    std::vector<const Prompt*> prompts;
    // Chains take their places after all roots have theirs.
    int64_t tokens = 0, chained = 0;
    while (next_unit_ < units_.size() && tokens < (context_.deterministic ? 1 : kPrefillTokens)) {
      const Unit& unit = units_[next_unit_];
      const auto length = static_cast<int64_t>(unit.prompt->tokens.size());
      auto root = pool_.take(length);
      int64_t chains = 0;
      for (const auto& chain : unit.chains) chains += static_cast<int64_t>(chain.size());
      if (!root || pool_.largest() < chained + chains + own_places()) break;
      chained += chains;
      tokens += length + chains;
      units.push_back(&unit);
      roots.push_back(std::move(root));
      prompts.push_back(unit.prompt);
      ++next_unit_;
    }
    if (units.empty()) return false;
    const auto embedded = embed_prompts(context_.backbone, context_.parameters, prompts);
    std::vector<Fresh> fresh;
    std::vector<int64_t> last;
    int64_t row = 0;
    for (size_t u = 0; u < units.size(); ++u) {
      const auto length = static_cast<int64_t>(prompts[u]->tokens.size());
      fresh.push_back({embedded.narrow(0, row, length), roots[u], {}});
      last.push_back((row += length) - 1);
      result_.vision_encodes += static_cast<int64_t>(prompts[u]->images.size());
    }
    const auto logits = prefill(fresh, last);
    for (size_t u = 0; u < units.size(); ++u) {
      const View root{roots[u], fresh[u].length()};
      for (const Fork& fork : units[u]->forks)
        if (fork.chain < 0) wait(fork, {root}, logits[static_cast<int64_t>(u)]);
      prefill_chains(*units[u], root);
    }
    return true;
  }

  void prefill_chains(const Unit& unit, const View& root) {
    for (size_t c = 0; c < unit.chains.size(); ++c) {
      std::vector<const Fork*> forks;
      std::vector<int64_t> ends;
      for (const Fork& fork : unit.forks) {
        if (fork.chain != static_cast<int64_t>(c)) continue;
        if (switches_between(root.length, root.length + fork.length)) {
          auto [whole, logits] = renew(fork.request, {}, 0);
          wait(fork, {whole}, logits);
          continue;
        }
        forks.push_back(&fork);
        ends.push_back(fork.length - 1);
      }
      if (forks.empty()) continue;
      const int64_t length = ends.back() + 1;
      const auto tokens = at::tensor(unit.chains[c], at::kLong).narrow(0, 0, length).to(device_);
      const Fresh chain{context_.backbone.embed(context_.parameters, tokens), take(length), {root}};
      const auto logits = prefill({chain}, ends);
      for (size_t f = 0; f < forks.size(); ++f)
        wait(*forks[f], {root, {chain.span, forks[f]->length}}, logits[static_cast<int64_t>(f)]);
    }
  }

  ArenaSpanPtr take(int64_t places) {
    auto span = pool_.take(places);
    TORCH_CHECK(span, "memory for keys and values is too small for a prompt of ", places, " tokens");
    return span;
  }

  void wait(const Fork& fork, const std::vector<View>& shared, const at::Tensor& logits) {
    for (int64_t sample = 0; sample < requests_[fork.request].n; ++sample)
      waiting_.push_back({fork.request, sample, shared, logits});
  }

  at::Tensor prefill(const std::vector<Fresh>& fresh, const std::vector<int64_t>& wanted) {
    throw_if(stop_);
    return prefill_.run(fresh, wanted);
  }

  bool switches_between(int64_t cached, int64_t length) const {
    return shape_.rotation_switches && cached <= shape_.max_positions && length > shape_.max_positions;
  }

  /** Prompt, prefix and `response` computed anew in one span with room for `more` tokens, and the logits after them. */
  std::pair<View, at::Tensor> renew(size_t request, const std::vector<int32_t>& response, int64_t more) {
    const RolloutRequest& asked = requests_[request];
    std::vector<int64_t> tokens = asked.prefix;
    tokens.insert(tokens.end(), response.begin(), response.end());
    const auto after = context_.backbone.embed(context_.parameters, at::tensor(tokens, at::kLong).to(device_));
    const auto embedded = at::cat({embed_prompts(context_.backbone, context_.parameters, {&asked.prompt}), after});
    result_.vision_encodes += static_cast<int64_t>(asked.prompt.images.size());
    const Fresh whole{embedded, take(embedded.size(0) + more), {}};
    const auto logits = prefill({whole}, {whole.length() - 1});
    return {{whole.span, whole.length()}, logits[0]};
  }

  /** Draws the next token of each of these rows from its logits and keeps those that go on. */
  void draw_next(std::vector<DeviceRow>& rows, const std::vector<at::Tensor>& logits) {
    if (rows.empty()) return;
    std::vector<float> uniform;
    for (const DeviceRow& row : rows) uniform.push_back(row.uniform(sampling_.seed, 0));
    const auto drawn = draw_rows(at::stack(logits), sampling_, at::tensor(uniform).to(device_), context_.decoder.ops());
    const auto tokens = drawn.tokens.cpu(), logprobs = drawn.logprobs.cpu();
    for (size_t r = 0; r < rows.size(); ++r)
      if (!append(rows[r], tokens.const_data_ptr<int64_t>()[r], logprobs.const_data_ptr<float>()[r]))
        rows_.push_back(std::move(rows[r]));
  }

  /** Adds a token; true when that finished the row. */
  bool append(DeviceRow& row, int64_t token, float logprob) {
    if (!std::isfinite(logprob)) throw std::runtime_error("logits are not finite: the weights have diverged");
    row.response.tokens.push_back(static_cast<int32_t>(token));
    row.response.logprobs.push_back(logprob);
    ++result_.decode_tokens;
    const bool stopped = std::find(sampling_.stop.begin(), sampling_.stop.end(), token) != sampling_.stop.end();
    if (!stopped && static_cast<int64_t>(row.response.tokens.size()) < sampling_.max_tokens) return false;
    row.response.finish = stopped ? Finish::stop : Finish::length;
    ++done_;
    if (hooks_.on_response) hooks_.on_response(static_cast<int64_t>(row.request), row.sample, row.response);
    result_.responses[row.request][static_cast<size_t>(row.sample)] = std::move(row.response);
    return true;
  }

  /** Rows whose next token makes them longer than the rotation of their cached keys get it from a pass of their own. */
  void renew_switching() {
    std::vector<DeviceRow> switching;
    std::vector<at::Tensor> logits;
    for (size_t r = 0; r < rows_.size();) {
      if (!switches_between(rows_[r].cached(), rows_[r].cached() + 1)) {
        ++r;
        continue;
      }
      switching.push_back(std::move(rows_[r]));
      rows_.erase(rows_.begin() + static_cast<int64_t>(r));
    }
    for (DeviceRow& row : switching) {
      row.shared.clear();
      row.own.reset();
      auto [whole, next] = renew(row.request, row.response.tokens, own_places());
      row.shared_length = 0;
      row.own = whole.span;
      row.own_length = whole.length;
      logits.push_back(next);
    }
    draw_next(switching, logits);
  }

  /** Steps that all rows can take before one of them needs the host. */
  int64_t steps() const {
    int64_t steps = kSteps;
    for (const DeviceRow& row : rows_)
      if (shape_.rotation_switches && row.cached() <= shape_.max_positions)
        steps = std::min(steps, shape_.max_positions - row.cached());
    return steps;
  }

  /** A few tokens for every row. */
  void decode() {
    throw_if(stop_);
    if (shape_.rotation_switches && !rows_.empty()) renew_switching();
    if (rows_.empty()) return;
    sort_by_shared(rows_);
    const int64_t count = static_cast<int64_t>(rows_.size()), steps = this->steps();
    // With one size for all batches no row's sums depend on how many others there are.
    const Padding padding =
        context_.deterministic ? Padding{most_rows_, places_} : padding_for(count, places_, device_);
    DeviceRows rows = spans_of(rows_, context_.decoder.group(), padding, device_);
    const StepInputs inputs(rows_, steps, padding, context_.decoder, sampling_.seed);
    const auto drawn = decoding_.run(rows, inputs, steps);
    keep(drawn.tokens, drawn.logprobs, steps);
    report();
  }

  /** Adds drawn tokens [steps, rows and padding] to the rows and drops those that ended. */
  void keep(const at::Tensor& tokens, const at::Tensor& logprobs, int64_t steps) {
    const int64_t width = tokens.size(1);
    const int64_t* token = tokens.const_data_ptr<int64_t>();
    const float* logprob = logprobs.const_data_ptr<float>();
    std::vector<DeviceRow> going;
    for (size_t r = 0; r < rows_.size(); ++r) {
      DeviceRow& row = rows_[r];
      bool finished = false;
      for (int64_t step = 0; step < steps && !finished; ++step) {
        ++row.own_length;
        const auto at = step * width + static_cast<int64_t>(r);
        finished = append(row, token[at], logprob[at]);
      }
      if (!finished) going.push_back(std::move(row));
    }
    rows_ = std::move(going);
  }

  void report() {
    if (!hooks_.on_progress) return;
    const auto now = Clock::now();
    if (now - last_progress_ < std::chrono::milliseconds(200)) return;
    last_progress_ = now;
    hooks_.on_progress(done_, total_, result_.decode_tokens);
  }

  const DeviceRolloutContext& context_;
  const std::vector<RolloutRequest>& requests_;
  const Sampling& sampling_;
  const RolloutHooks& hooks_;
  StopFlag stop_;
  DecoderShape shape_;
  at::Device device_;
  std::vector<Unit> units_;
  int64_t most_rows_, places_;
  KvArena arena_;
  SpanPool pool_;  // before everything that holds spans
  DevicePrefill prefill_;
  DecodeSteps decoding_;
  size_t next_unit_ = 0;
  std::deque<Waiting> waiting_;
  std::vector<DeviceRow> rows_;
  int64_t done_ = 0, total_ = 0;
  Clock::time_point last_progress_ = Clock::now();
  RolloutResult result_;
};

}  // namespace

RolloutResult run_device_rollout(const DeviceRolloutContext& context, const std::vector<RolloutRequest>& requests,
                                 const Sampling& sampling, const RolloutHooks& hooks, const StopFlag& stop) {
  const at::NoGradGuard no_grad;
  const c10::DeviceGuard guard(context.parameters.device());
  return DeviceRollout(context, requests, sampling, hooks, stop).run();
}

}  // namespace mstar
