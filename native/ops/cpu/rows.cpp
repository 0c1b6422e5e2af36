// See rows.h. Tails shorter than a vector go through a padded buffer, so that a value does not depend on its place.
#include "ops/cpu/rows.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/simd.h"

namespace mstar::cpu::MSTAR_ISA {

void rms_norm(const float* x, const float* weight, float eps, float* out, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, x += width, out += width) {
    Floats squares{};
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) {
      const Floats v = load(x + i);
      squares += v * v;
    }
    float total = sum(squares);
    for (; i < width; ++i) total += x[i] * x[i];
    const float inverse = 1.0f / std::sqrt(total / static_cast<float>(width) + eps);
    for (i = 0; i < width; ++i) out[i] = x[i] * inverse * weight[i];
  }
}

void rotate_half(float* x, const float* cosine, const float* sine, int64_t heads, int64_t head_dim) {
  const int64_t half = head_dim / 2;
  for (int64_t h = 0; h < heads; ++h, x += head_dim) {
    for (int64_t i = 0; i < half; ++i) {
      const float a = x[i], b = x[i + half];
      x[i] = a * cosine[i] - b * sine[i];
      x[i + half] = b * cosine[i] + a * sine[i];
    }
  }
}

void swiglu(const float* gate_up, float* out, int64_t rows, int64_t width) {
  const auto gated = [](const Floats& gate, const Floats& up) __attribute__((always_inline)) {
    return gate / (1.0f + exp(Floats{} - gate)) * up;
  };
  for (int64_t r = 0; r < rows; ++r, gate_up += 2 * width, out += width) {
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) store(out + i, gated(load(gate_up + i), load(gate_up + width + i)));
    if (i < width) {
      const Floats gate = load_some(gate_up + i, width - i), up = load_some(gate_up + width + i, width - i);
      store_some(out + i, gated(gate, up), width - i);
    }
  }
}

double exp_scaled(const float* x, float max, float scale, float* out, int64_t n) {
  double total = 0;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats e = exp((load(x + i) - max) * scale);
    store(out + i, e);
    total += sum(e);
  }
  if (i < n) {
    store_some(out + i, exp((load_some(x + i, n - i) - max) * scale), n - i);
    total += sum(load_some(out + i, n - i));
  }
  return total;
}

float max_of(const float* x, int64_t n) {
  float best = x[0];
  int64_t i = 0;
  if (n >= kLanes) {
    Floats most = load(x);
    for (i = kLanes; i + kLanes <= n; i += kLanes) most = larger(load(x + i), most);
    for (int lane = 0; lane < kLanes; ++lane) best = most[lane] > best ? most[lane] : best;
  }
  for (; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

}  // namespace mstar::cpu::MSTAR_ISA
