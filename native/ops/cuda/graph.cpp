// CUDA graphs over LibTorch's allocator, for base/device_graph.h.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "base/device_graph.h"

namespace mstar {
namespace {

class CudaGraph final : public DeviceGraph {
 public:
  CudaGraph(const at::cuda::MempoolId_t& pool, const std::function<void()>& work) {
    // The default stream cannot be recorded.
    const auto before = c10::cuda::getCurrentCUDAStream();
    before.synchronize();
    const auto side = c10::cuda::getStreamFromPool();
    const c10::cuda::CUDAStreamGuard guard(side);
    graph_.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      graph_.capture_end();
      throw;
    }
    graph_.capture_end();
  }
  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

class CudaGraphs final : public DeviceGraphs {
 public:
  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override {
    return std::make_unique<CudaGraph>(pool_, work);
  }

 private:
  at::cuda::MempoolId_t pool_ = at::cuda::graph_pool_handle();
};

}  // namespace
}  // namespace mstar

extern "C" __attribute__((visibility("default"))) mstar::DeviceGraphs* mstar_cuda_graphs() {
  return new mstar::CudaGraphs;
}
