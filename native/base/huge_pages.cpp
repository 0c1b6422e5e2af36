// See huge_pages.h. Only Linux is asked for huge pages; a refusal changes nothing but speed.
#include "base/huge_pages.h"

#include <cstdlib>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace mstar {

void* allocate_huge(size_t bytes) {
  constexpr size_t kHuge = size_t{1} << 21, kLine = 64;
  const bool large = bytes >= kHuge;
  if (large) bytes = (bytes + kHuge - 1) / kHuge * kHuge;
  void* start = nullptr;
  if (posix_memalign(&start, large ? kHuge : kLine, bytes) != 0) throw std::bad_alloc();
#if defined(__linux__)
  if (large) madvise(start, bytes, MADV_HUGEPAGE);
#endif
  return start;
}

void HugeVector::Free::operator()(float* data) const { std::free(data); }

void HugeVector::resize(size_t count) {
  if (count > capacity_) {
    data_.reset();
    data_.reset(static_cast<float*>(allocate_huge(count * sizeof(float))));
    capacity_ = count;
  }
  size_ = count;
}

}  // namespace mstar
