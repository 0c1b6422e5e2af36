// See attention.h. Tiles of eight accumulators in registers: 4 queries x 16 keys down to 1 query x 64 keys for scores,
// 4 queries x 16 channels down to 1 x 64 for values.
#include "ops/cpu/attention.h"

#include <algorithm>

#include "ops/cpu/simd.h"

namespace mstar::cpu {
namespace {

using simd::f8;

struct Query {
  const float* q;
  float* out;
  float* scores;
};

/** Scores of Q queries against B blocks of keys: eight accumulators whatever Q is, so that none waits for another. */
template <int Q, int B>
MSTAR_INLINE void score_tile(const Query* queries, const float* const* blocks, int64_t at, int64_t head_dim,
                             int64_t offset) {
  f8 acc[Q][2 * B];
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < 2 * B; ++v) acc[i][v] = f8{};
  for (int64_t d = 0; d < head_dim; ++d) {
    f8 key[2 * B];
#pragma GCC unroll 8
    for (int v = 0; v < 2 * B; ++v) key[v] = MSTAR_LOAD(blocks[v / 2] + offset + d * kBlockTokens + v % 2 * 8);
#pragma GCC unroll 4
    for (int i = 0; i < Q; ++i) {
      const float q = queries[i].q[d];
#pragma GCC unroll 8
      for (int v = 0; v < 2 * B; ++v) acc[i][v] += q * key[v];
    }
  }
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < 2 * B; ++v) MSTAR_STORE(queries[i].scores + at + 8 * v, acc[i][v]);
}

template <int Q>
MSTAR_INLINE void score_blocks(const Query* queries, const KvSpan& span, int64_t at, int64_t head_dim, int64_t offset) {
  constexpr int kWide = 4 / Q;
  const int64_t blocks = (span.length + kBlockTokens - 1) / kBlockTokens;
  int64_t b = 0;
  for (; b + kWide <= blocks; b += kWide)
    score_tile<Q, kWide>(queries, span.blocks + b, at + b * kBlockTokens, head_dim, offset);
  for (; b < blocks; ++b) score_tile<Q, 1>(queries, span.blocks + b, at + b * kBlockTokens, head_dim, offset);
}

MSTAR_INLINE void score_span(const Query* queries, int64_t count, const KvSpan& span, int64_t at, int64_t head_dim,
                             int64_t offset) {
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) score_blocks<4>(queries + i, span, at, head_dim, offset);
  for (; i + 2 <= count; i += 2) score_blocks<2>(queries + i, span, at, head_dim, offset);
  for (; i < count; ++i) score_blocks<1>(queries + i, span, at, head_dim, offset);
}

template <int Q, int V>
MSTAR_INLINE void value_tile(const Query* queries, const KvSpan& span, int64_t at, int64_t head_dim, int64_t channel,
                             int64_t offset) {
  f8 acc[Q][V];
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < V; ++v) acc[i][v] = MSTAR_LOAD(queries[i].out + channel + 8 * v);
  for (int64_t b = 0; b * kBlockTokens < span.length; ++b) {
    const float* values = span.blocks[b] + offset + channel;
    const int64_t tokens = std::min(kBlockTokens, span.length - b * kBlockTokens);
    for (int64_t t = 0; t < tokens; ++t, values += head_dim) {
      f8 value[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) value[v] = MSTAR_LOAD(values + 8 * v);
#pragma GCC unroll 4
      for (int i = 0; i < Q; ++i) {
        const float p = queries[i].scores[at + b * kBlockTokens + t];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) acc[i][v] += p * value[v];
      }
    }
  }
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < V; ++v) MSTAR_STORE(queries[i].out + channel + 8 * v, acc[i][v]);
}

/** One channel of one query: what is left where the head width is no multiple of 8. */
MSTAR_INLINE float value_channel(const Query& query, const KvSpan& span, int64_t at, int64_t head_dim, int64_t offset) {
  float sum = 0;
  for (int64_t t = 0; t < span.length; ++t)
    sum += query.scores[at + t] * span.blocks[t / kBlockTokens][offset + t % kBlockTokens * head_dim];
  return sum;
}

template <int Q>
MSTAR_INLINE void value_channels(const Query* queries, const KvSpan& span, int64_t at, int64_t head_dim,
                                 int64_t offset) {
  int64_t channel = 0;
  constexpr int kWide = 8 / Q;  // eight accumulators, as for scores
  for (; channel + 8 * kWide <= head_dim; channel += 8 * kWide)
    value_tile<Q, kWide>(queries, span, at, head_dim, channel, offset);
  for (; channel + 8 <= head_dim; channel += 8) value_tile<Q, 1>(queries, span, at, head_dim, channel, offset);
  for (; channel < head_dim; ++channel)
    for (int i = 0; i < Q; ++i)
      queries[i].out[channel] += value_channel(queries[i], span, at, head_dim, offset + channel);
}

MSTAR_INLINE void value_span(const Query* queries, int64_t count, const KvSpan& span, int64_t at, int64_t head_dim,
                             int64_t offset) {
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) value_channels<4>(queries + i, span, at, head_dim, offset);
  for (; i + 2 <= count; i += 2) value_channels<2>(queries + i, span, at, head_dim, offset);
  for (; i < count; ++i) value_channels<1>(queries + i, span, at, head_dim, offset);
}

constexpr float kHidden = -1e30f;

constexpr int64_t padded(int64_t length) { return (length + kBlockTokens - 1) / kBlockTokens * kBlockTokens; }

/** Hides the lanes past the end of a stretch and returns the largest score of it and of `most`. */
MSTAR_INLINE f8 max_stretch(float* scores, int64_t length, f8 most) {
  for (int64_t i = length; i < padded(length); ++i) scores[i] = kHidden;
  for (int64_t i = 0; i < length; i += 8) most = simd::max8(MSTAR_LOAD(scores + i), most);
  return most;
}

/** exp((s - max) * scale) in place over one stretch; hidden lanes become zero. Returns the sums by lane. */
MSTAR_INLINE f8 exp_stretch(float* scores, int64_t length, float max, float scale) {
  f8 sum{};
  for (int64_t i = 0; i < length; i += 8) {
    const f8 score = MSTAR_LOAD(scores + i);
    f8 e = simd::exp8((score - max) * scale);
    e = score > kHidden ? e : f8{};
    MSTAR_STORE(scores + i, e);
    sum += e;
  }
  return sum;
}

}  // namespace

MSTAR_SIMD void attend(const KvSpan* shared, int64_t shared_count, const AttendRow* rows, int64_t row_count,
                       int64_t group, int64_t head_dim, KvPlace place, float scale, std::vector<float>& workspace) {
  int64_t shared_width = 0, own_width = 0;
  for (int64_t s = 0; s < shared_count; ++s) shared_width += padded(shared[s].length);
  for (int64_t r = 0; r < row_count; ++r) own_width = std::max(own_width, padded(rows[r].own.length));
  const int64_t width = shared_width + own_width, count = row_count * group;
  const size_t wanted = static_cast<size_t>(count * width);
  if (workspace.size() < wanted) workspace.resize(wanted);
  float* scores = workspace.data();
  std::vector<Query> queries(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const AttendRow& row = rows[i / group];
    queries[static_cast<size_t>(i)] = {row.q + i % group * head_dim, row.out + i % group * head_dim,
                                       scores + i * width};
    std::memset(queries[static_cast<size_t>(i)].out, 0, static_cast<size_t>(head_dim) * sizeof(float));
  }

  int64_t at = 0;
  for (int64_t s = 0; s < shared_count; ++s) {
    score_span(queries.data(), count, shared[s], at, head_dim, place.keys);
    at += padded(shared[s].length);
  }
  for (int64_t r = 0; r < row_count; ++r)
    score_span(queries.data() + r * group, group, rows[r].own, at, head_dim, place.keys);

  std::vector<float> inverse(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    float* row_scores = queries[static_cast<size_t>(i)].scores;
    const int64_t own = rows[i / group].own.length;
    f8 most = f8{} + kHidden;
    int64_t from = 0;
    for (int64_t s = 0; s <= shared_count; ++s) {
      const int64_t length = s < shared_count ? shared[s].length : own;
      most = max_stretch(row_scores + from, length, most);
      from += padded(length);
    }
    float max = kHidden;
    for (int lane = 0; lane < 8; ++lane) max = most[lane] > max ? most[lane] : max;
    // Each stretch is summed by itself, in the order of the tokens.
    float sum = 0;
    from = 0;
    for (int64_t s = 0; s <= shared_count; ++s) {
      const int64_t length = s < shared_count ? shared[s].length : own;
      sum += simd::sum8(exp_stretch(row_scores + from, length, max, scale));
      from += padded(length);
    }
    inverse[static_cast<size_t>(i)] = 1.0f / sum;
  }

  at = 0;
  for (int64_t s = 0; s < shared_count; ++s) {
    value_span(queries.data(), count, shared[s], at, head_dim, place.values);
    at += padded(shared[s].length);
  }
  for (int64_t r = 0; r < row_count; ++r)
    value_span(queries.data() + r * group, group, rows[r].own, at, head_dim, place.values);
  for (int64_t i = 0; i < count; ++i) {
    float* out = queries[static_cast<size_t>(i)].out;
    for (int64_t d = 0; d < head_dim; ++d) out[d] *= inverse[static_cast<size_t>(i)];
  }
}

}  // namespace mstar::cpu
