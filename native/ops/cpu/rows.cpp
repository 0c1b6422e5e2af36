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
  for (int64_t r = 0; r < rows; ++r, gate_up += 2 * width, out += width) {
    for (int64_t i = 0; i < width; i += 8) {
      const int64_t n = std::min<int64_t>(8, width - i);
      float gate[8] = {0}, up[8] = {0}, negated[8], e[8], result[8];
      std::memcpy(gate, gate_up + i, static_cast<size_t>(n) * sizeof(float));
      std::memcpy(up, gate_up + width + i, static_cast<size_t>(n) * sizeof(float));
      MSTAR_STORE(negated, f8{} - MSTAR_LOAD(gate));
      simd::exp8(negated, e);
      MSTAR_STORE(result, MSTAR_LOAD(gate) / (1.0f + MSTAR_LOAD(e)) * MSTAR_LOAD(up));
      std::memcpy(out + i, result, static_cast<size_t>(n) * sizeof(float));
    }
  }
}

MSTAR_SIMD double exp_scaled(const float* x, float max, float scale, float* out, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t count = std::min<int64_t>(8, n - i);
    float shifted[8], e[8];
    for (int64_t j = 0; j < 8; ++j) shifted[j] = j < count ? (x[i + j] - max) * scale : -1e30f;
    simd::exp8(shifted, e);
    std::memcpy(out + i, e, static_cast<size_t>(count) * sizeof(float));
    float block = 0;
    for (int64_t j = 0; j < count; ++j) block += e[j];
    sum += block;
  }
  return sum;
}

MSTAR_SIMD float max_of(const float* x, int64_t n) {
  float best = x[0];
  for (int64_t i = 1; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

}  // namespace mstar::cpu
