// See loss.h. Threads take micro-batches one after the other; losses and gradients are added in the order of the
// micro-batches, so that a step gives the same bits for every number of threads.
#include "engine/loss.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/room.h"
#include "engine/forward.h"
#include "engine/micro_batch.h"
#include "engine/policy_loss.h"
#include "ops/dense.h"
#include "ops/logprobs.h"

namespace mstar {
namespace {

/** Rows of packed trees that hold (or, shifted by one, predict) the response tokens. */
at::Tensor response_rows(const std::vector<Tree>& trees, bool shifted) {
  std::vector<int64_t> rows;
  int64_t begin = 0;
  for (const Tree& tree : trees) {
    int64_t row = begin + tree.trunk;
    for (int64_t length : tree.branches)
      for (int64_t i = 0; i < length; ++i, ++row)
        rows.push_back(!shifted ? row : i > 0 ? row - 1 : begin + tree.trunk - 1);
    begin += tree.tokens();
  }
  return at::tensor(rows, at::kLong);
}

/** Final hidden states of the rows of `response_rows`, in the order of the examples. */
at::Tensor response_hidden(const LossContext& c, const std::vector<const Example*>& examples, bool shifted) {
  const Packed packed = pack(c.backbone, examples);
  const auto rows = response_rows(packed.trees, shifted).to(c.parameters.device());
  return forward_hidden(c.backbone, c.parameters, packed).index_select(0, rows);
}

at::Tensor logprobs_of(const LossContext& c, const std::vector<const Example*>& examples, double temperature) {
  std::vector<int64_t> targets;
  for (const Example* e : examples) targets.insert(targets.end(), e->response.begin(), e->response.end());
  const auto device = c.parameters.device();
  const auto hidden = response_hidden(c, examples, true);
  const auto target_M = at::tensor(targets, at::kLong).to(device);
  std::vector<at::Tensor> parts;
  for (int64_t from = 0; from < hidden.size(0); from += kHeadChunk) {
    const int64_t count = std::min(kHeadChunk, hidden.size(0) - from);
    const auto last = from + count == hidden.size(0);
    parts.push_back(segment(last ? Part::last : Part::head, hidden.narrow(0, from, count),
                            [&c, temperature, target = target_M.narrow(0, from, count)](const at::Tensor& x) {
                              return token_logprobs(dense(x, c.backbone.head(c.parameters)), target, temperature);
                            }));
  }
  return at::cat(parts);
}

at::Tensor scores_of(const LossContext& c, const std::vector<const Example*>& examples) {
  const auto hidden = response_hidden(c, examples, false);
  // Sums along rows, not a product: a score then has the same bits in any company.
  return (hidden.to(at::kFloat) * c.parameters[kHeadWeight]).sum(-1) + c.parameters[kHeadBias];
}

/** Token losses, each times the weight of its example. */
at::Tensor weighted(const at::Tensor& loss_M, const std::vector<const Example*>& examples) {
  if (std::all_of(examples.begin(), examples.end(), [](const Example* e) { return e->weight == 1; })) return loss_M;
  std::vector<float> weights;
  for (const Example* e : examples) weights.insert(weights.end(), e->response.size(), static_cast<float>(e->weight));
  return loss_M * at::tensor(weights, at::kFloat).to(loss_M.device());
}

/** Part of the loss of a batch that some of its examples make. */
at::Tensor loss_of(const LossContext& c, const std::vector<const Example*>& examples, const Objective& objective,
                   const BatchSize& batch, PolicyMeasures& sums) {
  if (objective.kind == Objective::policy)
    return policy_loss(logprobs_of(c, examples, objective.temperature), examples, objective, batch, sums);
  const auto tokens = static_cast<double>(batch.tokens);
  if (objective.kind == Objective::response)
    return weighted(logprobs_of(c, examples, 1), examples).sum().neg() / tokens;
  std::vector<float> labels;
  for (const Example* e : examples) labels.insert(labels.end(), e->labels.begin(), e->labels.end());
  const auto label_M = at::tensor(labels, at::kFloat).to(c.parameters.device());
  return weighted((scores_of(c, examples) - label_M).square(), examples).sum() / tokens;
}

/** Each waits until all that come before it have passed; after a failure nobody waits. */
class Turnstile {
 public:
  /** Runs `pass` when the turn is `turn`'s; not at all after a failure. */
  void enter(size_t turn, const std::function<void()>& pass) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return failed_ || turn_ == turn; });
    if (failed_) return;
    pass();
    ++turn_;
    moved_.notify_all();
  }
  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    moved_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  size_t turn_ = 0;
  bool failed_ = false;
};

/** Computes every part, several side by side where `workers` is more than one, and calls `take(part, result)` in the
 * order of the parts, one at a time. The first failure is rethrown. */
template <typename Compute, typename Take>
void run_parts(size_t parts, int64_t workers, int threads, const Compute& compute, const Take& take) {
  std::vector<std::exception_ptr> errors(static_cast<size_t>(workers));
  std::atomic<size_t> next{0};
  Turnstile turnstile;
  const auto loop = [&](size_t worker) {
    at::set_num_threads(workers > 1 ? 1 : threads);
    try {
      for (size_t part = next++; part < parts; part = next++) {
        auto result = compute(part);
        turnstile.enter(part, [&] { take(part, result); });
      }
    } catch (...) {
      errors[worker] = std::current_exception();
      turnstile.fail();
      next = parts;
    }
  };
  std::vector<std::thread> pool;
  for (size_t w = 1; w < static_cast<size_t>(workers); ++w) pool.emplace_back(loop, w);
  // Worker 0 gets a thread of its own as well: this thread's intra-op setting stays what it is.
  if (workers > 1) {
    pool.emplace_back(loop, size_t{0});
  } else {
    loop(0);
  }
  for (std::thread& thread : pool) thread.join();
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

/** Where threads share each operation, micro-batches are as large as the budget allows and come one by one. */
bool takes_one_by_one(const LossContext& c) { return is_large(c.parameters) || !c.parameters.device().is_cpu(); }

std::vector<MicroBatch> micro_batches_of(const LossContext& c, const std::vector<Example>& batch) {
  return micro_batches(c.backbone, batch, takes_one_by_one(c) ? TakenBy::all : TakenBy::each, c.token_budget);
}

/** Threads of one operation where micro-batches come one by one: those of a small model have one each, even if there is
 * a single one, as sums that threads share are cut by their number. */
int threads_for(const LossContext& c) { return takes_one_by_one(c) ? c.threads : 1; }

int64_t workers_for(const LossContext& c, size_t parts) {
  return takes_one_by_one(c) ? 1 : std::max<int64_t>(1, std::min<int64_t>(c.threads, static_cast<int64_t>(parts)));
}

std::vector<const Example*> members_of(const std::vector<Example>& batch, const MicroBatch& part) {
  std::vector<const Example*> members;
  for (size_t index : part) members.push_back(&batch[index]);
  return members;
}

void check_examples(const std::vector<Example>& batch, bool labelled) {
  TORCH_CHECK(!batch.empty(), "the batch is empty");
  for (const Example& e : batch) {
    TORCH_CHECK(!e.prompt.tokens.empty(), "an example has an empty prompt");
    TORCH_CHECK(!e.response.empty(), "an example has an empty response");
    TORCH_CHECK(!labelled || e.labels.size() == e.response.size(), "an example has ", e.response.size(),
                " response tokens and ", e.labels.size(), " labels");
  }
}

std::vector<std::vector<float>> per_token(
    const LossContext& c, const std::vector<Example>& examples, const StopFlag& stop,
    const std::function<at::Tensor(const std::vector<const Example*>&)>& compute) {
  if (examples.empty()) return {};
  check_examples(examples, false);
  const auto parts = micro_batches_of(c, examples);
  std::vector<std::vector<float>> out(examples.size());
  run_parts(
      parts.size(), workers_for(c, parts.size()), threads_for(c),
      [&](size_t part) {
        throw_if(stop);
        const at::NoGradGuard no_grad;
        return compute(members_of(examples, parts[part])).cpu().contiguous();
      },
      [&](size_t part, const at::Tensor& values) {
        const float* value = values.const_data_ptr<float>();
        for (size_t index : parts[part]) {
          out[index].assign(value, value + examples[index].response.size());
          value += examples[index].response.size();
        }
      });
  return out;
}

/** On a GPU graphs are kept while there is room for what comes after them: the gradients, and the logits of one piece
 * of the output with theirs. A fifth of the rest is left to what runs. */
Recompute as_memory_tells(const LossContext& c) {
  const auto device = c.parameters.device();
  if (device.is_cpu()) return {};
  const auto allocated = [=] {
    return at::accelerator::getDeviceStats(device.index()).allocated_bytes.front().current;
  };
  const int64_t held = allocated();
  const int64_t later = 4 * (c.parameters.count() + 4 * kHeadChunk * c.backbone.decoder_shape().vocab);
  const int64_t most = held + (room_on(device) - later) / 5 * 4;
  Recompute recompute;
  recompute.full = [=] { return allocated() > most; };
  return recompute;
}

}  // namespace

bool is_large(const Parameters& parameters) { return parameters.count() > int64_t{1} << 28; }

Gradients loss_gradients(const LossContext& c, const std::vector<Example>& batch, const Objective& objective,
                         const std::vector<std::string>& names, const Exchange& exchange, const StopFlag& stop) {
  check_examples(batch, objective.kind == Objective::step);
  if (objective.kind == Objective::policy) check_sampled(batch, objective);
  Gradients result;
  result.grads.resize(names.size());
  for (const Example& e : batch) result.tokens += static_cast<int64_t>(e.response.size());
  const BatchSize size{static_cast<int64_t>(batch.size()), result.tokens};
  for (const std::string& name : c.parameters.names()) c.parameters[name].requires_grad_(false);
  std::vector<at::Tensor> leaves;
  for (const std::string& name : names) leaves.push_back(c.parameters[name].requires_grad_(true));
  const auto parts = micro_batches_of(c, batch);
  const Recompute recompute = c.recompute ? *c.recompute : as_memory_tells(c);
  // In each round every rank takes a micro-batch; in the last one some may have none.
  const auto ranks = static_cast<size_t>(exchange.ranks());
  const size_t rounds = (parts.size() + ranks - 1) / ranks;
  // Gradients of micro-batches that come one by one are added up as they are made; others wait for their turn.
  const int64_t workers = workers_for(c, rounds);
  const bool at_once = ranks == 1 && workers == 1;
  run_parts(
      rounds, workers, threads_for(c),
      [&](size_t round) {
        MicroGradients mine;
        const size_t part = round * ranks + static_cast<size_t>(exchange.rank());
        if (part >= parts.size()) return mine;
        mine.grads.resize(names.size());
        try {
          throw_if(stop);
          const at::AutoGradMode with_grad(true);
          Segments segments(leaves, recompute, [&](size_t leaf, at::Tensor grad) {
            throw_if(stop);
            if (at_once) {
              add_gradient(result.grads, leaf, std::move(grad));
            } else {
              mine.grads[leaf] = std::move(grad);
            }
          });
          const auto loss = loss_of(c, members_of(batch, parts[part]), objective, size, mine.policy);
          segments.backward(loss);
          mine.loss = loss.item<double>();
        } catch (...) {
          mine.error = std::current_exception();
        }
        return mine;
      },
      [&](size_t, MicroGradients& mine) { exchange.add(std::move(mine), result); });
  return result;
}

std::vector<std::vector<float>> response_logprobs(const LossContext& c, const std::vector<Example>& examples,
                                                  double temperature, const StopFlag& stop) {
  return per_token(c, examples, stop, [&](const auto& members) { return logprobs_of(c, members, temperature); });
}

std::vector<std::vector<float>> response_scores(const LossContext& c, const std::vector<Example>& examples,
                                                const StopFlag& stop) {
  return per_token(c, examples, stop, [&](const auto& members) { return scores_of(c, members); });
}

}  // namespace mstar
