#pragma once
// Work that is recorded on a device once and asked of it again as a whole: a decode step is hundreds of small kernels,
// and asking for each takes longer than most of them run. Leaves what is recorded to the callers.
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace mstar {

/** Runs on the same tensors as when it was recorded. */
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  virtual void replay() = 0;
};

/** Graphs that share their temporary memory: what one leaves behind lasts until the next is replayed. */
class DeviceGraphs {
 public:
  virtual ~DeviceGraphs() = default;
  /** Records `work` without running it. It must have run before with tensors of the same shapes, and not wait for the
   * device. */
  virtual std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) = 0;
};

/** Null where the device has none. */
std::unique_ptr<DeviceGraphs> device_graphs(const at::Device& device);

}  // namespace mstar
