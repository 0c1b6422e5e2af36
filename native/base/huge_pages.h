#pragma once
// A vector of floats for large read-mostly data, on huge pages where the system grants them: packed weights are read
// from end to end in every step, and pages of 4 KiB stop the hardware's prefetching and fill its address cache.
#include <cstddef>
#include <memory>

namespace mstar {

/** Memory of at least `bytes`, aligned to a cache line, asked for in huge pages where it is large. Free with std::free.
 */
void* allocate_huge(size_t bytes);

/** Floats whose number changes rarely: resizing keeps nothing and sets nothing. */
class HugeVector {
 public:
  void resize(size_t count);
  size_t size() const { return size_; }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float, Free> data_;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace mstar
