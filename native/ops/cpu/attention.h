#pragma once
// Attention of the decode path on CPU over keys and values in blocks of 16 tokens, where sibling rows share spans.
// Scores and values of a shared span are computed for all siblings together (each key is read once per tile of
// queries); every query's result is nevertheless summed in one fixed order: shared spans first, then its own. Runs on
// the calling thread. Plain twin: tree_attention_plain in models/layers.
// Keys and values are float32 or bfloat16, which is half as much to read; all that is computed is float32.
#include <cstdint>
#include <vector>

#include "ops/block.h"
#include "ops/cpu/number.h"

namespace mstar::cpu {

/** `length` tokens rounded up to whole blocks. */
constexpr int64_t padded(int64_t length) { return blocks_for(length) * kBlockTokens; }

/** A stretch of cached tokens. Inside a block, keys of one (layer, head) lie as [head_dim][16], values as
 * [16][head_dim]. */
struct KvSpan {
  const void* const* blocks = nullptr;
  int64_t length = 0;
};

/** One query row of a kv head: `group` query heads side by side, and what this row alone sees after the shared spans.
 */
struct AttendRow {
  const float* q;
  float* out;
  KvSpan own;
};

/** Offsets in numbers of this layer's and head's keys and values from the start of a block. */
struct KvPlace {
  int64_t keys, values;
};

/** The rows of one kv head that see the same shared spans. */
struct Attention {
  const KvSpan* shared;
  int64_t shared_count;
  const AttendRow* rows;
  int64_t row_count, group, head_dim;
  KvPlace place;
  float scale;
  Number number;  // of keys and values
};

/** One query head of one row; `scores` has room for all that it sees, block by block, and for one number more. */
struct AttendQuery {
  const float* q;
  float* out;
  float* scores;
};

/** Buffers of one calling thread. */
struct AttendWorkspace {
  std::vector<float> scores;
  std::vector<AttendQuery> queries;
  std::vector<const void*> own;
};

/** out = softmax(q K^T * scale) V for each row and each of its `group` heads. */
void attend(const Attention& attention, AttendWorkspace& workspace);

/** How many blocks before its use a block of a row's own is asked into cache. */
constexpr int64_t kBlocksAhead = 4;

/** The part of `attend` that depends on the instruction set. `own` holds the blocks of the rows' own spans one row
 * after the other, and kBlocksAhead more. */
void attend_queries(const Attention& attention, const AttendQuery* queries, const void* const* own);

}  // namespace mstar::cpu
