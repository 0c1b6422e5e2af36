#pragma once
// Attention of the decode path on CPU over keys and values in blocks of 16 tokens, where sibling rows share spans.
// Scores and values of a shared span are computed for all siblings together (each key is read once per tile of
// queries); every query's result is nevertheless summed in one fixed order: shared spans first, then its own. Runs on
// the calling thread. Plain twin: scaled_dot_product_attention in models/layers/attention.cpp.
#include <cstdint>
#include <vector>

namespace mstar::cpu {

/** Tokens in one block of keys and values. */
constexpr int64_t kBlockTokens = 16;

/** A stretch of cached tokens. Inside a block, keys of one (layer, head) lie as [head_dim][16], values as
 * [16][head_dim]. */
struct KvSpan {
  const float* const* blocks = nullptr;
  int64_t length = 0;
};

/** One query row of a kv head: `group` query heads side by side, and what this row alone sees after the shared spans.
 */
struct AttendRow {
  const float* q;
  float* out;
  KvSpan own;
};

/** Offsets in floats of this layer's and head's keys and values from the start of a block. */
struct KvPlace {
  int64_t keys, values;
};

/** out = softmax(q K^T * scale) V for each row and each of its `group` heads. */
void attend(const KvSpan* shared, int64_t shared_count, const AttendRow* rows, int64_t row_count, int64_t group,
            int64_t head_dim, KvPlace place, float scale, std::vector<float>& workspace);

}  // namespace mstar::cpu
