// See kv_blocks.h.
#include "engine/packed/kv_blocks.h"

#include <algorithm>

namespace mstar {
namespace {

/** Bytes that are asked of the system at a time, at least one block. */
constexpr int64_t kSlabBytes = int64_t{8} << 20;

}  // namespace

BlockPool::BlockPool(const DecoderShape& shape, cpu::Number number)
    : number_(number), kv_heads_(shape.kv_heads), head_dim_(shape.head_dim) {
  block_bytes_ = shape.layers * kv_heads_ * 2 * head_dim_ * kBlockTokens * cpu::bytes_of(number);
  slab_blocks_ = std::max<int64_t>(1, kSlabBytes / block_bytes());
}

cpu::KvPlace BlockPool::place(int64_t layer, int64_t kv_head) const {
  const int64_t one = head_dim_ * kBlockTokens, at = (layer * kv_heads_ + kv_head) * 2 * one;
  return {at, at + one};
}

void BlockPool::grow() {
  HugeVector slab;
  const int64_t block_floats = block_bytes_ / static_cast<int64_t>(sizeof(float));
  slab.resize(static_cast<size_t>(slab_blocks_ * block_floats));
  // Lanes past a segment's end are read (not used) and must be finite.
  std::fill_n(slab.data(), slab.size(), 0.0f);
  for (int64_t i = slab_blocks_; i-- > 0;) free_.push_back(slab.data() + i * block_floats);
  const void* start = slab.data();
  slabs_.emplace(start, std::move(slab));
}

void* BlockPool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) grow();
  most_held_ = std::max(most_held_, ++held_);
  void* block = free_.back();
  free_.pop_back();
  return block;
}

void BlockPool::give_back(void* block) {
  const std::lock_guard lock(mutex_);
  --held_;
  free_.push_back(block);
}

void BlockPool::trim() {
  const std::lock_guard lock(mutex_);
  most_held_ = held_;
  const auto slab_of = [&](const void* block) { return std::prev(slabs_.upper_bound(block))->first; };
  std::map<const void*, int64_t> unheld;
  for (const void* block : free_) ++unheld[slab_of(block)];
  std::erase_if(free_, [&](const void* block) { return unheld[slab_of(block)] == slab_blocks_; });
  for (const auto& [slab, blocks] : unheld)
    if (blocks == slab_blocks_) slabs_.erase(slab);
}

KvBlocks::~KvBlocks() {
  for (void* block : blocks_) pool_.give_back(block);
}

}  // namespace mstar
