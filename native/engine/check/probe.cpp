// See probe.h.
#include "engine/check/probe.h"

#include <chrono>

#include "base/device.h"
#include "ops/cpu/kernels.h"

namespace mstar {
namespace {

/** The least of a few repetitions: other work on the machine only ever adds to it. */
double least_seconds(const at::Device& device, const std::function<void()>& work) {
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 7; ++round) {
    synchronize(device);
    const auto started = std::chrono::steady_clock::now();
    work();
    synchronize(device);
    // The first round warms up.
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    if (round > 0) least = std::min(least, seconds.count());
  }
  return least;
}

/** Multiplications and additions per second of the own product where both operands stay in the first cache: one thread,
 * float32. */
double product_in_cache() {
  constexpr int64_t kRows = 8, kOutputs = 96, kInner = 64, kRepeats = 20000;
  const auto w = at::randn({kOutputs, kInner}), x = at::randn({kRows, kInner});
  auto y = at::empty({kRows, kOutputs});
  std::vector<float> room(static_cast<size_t>(cpu::packed_floats(kOutputs, kInner)));
  const auto packed = cpu::pack(w.const_data_ptr<float>(), kOutputs, kInner, kInner, room.data());
  const double seconds = least_seconds(at::kCPU, [&] {
    for (int64_t i = 0; i < kRepeats; ++i)
      cpu::gemm(packed, x.const_data_ptr<float>(), kInner, cpu::Layout::rows, y.mutable_data_ptr<float>(), kOutputs,
                kRows, false);
  });
  return 2.0 * kRows * kOutputs * kInner * kRepeats / seconds;
}

}  // namespace

DeviceProbe probe_device(const at::TensorOptions& options, int64_t bytes, int64_t side) {
  const at::NoGradGuard no_grad;
  const auto from = at::zeros({bytes}, options.dtype(at::kByte));
  auto to = at::empty_like(from);
  DeviceProbe probe;
  probe.copy_bytes_per_second =
      2.0 * static_cast<double>(bytes) / least_seconds(options.device(), [&] { to.copy_(from); });
  const auto a = at::randn({side, side}, options), b = at::randn({side, side}, options);
  const double flops = 2.0 * std::pow(static_cast<double>(side), 3);
  probe.matmul_flops_per_second = flops / least_seconds(options.device(), [&] { at::matmul(a, b); });
  if (options.device().is_cpu() && options.dtype() == at::kFloat)
    probe.matmul_flops_per_second = std::max(probe.matmul_flops_per_second, product_in_cache());
  return probe;
}

const char* instruction_set() { return cpu::kernels().name; }

}  // namespace mstar
