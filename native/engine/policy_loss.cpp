// See policy_loss.h. In double: it is a few numbers a token, and rounding them would be seen in small differences.
#include "engine/policy_loss.h"

namespace mstar {
namespace {

/** What the loss of each token of a response is multiplied by. */
double share_of(const Example& example, const Objective& objective, const BatchSize& batch) {
  switch (objective.aggregation) {
    case Aggregation::response:
      return example.weight / static_cast<double>(batch.responses) / static_cast<double>(example.response.size());
    case Aggregation::token:
      return example.weight / static_cast<double>(batch.tokens);
    case Aggregation::constant:
      return example.weight / static_cast<double>(batch.responses) / static_cast<double>(objective.length);
  }
  return 0;
}

}  // namespace

at::Tensor policy_loss(const at::Tensor& logprob_M, const std::vector<const Example*>& examples,
                       const Objective& objective, const BatchSize& batch, PolicyMeasures& sums) {
  std::vector<double> sampled, reference, advantages, shares;
  for (const Example* e : examples) {
    const size_t tokens = e->response.size();
    sampled.insert(sampled.end(), e->sampled->logprobs.begin(), e->sampled->logprobs.end());
    reference.insert(reference.end(), e->sampled->reference.begin(), e->sampled->reference.end());
    advantages.insert(advantages.end(), tokens, e->sampled->advantage);
    shares.insert(shares.end(), tokens, share_of(*e, objective, batch));
  }
  const auto on_device = [&](const std::vector<double>& v) {
    return at::tensor(v, at::kDouble).to(logprob_M.device());
  };
  const auto advantage = on_device(advantages);
  const auto logprob = logprob_M.to(at::kDouble);
  const auto change = logprob - on_device(sampled);
  const auto ratio = change.exp();
  const double low = 1 - objective.clip_low, high = 1 + objective.clip_high;
  auto loss = at::minimum(ratio * advantage, ratio.clamp(low, high) * advantage).neg();
  if (!reference.empty()) {
    const auto below = on_device(reference) - logprob;
    const auto kl = below.exp() - below - 1;
    loss = loss + kl * objective.kl;
    sums.kl += kl.sum().item<double>();
  }
  const at::Tensor now = ratio.detach(), moved = change.detach().abs();
  const auto clipped = (now.lt(low) & advantage.lt(0)) | (now.gt(high) & advantage.gt(0));
  sums.clipped += clipped.sum().item<double>();
  sums.difference += moved.sum().item<double>();
  sums.largest = std::max(sums.largest, moved.max().item<double>());
  return (loss * on_device(shares)).sum();
}

void check_sampled(const std::vector<Example>& batch, const Objective& objective) {
  TORCH_CHECK(objective.temperature > 0, "a policy objective at temperature ", objective.temperature);
  TORCH_CHECK(objective.aggregation != Aggregation::constant || objective.length > 0,
              "losses over a constant want a length");
  for (const Example& e : batch) {
    TORCH_CHECK(e.sampled, "an example of the policy objective has no sampled log-probabilities");
    const auto& [advantage, logprobs, reference] = *e.sampled;
    TORCH_CHECK(logprobs.size() == e.response.size(), "an example has ", e.response.size(), " response tokens and ",
                logprobs.size(), " sampled log-probabilities");
    const size_t wanted = batch.front().sampled->reference.empty() && objective.kl == 0 ? 0 : e.response.size();
    TORCH_CHECK(reference.size() == wanted, "an example has ", reference.size(),
                " log-probabilities of a reference, wanted ", wanted);
  }
}

}  // namespace mstar
