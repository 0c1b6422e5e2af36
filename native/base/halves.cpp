// See halves.h. Plain integer arithmetic on the bits, the same on every device.
#include "base/halves.h"

namespace mstar {

at::Tensor join_halves(const at::Tensor& high, const at::Tensor& low) {
  return high.view(at::kShort).to(at::kInt).mul_(1 << 16).add_(low).view(at::kFloat);
}

namespace {

/** Upper halves of the bits. Adding half of the step before cutting rounds; a carry into the exponent is what rounding
 * wants. */
at::Tensor upper_halves(const at::Tensor& bits) { return (bits + (1 << 15)).bitwise_right_shift_(16); }

}  // namespace

at::Tensor nearest_bfloat16(const at::Tensor& values) {
  return upper_halves(values.contiguous().view(at::kInt)).to(at::kShort).view(at::kBFloat16);
}

void split_halves(const at::Tensor& master, const at::Tensor& high, const at::Tensor& low) {
  const auto bits = master.contiguous().view(at::kInt);
  const auto upper = upper_halves(bits);
  high.view(at::kShort).copy_(upper);
  low.copy_(bits - upper.mul_(1 << 16));
}

}  // namespace mstar
