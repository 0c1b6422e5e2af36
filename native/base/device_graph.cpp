// See device_graph.h. CUDA's are in the plug-in (native/ops/cuda/graph.cpp).
#include "base/device_graph.h"

#include "base/device.h"

namespace mstar {

std::unique_ptr<DeviceGraphs> device_graphs(const at::Device& device) {
  if (!device.is_cuda()) return nullptr;
  using Make = DeviceGraphs* (*)();
  static const auto make = reinterpret_cast<Make>(cuda_plugin_symbol("mstar_cuda_graphs"));
  return std::unique_ptr<DeviceGraphs>(make == nullptr ? nullptr : make());
}

}  // namespace mstar
