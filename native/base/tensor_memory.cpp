// See tensor_memory.h. Sizes are rounded up to eighths of a power of two; pages of the rounding are never touched.
#include "base/tensor_memory.h"

#include <c10/core/CPUAllocator.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace mstar {
namespace {

constexpr size_t kAlignment = 64, kSmallest = size_t{1} << 12, kLargest = size_t{1} << 28;
/** Bytes that may lie unused; beyond this, blocks go back to the system. */
constexpr size_t kMostKept = size_t{1} << 31;

/** Stands before every block, in an alignment of its own. */
struct alignas(kAlignment) Header {
  size_t size_class;
};
constexpr size_t kNotKept = ~size_t{0};

/** Eight classes per power of two: index, and the bytes that every block of it has. */
size_t class_of(size_t bytes) {
  const size_t power = static_cast<size_t>(std::bit_width(bytes - 1)) - 4;
  return power * 8 + ((bytes - 1) >> power) - 7;
}
size_t bytes_of(size_t size_class) {
  const size_t power = size_class / 8, eighth = size_class % 8;
  return (eighth + 8) << power;
}

class Cache final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::Device(c10::DeviceType::CPU)};
    const bool kept = bytes > kSmallest && bytes <= kLargest;
    const size_t size_class = kept ? class_of(bytes) : kNotKept;
    void* block = kept ? take(size_class) : nullptr;
    if (block == nullptr) block = fresh(kept ? bytes_of(size_class) : bytes, size_class);
    return {block, block, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

 private:
  static Header* header_of(void* block) { return static_cast<Header*>(block) - 1; }

  static void* fresh(size_t bytes, size_t size_class) {
    void* start = nullptr;
    if (posix_memalign(&start, kAlignment, bytes + sizeof(Header)) != 0) throw std::bad_alloc();
    auto* header = new (start) Header{size_class};
    return header + 1;
  }

  void* take(size_t size_class) {
    const std::lock_guard lock(mutex_);
    auto& blocks = free_[size_class];
    if (blocks.empty()) return nullptr;
    void* block = blocks.back();
    blocks.pop_back();
    kept_ -= bytes_of(size_class);
    return block;
  }

  bool keep(void* block, size_t size_class) {
    const std::lock_guard lock(mutex_);
    if (kept_ + bytes_of(size_class) > kMostKept) return false;
    free_[size_class].push_back(block);
    kept_ += bytes_of(size_class);
    return true;
  }

  static void release(void* block);

  std::mutex mutex_;
  std::array<std::vector<void*>, 8 * 29> free_;
  size_t kept_ = 0;
};

/** Never destroyed: tensors may be freed while the process ends. */
Cache& cache() {
  static auto* const instance = new Cache;
  return *instance;
}

void Cache::release(void* block) {
  if (block == nullptr) return;
  Header* header = header_of(block);
  if (header->size_class == kNotKept || !cache().keep(block, header->size_class)) std::free(header);
}

}  // namespace

void keep_tensor_memory() { c10::SetCPUAllocator(&cache(), 100); }

}  // namespace mstar
