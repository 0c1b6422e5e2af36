// See executor.h.
#include "engine/tensor/executor.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>

#include "base/device.h"
#include "engine/tensor/prefill.h"
#include "engine/tensor/steps.h"

namespace mstar {
namespace {

constexpr int64_t kMostRowsCpu = 256, kMostRowsGpu = 512, kMostRowsSame = 256, kPrefillTokens = 8192;
/** Decode steps between two looks at the tokens. A row that ends in between computes a few tokens for nothing; a look
 * makes the device wait. */
constexpr int64_t kSteps = 8;

class TensorExecutor final : public Executor {
 public:
  TensorExecutor(const Backbone& backbone, const Parameters& parameters, const TensorDecoder& decoder, KvArena& arena,
                 bool deterministic)
      : guard_(parameters.device()),
        backbone_(backbone),
        parameters_(parameters),
        decoder_(decoder),
        arena_(arena),
        deterministic_(deterministic),
        device_(parameters.device()),
        prefill_(decoder, arena, deterministic),
        steps_({backbone, parameters, decoder, arena}) {}

  Limits limits() const override {
    const int64_t rows = deterministic_ ? kMostRowsSame : device_.is_cpu() ? kMostRowsCpu : kMostRowsGpu;
    // In so many steps half of the rows take a block, perhaps all.
    return {rows, rows, deterministic_ ? 1 : kPrefillTokens, kSteps, rows};
  }

  std::shared_ptr<Segment> segment(const std::shared_ptr<BlockQuota>& quota, int64_t length) override {
    return arena_.segment(quota, length);
  }

  at::Tensor prefill(const std::vector<Fresh>& fresh, const std::vector<int64_t>& wanted) override {
    return prefill_.run(fresh, wanted);
  }

  void compute(const std::vector<RowToken>& tokens) override {
    const Padding padding = padding_of(tokens);
    auto batch = spans_of(tokens, decoder_.group(), padding, device_);
    const StepInputs inputs(tokens, 1, padding, decoder_);
    inputs.set(batch, 0);
    decoder_.forward(arena_, batch, backbone_.embed(parameters_, inputs.tokens));
  }

  Drawn draw(const at::Tensor& logits, const std::vector<Row>& rows) override {
    const auto count = static_cast<int64_t>(rows.size());
    std::vector<float> uniform;
    for (const Row& row : rows) uniform.push_back(uniform_of(row, 0));
    // With one size for all no sum depends on how many are drawn.
    if (deterministic_) uniform.resize(static_cast<size_t>(kMostRowsSame), 0.0f);
    const auto groups = draw_groups(rows, static_cast<int64_t>(uniform.size()), device_);
    const auto all = logits.unsqueeze(0).expand({static_cast<int64_t>(uniform.size()), logits.size(0)});
    const auto drawn = draw_rows(all, groups, at::tensor(uniform).to(device_), decoder_.ops());
    return on_host(drawn.tokens.unsqueeze(0), drawn.logprobs.unsqueeze(0), count);
  }

  Drawn decode(const std::vector<Row>& rows, int64_t steps) override {
    const auto tokens = last_tokens(rows);
    const Padding padding = padding_of(tokens);
    auto batch = spans_of(tokens, decoder_.group(), padding, device_);
    const StepInputs inputs(tokens, steps, padding, decoder_);
    const auto drawn = steps_.run(batch, inputs, draw_groups(rows, padding.rows, device_), steps);
    return on_host(drawn.tokens, drawn.logprobs, static_cast<int64_t>(rows.size()));
  }

 private:
  /** With one size for all batches no row's sums depend on how many others there are. */
  Padding padding_of(const std::vector<RowToken>& tokens) const {
    if (deterministic_) return {kMostRowsSame, arena_.scratch()};
    return padding_for(static_cast<int64_t>(tokens.size()), arena_.scratch(), device_);
  }

  /** The first `rows` of what was drawn [steps, rows and padding]. */
  static Drawn on_host(const at::Tensor& tokens, const at::Tensor& logprobs, int64_t rows) {
    const auto ids = tokens.narrow(1, 0, rows).to(at::kCPU, at::kInt).contiguous();
    const auto sums = logprobs.narrow(1, 0, rows).to(at::kCPU).contiguous();
    return {{ids.const_data_ptr<int32_t>(), ids.const_data_ptr<int32_t>() + ids.numel()},
            {sums.const_data_ptr<float>(), sums.const_data_ptr<float>() + sums.numel()}};
  }

  const c10::DeviceGuard guard_;  // of this worker's thread
  const Backbone& backbone_;
  const Parameters& parameters_;
  const TensorDecoder& decoder_;
  KvArena& arena_;
  const bool deterministic_;
  const at::Device device_;
  TensorPrefill prefill_;
  DecodeSteps steps_;
};

class TensorExecutors final : public Executors {
 public:
  TensorExecutors(const Backbone& backbone, const Parameters& parameters, int threads, bool deterministic)
      : backbone_(backbone),
        parameters_(parameters),
        threads_(threads),
        deterministic_(deterministic),
        decoder_(backbone, parameters),
        arena_(decoder_.shape(), decoder_.options()) {}

  int64_t workers() const override { return 1; }
  int64_t block_bytes() const override { return arena_.block_bytes(); }

  int64_t budget(int64_t wished) const override {
    const auto device = parameters_.device();
    if (!device.is_cpu()) at::accelerator::emptyCache();
    const int64_t free = free_bytes(device) + arena_.held() * block_bytes();
    if (wished > 0) return std::min(wished, free);
    return device.is_cpu() ? std::min(free / 2, int64_t{4} << 30) : free / 10 * 7;
  }

  void begin(int64_t wanted, int64_t most) override {
    arena_.resize(std::max(arena_.held(), std::min(arena_.held() + wanted, most)));
    arena_.count_anew();
  }
  void end() override { arena_.resize(arena_.held()); }
  int64_t most_held() const override { return arena_.most_held(); }

  std::unique_ptr<Executor> make(const StopFlag&) override {
    at::set_num_threads(threads_);  // of the worker's thread
    return std::make_unique<TensorExecutor>(backbone_, parameters_, decoder_, arena_, deterministic_);
  }

 private:
  const Backbone& backbone_;
  const Parameters& parameters_;
  const int threads_;
  const bool deterministic_;
  TensorDecoder decoder_;
  KvArena arena_;
};

}  // namespace

std::unique_ptr<Executors> tensor_executors(const Backbone& backbone, const Parameters& parameters, int threads,
                                            bool deterministic) {
  return std::make_unique<TensorExecutors>(backbone, parameters, threads, deterministic);
}

}  // namespace mstar
