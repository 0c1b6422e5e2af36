#pragma once
// Where the time of the CPU path goes, for benchmarks. Of stopwatches inside one another the outermost counts: the
// products of attention belong to attention. Costs a flag's check where nobody counts.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace mstar {

enum class Work { products, packing, attention, rows, sampling, optimizer };
constexpr std::array<const char*, 6> kWorkNames{"products", "packing", "attention", "rows", "sampling", "optimizer"};

class Stopwatch {
 public:
  explicit Stopwatch(Work work) : work_(work), runs_(counting_.load(std::memory_order_relaxed) && !running_) {
    if (!runs_) return;
    running_ = true;
    since_ = now();
  }
  ~Stopwatch() {
    if (!runs_) return;
    spent_[static_cast<size_t>(work_)].fetch_add(now() - since_, std::memory_order_relaxed);
    running_ = false;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  /** Seconds of each kind of work, summed over threads, since the last call. Counting begins with the first. */
  static std::array<double, kWorkNames.size()> take() {
    std::array<double, kWorkNames.size()> seconds{};
    if (counting_.exchange(true))
      for (size_t i = 0; i < seconds.size(); ++i) seconds[i] = static_cast<double>(spent_[i].exchange(0)) * 1e-9;
    return seconds;
  }

 private:
  static int64_t now() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

  static inline std::atomic<bool> counting_{false};
  static inline std::array<std::atomic<int64_t>, kWorkNames.size()> spent_{};
  static inline thread_local bool running_ = false;
  Work work_;
  bool runs_;
  int64_t since_ = 0;
};

}  // namespace mstar
