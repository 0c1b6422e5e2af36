// See kv_arena.h. Single blocks are taken from the last gap and longer stretches from the first that holds them, which
// keeps the two apart; where no gap is long enough, everything moves together. Moved keys and values keep their bits.
#include "engine/tensor/kv_arena.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace mstar {

KvArena::KvArena(const DecoderShape& shape, const at::TensorOptions& options)
    : shape_(shape),
      options_(options),
      keys_(static_cast<size_t>(shape.layers)),
      values_(static_cast<size_t>(shape.layers)) {}

int64_t KvArena::block_bytes() const {
  const int64_t place = shape_.kv_heads * shape_.head_dim * static_cast<int64_t>(options_.dtype().itemsize());
  return 2 * shape_.layers * place * kBlockTokens;
}

void KvArena::resize(int64_t blocks) {
  TORCH_INTERNAL_ASSERT(blocks >= held_);
  std::vector<int64_t> from;
  for (KvPlaces* segment : segments_)
    for (int32_t& block : segment->blocks_) {
      from.push_back(block);
      block = static_cast<int32_t>(from.size()) - 1;
    }
  const auto held = at::tensor(from, at::kLong).to(options_.device());
  for (auto* layers : {&keys_, &values_})
    for (at::Tensor& layer : *layers) {
      const auto in_blocks = [&] { return layer.view({-1, kBlockTokens, shape_.kv_heads, shape_.head_dim}); };
      at::Tensor kept;
      if (held_ > 0) kept = in_blocks().index_select(0, held);
      // In place where the size stays: recorded steps know the tensors by their addresses.
      if (blocks != blocks_ || !layer.defined())
        layer = at::empty({(blocks + 1) * kBlockTokens, shape_.kv_heads, shape_.head_dim}, options_);
      if (held_ > 0) in_blocks().narrow(0, 0, held_).copy_(kept);
    }
  blocks_ = blocks;
  gaps_.clear();
  if (blocks > held_) gaps_.emplace(held_, blocks - held_);
}

std::shared_ptr<Segment> KvArena::segment(const std::shared_ptr<BlockQuota>& quota, int64_t length) {
  return std::make_shared<KvPlaces>(*this, quota, length);
}

int32_t KvArena::take(int64_t count) {
  TORCH_CHECK(blocks_ - held_ >= count, "memory for keys and values is too small for ", count, " more blocks");
  auto gap = std::find_if(gaps_.begin(), gaps_.end(), [&](const auto& g) { return g.second >= count; });
  if (gap == gaps_.end()) {
    resize(blocks_);
    gap = gaps_.begin();
  }
  if (count == 1) gap = std::prev(gaps_.end());
  const auto [begin, size] = *gap;
  gaps_.erase(gap);
  const int64_t taken = count == 1 ? begin + size - 1 : begin, rest = count == 1 ? begin : begin + count;
  if (size > count) gaps_.emplace(rest, size - count);
  held_ += count;
  most_held_ = std::max(most_held_, held_);
  return static_cast<int32_t>(taken);
}

void KvArena::give_back(int32_t block) {
  --held_;
  auto gap = gaps_.emplace(block, 1).first;
  const auto after = std::next(gap);
  if (after != gaps_.end() && gap->first + gap->second == after->first) {
    gap->second += after->second;
    gaps_.erase(after);
  }
  if (gap == gaps_.begin()) return;
  const auto before = std::prev(gap);
  if (before->first + before->second != gap->first) return;
  before->second += gap->second;
  gaps_.erase(gap);
}

KvPlaces::KvPlaces(KvArena& arena, const std::shared_ptr<BlockQuota>& quota, int64_t length)
    : Segment(quota, blocks_for(length)), arena_(arena) {
  blocks_.resize(static_cast<size_t>(blocks_for(length)));
  if (length > 0) std::iota(blocks_.begin(), blocks_.end(), arena.take(blocks_for(length)));
  arena_.segments_.insert(this);
}

KvPlaces::~KvPlaces() {
  arena_.segments_.erase(this);
  for (const int32_t block : blocks_) arena_.give_back(block);
}

}  // namespace mstar
