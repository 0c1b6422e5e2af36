// See attention.h. Tiles: 4 queries x 16 keys for scores, 4 queries x 16 channels for values, both in registers.
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

template <int Q>
MSTAR_INLINE void score_tile(const Query* queries, const float* keys, int64_t at, int64_t head_dim) {
  f8 low[Q], high[Q];
  for (int i = 0; i < Q; ++i) low[i] = high[i] = f8{};
  for (int64_t d = 0; d < head_dim; ++d) {
    const f8 k0 = MSTAR_LOAD(keys + d * kBlockTokens), k1 = MSTAR_LOAD(keys + d * kBlockTokens + 8);
#pragma GCC unroll 4
    for (int i = 0; i < Q; ++i) {
      const float q = queries[i].q[d];
      low[i] += q * k0;
      high[i] += q * k1;
    }
  }
  for (int i = 0; i < Q; ++i) {
    MSTAR_STORE(queries[i].scores + at, low[i]);
    MSTAR_STORE(queries[i].scores + at + 8, high[i]);
  }
}

MSTAR_INLINE void score_span(const Query* queries, int64_t count, const KvSpan& span, int64_t at, int64_t head_dim,
                             int64_t offset) {
  for (int64_t b = 0; b * kBlockTokens < span.length; ++b) {
    const float* keys = span.blocks[b] + offset;
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) score_tile<4>(queries + i, keys, at + b * kBlockTokens, head_dim);
    for (; i + 2 <= count; i += 2) score_tile<2>(queries + i, keys, at + b * kBlockTokens, head_dim);
    for (; i < count; ++i) score_tile<1>(queries + i, keys, at + b * kBlockTokens, head_dim);
  }
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
    for (int64_t t = 0; t < tokens; ++t) {
#pragma GCC unroll 4
      for (int i = 0; i < Q; ++i) {
        const float p = queries[i].scores[at + b * kBlockTokens + t];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) acc[i][v] += p * MSTAR_LOAD(values + t * head_dim + 8 * v);
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
  for (; channel + 16 <= head_dim; channel += 16) value_tile<Q, 2>(queries, span, at, head_dim, channel, offset);
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

constexpr int64_t padded(int64_t length) { return (length + kBlockTokens - 1) / kBlockTokens * kBlockTokens; }

/** exp((s - max) * scale) in place over one stretch; lanes past the end are set to zero first. Returns the sum. */
MSTAR_INLINE float exp_stretch(float* scores, int64_t length, float max, float scale) {
  for (int64_t i = length; i < padded(length); ++i) scores[i] = -1e30f;
  f8 sum{};
  for (int64_t i = 0; i < length; i += 8) {
    float shifted[8];
    MSTAR_STORE(shifted, (MSTAR_LOAD(scores + i) - max) * scale);
    simd::exp8(shifted, scores + i);
    f8 e = MSTAR_LOAD(scores + i);
    if (i + 8 > length) {
      for (int64_t j = length - i; j < 8; ++j) e[j] = 0.0f;
      MSTAR_STORE(scores + i, e);
    }
    sum += e;
  }
  return simd::sum8(sum);
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
    float max = -1e30f;
    int64_t from = 0;
    for (int64_t s = 0; s <= shared_count; ++s) {
      const int64_t length = s < shared_count ? shared[s].length : own;
      for (int64_t t = 0; t < length; ++t) max = row_scores[from + t] > max ? row_scores[from + t] : max;
      from += padded(length);
    }
    float sum = 0;
    from = 0;
    for (int64_t s = 0; s <= shared_count; ++s) {
      const int64_t length = s < shared_count ? shared[s].length : own;
      sum += exp_stretch(row_scores + from, length, max, scale);
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
