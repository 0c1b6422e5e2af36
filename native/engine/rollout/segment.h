#pragma once
// Keys and values of a stretch of a sequence, in blocks of 16 tokens. A segment may be shared by reference counting: a
// prompt, a response that completions fork from, the tokens of one row. Who may hold how many blocks is counted by
// quotas; keeping to them is the scheduler's business. What a block is, is the executors'.
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "ops/block.h"

namespace mstar {

/** The blocks of one holder. */
struct BlockQuota {
  explicit BlockQuota(int64_t most) : limit(most) {}
  int64_t limit;
  std::atomic<int64_t> used{0};
  int64_t free() const { return limit - used; }
};

class Segment {
 public:
  virtual ~Segment() { quota_->used -= blocks_; }
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  /** Makes room for tokens up to `length`. */
  void reserve(int64_t length) {
    for (; blocks_ < blocks_for(length); ++blocks_, ++quota_->used) take();
  }
  int64_t blocks() const { return blocks_; }
  /** Lets another quota count the blocks. */
  void charge(std::shared_ptr<BlockQuota> quota) {
    quota_->used -= blocks_;
    quota_ = std::move(quota);
    quota_->used += blocks_;
  }

 protected:
  /** Starts with `blocks` that the deriving class has taken. */
  explicit Segment(std::shared_ptr<BlockQuota> quota, int64_t blocks = 0) : quota_(std::move(quota)), blocks_(blocks) {
    quota_->used += blocks_;
  }

 private:
  /** Takes one more block. */
  virtual void take() = 0;
  std::shared_ptr<BlockQuota> quota_;
  int64_t blocks_;
};

/** The first `length` tokens of a segment, kept alive. */
struct SharedSpan {
  std::shared_ptr<Segment> segment;
  int64_t length = 0;
  bool operator==(const SharedSpan&) const = default;
};

inline int64_t total_length(const std::vector<SharedSpan>& spans) {
  int64_t total = 0;
  for (const SharedSpan& span : spans) total += span.length;
  return total;
}

}  // namespace mstar
