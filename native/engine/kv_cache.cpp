// See kv_cache.h.
#include "engine/kv_cache.h"

namespace mstar {

BlockPool::BlockPool(const DecoderShape& shape) : kv_heads_(shape.kv_heads), head_dim_(shape.head_dim) {
  block_floats_ = shape.layers * kv_heads_ * 2 * head_dim_ * cpu::kBlockTokens;
}

cpu::KvPlace BlockPool::place(int64_t layer, int64_t kv_head) const {
  const int64_t one = head_dim_ * cpu::kBlockTokens, at = (layer * kv_heads_ + kv_head) * 2 * one;
  return {at, at + one};
}

float* BlockPool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    // Value-initialised: lanes past a segment's end are read (not used) and must be finite.
    blocks_.push_back(std::make_unique<float[]>(static_cast<size_t>(block_floats_)));
    return blocks_.back().get();
  }
  float* block = free_.back();
  free_.pop_back();
  return block;
}

void BlockPool::give_back(float* block) {
  const std::lock_guard lock(mutex_);
  free_.push_back(block);
}

Segment::~Segment() {
  for (float* block : blocks_) pool_.give_back(block);
}

void Segment::reserve(int64_t length) {
  while (static_cast<int64_t>(blocks_.size()) * cpu::kBlockTokens < length) blocks_.push_back(pool_.take());
}

}  // namespace mstar
