#pragma once
// A response being decoded.
#include "base/random.h"
#include "engine/backbone.h"
#include "engine/rollout/call.h"
#include "engine/rollout/segment.h"
#include "engine/types.h"

namespace mstar {

/** What a row sees lies in shared spans (the prompt, then a prefix) and in a segment of its own. */
struct Row {
  std::shared_ptr<Call> call;
  size_t request;  // of the call
  int64_t sample;
  uint64_t stream;
  int64_t base;   // tokens of the prompt and the prefix
  int64_t shift;  // of positions from places, by the pictures of the prompt
  std::vector<SharedSpan> shared;
  int64_t shared_length;
  std::shared_ptr<Segment> own;  // null while the row waits for memory
  Response response;
  size_t told = 0;  // tokens that the call has told of
  /** Tokens whose keys a step finds: all but the last drawn. */
  int64_t cached() const { return base + static_cast<int64_t>(response.tokens.size()) - 1; }
  /** Those of them that are in `own` when it is there. */
  int64_t own_tokens() const { return cached() - shared_length; }
  /** Its keys were all made anew for another rotation: nothing is shared any more. */
  bool is_whole() const { return shared.empty(); }
  /** What draws the token `ahead` of the next one, in [0, 1). */
  double uniform(int64_t ahead) const {
    const auto position = static_cast<uint32_t>(response.tokens.size()) + static_cast<uint32_t>(ahead);
    return philox_uniform(call->sampling.seed, stream, static_cast<uint32_t>(sample), position);
  }
};

/** Leading spans that two rows share. */
inline size_t spans_in_common(const Row& a, const Row& b) {
  size_t common = 0;
  while (common < a.shared.size() && common < b.shared.size() && a.shared[common] == b.shared[common]) ++common;
  return common;
}

inline bool same_spans(const Row& a, const Row& b) { return a.shared == b.shared; }

/** A drawn token whose keys and values are to be computed: the one at index `at` of its row's own segment. It sees what
 * the row shares, and `own` up to itself. */
struct RowToken {
  const Row* row;
  int64_t at;
  int64_t id() const { return row->response.tokens[static_cast<size_t>(place() - row->base)]; }
  /** In the whole sequence. */
  int64_t place() const { return row->shared_length + at; }
  /** Where the rotation sees the token `ahead` of it. */
  Position turn(int64_t ahead) const {
    const int64_t position = place() + ahead + row->shift;
    return {position, position, position};
  }
};

/** The last drawn token of every row. */
inline std::vector<RowToken> last_tokens(const std::vector<Row>& rows) {
  std::vector<RowToken> tokens;
  for (const Row& row : rows) tokens.push_back({&row, row.own_tokens()});
  return tokens;
}

}  // namespace mstar
