// See loss.h. Micro-batches hold examples of similar length; worker w takes micro-batches w, w + workers, ... and
// gradients are added in a fixed order, so that a step gives the same bits every time for the same number of threads.
#include "engine/loss.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "engine/forward.h"
#include "ops/dense.h"

namespace mstar {
namespace {

/** Positions whose [positions, V] logits exist at one time. */
constexpr int64_t kHeadChunk = 2048;

int64_t length_of(const Example& e) { return static_cast<int64_t>(e.prompt.tokens.size() + e.response.size()); }

/** Indices of examples, longest first, cut so that no micro-batch exceeds the budget and every worker gets one. */
std::vector<std::vector<size_t>> micro_batches(const std::vector<Example>& batch, int64_t budget, int64_t workers) {
  std::vector<size_t> order(batch.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return length_of(batch[a]) > length_of(batch[b]); });
  int64_t total = 0;
  for (const Example& e : batch) total += length_of(e);
  const int64_t share = std::min(budget, (total + workers - 1) / workers);
  std::vector<std::vector<size_t>> parts;
  int64_t used = 0;
  for (size_t index : order) {
    const int64_t length = length_of(batch[index]);
    if (parts.empty() || used + length > share + length / 2) {
      parts.emplace_back();
      used = 0;
    }
    parts.back().push_back(index);
    used += length;
  }
  return parts;
}

/** Rows of the packed batch that hold (or, shifted by one, predict) the response tokens. */
at::Tensor response_rows(const std::vector<const Example*>& examples, int64_t shift) {
  std::vector<int64_t> rows;
  int64_t at_row = 0;
  for (const Example* e : examples) {
    const auto prompt = static_cast<int64_t>(e->prompt.tokens.size());
    for (size_t i = 0; i < e->response.size(); ++i) rows.push_back(at_row + prompt + static_cast<int64_t>(i) - shift);
    at_row += length_of(*e);
  }
  return at::tensor(rows, at::kLong);
}

at::Tensor logprobs_of(const LossContext& c, const std::vector<const Example*>& examples) {
  std::vector<int64_t> targets;
  for (const Example* e : examples) targets.insert(targets.end(), e->response.begin(), e->response.end());
  const auto device = c.parameters.device();
  const auto hidden = forward_hidden(c.backbone, c.parameters, pack(c.backbone, examples))
                          .index_select(0, response_rows(examples, 1).to(device));
  const auto target_M = at::tensor(targets, at::kLong).to(device);
  std::vector<at::Tensor> parts;
  for (int64_t from = 0; from < hidden.size(0); from += kHeadChunk) {
    const int64_t count = std::min(kHeadChunk, hidden.size(0) - from);
    const auto logits = dense(hidden.narrow(0, from, count), c.backbone.head(c.parameters)).to(at::kFloat);
    parts.push_back(at::log_softmax(logits, -1).gather(1, target_M.narrow(0, from, count).unsqueeze(1)).squeeze(1));
  }
  return at::cat(parts);
}

at::Tensor scores_of(const LossContext& c, const std::vector<const Example*>& examples) {
  const auto hidden = forward_hidden(c.backbone, c.parameters, pack(c.backbone, examples))
                          .index_select(0, response_rows(examples, 0).to(c.parameters.device()));
  return dense(hidden.to(at::kFloat), c.parameters[kHeadWeight], c.parameters[kHeadBias]).squeeze(-1);
}

/** Token losses, each times the weight of its example. */
at::Tensor weighted(const at::Tensor& loss_M, const std::vector<const Example*>& examples) {
  if (std::all_of(examples.begin(), examples.end(), [](const Example* e) { return e->weight == 1; })) return loss_M;
  std::vector<float> weights;
  for (const Example* e : examples) weights.insert(weights.end(), e->response.size(), static_cast<float>(e->weight));
  return loss_M * at::tensor(weights, at::kFloat).to(loss_M.device());
}

/** Sum of the objective's weighted token losses. */
at::Tensor loss_sum(const LossContext& c, const std::vector<const Example*>& examples, Objective objective) {
  if (objective == Objective::response) return weighted(logprobs_of(c, examples), examples).sum().neg();
  std::vector<float> labels;
  for (const Example* e : examples) labels.insert(labels.end(), e->labels.begin(), e->labels.end());
  const auto label_M = at::tensor(labels, at::kFloat).to(c.parameters.device());
  return weighted((scores_of(c, examples) - label_M).square(), examples).sum();
}

/** Runs work(part) for every part on `workers` threads; part p runs on worker p % workers. The first failure is
 * rethrown. */
void run_parts(size_t parts, int64_t workers, int threads,
               const std::function<void(size_t part, size_t worker)>& work) {
  std::vector<std::exception_ptr> errors(static_cast<size_t>(workers));
  const auto loop = [&](size_t worker) {
    at::set_num_threads(workers > 1 ? 1 : threads);
    try {
      for (size_t part = worker; part < parts; part += static_cast<size_t>(workers)) work(part, worker);
    } catch (...) {
      errors[worker] = std::current_exception();
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

int64_t workers_for(const LossContext& c, size_t examples) {
  if (is_large(c.parameters) || !c.parameters.device().is_cpu()) return 1;
  return std::max<int64_t>(1, std::min<int64_t>(c.threads, static_cast<int64_t>(examples)));
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
  const int64_t workers = workers_for(c, examples.size());
  const auto parts = micro_batches(examples, c.token_budget, workers);
  std::vector<std::vector<float>> out(examples.size());
  run_parts(parts.size(), std::min<int64_t>(workers, static_cast<int64_t>(parts.size())), c.threads,
            [&](size_t part, size_t) {
              throw_if(stop);
              const at::NoGradGuard no_grad;
              std::vector<const Example*> members;
              for (size_t index : parts[part]) members.push_back(&examples[index]);
              const auto values = compute(members).cpu().contiguous();
              const float* value = values.const_data_ptr<float>();
              for (size_t index : parts[part]) {
                out[index].assign(value, value + examples[index].response.size());
                value += examples[index].response.size();
              }
            });
  return out;
}

}  // namespace

bool is_large(const Parameters& parameters) { return parameters.count() > int64_t{1} << 28; }

Gradients loss_gradients(const LossContext& c, const std::vector<Example>& batch, Objective objective,
                         const std::vector<std::string>& names, const StopFlag& stop) {
  check_examples(batch, objective == Objective::step);
  Gradients result;
  for (const Example& e : batch) result.tokens += static_cast<int64_t>(e.response.size());
  std::vector<at::Tensor> leaves;
  for (const std::string& name : names) leaves.push_back(c.parameters[name]);
  const auto parts = micro_batches(batch, c.token_budget, workers_for(c, batch.size()));
  const int64_t workers = std::min<int64_t>(workers_for(c, batch.size()), static_cast<int64_t>(parts.size()));
  std::vector<std::vector<at::Tensor>> sums(static_cast<size_t>(workers), std::vector<at::Tensor>(names.size()));
  std::vector<double> losses(parts.size());
  run_parts(parts.size(), workers, c.threads, [&](size_t part, size_t worker) {
    throw_if(stop);
    const at::AutoGradMode with_grad(true);
    std::vector<const Example*> members;
    for (size_t index : parts[part]) members.push_back(&batch[index]);
    const auto loss = loss_sum(c, members, objective) / static_cast<double>(result.tokens);
    losses[part] = loss.item<double>();
    // grad() instead of backward(): workers share the leaves and must not write into one .grad.
    const auto grads = torch::autograd::grad({loss}, leaves, {}, std::nullopt, false, true);
    for (size_t i = 0; i < grads.size(); ++i) {
      if (!grads[i].defined()) continue;
      at::Tensor& sum = sums[worker][i];
      if (sum.defined()) {
        // Sums of rounded gradients are kept in float32: the number of micro-batches must not cost precision.
        sum = sum.to(at::kFloat).add_(grads[i]);
      } else {
        // A copy of its own: autograd may hand out one storage for two parameters, and sums are changed in place.
        sum = grads[i].clone(at::MemoryFormat::Contiguous);
      }
    }
  });
  const at::NoGradGuard no_grad;
  for (double loss : losses) result.loss += loss;
  result.grads = std::move(sums[0]);
  for (size_t w = 1; w < sums.size(); ++w)
    for (size_t i = 0; i < names.size(); ++i) {
      if (!sums[w][i].defined()) continue;
      result.grads[i] = result.grads[i].defined() ? result.grads[i].add_(sums[w][i]) : sums[w][i];
    }
  return result;
}

std::vector<std::vector<float>> response_logprobs(const LossContext& c, const std::vector<Example>& examples,
                                                  const StopFlag& stop) {
  return per_token(c, examples, stop, [&](const auto& members) { return logprobs_of(c, members); });
}

std::vector<std::vector<float>> response_scores(const LossContext& c, const std::vector<Example>& examples,
                                                const StopFlag& stop) {
  return per_token(c, examples, stop, [&](const auto& members) { return scores_of(c, members); });
}

}  // namespace mstar
