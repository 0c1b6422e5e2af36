#pragma once
// How much more tensors may take on a device.
#include <ATen/DeviceAccelerator.h>

#include "base/device.h"

namespace mstar {

/** Free bytes of a GPU, with those that LibTorch holds and no tensor uses; on CPU what the machine has free. */
inline int64_t room_on(const at::Device& device) {
  if (device.is_cpu()) return free_bytes(device);
  const auto stats = at::accelerator::getDeviceStats(device.index());
  return free_bytes(device) + stats.reserved_bytes.front().current - stats.allocated_bytes.front().current;
}

}  // namespace mstar
