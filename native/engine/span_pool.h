#pragma once
// Hands out contiguous spans of a fixed number of places, first fit, and takes them back when their last holder goes.
#include <cstdint>
#include <map>
#include <memory>

namespace mstar {

struct ArenaSpan {
  int64_t begin = 0, places = 0;
};
using ArenaSpanPtr = std::shared_ptr<const ArenaSpan>;

/** Spans may outlive no pool: hold the pool longer. Used by one thread. */
class SpanPool {
 public:
  explicit SpanPool(int64_t places) { free_.emplace(0, places); }
  SpanPool(const SpanPool&) = delete;
  SpanPool& operator=(const SpanPool&) = delete;
  /** Null when no gap is large enough. */
  ArenaSpanPtr take(int64_t places);
  /** Size of the largest gap. */
  int64_t largest() const;

 private:
  void give_back(const ArenaSpan& span);
  std::map<int64_t, int64_t> free_;  // begin: places; gaps never touch
};

}  // namespace mstar
