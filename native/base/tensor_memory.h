#pragma once
// Keeps freed tensor blocks for the next tensor of that size. glibc cuts the heaps of worker threads at 64 MiB and
// gives their big blocks back to the kernel whatever its thresholds say; a training step then spends its time on page
// faults. Set once when the addon loads.

namespace mstar {

/** Puts the cache under LibTorch's CPU tensors. */
void keep_tensor_memory();

}  // namespace mstar
