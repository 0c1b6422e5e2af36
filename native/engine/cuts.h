#pragma once
// Which rank owns which part of each parameter's gradient sum and optimizer state. Knows sizes and no tensors.
#include <algorithm>
#include <cstdint>
#include <vector>

namespace mstar {

/** Numbers of a parameter, counted in memory order. */
struct Span {
  int64_t from = 0, count = 0;
};

/** Every parameter is cut into blocks, and each rank owns an equal share of neighbouring ones. A cut falls on a
 * multiple of the block alone, so that what is computed for a block (its part of the norm, AdamW's vectors) has the
 * same bits for any number of ranks. */
class Cuts {
 public:
  static constexpr int64_t kBlock = 4096;

  explicit Cuts(std::vector<int64_t> sizes = {}, int ranks = 1, int64_t block = kBlock)
      : sizes_(std::move(sizes)), ranks_(ranks), block_(block) {}

  int ranks() const { return ranks_; }
  int64_t block() const { return block_; }
  size_t parameters() const { return sizes_.size(); }
  int64_t size(size_t parameter) const { return sizes_[parameter]; }
  int64_t blocks_of(const Span& span) const { return (span.count + block_ - 1) / block_; }

  /** The rank whose part comes `place`-th in a parameter. The first place goes round the ranks: parameters of one
   * block, which have one owner, are dealt out. */
  int owner(size_t parameter, int place) const {
    return static_cast<int>((static_cast<size_t>(place) + parameter) % static_cast<size_t>(ranks_));
  }
  /** The part that comes `place`-th; empty where there are fewer blocks than ranks. */
  Span at(size_t parameter, int place) const {
    const int64_t size = sizes_[parameter], blocks = blocks_of({0, size});
    const int64_t begin = blocks * place / ranks_ * block_;
    const int64_t end = std::min(size, blocks * (place + 1) / ranks_ * block_);
    return {begin, end - begin};
  }
  /** The part of a rank. */
  Span of(size_t parameter, int rank) const {
    const int first = static_cast<int>(parameter % static_cast<size_t>(ranks_));
    return at(parameter, (rank - first + ranks_) % ranks_);
  }

 private:
  std::vector<int64_t> sizes_;
  int ranks_;
  int64_t block_;
};

}  // namespace mstar
