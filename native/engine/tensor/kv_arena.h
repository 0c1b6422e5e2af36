#pragma once
// Keys and values of the tensor path: one tensor of each per layer, cut into blocks of 16 places. What a segment starts
// with lies side by side, so that attention sees it as one span; what it grows by may lie anywhere.
#include <map>
#include <set>
#include <vector>

#include "engine/backbone.h"
#include "engine/rollout/segment.h"

namespace mstar {

class KvPlaces;

/** Used by one thread at a time. */
class KvArena {
 public:
  KvArena(const DecoderShape& shape, const at::TensorOptions& options);
  int64_t block_bytes() const;
  /** Makes it so many blocks large, no fewer than are held; moves what is held to its start. */
  void resize(int64_t blocks);
  std::shared_ptr<Segment> segment(const std::shared_ptr<BlockQuota>& quota, int64_t length);
  int64_t held() const { return held_; }
  int64_t most_held() const { return most_held_; }
  /** Counts the most held at once from here on. */
  void count_anew() { most_held_ = held_; }
  /** A block beyond all others, where rows of padding keep their keys. */
  int32_t scratch() const { return static_cast<int32_t>(blocks_); }
  /** By layer: [(blocks + 1) * 16, K, E]. */
  const at::Tensor& keys(int64_t layer) const { return keys_[static_cast<size_t>(layer)]; }
  const at::Tensor& values(int64_t layer) const { return values_[static_cast<size_t>(layer)]; }

 private:
  friend class KvPlaces;
  /** First of `count` blocks side by side, taken from a gap. */
  int32_t take(int64_t count);
  void give_back(int32_t block);

  DecoderShape shape_;
  at::TensorOptions options_;
  std::vector<at::Tensor> keys_, values_;
  int64_t blocks_ = 0, held_ = 0, most_held_ = 0;
  std::map<int64_t, int64_t> gaps_;  // begin: blocks; they never touch
  std::set<KvPlaces*> segments_;
};

/** A segment of an arena's places. */
class KvPlaces final : public Segment {
 public:
  KvPlaces(KvArena& arena, const std::shared_ptr<BlockQuota>& quota, int64_t length);
  ~KvPlaces() override;
  /** Numbers of its blocks in the arena. */
  const std::vector<int32_t>& ids() const { return blocks_; }
  /** Where token i lies. */
  int64_t place(int64_t i) const {
    return blocks_[static_cast<size_t>(i / kBlockTokens)] * kBlockTokens + i % kBlockTokens;
  }

 private:
  friend class KvArena;
  void take() override { blocks_.push_back(arena_.take(1)); }
  KvArena& arena_;
  std::vector<int32_t> blocks_;
};

inline const KvPlaces& places_of(const Segment& segment) { return static_cast<const KvPlaces&>(segment); }

}  // namespace mstar
