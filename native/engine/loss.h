#pragma once
// The objectives and their gradients over a batch, cut into micro-batches of bounded size that run side by side.
// Also the plain log-probabilities and scores. Leaves the optimizer to optimizer.h.
#include "engine/backbone.h"
#include "engine/exchange.h"
#include "engine/segments.h"

namespace mstar {

struct LossContext {
  const Backbone& backbone;
  const Parameters& parameters;
  int threads;
  int64_t token_budget;
  std::optional<Recompute> recompute;  // left out: what the memory of a GPU makes necessary; nothing on a CPU
};

/** Response positions whose logits [positions, V] exist at one time. */
constexpr int64_t kHeadChunk = 2048;

constexpr const char* kHeadWeight = "reward_head.weight";
constexpr const char* kHeadBias = "reward_head.bias";

struct Gradients : GradientSums {  // in the order of `names`
  int64_t tokens = 0;              // response tokens in the loss
};

/** Large models share each operation between threads; for small ones a barrier per operation costs more than it gains,
 * and threads take whole micro-batches instead (a second set of gradients is then affordable). */
bool is_large(const Parameters& parameters);

/** The loss of the batch, and its gradient with respect to `names`. For the objectives `response` and `step` it is the
 * losses of all response tokens, each times the weight of its example, over the number of these tokens (the mean where
 * every weight is 1); policy_loss.h has the other. Ranks of `exchange`, which is
 * about `names`, all call this with the same batch and take its micro-batches in turn. */
Gradients loss_gradients(const LossContext& context, const std::vector<Example>& batch, const Objective& objective,
                         const std::vector<std::string>& names, const Exchange& exchange, const StopFlag& stop);

/** Log-probability of every response token under softmax(logits / temperature). */
std::vector<std::vector<float>> response_logprobs(const LossContext& context, const std::vector<Example>& examples,
                                                  double temperature, const StopFlag& stop);

/** Reward-head score at every response token. */
std::vector<std::vector<float>> response_scores(const LossContext& context, const std::vector<Example>& examples,
                                                const StopFlag& stop);

}  // namespace mstar
