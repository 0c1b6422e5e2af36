// See draw.h. Sorts only where top-k or top-p ask for it; sums along the vocabulary are float32 here, double
// on CPU, so that a draw at the very border of two tokens may differ.
#include "engine/tensor/draw.h"

namespace mstar {
namespace {

/** Index of the first running sum above uniform * total; weights [R, W]. */
at::Tensor pick(const at::Tensor& weights, const at::Tensor& uniform_R) {
  const auto sums = weights.cumsum(-1);
  const auto target = uniform_R.unsqueeze(1) * sums.narrow(1, sums.size(1) - 1, 1);
  return at::searchsorted(sums, target, false, true).clamp_max_(sums.size(1) - 1);
}

at::Tensor pick_sorted(const at::Tensor& scaled, const Sampling& sampling, const at::Tensor& uniform_R) {
  const int64_t vocab = scaled.size(1);
  const int64_t kept = sampling.top_k > 0 ? std::min(sampling.top_k, vocab) : vocab;
  const auto [values, order] = kept < vocab ? at::topk(scaled, kept) : at::sort(scaled, -1, true);
  auto weights = at::softmax(values, -1);
  if (sampling.top_p < 1) {
    const auto before = weights.cumsum(-1) - weights;  // the token that crosses top_p is kept
    weights = weights.masked_fill(before >= sampling.top_p, 0);
  }
  return order.gather(1, pick(weights, uniform_R));
}

/** Of one token a row, [R, 1]. */
at::Tensor logprobs_of(const at::Tensor& logits, const at::Tensor& token) {
  return logits.gather(1, token).squeeze(1) - at::logsumexp(logits, {-1});
}

bool draw_alike(const Sampling& a, const Sampling& b) {
  return a.temperature == b.temperature && a.top_p == b.top_p && a.top_k == b.top_k &&
         a.scaled_logprobs == b.scaled_logprobs;
}

}  // namespace

std::vector<DrawGroup> draw_groups(const std::vector<Row>& rows, int64_t padded, const at::Device& device) {
  std::vector<DrawGroup> groups;
  std::vector<size_t> group_of;
  for (const Row& row : rows) {
    const auto alike = [&](const DrawGroup& group) { return draw_alike(group.sampling, row.call->sampling); };
    const auto found = std::find_if(groups.begin(), groups.end(), alike);
    group_of.push_back(static_cast<size_t>(found - groups.begin()));
    if (found == groups.end()) groups.push_back({row.call->sampling, {}});
  }
  if (groups.size() == 1) return groups;
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto mask = at::zeros({padded}, at::kBool);
    for (size_t r = 0; r < rows.size(); ++r) mask.mutable_data_ptr<bool>()[r] = group_of[r] == g;
    groups[g].mask = mask.to(device);
  }
  return groups;
}

DrawnRows draw_rows(const at::Tensor& logits, const std::vector<DrawGroup>& groups, const at::Tensor& uniform_R,
                    const FusedOps& ops) {
  DrawnRows all;
  for (const DrawGroup& group : groups) {
    const auto drawn = draw_rows(logits, group.sampling, uniform_R, ops);
    if (!all.tokens.defined()) {
      all = drawn;
      continue;
    }
    all.tokens = at::where(group.mask, drawn.tokens, all.tokens);
    all.logprobs = at::where(group.mask, drawn.logprobs, all.logprobs);
  }
  return all;
}

DrawnRows draw_rows(const at::Tensor& logits, const Sampling& sampling, const at::Tensor& uniform_R,
                    const FusedOps& ops) {
  const bool scaled = sampling.scaled_logprobs && sampling.temperature != 0 && sampling.temperature != 1;
  const bool whole = (sampling.top_k <= 0 || sampling.top_k >= logits.size(1)) && sampling.top_p >= 1;
  if (whole || sampling.temperature == 0) {
    const auto [tokens, logprobs] = ops.draw(logits, sampling.temperature, uniform_R);
    if (!scaled) return {tokens, logprobs};
    return {tokens, logprobs_of(logits.to(at::kFloat) / sampling.temperature, tokens.unsqueeze(1))};
  }
  const auto wide = logits.to(at::kFloat);
  const auto cooled = sampling.temperature == 1 ? wide : wide / sampling.temperature;
  const auto token = pick_sorted(cooled, sampling, uniform_R);
  return {token.squeeze(1), logprobs_of(scaled ? cooled : wide, token)};
}

}  // namespace mstar
