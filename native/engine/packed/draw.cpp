// See draw.h. No sort unless top-k or top-p asks for one.
#include "engine/packed/draw.h"

#include <algorithm>
#include <cmath>

#include "base/stopwatch.h"
#include "ops/cpu/rows.h"
#include "ops/logprobs.h"

namespace mstar {
namespace {

int64_t pick(const float* weights, int64_t n, double target) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (weights[i] <= 0) continue;
    sum += weights[i];
    last = i;
    if (sum > target) return i;
  }
  return last;  // rounding left the target a hair above the sum
}

int32_t pick_sorted(const float* weights, int64_t vocab, double total, const Sampling& sampling, double uniform,
                    std::vector<int32_t>& order) {
  order.resize(static_cast<size_t>(vocab));
  for (int64_t i = 0; i < vocab; ++i) order[static_cast<size_t>(i)] = static_cast<int32_t>(i);
  const auto before = [&](int32_t a, int32_t b) { return weights[a] != weights[b] ? weights[a] > weights[b] : a < b; };
  int64_t kept = sampling.top_k > 0 ? std::min(sampling.top_k, vocab) : vocab;
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), before);
  if (kept < vocab) {
    total = 0;
    for (int64_t i = 0; i < kept; ++i) total += weights[order[static_cast<size_t>(i)]];
  }
  double mass = 0;
  int64_t last = 0;
  for (; last < kept; ++last) {
    mass += weights[order[static_cast<size_t>(last)]];
    if (mass >= sampling.top_p * total) break;
  }
  kept = std::min(last + 1, kept);
  double sum = 0;
  for (int64_t i = 0; i < kept; ++i) {
    sum += weights[order[static_cast<size_t>(i)]];
    if (sum > uniform * mass) return order[static_cast<size_t>(i)];
  }
  return order[static_cast<size_t>(kept - 1)];
}

}  // namespace

DrawnToken draw(const float* logits, int64_t vocab, const Sampling& sampling, double uniform, SamplerScratch& scratch) {
  const Stopwatch watch(Work::sampling);
  scratch.weights.resize(static_cast<size_t>(vocab));
  float* weights = scratch.weights.data();
  const float max = cpu::max_of(logits, vocab);
  double total = cpu::exp_scaled(logits, max, 1.0f, weights, vocab);
  if (!std::isfinite(max) || !std::isfinite(total))
    throw std::runtime_error("logits are not finite: the weights have diverged");
  float scale = 1;
  double log_total = std::log(total);
  int32_t token = 0;
  if (sampling.temperature == 0) {
    token = static_cast<int32_t>(std::find(logits, logits + vocab, max) - logits);
  } else {
    if (sampling.temperature != 1) {
      const auto inverse = static_cast<float>(1 / sampling.temperature);
      total = cpu::exp_scaled(logits, max, inverse, weights, vocab);
      if (sampling.scaled_logprobs) scale = inverse, log_total = std::log(total);
    }
    const bool whole = (sampling.top_k <= 0 || sampling.top_k >= vocab) && sampling.top_p >= 1;
    token = whole ? static_cast<int32_t>(pick(weights, vocab, uniform * total))
                  : pick_sorted(weights, vocab, total, sampling, uniform, scratch.order);
  }
  return {token, logprob_of(logits[token], max, scale, log_total)};
}

}  // namespace mstar
