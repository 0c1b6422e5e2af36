#pragma once
// Keys and values in blocks of 16 tokens from one pool. A segment is a stretch of a sequence that others may share by
// reference counting: a prompt, a response that completions fork from, the tokens of one row. Leaves attention to ops/.
#include <memory>
#include <mutex>
#include <vector>

#include "engine/backbone.h"
#include "ops/cpu/attention.h"

namespace mstar {

class BlockPool {
 public:
  explicit BlockPool(const DecoderShape& shape);
  /** Floats of one block: keys and values of 16 tokens in every layer and kv head. */
  int64_t block_floats() const { return block_floats_; }
  /** Where keys and values of (layer, kv head) lie in a block. */
  cpu::KvPlace place(int64_t layer, int64_t kv_head) const;
  float* take();
  void give_back(float* block);

 private:
  int64_t kv_heads_, head_dim_, block_floats_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<float[]>> blocks_;
  std::vector<float*> free_;
};

class Segment {
 public:
  explicit Segment(BlockPool& pool) : pool_(pool) {}
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  /** Makes room for tokens up to `length`. */
  void reserve(int64_t length);
  int64_t length = 0;
  cpu::KvSpan span(int64_t first_tokens) const { return {blocks_.data(), first_tokens}; }
  float* block(int64_t i) const { return blocks_[static_cast<size_t>(i)]; }

 private:
  BlockPool& pool_;
  std::vector<float*> blocks_;
};

/** The first `length` tokens of a segment, kept alive. */
struct SharedSpan {
  std::shared_ptr<Segment> segment;
  int64_t length = 0;
};

}  // namespace mstar
