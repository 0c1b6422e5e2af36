// See master.h. Plain integer arithmetic on the bits, the same on every device.
#include "engine/master.h"

namespace mstar {

at::Tensor join_halves(const at::Tensor& high, const at::Tensor& low) {
  return high.view(at::kShort).to(at::kInt).mul_(1 << 16).add_(low).view(at::kFloat);
}

void split_halves(const at::Tensor& master, const at::Tensor& high, const at::Tensor& low) {
  const auto bits = master.contiguous().view(at::kInt);
  // Adding half of the step before cutting rounds to the nearest; a carry into the exponent is what rounding wants.
  const auto upper = (bits + (1 << 15)).bitwise_right_shift_(16);
  high.view(at::kShort).copy_(upper);
  low.copy_(bits - upper.mul_(1 << 16));
}

}  // namespace mstar
