// See span_attention.h.
#include "ops/span_attention.h"

#include "ops/block.h"

namespace mstar {
namespace {

/** Queries whose products are made together on a device without flash attention. */
constexpr int64_t kTile = 32;

bool flash_takes(const at::Tensor& q) { return attends_on_device(q.options(), q.size(-1)); }

at::Tensor upload_list(const std::vector<int32_t>& list, const at::Device& device) {
  return at::tensor(list, at::kInt).to(device);
}

std::vector<int32_t> ends_of(const std::vector<int64_t>& lengths) {
  std::vector<int32_t> ends{0};
  for (int64_t length : lengths) ends.push_back(ends.back() + static_cast<int32_t>(length));
  return ends;
}

/** One span: q [m, H, E], k and v [n, K, E] with H a multiple of K; `first` >= 0: query i sees keys 0 .. first + i. */
Attended attend_one(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale, int64_t first) {
  const int64_t group = q.size(1) / k.size(1);
  const auto wide = [&](const at::Tensor& x) {
    return x.to(at::kFloat).repeat_interleave(group, 1).transpose(0, 1);  // [H, n, E]
  };
  auto scores = at::matmul(q.to(at::kFloat).transpose(0, 1), wide(k).transpose(1, 2)).mul_(scale);  // [H, m, n]
  if (first >= 0) {
    const auto hidden = at::ones({q.size(0), k.size(0)}, q.options().dtype(at::kBool)).triu(first + 1);
    scores.masked_fill_(hidden, -std::numeric_limits<float>::infinity());
  }
  const auto lse = at::logsumexp(scores, {-1});
  const auto out = at::matmul(at::softmax(scores, -1), wide(v)).transpose(0, 1);
  return {out.to(q.scalar_type()), lse};
}

}  // namespace

bool attends_on_device(const at::TensorOptions& options, int64_t head_dim) {
  // Flash attention takes half-width numbers on a GPU and head widths up to 256 in steps of 8.
  return options.device().is_cuda() && options.dtype() != at::kFloat && head_dim % 8 == 0 && head_dim <= 256;
}

void Spans::add(int64_t queries, int64_t begin, int64_t length) {
  query_ends.push_back((query_ends.empty() ? 0 : query_ends.back()) + static_cast<int32_t>(queries));
  begins.push_back(static_cast<int32_t>(begin));
  lengths.push_back(static_cast<int32_t>(length));
  most_queries = std::max(most_queries, queries);
  longest = std::max(longest, length);
}

void Spans::upload(const at::Device& device) {
  std::vector<int32_t> ends{0}, starts = begins;
  ends.insert(ends.end(), query_ends.begin(), query_ends.end());
  starts.push_back(starts.empty() ? 0 : starts.back());
  query_ends_device = upload_list(ends, device);
  begins_device = upload_list(starts, device);
  lengths_device = upload_list(lengths, device);
}

Attended attend_spans_plain(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const Spans& spans,
                            double scale) {
  auto out = at::zeros_like(q);
  auto lse = at::full({q.size(1), q.size(0)}, -std::numeric_limits<float>::infinity(), q.options().dtype(at::kFloat));
  for (size_t s = 0; s < spans.lengths.size(); ++s) {
    const int64_t from = s == 0 ? 0 : spans.query_ends[s - 1], count = spans.query_ends[s] - from;
    if (count == 0 || spans.lengths[s] == 0) continue;
    const auto seen = [&](const at::Tensor& x) { return x.narrow(0, spans.begins[s], spans.lengths[s]); };
    // In tiles of one size: how a query's products are summed may depend on how many there are.
    for (int64_t at = 0; at < count; at += kTile) {
      const int64_t left = std::min(kTile, count - at);
      const auto tile = at::constant_pad_nd(q.narrow(0, from + at, left), {0, 0, 0, 0, 0, kTile - left});
      const auto one = attend_one(tile, seen(keys), seen(values), scale, -1);
      out.narrow(0, from + at, left).copy_(one.out.narrow(0, 0, left));
      lse.narrow(1, from + at, left).copy_(one.lse.narrow(1, 0, left));
    }
  }
  return {out, lse};
}

std::vector<Attended> attend_copies(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                                    const Spans& spans, int64_t copies, double scale) {
  const int64_t m = q.size(0);
  const auto all = attend_spans(copies == 1 ? q : q.repeat({copies, 1, 1}), keys, values, spans, scale);
  std::vector<Attended> parts;
  for (int64_t c = 0; c < copies; ++c) parts.push_back({all.out.narrow(0, c * m, m), all.lse.narrow(1, c * m, m)});
  return parts;
}

Attended attend_blocks(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const RowBlocks& own,
                       double scale) {
  const int64_t rows = own.size(), group = q.size(0) / rows;
  // The named blocks laid end to end.
  const auto gather = [](const at::Tensor& from, const at::Tensor& blocks) {
    return from.view({-1, kBlockTokens, from.size(1), from.size(2)}).index_select(0, blocks.flatten()).flatten(0, 1);
  };
  Spans spans;
  if (flash_takes(q)) {
    const auto count = at::arange(rows + 1, own.table.options());
    spans.longest = own.table.size(1) * kBlockTokens;
    spans.most_queries = group;
    spans.query_ends_device = count * static_cast<int32_t>(group);
    spans.begins_device = count * static_cast<int32_t>(spans.longest);
    spans.lengths_device = own.lengths;
    return attend_spans(q, gather(keys, own.table), gather(values, own.table), spans, scale);
  }
  const auto lengths = own.lengths.cpu();
  std::vector<at::Tensor> outs, lse;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = lengths.const_data_ptr<int32_t>()[row];
    const auto blocks = own.table[row].narrow(0, 0, blocks_for(length));
    const auto one = attend_one(q.narrow(0, row * group, group), gather(keys, blocks).narrow(0, 0, length),
                                gather(values, blocks).narrow(0, 0, length), scale, -1);
    outs.push_back(one.out);
    lse.push_back(one.lse);
  }
  return {at::cat(outs), at::cat(lse, 1)};
}

Attended attend_spans(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const Spans& spans,
                      double scale) {
  if (!flash_takes(q)) return attend_spans_plain(q, keys, values, spans, scale);
  const auto result = at::_flash_attention_forward(q, keys, values, spans.query_ends_device, spans.begins_device,
                                                   spans.most_queries, spans.longest, 0.0, false, false, scale,
                                                   std::nullopt, std::nullopt, spans.lengths_device);
  return {std::get<0>(result), std::get<1>(result)};
}

Attended attend_causal(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const std::vector<int64_t>& lengths, double scale) {
  const auto ends = ends_of(lengths);
  if (flash_takes(q)) {
    const auto longest = *std::max_element(lengths.begin(), lengths.end());
    const auto on_device = upload_list(ends, q.device());
    auto result =
        at::_flash_attention_forward(q, k, v, on_device, on_device, longest, longest, 0.0, true, false, scale);
    return {std::get<0>(result), std::get<1>(result)};
  }
  std::vector<at::Tensor> outs, sums;
  for (size_t s = 0; s < lengths.size(); ++s) {
    if (lengths[s] == 0) continue;
    const auto part = [&](const at::Tensor& x) { return x.narrow(0, ends[s], lengths[s]); };
    const auto one = attend_one(part(q), part(k), part(v), scale, 0);
    outs.push_back(one.out);
    sums.push_back(one.lse);
  }
  return {at::cat(outs), at::cat(sums, 1)};
}

}  // namespace mstar
