// See kv_cache.h.
#include "engine/kv_cache.h"

#include <algorithm>

namespace mstar {

BlockPool::BlockPool(const DecoderShape& shape) : kv_heads_(shape.kv_heads), head_dim_(shape.head_dim) {
  block_floats_ = shape.layers * kv_heads_ * 2 * head_dim_ * cpu::kBlockTokens;
}

cpu::KvPlace BlockPool::place(int64_t layer, int64_t kv_head) const {
  const int64_t one = head_dim_ * cpu::kBlockTokens, at = (layer * kv_heads_ + kv_head) * 2 * one;
  return {at, at + one};
}

std::unique_ptr<float[]> BlockPool::take() {
  const std::lock_guard lock(mutex_);
  most_held_ = std::max(most_held_, ++held_);
  if (free_.empty()) {
    // Value-initialised: lanes past a segment's end are read (not used) and must be finite.
    return std::make_unique<float[]>(static_cast<size_t>(block_floats_));
  }
  auto block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BlockPool::give_back(std::unique_ptr<float[]> block) {
  const std::lock_guard lock(mutex_);
  --held_;
  free_.push_back(std::move(block));
}

void BlockPool::trim() {
  const std::lock_guard lock(mutex_);
  free_.clear();
  most_held_ = held_;
}

Segment::~Segment() {
  quota_->used -= blocks();
  for (auto& block : blocks_) pool_.give_back(std::move(block));
}

void Segment::reserve(int64_t length) {
  while (blocks() < blocks_for(length)) {
    blocks_.push_back(pool_.take());
    places_.push_back(blocks_.back().get());
    ++quota_->used;
  }
}

void Segment::charge(std::shared_ptr<BlockQuota> quota) {
  quota_->used -= blocks();
  quota_ = std::move(quota);
  quota_->used += blocks();
}

}  // namespace mstar
