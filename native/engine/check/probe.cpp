// See probe.h.
#include "engine/check/probe.h"

#include <chrono>

#include "base/device.h"
#include "ops/cpu/kernels.h"

namespace mstar {
namespace {

double median_seconds(const at::Device& device, const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int round = 0; round < 7; ++round) {
    synchronize(device);
    const auto started = std::chrono::steady_clock::now();
    work();
    synchronize(device);
    // The first round warms up.
    if (round > 0) seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + 3, seconds.end());
  return seconds[3];
}

}  // namespace

DeviceProbe probe_device(const at::TensorOptions& options, int64_t bytes, int64_t side) {
  const at::NoGradGuard no_grad;
  const auto from = at::zeros({bytes}, options.dtype(at::kByte));
  auto to = at::empty_like(from);
  DeviceProbe probe;
  probe.copy_bytes_per_second =
      2.0 * static_cast<double>(bytes) / median_seconds(options.device(), [&] { to.copy_(from); });
  const auto a = at::randn({side, side}, options), b = at::randn({side, side}, options);
  const double flops = 2.0 * std::pow(static_cast<double>(side), 3);
  probe.matmul_flops_per_second = flops / median_seconds(options.device(), [&] { at::matmul(a, b); });
  return probe;
}

const char* instruction_set() { return cpu::kernels().name; }

}  // namespace mstar
