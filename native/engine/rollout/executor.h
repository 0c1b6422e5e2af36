#pragma once
// What the scheduler asks of the two ways to compute, `packed` (CPU) and `tensor` (GPUs): keys
// and values of fresh sequences, the next tokens of rows, and memory for both. They know no order of work.
#include "engine/backbone.h"
#include "engine/rollout/row.h"

namespace mstar {

/** What suits an executor. */
struct Limits {
  int64_t rows;            // decoded together at most
  int64_t full_rows;       // from here on no new prompt is begun
  int64_t prefill_tokens;  // prompts are computed together up to this length; 1: each alone
  int64_t steps;           // decode steps at most between two looks at what was drawn
  int64_t spare;           // blocks left to the other rows when one comes back, at most one for each
};

/** A sequence to compute: embeddings [L, D], with the features of deep layers beside them where it has pictures; the
 * segment that its keys go to, what it continues, where the rotation sees it. */
struct Fresh {
  at::Tensor embedded;
  std::shared_ptr<Segment> segment;
  std::vector<SharedSpan> before;
  int64_t sequence_length;  // chooses the rotation
  std::vector<Position> positions;
  int64_t length() const { return embedded.size(0); }
};

/** Tokens and their log-probabilities under the plain distribution, [steps, rows]. */
struct Drawn {
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
};

/** Computes for one worker, on its thread. */
class Executor {
 public:
  virtual ~Executor() = default;
  virtual Limits limits() const = 0;
  /** A segment with room for `length` tokens, whose blocks `quota` counts. One that is prefilled or shared has all its
   * room from the start. */
  virtual std::shared_ptr<Segment> segment(const std::shared_ptr<BlockQuota>& quota, int64_t length) = 0;
  /** Computes fresh sequences; what was embedded may be overwritten. Logits [wanted, V] at the wanted rows (ascending)
   * of the sequences laid end to end; undefined where none is wanted. */
  virtual at::Tensor prefill(const std::vector<Fresh>& fresh, const std::vector<int64_t>& wanted) = 0;
  /** Keys and values of at most `limits().rows` drawn tokens, with the sums of a decode step. */
  virtual void compute(const std::vector<RowToken>& tokens) = 0;
  /** The next token of each of at most `limits().rows` rows, all from the same logits [V]. */
  virtual Drawn draw(const at::Tensor& logits_V, const std::vector<Row>& rows) = 0;
  /** `steps` tokens for every row. Rows have room for what they can still take; what is drawn for one beyond that has
   * no meaning. */
  virtual Drawn decode(const std::vector<Row>& rows, int64_t steps) = 0;
};

/** What the executors of a model have in common from session to session: its weights in their form, and the memory of
 * keys and values. Must outlive every segment. */
class Executors {
 public:
  virtual ~Executors() = default;
  /** Executors that run side by side at most. */
  virtual int64_t workers() const = 0;
  virtual int64_t block_bytes() const = 0;
  /** Bytes for keys and values where `wished` (0: what suits) were asked for. */
  virtual int64_t budget(int64_t wished) const = 0;
  /** Before a session, of which no more than `wanted` blocks can come, and never more than `most` with those that are
   * held already: makes room, and counts the most held from here on. */
  virtual void begin(int64_t wanted, int64_t most) = 0;
  /** After a session: frees what nobody holds. */
  virtual void end() = 0;
  virtual int64_t most_held() const = 0;
  /** To be made, used and destroyed on the worker's thread. A raised `stop` ends a long prefill with Cancelled. */
  virtual std::unique_ptr<Executor> make(const StopFlag& stop) = 0;
};

}  // namespace mstar
