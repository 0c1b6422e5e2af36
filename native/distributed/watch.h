#pragma once
// Ends a job whose ranks cannot go on together. A thread of every rank writes a beat to the job's store each second and
// reads those of others; rank 0 judges, the rest watch rank 0. A rank that is gone, silent, stuck or has failed ends
// the whole job: rank 0 prints one line that names it, and every process leaves with code 75 by _exit, because a
// collective that waits for a lost peer never comes back.
#include <memory>
#include <string>

#include "distributed/group.h"

namespace mstar {

struct WatchSpec {
  int rank = 0, size = 1;
  int64_t beat_ms = 1'000;         // between beats
  int64_t silence_ms = 10'000;     // without a beat: killed, stopped, or its machine is lost
  int64_t stall_ms = 20'000;       // computing, or awaited by the others, without getting on
  int64_t disk_ms = 600'000;       // reading or writing without getting on
  int64_t network_ms = 120'000;    // all ranks in a collective without getting on
  int64_t javascript_ms = 60'000;  // without a tick from the event loop
};

class Watch {
 public:
  /** Returns once this rank has heard of those whose beats it reads, or after 10 s or `silence_ms`. */
  Watch(const WatchSpec& spec, std::unique_ptr<Group::Store> store);
  /** Takes leave; rank 0, which holds the store, waits until the others have. */
  ~Watch();
  /** The event loop of this rank runs; to be called about once a second. */
  void tick();
  /** The job cannot go on, `why` is its line: ends all ranks. Does not come back. */
  [[noreturn]] void fail(const std::string& why);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/** Has the kernel kill this process when `parent`, which started it, ends. False when the parent has ended already.
 * To be called on the thread that lives as long as the process: the kernel keeps the wish per thread. */
bool die_with_parent(int64_t parent);

}  // namespace mstar
