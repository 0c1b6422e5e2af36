// See rotary.h.
#include "ops/rotary.h"

namespace mstar {

at::Tensor rotate_rows(const at::Tensor& x_NHE, const at::Tensor& cosine, const at::Tensor& sine) {
  const auto x = x_NHE.to(at::kFloat);
  const int64_t half = x.size(-1) / 2;
  const auto a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half), c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  return at::cat({a * c - b * s, b * c + a * s}, -1).to(x_NHE.scalar_type());
}

}  // namespace mstar
