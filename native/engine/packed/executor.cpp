// See executor.h.
#include "engine/packed/executor.h"

#include <ATen/Parallel.h>

#include "base/device.h"
#include "engine/packed/decoder.h"
#include "engine/packed/draw.h"

namespace mstar {
namespace {

/** Rows beyond three quarters: a new prompt would overfill rows that are nearly full. */
constexpr int64_t kMostRows = 256, kFullRows = kMostRows / 4 * 3;
/** A row takes a block every 16 tokens: these last a full batch for a step. */
constexpr int64_t kSpare = 16;
/** Tokens of a sequence that are prefilled together. */
constexpr int64_t kPrefillRows = 256;

class PackedExecutor final : public Executor {
 public:
  PackedExecutor(const Backbone& backbone, const Parameters& parameters, const PackedDecoder& decoder, BlockPool& pool,
                 StopFlag stop)
      : backbone_(backbone),
        parameters_(parameters),
        decoder_(decoder),
        pool_(pool),
        stop_(std::move(stop)),
        shape_(decoder.shape()) {
    at::set_num_threads(1);  // of this worker's thread
  }

  Limits limits() const override { return {kMostRows, kFullRows, 1, 1, kSpare}; }

  std::shared_ptr<Segment> segment(const std::shared_ptr<BlockQuota>& quota, int64_t length) override {
    auto segment = std::make_shared<KvBlocks>(pool_, quota);
    segment->reserve(length);
    return segment;
  }

  at::Tensor prefill(const std::vector<Fresh>& fresh, const std::vector<int64_t>& wanted) override {
    at::Tensor logits;
    if (!wanted.empty()) logits = at::empty({static_cast<int64_t>(wanted.size()), shape_.vocab}, at::kFloat);
    int64_t before = 0, next = 0;
    for (const Fresh& sequence : fresh) {
      const auto embedded = sequence.embedded.to(at::kFloat).contiguous();
      const int64_t length = sequence.length(), width = embedded.size(1);
      const auto shared = spans_of(sequence.before);
      for (int64_t from = 0; from < length; from += kPrefillRows) {
        throw_if(stop_);
        const int64_t count = std::min(kPrefillRows, length - from);
        std::vector<DecodeRow> rows;
        for (int64_t i = from; i < from + count; ++i)
          rows.push_back(
              {&blocks_of(*sequence.segment), i, sequence.positions[static_cast<size_t>(i)], sequence.sequence_length});
        const auto hidden = embedded.narrow(0, from, count).narrow(1, 0, shape_.hidden).contiguous();
        float* x = hidden.mutable_data_ptr<float>();
        const float* deep = embedded.const_data_ptr<float>() + from * width + shape_.hidden;
        decoder_.forward(pool_, rows, {{shared, 0, count}}, x, scratch_, width > shape_.hidden ? deep : nullptr, width);
        for (; next < static_cast<int64_t>(wanted.size()); ++next) {
          const int64_t at = wanted[static_cast<size_t>(next)] - before - from;
          if (at >= count) break;
          decoder_.logits(x + at * shape_.hidden, 1, logits.mutable_data_ptr<float>() + next * shape_.vocab);
        }
      }
      before += length;
    }
    return logits;
  }

  void compute(const std::vector<RowToken>& tokens) override { forward(tokens); }

  Drawn draw(const at::Tensor& logits, const std::vector<Row>& rows) override {
    Drawn drawn;
    for (const Row& row : rows) add(drawn, logits.const_data_ptr<float>(), row);
    return drawn;
  }

  Drawn decode(const std::vector<Row>& rows, int64_t steps) override {
    TORCH_INTERNAL_ASSERT(steps == 1);
    const auto hidden = forward(last_tokens(rows));
    logits_.resize(rows.size() * static_cast<size_t>(shape_.vocab));
    decoder_.logits(hidden.const_data_ptr<float>(), static_cast<int64_t>(rows.size()), logits_.data());
    Drawn drawn;
    for (size_t r = 0; r < rows.size(); ++r)
      add(drawn, logits_.data() + r * static_cast<size_t>(shape_.vocab), rows[r]);
    return drawn;
  }

 private:
  static std::vector<cpu::KvSpan> spans_of(const std::vector<SharedSpan>& shared) {
    std::vector<cpu::KvSpan> spans;
    for (const SharedSpan& span : shared) spans.push_back(blocks_of(*span.segment).span(span.length));
    return spans;
  }

  /** Stores keys and values of these tokens; their final hidden states [N, D]. */
  at::Tensor forward(const std::vector<RowToken>& tokens) {
    std::vector<int64_t> ids;
    std::vector<DecodeRow> rows;
    std::vector<DecodeGroup> groups;
    for (const RowToken& token : tokens) {
      if (rows.empty() || !same_spans(*token.row, *tokens[rows.size() - 1].row))
        groups.push_back({spans_of(token.row->shared), static_cast<int64_t>(rows.size()), 0});
      ++groups.back().rows;
      ids.push_back(token.id());
      rows.push_back({&blocks_of(*token.row->own), token.at, token.turn(0), token.place() + 1});
    }
    auto x = backbone_.embed(parameters_, at::tensor(ids, at::kLong)).to(at::kFloat).contiguous();
    decoder_.forward(pool_, rows, groups, x.mutable_data_ptr<float>(), scratch_);
    return x;
  }

  void add(Drawn& drawn, const float* logits, const Row& row) {
    const double uniform = row.uniform(0);
    const auto [token, logprob] = mstar::draw(logits, shape_.vocab, row.call->sampling, uniform, sampler_);
    drawn.tokens.push_back(token);
    drawn.logprobs.push_back(logprob);
  }

  const Backbone& backbone_;
  const Parameters& parameters_;
  const PackedDecoder& decoder_;
  BlockPool& pool_;
  const StopFlag stop_;
  const DecoderShape shape_;
  std::vector<float> logits_;
  DecodeScratch scratch_;
  SamplerScratch sampler_;
};

class PackedExecutors final : public Executors {
 public:
  PackedExecutors(const Backbone& backbone, const Parameters& parameters, int threads)
      : backbone_(backbone),
        parameters_(parameters),
        threads_(threads),
        decoder_(backbone, parameters),
        pool_(decoder_.shape(), decoder_.number()) {}

  int64_t workers() const override { return threads_; }
  int64_t block_bytes() const override { return pool_.block_bytes(); }
  int64_t budget(int64_t wished) const override { return wished > 0 ? wished : free_bytes(at::kCPU) / 2; }
  void begin(int64_t, int64_t) override { pool_.trim(); }
  void end() override { pool_.trim(); }
  int64_t most_held() const override { return pool_.most_held(); }
  std::unique_ptr<Executor> make(const StopFlag& stop) override {
    return std::make_unique<PackedExecutor>(backbone_, parameters_, decoder_, pool_, stop);
  }

 private:
  const Backbone& backbone_;
  const Parameters& parameters_;
  const int64_t threads_;
  PackedDecoder decoder_;
  BlockPool pool_;
};

}  // namespace

std::unique_ptr<Executors> packed_executors(const Backbone& backbone, const Parameters& parameters, int threads) {
  return std::make_unique<PackedExecutors>(backbone, parameters, threads);
}

}  // namespace mstar
