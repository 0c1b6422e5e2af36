#pragma once
// Keys and values of the packed path: blocks of 16 tokens in every layer, from slabs that grow with what is held.
#include <map>
#include <mutex>
#include <vector>

#include "base/huge_pages.h"
#include "engine/backbone.h"
#include "engine/rollout/segment.h"
#include "ops/cpu/attention.h"

namespace mstar {

class BlockPool {
 public:
  explicit BlockPool(const DecoderShape& shape);
  /** Floats of one block: keys and values of 16 tokens in every layer and kv head. */
  int64_t block_floats() const { return block_floats_; }
  int64_t block_bytes() const { return block_floats_ * static_cast<int64_t>(sizeof(float)); }
  /** Where keys and values of (layer, kv head) lie in a block. */
  cpu::KvPlace place(int64_t layer, int64_t kv_head) const;
  float* take();
  void give_back(float* block);
  /** Frees what nobody holds, and counts the most held at once from here on. */
  void trim();
  int64_t most_held() const { return most_held_; }

 private:
  /** Makes room for the blocks of one slab. */
  void grow();

  int64_t kv_heads_, head_dim_, block_floats_, slab_blocks_, held_ = 0, most_held_ = 0;
  std::mutex mutex_;
  std::map<const float*, HugeVector> slabs_;  // by where they start; many blocks each, to lie on huge pages
  std::vector<float*> free_;
};

/** A segment of a pool's blocks. */
class KvBlocks final : public Segment {
 public:
  KvBlocks(BlockPool& pool, std::shared_ptr<BlockQuota> quota) : Segment(std::move(quota)), pool_(pool) {}
  ~KvBlocks() override;
  cpu::KvSpan span(int64_t first_tokens) const { return {blocks_.data(), first_tokens}; }
  float* block(int64_t i) const { return blocks_[static_cast<size_t>(i)]; }

 private:
  void take() override { blocks_.push_back(pool_.take()); }
  BlockPool& pool_;
  std::vector<float*> blocks_;
};

inline const KvBlocks& blocks_of(const Segment& segment) { return static_cast<const KvBlocks&>(segment); }

}  // namespace mstar
