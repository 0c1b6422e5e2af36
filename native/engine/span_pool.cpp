// See span_pool.h.
#include "engine/span_pool.h"

#include <algorithm>
#include <iterator>

namespace mstar {

ArenaSpanPtr SpanPool::take(int64_t places) {
  const auto gap = std::find_if(free_.begin(), free_.end(), [&](const auto& g) { return g.second >= places; });
  if (gap == free_.end()) return nullptr;
  const auto [begin, size] = *gap;
  free_.erase(gap);
  if (size > places) free_.emplace(begin + places, size - places);
  return {new ArenaSpan{begin, places}, [this](const ArenaSpan* span) {
            give_back(*span);
            delete span;
          }};
}

int64_t SpanPool::largest() const {
  int64_t most = 0;
  for (const auto& [begin, places] : free_) most = std::max(most, places);
  return most;
}

void SpanPool::give_back(const ArenaSpan& span) {
  auto gap = free_.emplace(span.begin, span.places).first;
  const auto after = std::next(gap);
  if (after != free_.end() && gap->first + gap->second == after->first) {
    gap->second += after->second;
    free_.erase(after);
  }
  if (gap == free_.begin()) return;
  const auto before = std::prev(gap);
  if (before->first + before->second != gap->first) return;
  before->second += gap->second;
  free_.erase(gap);
}

}  // namespace mstar
