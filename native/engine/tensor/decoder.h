#pragma once
// The decoder's forward pass for prefill and decoding in LibTorch operations, on any device and in any number type: the
// path of GPUs. Rows see spans and blocks of an arena of keys and values (span_attention.h). Plain
// twin: Backbone::hidden. Leaves drawing to draw.h.
#include <vector>

#include "engine/tensor/kv_arena.h"
#include "ops/fused.h"
#include "ops/span_attention.h"

namespace mstar {

/** Spans that rows share. Long ones are cut in pieces, which lie one after the other in `spans`. */
struct Level {
  Spans spans;
  int64_t copies = 1;
};

/** Rows of one call: where each is stored, how it is rotated and what it sees. All tensors lie on the device. */
struct TensorRows {
  at::Tensor places;            // int64 [N]: where keys and values go in the arena
  at::Tensor cosine, sine;      // [N, E / 2] float32
  std::vector<Level> levels;    // shared spans; queries are counted after folding the heads of a group into rows
  RowBlocks own;                // decoding: what every row sees alone
  std::vector<int64_t> causal;  // prefill: lengths of new sequences in the rows, which see themselves causally
};

class TensorDecoder {
 public:
  TensorDecoder(const Backbone& backbone, const Parameters& parameters);
  const DecoderShape& shape() const { return shape_; }
  const at::TensorOptions& options() const { return options_; }
  const FusedOps& ops() const { return ops_; }
  /** Query heads that share a key head: rows of a call count this many times in Spans. */
  int64_t group() const { return shape_.heads / shape_.kv_heads; }
  /** Final hidden states [N, D] of embeddings [N, D], with the features of deep layers beside them or without. */
  at::Tensor forward(const KvArena& arena, const TensorRows& rows, const at::Tensor& embedded_ND) const;
  /** Logits [N, V] in the number type of the weights. */
  at::Tensor logits(const at::Tensor& hidden_ND) const;
  /** Sets cosine and sine for positions in sequences of these lengths. */
  void rotate(TensorRows& rows, const std::vector<Position>& positions, const std::vector<int64_t>& lengths) const;

 private:
  at::Tensor projected(int64_t layer, const at::Tensor& normal) const;
  at::Tensor attention(const KvArena& arena, const TensorRows& rows, int64_t layer, const at::Tensor& normal) const;

  const Backbone& backbone_;
  at::TensorOptions options_;
  const FusedOps& ops_;
  DecoderShape shape_;
  DecoderWeights weights_;
  at::Tensor head_;  // weights_.head, on a GPU with rows of zeros up to a multiple that its matrix product is fast for
  std::vector<at::Tensor>
      head_norms_;  // by layer [H + K, E]: what scales queries and keys; undefined where nothing does
  Rope base_;
};

}  // namespace mstar
