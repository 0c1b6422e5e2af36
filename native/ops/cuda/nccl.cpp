// NCCL's collectives over LibTorch's own wrapping of them, for distributed/group.cpp.
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

/** A backend over the ranks that meet at `store`; the caller owns it. Made by all of them at one time. */
extern "C" __attribute__((visibility("default"))) c10d::Backend* mstar_nccl(c10d::Store* store, int rank, int size,
                                                                            int64_t limit_ms) {
  // That a rank is lost is for Watch to judge, and its line names the rank: no second judge beside it.
  setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "0", 0);
  setenv("TORCH_NCCL_ENABLE_MONITORING", "0", 0);
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = std::chrono::milliseconds(limit_ms);
  const auto shared = c10::intrusive_ptr<c10d::Store>::unsafe_reclaim_from_nonowning(store);
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(shared, rank, size, options).release();
}
