// See group.h. The only file that sees c10d.
#include "distributed/group.h"

#include <c10/util/Logging.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/device.h"
#include "base/pulse.h"

namespace mstar {
namespace {

using StorePtr = c10::intrusive_ptr<c10d::Store>;

StorePtr open_store(const GroupSpec& spec) {
  // A lost connection is told by Watch, in one line that names the rank, and not by c10d with its stack.
  setenv("TORCH_CPP_LOG_LEVEL", "ERROR", 0);
  c10::initLogging();
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(spec.port);
  options.isServer = spec.rank == 0 && !spec.store_is_elsewhere;
  options.numWorkers = static_cast<size_t>(spec.size);
  options.waitWorkers = false;  // meet() does, and names who has not come
  options.timeout = std::chrono::milliseconds(spec.join_ms);
  if (options.isServer && spec.listen_fd >= 0) options.masterListenFd = spec.listen_fd;
  return c10::make_intrusive<c10d::TCPStore>(spec.host, options);
}

std::vector<uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }
std::string text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

/** Why the ranks cannot work together, as rank 0 sees it; empty where they can. */
std::string roll_call(c10d::Store& store, const GroupSpec& spec) {
  using namespace std::chrono;
  const auto until = steady_clock::now() + milliseconds(spec.join_ms);
  std::string missing;
  for (int rank = 1; rank < spec.size; ++rank) {
    const std::string number = std::to_string(rank), key = "come/" + number;
    try {
      store.wait({key}, std::max(milliseconds(10), duration_cast<milliseconds>(until - steady_clock::now())));
    } catch (const c10::Error&) {
      missing += (missing.empty() ? "" : ", ") + number;
      continue;
    }
    if (text(store.get(key)) != spec.proof)
      return "MSTAR_SECRET: on rank " + number + " another text than on rank 0, wanted the same on all ranks of a job";
  }
  if (missing.empty()) return {};
  return "rank " + missing + ": not come to " + spec.host + ':' + std::to_string(spec.port) + " within " +
         std::to_string(spec.join_ms / 1000) + " s";
}

/** Waits until all ranks of this job are there. Rank 0 judges, so that all of them throw alike. */
void meet(c10d::Store& store, const GroupSpec& spec) {
  const std::string key = "come/verdict", all_here = "all are here";  // an empty value looks like none
  if (spec.rank == 0) {
    const auto why = roll_call(store, spec);
    store.set(key, bytes(why.empty() ? all_here : why));
    if (!why.empty()) std::this_thread::sleep_for(std::chrono::seconds(1));  // the store ends with this rank
  } else {
    store.set("come/" + std::to_string(spec.rank), bytes(spec.proof));
    store.wait({key}, std::chrono::milliseconds(spec.join_ms + 5'000));
  }
  const auto verdict = text(store.get(key));
  TORCH_CHECK(verdict == all_here, verdict);
}

struct OwnStore : Group::Store {
  OwnStore(StorePtr connection, const std::string& prefix)
      : store(c10::make_intrusive<c10d::PrefixStore>(prefix, std::move(connection))) {}

  std::vector<std::string> exchange(const std::string& key, const std::string& value,
                                    const std::vector<std::string>& wanted, int64_t limit_ms) override {
    store->setTimeout(std::chrono::milliseconds(limit_ms));
    store->set(key, bytes(value));
    std::vector<std::string> out;
    for (const auto& name : wanted) out.push_back(store->check({name}) ? text(store->get(name)) : std::string());
    return out;
  }

  StorePtr store;
};

}  // namespace

struct Group::State {
  std::string job;
  StorePtr connection, store;
  std::atomic<int64_t> waited_ns{0};
  int64_t limit_ms = 0;
  c10::intrusive_ptr<c10d::Backend> gloo, nccl;

  /** What carries this tensor. */
  c10d::Backend& backend(const at::Tensor& tensor) {
    if (tensor.is_cpu()) return *gloo;
    if (!nccl) {
      using Make = c10d::Backend* (*)(c10d::Store*, int, int, int64_t);
      const auto make = reinterpret_cast<Make>(cuda_plugin_symbol("mstar_nccl"));
      TORCH_CHECK(make != nullptr, "training over several GPUs needs the CUDA plug-in, built where nccl.h is found");
      nccl = c10::intrusive_ptr<c10d::Backend>::reclaim(make(store.get(), gloo->getRank(), gloo->getSize(), limit_ms));
    }
    return *nccl;
  }

  /** Waits for a collective over `tensor`; for one of a GPU too, which would else be under way while this rank seems to
   * compute. */
  static void finish(const at::Tensor& tensor, const c10::intrusive_ptr<c10d::Work>& work) {
    work->wait();
    synchronize(tensor.device());
  }
};

namespace {

/** A scope in a collective: known to the watch, and counted. */
class Waiting {
 public:
  explicit Waiting(std::atomic<int64_t>& total) : total_(total) {}
  ~Waiting() { total_ += std::chrono::nanoseconds(std::chrono::steady_clock::now() - began_).count(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  const During during_{Activity::waiting};
  std::atomic<int64_t>& total_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace

Group::Group(const GroupSpec& spec) : state_(std::make_unique<State>()) {
  state_->job = spec.job;
  state_->limit_ms = spec.collective_ms;
  state_->connection = open_store(spec);
  state_->store = c10::make_intrusive<c10d::PrefixStore>(spec.job, state_->connection);
  meet(*state_->store, spec);
  const auto options = c10d::ProcessGroupGloo::Options::create(std::chrono::milliseconds(spec.collective_ms));
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(spec.address));
  state_->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(state_->store, spec.rank, spec.size, options);
}
Group::~Group() = default;

int Group::rank() const { return state_->gloo->getRank(); }
int Group::size() const { return state_->gloo->getSize(); }
double Group::waited_seconds() const { return static_cast<double>(state_->waited_ns) * 1e-9; }

// From 2.14 on these collectives bear other names.
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 14
#define MSTAR_ALL_TO_ALL all_to_all_single
#define MSTAR_ALL_GATHER all_gather_single
#else
#define MSTAR_ALL_TO_ALL alltoall_base
#define MSTAR_ALL_GATHER _allgather_base
#endif

void Group::all_to_all(const at::Tensor& out, const at::Tensor& in, std::vector<int64_t> out_sizes,
                       std::vector<int64_t> in_sizes) const {
  const Waiting waiting(state_->waited_ns);
  at::Tensor to = out, from = in;
  State::finish(out, state_->backend(out).MSTAR_ALL_TO_ALL(to, from, out_sizes, in_sizes));
}

void Group::all_gather(const at::Tensor& out, const at::Tensor& in) const {
  const Waiting waiting(state_->waited_ns);
  at::Tensor to = out, from = in;
  State::finish(out, state_->backend(out).MSTAR_ALL_GATHER(to, from));
}

void Group::broadcast(const at::Tensor& value, int root) const {
  const Waiting waiting(state_->waited_ns);
  std::vector<at::Tensor> values{value.view({-1}).view(at::kByte)};  // Gloo does not know every type
  c10d::BroadcastOptions options;
  options.rootRank = root;
  State::finish(value, state_->backend(value).broadcast(values, options));
}

void Group::barrier() const {
  const Waiting waiting(state_->waited_ns);
  state_->gloo->barrier()->wait();
}

void Group::set(const std::string& key, const std::string& value) const { state_->store->set(key, bytes(value)); }
std::string Group::get(const std::string& key) const { return text(state_->store->get(key)); }

std::unique_ptr<Group::Store> Group::another_store() const {
  return std::make_unique<OwnStore>(state_->connection->clone(), state_->job);
}

}  // namespace mstar
