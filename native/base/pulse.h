#pragma once
// What the engine thread is doing, written by it and read by the thread that watches over a job of several processes:
// so that a slow rank can be told from one that is stuck.
#include <atomic>
#include <cstdint>

namespace mstar {

enum class Activity : uint32_t {
  idle,       // nothing to do
  computing,  // expected to beat at least every few seconds
  waiting,    // in a collective: getting on depends on the other ranks
  disk,       // reading or writing files, which may take minutes
};

struct Pulse {
  std::atomic<uint64_t> beats{0};  // grows as work gets on: a decode step, a micro-batch, a tensor read or written
  std::atomic<Activity> activity{Activity::idle};
};

/** The pulse of this process. */
inline Pulse& pulse() {
  static Pulse only;
  return only;
}

inline void beat() { pulse().beats.fetch_add(1, std::memory_order_relaxed); }

/** Sets the activity for a scope and beats at both ends. */
class During {
 public:
  explicit During(Activity activity) : before_(pulse().activity.exchange(activity)) { beat(); }
  ~During() {
    pulse().activity = before_;
    beat();
  }
  During(const During&) = delete;
  During& operator=(const During&) = delete;

 private:
  Activity before_;
};

}  // namespace mstar
