#pragma once
// What the ranks of a group tell each other in a training step: gradients, each part to the rank that owns it; the
// norm; new weights. Parts are only copied on the way and added by their owner in the order of the micro-batches, so
// that a step has the same bits for any number of ranks. One rank owns everything, and for it nothing is exchanged.
#include <exception>
#include <memory>

#include "distributed/group.h"
#include "engine/cuts.h"
#include "engine/parameters.h"
#include "engine/types.h"

namespace mstar {

/** Loss and gradients of one micro-batch, or why there are none. */
struct MicroGradients {
  double loss = 0;
  PolicyMeasures policy;
  std::vector<at::Tensor> grads;  // by parameter, undefined where it is not reached; none where there is no micro-batch
  std::exception_ptr error;
};

/** Sums over micro-batches: of the loss, of what is measured with it, and of each gradient the part that this rank
 * owns. */
struct GradientSums {
  double loss = 0;
  PolicyMeasures policy;
  std::vector<at::Tensor> grads;  // by parameter, undefined where it is not reached or nothing of it is owned
};

/** Adds the gradient of parameter `index` to the sums of this rank, which owns everything; sums are changed in place.
 */
void add_gradient(std::vector<at::Tensor>& sums, size_t index, at::Tensor grad);

/** Another rank failed in a step; its own error says why. */
struct PeerFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** Sizes that tests make small. */
struct ExchangeSizes {
  int64_t block = Cuts::kBlock;
  int64_t message = int64_t{1} << 27;  // bytes that a rank sends or receives at one time, unless one parameter has more
};

class Exchange {
 public:
  /** Of the ranks of `group` (null: one rank) about the parameters `names`. */
  Exchange(const Parameters& parameters, const std::vector<std::string>& names, std::shared_ptr<Group> group = nullptr,
           ExchangeSizes sizes = {});

  int rank() const { return rank_; }
  int ranks() const { return cuts_.ranks(); }
  at::Device device() const { return device_; }
  /** The part of a parameter that this rank owns. */
  Span owned(size_t parameter) const { return cuts_.of(parameter, rank_); }
  /** Numbers of a parameter. */
  int64_t size(size_t parameter) const { return cuts_.size(parameter); }

  // What follows is called by all ranks or by none.
  /** Adds micro-batches to the sums, one of each rank in the order of ranks. `mine` is used up. A rank that has an
   * error rethrows it here, and the others throw PeerFailed: nobody is left waiting. */
  void add(MicroGradients mine, GradientSums& sums) const;
  /** L2 norm of the whole gradient, the same on all ranks. */
  double norm(const GradientSums& sums) const;
  /** Whether something is so on every rank. */
  bool all(bool mine) const;
  /** Gives every rank the parts of the parameters that others have changed. */
  void share(const Parameters& parameters, const std::vector<std::string>& names) const;
  /** Puts the owners' parts of one tensor together on rank `to`; undefined on the others. Flat. It has a number for
   * each of the parameter, or for `each` neighbouring ones, which have one owner. */
  at::Tensor whole(size_t parameter, const at::Tensor& part, int to, int64_t each = 1) const;

 private:
  std::vector<double> all_doubles(const std::vector<double>& mine) const;
  /** Bytes that a part takes in a message. */
  int64_t room(size_t parameter, int rank) const;

  std::shared_ptr<Group> group_;
  int rank_;
  at::Device device_;
  Cuts cuts_;
  std::vector<at::ScalarType> types_;
  std::vector<std::pair<size_t, size_t>> messages_;  // parameters [first, last) that travel together
};

}  // namespace mstar
