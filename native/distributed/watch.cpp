// See watch.h.
#include "distributed/watch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/pulse.h"

namespace mstar {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kMeetMs = 10'000;    // the event loop stands still meanwhile
constexpr int kTemporaryFailure = 75;  // EX_TEMPFAIL: schedulers start such a job again
const std::string kVerdict = "watch/verdict";

std::string beat_key(int rank) { return "watch/" + std::to_string(rank); }

int64_t ms_since(Clock::time_point then) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then).count();
}

std::string seconds(int64_t ms) { return std::to_string((ms + 500) / 1000) + " s"; }

/** What a rank says of itself in one beat. */
struct Beat {
  enum State { running, left, failed };
  int state = running;
  Activity activity = Activity::idle;
  uint64_t serial = 0, progress = 0, ticks = 0;
  int64_t pid = 0;
  std::string host, why;

  std::string text() const {
    std::ostringstream out;
    out << state << ' ' << static_cast<uint32_t>(activity) << ' ' << serial << ' ' << progress << ' ' << ticks << ' '
        << pid << ' ' << host << '\n'
        << why;
    return out.str();
  }

  static Beat parse(const std::string& text) {
    Beat beat;
    uint32_t activity = 0;
    std::istringstream in(text);
    in >> beat.state >> activity >> beat.serial >> beat.progress >> beat.ticks >> beat.pid >> beat.host;
    beat.activity = static_cast<Activity>(activity);
    in.ignore();
    std::getline(in, beat.why, '\0');
    return beat;
  }
};

/** A rank as another one sees it: its last beat, and since when nothing of each kind has changed. */
struct Seen {
  Beat beat;
  Clock::time_point heard = Clock::now(), moved = Clock::now(), ticked = Clock::now();

  void take(const Beat& now) {
    if (now.serial == beat.serial) return;
    heard = Clock::now();
    if (now.progress != beat.progress || now.activity != beat.activity) moved = heard;
    if (now.ticks != beat.ticks) ticked = heard;
    beat = now;
  }
  bool running() const { return beat.state == Beat::running; }
  bool awaits() const { return beat.activity == Activity::waiting; }
};

void tell(const std::string& why) {
  const std::string line = "error: " + why + "; the job has ended, and the same command goes on with it\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
}

[[noreturn]] void leave() { _exit(kTemporaryFailure); }

}  // namespace

struct Watch::State {
  State(const WatchSpec& spec, std::unique_ptr<Group::Store> store)
      : spec(spec), store(std::move(store)), seen(static_cast<size_t>(spec.size)) {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    host = name;
    std::replace(host.begin(), host.end(), ' ', '-');
  }

  std::string who(int rank) const {
    const Beat& beat = seen[static_cast<size_t>(rank)].beat;
    if (beat.pid == 0) return "rank " + std::to_string(rank);
    return "rank " + std::to_string(rank) + " (process " + std::to_string(beat.pid) + " on " + beat.host + ")";
  }

  std::string silence_of(int rank) const {
    return who(rank) + " has not been heard of for " + seconds(ms_since(seen[static_cast<size_t>(rank)].heard));
  }

  Beat own_beat() {
    const std::lock_guard lock(mutex);
    Beat beat;
    beat.state = state;
    beat.activity = pulse().activity;
    beat.serial = ++serial;
    beat.progress = pulse().beats;
    beat.ticks = ticks;
    beat.pid = getpid();
    beat.host = host;
    beat.why = why;
    return beat;
  }

  /** Writes the own beat and takes in those of `others` and the verdict, where there is one. */
  std::string exchange(const std::vector<int>& others) {
    const Beat own = own_beat();
    std::vector<std::string> keys{kVerdict};
    for (const int rank : others) keys.push_back(beat_key(rank));
    // The store's own limit does not hold where the process that has it is stopped, or its machine is cut off: the
    // connection stays open and nothing comes.
    auto answer = std::async(std::launch::async,
                             [&] { return store->exchange(beat_key(spec.rank), own.text(), keys, spec.silence_ms); });
    if (answer.wait_for(std::chrono::milliseconds(spec.silence_ms)) != std::future_status::ready)
      end_without_rank_0(silence_of(0));
    const auto found = answer.get();
    for (size_t k = 0; k < others.size(); ++k)
      if (!found[k + 1].empty()) seen[static_cast<size_t>(others[k])].take(Beat::parse(found[k + 1]));
    seen[static_cast<size_t>(spec.rank)].take(own);
    return found[0];
  }

  /** Why the job cannot go on, as rank 0 judges; empty where it can. */
  std::string fault() const {
    bool all_wait = true, some_wait = false;
    for (const Seen& rank : seen) {
      if (!rank.running()) continue;
      const bool waits = rank.awaits() && ms_since(rank.moved) > spec.stall_ms;
      some_wait |= waits;
      all_wait &= rank.awaits() && ms_since(rank.moved) > spec.network_ms;
    }
    for (int r = 0; r < spec.size; ++r) {
      const Seen& rank = seen[static_cast<size_t>(r)];
      if (rank.beat.state == Beat::failed) return rank.beat.why;
      if (!rank.running()) continue;
      if (ms_since(rank.heard) > spec.silence_ms) return silence_of(r);
      if (const auto still = ms_since(rank.ticked); still > spec.javascript_ms)
        return who(r) + ": its event loop has not run for " + seconds(still);
      const auto still = ms_since(rank.moved);
      const bool disk = rank.beat.activity == Activity::disk;
      if (disk && still > spec.disk_ms) return who(r) + " has waited for a disk for " + seconds(still);
      const bool stuck = rank.beat.activity == Activity::computing || (some_wait && !rank.awaits() && !disk);
      if (stuck && still > spec.stall_ms)
        return who(r) + " has not got on for " + seconds(still) + (some_wait ? " while others wait for it" : "");
    }
    if (all_wait && some_wait)
      return "all ranks have waited in one exchange for " + seconds(spec.network_ms) +
             ": the network between them fails";
    return {};
  }

  /** Those whose beats this rank reads. */
  std::vector<int> watched() const {
    if (spec.rank != 0) return {0};
    std::vector<int> others;
    for (int r = 1; r < spec.size; ++r) others.push_back(r);
    return others;
  }

  /** Waits until all that are watched have been heard of: a rank that is lost before its first beat has no name. */
  void meet() {
    const auto began = Clock::now();
    const auto others = watched();
    const auto is_known = [&](int rank) { return seen[static_cast<size_t>(rank)].beat.pid != 0; };
    const auto has_ended = [&](int rank) { return !seen[static_cast<size_t>(rank)].running(); };
    try {
      while (ms_since(began) < std::min(spec.silence_ms, kMeetMs)) {
        if (!exchange(others).empty() || std::any_of(others.begin(), others.end(), has_ended)) return;
        if (std::all_of(others.begin(), others.end(), is_known)) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    } catch (const std::exception&) {  // the store is gone: whoever watches next sees that and says it
    }
  }

  void judge() {
    const auto others = watched();
    do {
      exchange(others);
      if (const auto why = fault(); !why.empty()) end_all(why);
    } while (pause() || !all_left());
  }

  bool all_left() const {
    return std::all_of(seen.begin() + 1, seen.end(), [](const Seen& rank) { return rank.beat.state == Beat::left; });
  }

  /** Prints the verdict, leaves it in the store for as long as the others need to read it, and ends this process. */
  [[noreturn]] void end_all(const std::string& why) {
    tell(why);
    try {
      store->exchange(kVerdict, why, {}, spec.beat_ms);
      std::this_thread::sleep_for(std::chrono::milliseconds(2 * spec.beat_ms));
    } catch (const std::exception&) {  // the store is gone: the others see that
    }
    leave();
  }

  /** Rank 0 is lost, or the store that it or its launcher holds: rank 1 says so for all. */
  [[noreturn]] void end_without_rank_0(const std::string& why) const {
    if (spec.rank <= 1) tell(why);
    leave();
  }

  void follow() {
    do {
      std::string verdict;
      try {
        verdict = exchange(watched());
      } catch (const std::exception&) {
        if (leaving()) return;
        // Who has started rank 0 here knows how it ended, says it, and ends this rank.
        std::this_thread::sleep_for(std::chrono::milliseconds(2 * spec.beat_ms));
        end_without_rank_0(who(0) + " has ended, or its machine cannot be reached");
      }
      if (!verdict.empty()) leave();
      if (ms_since(seen[0].heard) > spec.silence_ms) end_without_rank_0(silence_of(0));
    } while (pause());
    try {
      exchange({});  // the last beat, which says that this rank has left or why it failed
    } catch (const std::exception&) {
    }
  }

  bool leaving() {
    const std::lock_guard lock(mutex);
    return state == Beat::left;
  }

  /** Waits for the next beat; false once this rank leaves. */
  bool pause() {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, std::chrono::milliseconds(spec.beat_ms), [this] { return state == Beat::left && !woken; });
    if (state == Beat::left) woken = true;
    return state != Beat::left;
  }

  void say(Beat::State now, const std::string& text) {
    {
      const std::lock_guard lock(mutex);
      state = now;
      why = text;
    }
    wake.notify_all();
  }

  const WatchSpec spec;
  std::unique_ptr<Group::Store> store;
  std::vector<Seen> seen;
  std::string host;
  std::mutex mutex;
  std::condition_variable wake;
  bool woken = false;
  Beat::State state = Beat::running;
  std::string why;
  uint64_t serial = 0;
  std::atomic<uint64_t> ticks{0};
  std::thread thread;
};

Watch::Watch(const WatchSpec& spec, std::unique_ptr<Group::Store> store)
    : state_(std::make_unique<State>(spec, std::move(store))) {
  state_->meet();
  state_->thread = std::thread([state = state_.get()] {
    if (state->spec.rank != 0) return state->follow();
    try {
      state->judge();
    } catch (const std::exception& error) {
      tell(std::string("the store of the job fails: ") + error.what());
      leave();
    }
  });
}

Watch::~Watch() {
  state_->say(Beat::left, {});
  state_->thread.join();
}

void Watch::tick() { ++state_->ticks; }

void Watch::fail(const std::string& why) {
  state_->say(Beat::failed, why);
  // The thread carries this to rank 0, whose verdict ends the process; without one it ends here.
  std::this_thread::sleep_for(std::chrono::milliseconds(5 * state_->spec.beat_ms));
  tell(why);
  leave();
}

bool die_with_parent(int64_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return getppid() == parent;  // the parent may have ended before the call
}

}  // namespace mstar
