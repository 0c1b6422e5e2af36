#pragma once
// Keeps freed blocks in the process: glibc returns big blocks to the kernel after every tensor op, and page faults then
// dominate a CPU training step. Called once when the addon loads.

namespace mstar {

/** Raises the malloc thresholds; returns what was done, for `info()`. MSTAR_MALLOC=default leaves glibc as it is
 * (benchmarks). */
const char* raise_malloc_thresholds();

}  // namespace mstar
