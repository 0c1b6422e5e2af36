// See attention.h. Tiles of eight sums in registers: 4 queries x 2 vectors down to 1 query x 8 vectors, of keys for
// scores and of channels for values. What rows own is read once a step and lies in no near cache by then, so each tile
// asks for the blocks that come after it. Cell is the type of a key's or value's number.
#include "ops/cpu/attention.h"

#include <algorithm>

#include "ops/cpu/simd.h"

namespace mstar::cpu::MSTAR_ISA {
namespace {

using Query = AttendQuery;

/** Vectors of keys in a block. */
constexpr int kKeys = kBlockTokens / kLanes;

template <class Cell>
MSTAR_INLINE const Cell* cells(const void* block, int64_t offset) {
  return static_cast<const Cell*>(block) + offset;
}

/** Scores of Q queries against B blocks of keys; asks for the keys that lie `ahead` blocks later, if not 0. */
template <class Cell, int Q, int B>
MSTAR_INLINE void score_tile(const Query* queries, const void* const* blocks, int64_t ahead, int64_t at,
                             int64_t head_dim, int64_t offset) {
  Floats sums[Q][kKeys * B];
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < kKeys * B; ++v) sums[i][v] = Floats{};
      // Several channels at a time: there are more blocks' addresses than registers for them.
#pragma GCC unroll 4
  for (int64_t d = 0; d < head_dim; ++d) {
    Floats key[kKeys * B];
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
      const Cell* line = cells<Cell>(blocks[b], offset + d * kBlockTokens);
      if (ahead > 0) __builtin_prefetch(cells<Cell>(blocks[ahead + b], offset + d * kBlockTokens));
#pragma GCC unroll 4
      for (int v = 0; v < kKeys; ++v) key[b * kKeys + v] = load(line + v * kLanes);
    }
#pragma GCC unroll 4
    for (int i = 0; i < Q; ++i) {
      const float q = queries[i].q[d];
#pragma GCC unroll 8
      for (int v = 0; v < kKeys * B; ++v) sums[i][v] += q * key[v];
    }
  }
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < kKeys * B; ++v) store(queries[i].scores + at + kLanes * v, sums[i][v]);
}

template <class Cell, int Q>
MSTAR_INLINE void score_blocks(const Query* queries, const KvSpan& span, int64_t ahead, int64_t at, int64_t head_dim,
                               int64_t offset) {
  constexpr int kWide = std::max(1, 8 / Q / kKeys), kHalf = std::max(1, kWide / 2);
  const int64_t blocks = (span.length + kBlockTokens - 1) / kBlockTokens;
  int64_t b = 0;
  for (; b + kWide <= blocks; b += kWide)
    score_tile<Cell, Q, kWide>(queries, span.blocks + b, ahead, at + b * kBlockTokens, head_dim, offset);
  for (; b + kHalf <= blocks; b += kHalf)
    score_tile<Cell, Q, kHalf>(queries, span.blocks + b, ahead, at + b * kBlockTokens, head_dim, offset);
  for (; b < blocks; ++b)
    score_tile<Cell, Q, 1>(queries, span.blocks + b, ahead, at + b * kBlockTokens, head_dim, offset);
}

template <class Cell>
MSTAR_INLINE void score_span(const Query* queries, int64_t count, const KvSpan& span, int64_t ahead, int64_t at,
                             int64_t head_dim, int64_t offset) {
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) score_blocks<Cell, 4>(queries + i, span, ahead, at, head_dim, offset);
  if (count - i == 3) score_blocks<Cell, 3>(queries + i, span, ahead, at, head_dim, offset);
  if (count - i == 2) score_blocks<Cell, 2>(queries + i, span, ahead, at, head_dim, offset);
  if (count - i == 1) score_blocks<Cell, 1>(queries + i, span, ahead, at, head_dim, offset);
}

/** Adds the values of a span to V vectors of L channels of Q queries. */
template <class Cell, int Q, int V, int L>
MSTAR_INLINE void value_tile(const Query* queries, const KvSpan& span, int64_t ahead, int64_t at, int64_t head_dim,
                             int64_t channel, int64_t offset) {
  constexpr int kLine = 64 / sizeof(Cell);  // numbers in a cache line
  using Part = typename Vector<L>::Floats;
  Part sums[Q][V];
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < V; ++v) sums[i][v] = load<L>(queries[i].out + channel + L * v);
  for (int64_t b = 0; b * kBlockTokens < span.length; ++b) {
    const Cell* values = cells<Cell>(span.blocks[b], offset + channel);
    const Cell* later = cells<Cell>(span.blocks[b + ahead], offset + channel);
    const int64_t tokens = std::min(kBlockTokens, span.length - b * kBlockTokens);
    for (int64_t t = 0; t < tokens; ++t, values += head_dim, later += head_dim) {
      if (ahead > 0)
#pragma GCC unroll 8
        for (int v = 0; v < V; v += kLine / L) __builtin_prefetch(later + L * v);
      Part value[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) value[v] = load<L>(values + L * v);
#pragma GCC unroll 4
      for (int i = 0; i < Q; ++i) {
        const float p = queries[i].scores[at + b * kBlockTokens + t];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sums[i][v] += p * value[v];
      }
    }
  }
  for (int i = 0; i < Q; ++i)
    for (int v = 0; v < V; ++v) store<L>(queries[i].out + channel + L * v, sums[i][v]);
}

/** Adds the values of a span to one channel of one query: what is left where the head width is no multiple of 8. */
template <class Cell>
MSTAR_INLINE void value_channel(const Query& query, const KvSpan& span, int64_t at, int64_t head_dim, int64_t channel,
                                int64_t offset) {
  float sum = query.out[channel];
  for (int64_t t = 0; t < span.length; ++t)
    sum += query.scores[at + t] *
           get(*cells<Cell>(span.blocks[t / kBlockTokens], offset + channel + t % kBlockTokens * head_dim));
  query.out[channel] = sum;
}

template <class Cell, int Q>
MSTAR_INLINE void value_channels(const Query* queries, const KvSpan& span, int64_t ahead, int64_t at, int64_t head_dim,
                                 int64_t offset) {
  int64_t channel = 0;
  constexpr int kWide = 8 / Q, kHalf = std::max(1, kWide / 2), kTail = std::min(8, kLanes);
  for (; channel + kLanes * kWide <= head_dim; channel += kLanes * kWide)
    value_tile<Cell, Q, kWide, kLanes>(queries, span, ahead, at, head_dim, channel, offset);
  for (; channel + kLanes * kHalf <= head_dim; channel += kLanes * kHalf)
    value_tile<Cell, Q, kHalf, kLanes>(queries, span, ahead, at, head_dim, channel, offset);
  for (; channel + kLanes <= head_dim; channel += kLanes)
    value_tile<Cell, Q, 1, kLanes>(queries, span, ahead, at, head_dim, channel, offset);
  for (; channel + kTail <= head_dim; channel += kTail)
    value_tile<Cell, Q, 1, kTail>(queries, span, ahead, at, head_dim, channel, offset);
  for (; channel < head_dim; ++channel)
    for (int i = 0; i < Q; ++i) value_channel<Cell>(queries[i], span, at, head_dim, channel, offset);
}

template <class Cell>
MSTAR_INLINE void value_span(const Query* queries, int64_t count, const KvSpan& span, int64_t ahead, int64_t at,
                             int64_t head_dim, int64_t offset) {
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) value_channels<Cell, 4>(queries + i, span, ahead, at, head_dim, offset);
  if (count - i == 3) value_channels<Cell, 3>(queries + i, span, ahead, at, head_dim, offset);
  if (count - i == 2) value_channels<Cell, 2>(queries + i, span, ahead, at, head_dim, offset);
  if (count - i == 1) value_channels<Cell, 1>(queries + i, span, ahead, at, head_dim, offset);
}

constexpr float kHidden = -1e30f;

/** Hides the lanes past the end of a stretch and returns the largest score of it and of `most`. */
MSTAR_INLINE Floats max_stretch(float* scores, int64_t length, Floats most) {
  for (int64_t i = length; i < padded(length); ++i) scores[i] = kHidden;
  for (int64_t i = 0; i < length; i += kLanes) most = larger(load(scores + i), most);
  return most;
}

/** exp((s - max) * scale) in place over one stretch. Adds them to the sums by lane: the largest score adds 1, beside
 * which what hidden lanes add, 1.6e-38, is lost. */
MSTAR_INLINE void exp_stretch(float* scores, int64_t length, float max, float scale, DoubleSums& sums) {
  for (int64_t i = 0; i < length; i += kLanes) {
    const Floats e = exp_to_88((load(scores + i) - max) * scale);
    store(scores + i, e);
    sums.add(e);
  }
}

/** Turns one query's scores into weights; returns 1 / their sum. The sum is in double, so that its rounded result does
 * not depend on where stretches end, but for one in some 10^9: training, which has other stretches, gets the same. */
MSTAR_INLINE float soften(const Attention& a, float* scores, int64_t own) {
  Floats most = Floats{} + kHidden;
  int64_t from = 0;
  for (int64_t s = 0; s <= a.shared_count; ++s) {
    const int64_t length = s < a.shared_count ? a.shared[s].length : own;
    most = max_stretch(scores + from, length, most);
    from += padded(length);
  }
  float max = kHidden;
  DoubleSums sums;
  for (int lane = 0; lane < kLanes; ++lane) max = most[lane] > max ? most[lane] : max;
  from = 0;
  for (int64_t s = 0; s <= a.shared_count; ++s) {
    const int64_t length = s < a.shared_count ? a.shared[s].length : own;
    exp_stretch(scores + from, length, max, a.scale, sums);
    from += padded(length);
  }
  return static_cast<float>(1 / sums.total());
}

template <class Cell>
void attend_cells(const Attention& a, const AttendQuery* queries, const void* const* own) {
  const int64_t count = a.row_count * a.group;
  const auto own_of = [&](int64_t r) { return KvSpan{own, a.rows[r].own.length}; };
  const auto blocks_of = [](const KvSpan& span) { return padded(span.length) / kBlockTokens; };
  int64_t at = 0;
  const void* const* first = own;
  for (int64_t s = 0; s < a.shared_count; ++s) {
    score_span<Cell>(queries, count, a.shared[s], 0, at, a.head_dim, a.place.keys);
    at += padded(a.shared[s].length);
  }
  for (int64_t r = 0; r < a.row_count; ++r) {
    score_span<Cell>(queries + r * a.group, a.group, own_of(r), kBlocksAhead, at, a.head_dim, a.place.keys);
    own += blocks_of(a.rows[r].own);
  }
  // The weights' sums wait in the place of each query's first score past all stretches.
  for (int64_t i = 0; i < count; ++i) {
    const int64_t length = a.rows[i / a.group].own.length;
    queries[i].scores[at + padded(length)] = soften(a, queries[i].scores, length);
  }
  at = 0;
  own = first;
  for (int64_t s = 0; s < a.shared_count; ++s) {
    value_span<Cell>(queries, count, a.shared[s], 0, at, a.head_dim, a.place.values);
    at += padded(a.shared[s].length);
  }
  for (int64_t r = 0; r < a.row_count; ++r) {
    value_span<Cell>(queries + r * a.group, a.group, own_of(r), kBlocksAhead, at, a.head_dim, a.place.values);
    own += blocks_of(a.rows[r].own);
  }
  for (int64_t i = 0; i < count; ++i) {
    const float inverse = queries[i].scores[at + padded(a.rows[i / a.group].own.length)];
    for (int64_t d = 0; d < a.head_dim; ++d) queries[i].out[d] *= inverse;
  }
}

}  // namespace

void attend_queries(const Attention& a, const AttendQuery* queries, const void* const* own) {
  if (a.number == Number::float32) {
    attend_cells<float>(a, queries, own);
  } else {
    attend_cells<uint16_t>(a, queries, own);
  }
}

}  // namespace mstar::cpu::MSTAR_ISA
