#pragma once
// Keys and values in blocks of 16 tokens from one pool. A segment is a stretch of a sequence that others may share by
// reference counting: a prompt, a response that completions fork from, the tokens of one row. Who may hold how many
// blocks is counted by quotas; keeping to them is the scheduler's business. Leaves attention to ops/.
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/huge_pages.h"
#include "engine/backbone.h"
#include "ops/cpu/attention.h"

namespace mstar {

/** Blocks that `length` tokens take. */
constexpr int64_t blocks_for(int64_t length) { return (length + cpu::kBlockTokens - 1) / cpu::kBlockTokens; }

/** The blocks of one holder. */
struct BlockQuota {
  explicit BlockQuota(int64_t most) : limit(most) {}
  int64_t limit;
  std::atomic<int64_t> used{0};
  int64_t free() const { return limit - used; }
};

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

class Segment {
 public:
  Segment(BlockPool& pool, std::shared_ptr<BlockQuota> quota) : pool_(pool), quota_(std::move(quota)) {}
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  /** Makes room for tokens up to `length`. */
  void reserve(int64_t length);
  /** Lets another quota count the blocks. */
  void charge(std::shared_ptr<BlockQuota> quota);
  int64_t length = 0;
  int64_t blocks() const { return static_cast<int64_t>(blocks_.size()); }
  cpu::KvSpan span(int64_t first_tokens) const { return {blocks_.data(), first_tokens}; }
  void* block(int64_t i) const { return blocks_[static_cast<size_t>(i)]; }

 private:
  BlockPool& pool_;
  std::shared_ptr<BlockQuota> quota_;
  std::vector<void*> blocks_;
};

/** The first `length` tokens of a segment, kept alive. */
struct SharedSpan {
  std::shared_ptr<Segment> segment;
  int64_t length = 0;
};

}  // namespace mstar
