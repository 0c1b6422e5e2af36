#pragma once
// The ranks of a job as the engine sees them: a few collectives over tensors and a store of small texts. c10d stands
// behind it: TCPStore is the rendezvous, Gloo carries CPU tensors, NCCL (made by the CUDA plug-in) those of a GPU.
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace mstar {

struct GroupSpec {
  int rank = 0, size = 1;
  std::string host = "127.0.0.1";       // of rank 0, whose store all ranks meet at
  int port = 0;                         // of that store
  int listen_fd = -1;                   // rank 0: a socket that is bound to the port and listens; -1: bind `port` anew
  bool store_is_elsewhere = false;      // the launcher (torchrun's agent) runs the store
  std::string job = "mstar";            // before every key: tells jobs, and attempts at one, over one store apart
  std::string proof;                    // of the job's secret: a rank with another one is refused
  std::string address = "127.0.0.1";    // where this rank listens for its peers
  int64_t join_ms = 120'000;            // to wait for the other ranks
  int64_t collective_ms = 30 * 60'000;  // limit of one collective; that a rank is alive is for Watch to judge
};

class Group {
 public:
  /** Blocks until every rank has come. Throws c10::Error on every rank alike, naming the rank that does not come within
   * `join_ms` or whose proof is not that of rank 0. */
  explicit Group(const GroupSpec& spec);
  ~Group();
  int rank() const;
  int size() const;
  /** Seconds in collectives so far, most of them in wait for other ranks. */
  double waited_seconds() const;

  /** Part k of `in` goes to rank k, part k of `out` comes from rank k; sizes count along the first dimension. */
  void all_to_all(const at::Tensor& out, const at::Tensor& in, std::vector<int64_t> out_sizes,
                  std::vector<int64_t> in_sizes) const;
  /** `out` [size * n, ...] receives the `in` [n, ...] of every rank in order. */
  void all_gather(const at::Tensor& out, const at::Tensor& in) const;
  void broadcast(const at::Tensor& value, int root) const;
  void barrier() const;

  void set(const std::string& key, const std::string& value) const;
  /** Waits for the key, `join_ms` at most. */
  std::string get(const std::string& key) const;

  struct Store;
  /** A connection of its own to the store, for use from another thread. */
  std::unique_ptr<Store> another_store() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/** The store, as much of it as Watch needs. */
struct Group::Store {
  virtual ~Store() = default;
  /** Sets `key` and returns those of `wanted` that are there, empty where they are not. Throws when the store does not
   * answer within `limit_ms`. */
  virtual std::vector<std::string> exchange(const std::string& key, const std::string& value,
                                            const std::vector<std::string>& wanted, int64_t limit_ms) = 0;
};

}  // namespace mstar
