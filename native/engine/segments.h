#pragma once
// Backward by segments: a forward is cut into segments that autograd sees as one node each. A segment keeps its graph
// for the backward, or its input alone and is run again there. The gradients of its parameters are handed on as soon as
// they are made. Whichever segments are run again, they equal those of one backward through everything bit for bit.
// Losses are in loss.cpp, and what a segment computes in models/.
#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "engine/reads.h"

namespace mstar {

/** What segments are of: blocks of a vision tower and what is around them, decoder layers, pieces of the output. */
enum class Part { vision, layer, head, last };

using SegmentWork = std::function<at::Tensor(const at::Tensor&)>;

/** work(x); where a Segments is on this thread, as a segment. `work` may be called once more on another thread while
 * the Segments lives, so that it owns what it captures, weights apart, which it looks up in their table. */
at::Tensor segment(Part part, const at::Tensor& x, SegmentWork work);

/** What is run again in the backward: the first so many decoder layers and, where there are any, all of the vision
 * tower and all pieces of the output but the last; or what comes when memory is full. */
struct Recompute {
  int64_t layers = 0;
  std::function<bool()> full;  // whether the graph of one more segment has no room, where `layers` does not decide
  bool one_graph = false;      // no segments at all: the plain twin, for tests
  bool takes(Part part, int64_t layer) const {
    if (part == Part::last) return false;
    return full ? full() : layers > (part == Part::layer ? layer : 0);
  }
};

/** One forward on this thread from its construction on, and its backward. */
class Segments {
 public:
  /** Takes the gradient of a leaf, once it is complete. */
  using Sink = std::function<void(size_t leaf, at::Tensor grad)>;

  /** `leaves` are the parameters that gradients are wanted of; others must not require any. */
  Segments(const std::vector<at::Tensor>& leaves, Recompute recompute, Sink sink);
  ~Segments();
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;

  /** Calls the sink for each leaf that the loss reaches, in the order of the backward. */
  void backward(const at::Tensor& loss);

 private:
  friend at::Tensor segment(Part part, const at::Tensor& x, SegmentWork work);
  struct Held;
  struct Link;
  at::Tensor run(Part part, const at::Tensor& x, SegmentWork work);
  void add(size_t leaf, at::Tensor grad);
  std::vector<size_t> leaves_in(const Reads& reads);

  const std::vector<at::Tensor>& leaves_;
  Recompute recompute_;
  Sink sink_;
  std::map<const at::TensorImpl*, size_t> index_;
  std::vector<int64_t> uses_;     // of each leaf: segments that read it and were not gone back through yet
  std::vector<at::Tensor> sums_;  // of each leaf: what these have given so far
  at::Tensor anchor_;  // input of every segment, so that one whose parameters alone learn is gone back through
  std::unique_ptr<Reads> between_;  // what is read outside segments
  int64_t layers_ = 0;
};

}  // namespace mstar
