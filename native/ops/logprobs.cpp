// See logprobs.h. Every row is computed alone, so that neither threads nor other rows change a bit.
#include "ops/logprobs.h"

#include <ATen/Parallel.h>

#include "ops/cpu/rows.h"

namespace mstar {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** Numbers that are worth a thread. */
constexpr int64_t kGrain = int64_t{1} << 15;

struct TokenLogprobs : torch::autograd::Function<TokenLogprobs> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given, const at::Tensor& target_M,
                            double inverse) {
    const auto logits_MV = given.contiguous();
    const int64_t rows = logits_MV.size(0), vocab = logits_MV.size(1);
    auto out = at::empty({rows}, logits_MV.options()), sums = at::empty({rows}, logits_MV.options());
    const auto scale = static_cast<float>(inverse);
    const float* logits = logits_MV.const_data_ptr<float>();
    const int64_t* target = target_M.const_data_ptr<int64_t>();
    float *logprobs = out.mutable_data_ptr<float>(), *lse = sums.mutable_data_ptr<float>();
    at::parallel_for(0, rows, kGrain / vocab + 1, [&](int64_t from, int64_t to) {
      std::vector<float> powers(static_cast<size_t>(vocab));
      for (int64_t r = from; r < to; ++r) {
        const float* row = logits + r * vocab;
        const float most = cpu::max_of(row, vocab);
        const double sum = std::log(cpu::exp_scaled(row, most, scale, powers.data(), vocab));
        lse[r] = static_cast<float>(static_cast<double>(most) * scale + sum);
        logprobs[r] = logprob_of(row[target[r]], most, scale, sum);
      }
    });
    context->save_for_backward({logits_MV, target_M, sums});
    context->saved_data["inverse"] = inverse;
    return out;
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto &logits_MV = saved[0], &target_M = saved[1], &sums = saved[2];
    const auto into_M = grads[0].contiguous();
    auto slopes_MV = at::empty_like(logits_MV);
    const int64_t rows = logits_MV.size(0), vocab = logits_MV.size(1);
    const auto scale = static_cast<float>(context->saved_data["inverse"].toDouble());
    const float *logits = logits_MV.const_data_ptr<float>(), *lse = sums.const_data_ptr<float>();
    const float* into = into_M.const_data_ptr<float>();
    const int64_t* target = target_M.const_data_ptr<int64_t>();
    float* slopes = slopes_MV.mutable_data_ptr<float>();
    at::parallel_for(0, rows, kGrain / vocab + 1, [&](int64_t from, int64_t to) {
      for (int64_t r = from; r < to; ++r) {
        cpu::logprob_backward(logits + r * vocab, scale, lse[r], into[r], slopes + r * vocab, vocab);
        slopes[r * vocab + target[r]] += into[r] * scale;
      }
    });
    return {slopes_MV, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor token_logprobs_plain(const at::Tensor& logits_MV, const at::Tensor& target_M, double temperature) {
  const auto wide = logits_MV.to(at::kFloat), cooled = temperature == 1 ? wide : wide / temperature;
  return at::log_softmax(cooled, -1).gather(1, target_M.unsqueeze(1)).squeeze(1);
}

at::Tensor token_logprobs(const at::Tensor& logits_MV, const at::Tensor& target_M, double temperature) {
  const bool fast = logits_MV.is_cpu() && logits_MV.scalar_type() == at::kFloat;
  return fast ? TokenLogprobs::apply(logits_MV, target_M.contiguous(), 1 / temperature)
              : token_logprobs_plain(logits_MV, target_M, temperature);
}

}  // namespace mstar
