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
  BlockPool(const DecoderShape& shape, cpu::Number number);
  /** Number type of keys and values. */
  cpu::Number number() const { return number_; }
  /** Bytes of one block: keys and values of 16 tokens in every layer and kv head. */
  int64_t block_bytes() const { return block_bytes_; }
  /** Where keys and values of (layer, kv head) lie in a block. */
  cpu::KvPlace place(int64_t layer, int64_t kv_head) const;
  void* take();
  void give_back(void* block);
  /** Frees what nobody holds, and counts the most held at once from here on. */
  void trim();
  int64_t most_held() const { return most_held_; }

 private:
  /** Makes room for the blocks of one slab. */
  void grow();

  cpu::Number number_;
  int64_t kv_heads_, head_dim_, block_bytes_, slab_blocks_, held_ = 0, most_held_ = 0;
  std::mutex mutex_;
  std::map<const void*, HugeVector> slabs_;  // by where they start; many blocks each, to lie on huge pages
  std::vector<void*> free_;
};

/** A segment of a pool's blocks. */
class KvBlocks final : public Segment {
 public:
  KvBlocks(BlockPool& pool, std::shared_ptr<BlockQuota> quota) : Segment(std::move(quota)), pool_(pool) {}
  ~KvBlocks() override;
  cpu::KvSpan span(int64_t first_tokens) const { return {blocks_.data(), first_tokens}; }
  void* block(int64_t i) const { return blocks_[static_cast<size_t>(i)]; }

 private:
  void take() override { blocks_.push_back(pool_.take()); }
  BlockPool& pool_;
  std::vector<void*> blocks_;
};

inline const KvBlocks& blocks_of(const Segment& segment) { return static_cast<const KvBlocks&>(segment); }

}  // namespace mstar
