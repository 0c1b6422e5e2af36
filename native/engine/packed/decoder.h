#pragma once
// The decoder's forward pass for prefill and decoding on CPU: packed weights, cached keys and values, no autograd, no
// LibTorch inside a step. A row's numbers do not depend on the other rows of the call. Weights, keys and values have
// the number type of the parameters; what flows between them is float32. Adapters are merged into the packed copy, in
// float32 only. Plain twin: Backbone::hidden.
#include <vector>

#include "base/huge_pages.h"
#include "engine/packed/kv_blocks.h"
#include "ops/cpu/attention.h"
#include "ops/cpu/gemm.h"

namespace mstar {

/** A row to compute: its token is stored at index `at` of `own` and sees `own` up to there. */
struct DecodeRow {
  const KvBlocks* own;
  int64_t at;
  Position position;
  int64_t sequence_length;  // chooses the rotation frequencies
};

/** Rows that see the same shared spans. */
struct DecodeGroup {
  std::vector<cpu::KvSpan> shared;
  int64_t first_row = 0, rows = 0;
};

/** Buffers of one calling thread. */
struct DecodeScratch {
  std::vector<float> normal, qkv, mixed, gate_up, gated, cosine, sine;
  std::vector<cpu::AttendRow> attend;
  cpu::AttendWorkspace attended;
};

class PackedDecoder {
 public:
  PackedDecoder(const Backbone& backbone, const Parameters& parameters);
  const DecoderShape& shape() const { return shape_; }
  /** Number type of the weights, and of the keys and values to store. */
  cpu::Number number() const { return number_; }
  /** x [rows, D] holds embeddings and becomes the final hidden states after the last norm. `deep`: what pictures add
   * after the first layers, side by side [rows, deep_layers D], `stride` apart; null: nothing. */
  void forward(BlockPool& pool, const std::vector<DecodeRow>& rows, const std::vector<DecodeGroup>& groups, float* x,
               DecodeScratch& scratch, const float* deep = nullptr, int64_t stride = 0) const;
  /** logits [rows, V] of final hidden states. */
  void logits(const float* hidden, int64_t rows, float* out) const;

 private:
  struct Layer {
    std::vector<float> attention_norm, ffn_norm, qkv_bias, query_norm, key_norm;  // empty where there is none
    cpu::PackedWeight qkv, output, gate_up, down;
  };
  struct Rotation {
    std::vector<float> frequencies;
    std::vector<size_t> axes;
    float scale = 1;
  };
  Rotation rotation_of(int64_t length) const;
  void rotation(const std::vector<DecodeRow>& rows, DecodeScratch& scratch) const;
  void finish_heads(const Layer& layer, const DecodeScratch& scratch, int64_t rows, float* qkv) const;
  void store(const BlockPool& pool, int64_t layer, const std::vector<DecodeRow>& rows, const float* qkv) const;

  const Backbone& backbone_;
  DecoderShape shape_;
  cpu::Number number_;
  Rotation base_;
  std::vector<float> norm_;
  HugeVector matrices_;  // what layers_ and head_ are views of
  std::vector<Layer> layers_;
  cpu::PackedWeight head_;
};

}  // namespace mstar
