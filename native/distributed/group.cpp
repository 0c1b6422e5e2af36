// See group.h. The only file that sees c10d.
#include "distributed/group.h"

#include <c10/util/Logging.h>
#include <torch/headeronly/version.h>

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
  options.waitWorkers = !spec.store_is_elsewhere;
  options.timeout = std::chrono::milliseconds(spec.join_ms);
  if (options.isServer && spec.listen_fd >= 0) options.masterListenFd = spec.listen_fd;
  return c10::make_intrusive<c10d::TCPStore>(spec.host, options);
}

std::vector<uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }
std::string text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

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
  std::string prefix;
  StorePtr connection, store;
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

Group::Group(const GroupSpec& spec) : state_(std::make_unique<State>()) {
  state_->prefix = spec.prefix;
  state_->limit_ms = spec.collective_ms;
  state_->connection = open_store(spec);
  state_->store = c10::make_intrusive<c10d::PrefixStore>(spec.prefix, state_->connection);
  const auto options = c10d::ProcessGroupGloo::Options::create(std::chrono::milliseconds(spec.collective_ms));
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(spec.address));
  state_->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(state_->store, spec.rank, spec.size, options);
}
Group::~Group() = default;

int Group::rank() const { return state_->gloo->getRank(); }
int Group::size() const { return state_->gloo->getSize(); }

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
  const During waiting(Activity::waiting);
  at::Tensor to = out, from = in;
  State::finish(out, state_->backend(out).MSTAR_ALL_TO_ALL(to, from, out_sizes, in_sizes));
}

void Group::all_gather(const at::Tensor& out, const at::Tensor& in) const {
  const During waiting(Activity::waiting);
  at::Tensor to = out, from = in;
  State::finish(out, state_->backend(out).MSTAR_ALL_GATHER(to, from));
}

void Group::broadcast(const at::Tensor& value, int root) const {
  const During waiting(Activity::waiting);
  std::vector<at::Tensor> values{value.view({-1}).view(at::kByte)};  // Gloo does not know every type
  c10d::BroadcastOptions options;
  options.rootRank = root;
  State::finish(value, state_->backend(value).broadcast(values, options));
}

void Group::barrier() const {
  const During waiting(Activity::waiting);
  state_->gloo->barrier()->wait();
}

void Group::set(const std::string& key, const std::string& value) const { state_->store->set(key, bytes(value)); }
std::string Group::get(const std::string& key) const { return text(state_->store->get(key)); }

std::unique_ptr<Group::Store> Group::another_store() const {
  return std::make_unique<OwnStore>(state_->connection->clone(), state_->prefix);
}

}  // namespace mstar
