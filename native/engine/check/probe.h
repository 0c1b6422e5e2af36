#pragma once
// What a device can do at most, measured: the limits that speeds are compared with.
#include <ATen/core/Tensor.h>

namespace mstar {

struct DeviceProbe {
  double copy_bytes_per_second = 0;  // read plus written
  /** In the given number type; on the CPU in float32 the better of LibTorch's product and of an own one in cache. */
  double matmul_flops_per_second = 0;
};

/** The best of a few repetitions; takes about a second on a GPU. `bytes` are copied; matrices are `side` square. */
DeviceProbe probe_device(const at::TensorOptions& options, int64_t bytes, int64_t side);

/** The instruction set of the CPU kernels in use. Throws one line where MSTAR_SIMD names what the machine has not. */
const char* instruction_set();

}  // namespace mstar
