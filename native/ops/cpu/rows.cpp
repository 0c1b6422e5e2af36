// See rows.h. Tails shorter than eight go through a padded buffer, so that a value does not depend on its place.
#include "ops/cpu/rows.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/simd.h"

namespace mstar::cpu {

using simd::f8;

MSTAR_SIMD void rms_norm(const float* x, const float* weight, float eps, float* out, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, x += width, out += width) {
    f8 squares{};
    int64_t i = 0;
    for (; i + 8 <= width; i += 8) {
      const f8 v = MSTAR_LOAD(x + i);
      squares += v * v;
    }
    float total = simd::sum8(squares);
    for (; i < width; ++i) total += x[i] * x[i];
    const float inverse = 1.0f / std::sqrt(total / static_cast<float>(width) + eps);
    for (i = 0; i < width; ++i) out[i] = x[i] * inverse * weight[i];
  }
}

MSTAR_SIMD void rotate_half(float* x, const float* cosine, const float* sine, int64_t heads, int64_t head_dim) {
  const int64_t half = head_dim / 2;
  for (int64_t h = 0; h < heads; ++h, x += head_dim) {
    for (int64_t i = 0; i < half; ++i) {
      const float a = x[i], b = x[i + half];
      x[i] = a * cosine[i] - b * sine[i];
      x[i + half] = b * cosine[i] + a * sine[i];
    }
  }
}

MSTAR_SIMD void swiglu(const float* gate_up, float* out, int64_t rows, int64_t width) {
  const auto gated = [](const f8& gate, const f8& up) __attribute__((always_inline)) {
    return gate / (1.0f + simd::exp8(f8{} - gate)) * up;
  };
  for (int64_t r = 0; r < rows; ++r, gate_up += 2 * width, out += width) {
    int64_t i = 0;
    for (; i + 8 <= width; i += 8)
      MSTAR_STORE(out + i, gated(MSTAR_LOAD(gate_up + i), MSTAR_LOAD(gate_up + width + i)));
    if (i < width) {
      const f8 gate = simd::load_some(gate_up + i, width - i), up = simd::load_some(gate_up + width + i, width - i);
      simd::store_some(out + i, gated(gate, up), width - i);
    }
  }
}

MSTAR_SIMD double exp_scaled(const float* x, float max, float scale, float* out, int64_t n) {
  double sum = 0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const f8 e = simd::exp8((MSTAR_LOAD(x + i) - max) * scale);
    MSTAR_STORE(out + i, e);
    sum += simd::sum8(e);
  }
  if (i < n) {
    simd::store_some(out + i, simd::exp8((simd::load_some(x + i, n - i) - max) * scale), n - i);
    sum += simd::sum8(simd::load_some(out + i, n - i));
  }
  return sum;
}

MSTAR_SIMD float max_of(const float* x, int64_t n) {
  float best = x[0];
  int64_t i = 0;
  if (n >= 8) {
    f8 most = MSTAR_LOAD(x);
    for (i = 8; i + 8 <= n; i += 8) most = simd::max8(MSTAR_LOAD(x + i), most);
    for (int lane = 0; lane < 8; ++lane) best = most[lane] > best ? most[lane] : best;
  }
  for (; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

}  // namespace mstar::cpu
