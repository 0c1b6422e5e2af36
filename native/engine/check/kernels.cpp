// See kernel_check.h.
#include "engine/check/kernels.h"

#include "ops/block.h"
#include "ops/fused.h"

namespace mstar {
namespace {

constexpr int64_t kRows = 37, kPlaces = 4000, kMostBlocks = 25;
constexpr double kEps = 1e-5;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

double difference(const at::Tensor& found, const at::Tensor& wanted) {
  const auto a = found.to(at::kFloat), b = wanted.to(at::kFloat);
  return (a - b).abs().max().item<double>() / std::max(b.abs().max().item<double>(), 1e-6);
}

class Comparison {
 public:
  explicit Comparison(const at::Device& device)
      : half_(at::TensorOptions(at::kBFloat16).device(device)),
        wide_(half_.dtype(at::kFloat)),
        fused_(fused_ops(half_)),
        plain_(plain_ops()) {}

  std::vector<KernelError> run() {
    for (const HeadShape& shape : {HeadShape{16, 8, 128}, {32, 32, 96}, {32, 8, 128}, {4, 4, 64}, {16, 2, 64}}) {
      shape_ = std::to_string(shape.heads) + "/" + std::to_string(shape.kv_heads) + " heads of " +
               std::to_string(shape.head_dim);
      rotation(shape);
      merging(shape);
      rows(shape);
    }
    for (int64_t width : {2048, 3072, 100}) {
      shape_ = "width " + std::to_string(width);
      norm(width);
      activation(width);
    }
    for (int64_t vocabulary : {92553, 32064}) {
      shape_ = std::to_string(vocabulary) + " tokens";
      for (double temperature : {0.0, 1.0, 0.6}) draw(vocabulary, temperature);
    }
    return std::move(errors_);
  }

 private:
  void add(const char* what, double error) { errors_.push_back({what, shape_, error}); }
  at::Tensor normal(at::IntArrayRef sizes) const { return at::randn(sizes, half_); }

  void rotation(const HeadShape& s) {
    const auto qkv = normal({kRows, (s.heads + 2 * s.kv_heads) * s.head_dim});
    const auto angles = at::randn({kRows, s.head_dim / 2}, wide_);
    const auto cosine = angles.cos(), sine = angles.sin();
    const auto places = at::randperm(kPlaces, half_.dtype(at::kLong)).narrow(0, 0, kRows).contiguous();
    std::vector<at::Tensor> results;
    for (const FusedOps* ops : {&fused_, &plain_}) {
      auto keys = at::zeros({kPlaces, s.kv_heads, s.head_dim}, half_), values = at::zeros_like(keys);
      results.push_back(ops->rotate_and_store(qkv, cosine, sine, places, keys, values, s));
      results.push_back(keys);
      results.push_back(values);
    }
    add("rotate_and_store queries", difference(results[0], results[3]));
    add("rotate_and_store keys", difference(results[1], results[4]));
    add("rotate_and_store values", difference(results[2], results[5]));
  }

  /** Attentions over other spans, one of them empty, as views into larger tensors. */
  void others(const HeadShape& s, std::vector<at::Tensor>& outs, std::vector<at::Tensor>& lse) const {
    const int64_t m = kRows * s.group(), parts = 5;
    const auto out = normal({parts * m, s.kv_heads, s.head_dim});
    const auto sums = at::randn({s.kv_heads, parts * m}, wide_);
    sums.narrow(1, 2 * m, m / 2).fill_(kInfinity);
    sums.narrow(1, 3 * m, m).fill_(-kInfinity);
    for (int64_t part = 0; part < parts; ++part) {
      outs.push_back(out.narrow(0, part * m, m));
      lse.push_back(sums.narrow(1, part * m, m));
    }
  }

  void merging(const HeadShape& s) {
    std::vector<at::Tensor> outs, lse;
    others(s, outs, lse);
    add("merge", difference(fused_.merge(outs, lse, kRows), plain_.merge(outs, lse, kRows)));
  }

  void rows(const HeadShape& s) {
    const auto queries = normal({kRows * s.group(), s.kv_heads, s.head_dim});
    const auto keys = normal({kPlaces, s.kv_heads, s.head_dim}), values = normal({kPlaces, s.kv_heads, s.head_dim});
    const auto table = at::randint(kPlaces / kBlockTokens, {kRows, kMostBlocks}, half_.dtype(at::kInt));
    const auto lengths = at::randint(1, kMostBlocks * kBlockTokens + 1, {kRows}, half_.dtype(at::kInt));
    const RowBlocks own{table, lengths};
    const double scale = 1 / std::sqrt(static_cast<double>(s.head_dim));
    std::vector<at::Tensor> outs, lse;
    others(s, outs, lse);
    const auto found = fused_.attend_rows(queries, keys, values, own, outs, lse, scale);
    const auto alone = fused_.attend_rows(queries, keys, values, own, {}, {}, scale);
    // The same as spans of the places themselves.
    const auto places = (table.to(at::kLong).unsqueeze(-1) * kBlockTokens + at::arange(kBlockTokens, table.options()));
    Spans spans;
    for (int64_t row = 0; row < kRows; ++row)
      spans.add(s.group(), row * kMostBlocks * kBlockTokens, lengths[row].item<int64_t>());
    const auto end_to_end = [&](const at::Tensor& x) { return x.index_select(0, places.flatten()); };
    const auto part = attend_spans_plain(queries, end_to_end(keys), end_to_end(values), spans, scale);
    add("attend_rows alone", difference(alone, plain_.merge({part.out}, {part.lse}, kRows)));
    outs.push_back(part.out);
    lse.push_back(part.lse);
    add("attend_rows merged", difference(found, plain_.merge(outs, lse, kRows)));
  }

  void norm(int64_t width) {
    const auto x = normal({kRows, width}), delta = normal({kRows, width}), weight = normal({width});
    const auto a = x.clone(), b = x.clone();
    add("add_norm without a sum",
        difference(fused_.add_norm(a, {}, weight, kEps), plain_.add_norm(b, {}, weight, kEps)));
    add("add_norm", difference(fused_.add_norm(a, delta, weight, kEps), plain_.add_norm(b, delta, weight, kEps)));
    add("add_norm sum", difference(a, b));
  }

  void activation(int64_t width) {
    const auto gate = normal({kRows, width}), up = normal({kRows, width});
    add("swiglu", difference(fused_.swiglu(gate, up), plain_.swiglu(gate, up)));
  }

  void draw(int64_t vocabulary, double temperature) {
    const auto logits = (2 * normal({8 * kRows, vocabulary + 7})).narrow(1, 0, vocabulary);
    const auto uniform = at::rand({8 * kRows}, wide_);
    const auto [found, found_sums] = fused_.draw(logits, temperature, uniform);
    const auto [wanted, wanted_sums] = plain_.draw(logits, temperature, uniform);
    const auto same = found == wanted;
    add(temperature == 0 ? "draw greedy tokens" : "draw tokens", 1 - same.to(at::kFloat).mean().item<double>());
    add("draw log-probabilities", difference(found_sums.masked_select(same), wanted_sums.masked_select(same)));
  }

  at::TensorOptions half_, wide_;
  const FusedOps &fused_, &plain_;
  std::string shape_;
  std::vector<KernelError> errors_;
};

}  // namespace

std::vector<KernelError> compare_kernels(const at::Device& device) {
  const at::NoGradGuard no_grad;
  return Comparison(device).run();
}

}  // namespace mstar
