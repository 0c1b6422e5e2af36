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

void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* dweight,
                       int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, x += width, dy += width, dx += width) {
    Floats squares{}, products{};
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) {
      const Floats v = load(x + i);
      squares += v * v;
      products += v * load(dy + i) * load(weight + i);
    }
    float total = sum(squares), along = sum(products);
    for (; i < width; ++i) {
      total += x[i] * x[i];
      along += x[i] * dy[i] * weight[i];
    }
    const float inverse = 1.0f / std::sqrt(total / static_cast<float>(width) + eps);
    const float pull = along * inverse * inverse / static_cast<float>(width);
    for (i = 0; i < width; ++i) {
      dx[i] = (dy[i] * weight[i] - x[i] * pull) * inverse;
      dweight[i] += dy[i] * x[i] * inverse;
    }
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

void swiglu(const float* gate, const float* up, int64_t stride, float* out, int64_t rows, int64_t width) {
  const auto gated = [](const Floats& gate, const Floats& up) __attribute__((always_inline)) {
    return gate / (1.0f + exp(Floats{} - gate)) * up;
  };
  for (int64_t r = 0; r < rows; ++r, gate += stride, up += stride, out += width) {
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) store(out + i, gated(load(gate + i), load(up + i)));
    if (i < width) store_some(out + i, gated(load_some(gate + i, width - i), load_some(up + i, width - i)), width - i);
  }
}

void swiglu_backward(const float* gate, const float* up, int64_t stride, const float* dy, float* dgate, float* dup,
                     int64_t rows, int64_t width) {
  struct Both {
    Floats gate, up;
  };
  const auto gradients = [](const Floats& gate, const Floats& up, const Floats& dy) __attribute__((always_inline)) {
    const Floats share = 1.0f / (1.0f + exp(Floats{} - gate)), silu = gate * share;
    return Both{dy * up * (share + silu * (1.0f - share)), dy * silu};
  };
  for (int64_t r = 0; r < rows; ++r, gate += stride, up += stride, dy += width, dgate += width, dup += width) {
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) {
      const Both both = gradients(load(gate + i), load(up + i), load(dy + i));
      store(dgate + i, both.gate);
      store(dup + i, both.up);
    }
    if (i == width) continue;
    const int64_t left = width - i;
    const Both both = gradients(load_some(gate + i, left), load_some(up + i, left), load_some(dy + i, left));
    store_some(dgate + i, both.gate, left);
    store_some(dup + i, both.up, left);
  }
}

double exp_scaled(const float* x, float max, float scale, float* out, int64_t n) {
  DoubleSums sums;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats e = exp_to_88((load(x + i) - max) * scale);
    store(out + i, e);
    sums.add(e);
  }
  if (i < n) {
    store_some(out + i, exp_to_88((load_some(x + i, n - i) - max) * scale), n - i);
    sums.add(load_some(out + i, n - i));
  }
  return sums.total();
}

float dot(const float* a, const float* b, int64_t n) {
  Floats products{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) products += load(a + i) * load(b + i);
  if (i < n) products += load_some(a + i, n - i) * load_some(b + i, n - i);
  return sum(products);
}

void softmax_backward(float* weight, float* slope, float max, float scale, float along, int64_t n) {
  const auto finish = [&](Floats & w, Floats & s) __attribute__((always_inline)) {
    w = exp_to_88((w - max) * scale);
    s = w * (s - along) * scale;
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Floats w = load(weight + i), s = load(slope + i);
    finish(w, s);
    store(weight + i, w);
    store(slope + i, s);
  }
  if (i == n) return;
  Floats w = load_some(weight + i, n - i), s = load_some(slope + i, n - i);
  finish(w, s);
  store_some(weight + i, w, n - i);
  store_some(slope + i, s, n - i);
}

void logprob_backward(const float* x, float scale, float lse, float into, float* out, int64_t n) {
  const float share = -into * scale;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(out + i, exp_to_88(load(x + i) * scale - lse) * share);
  if (i < n) store_some(out + i, exp_to_88(load_some(x + i, n - i) * scale - lse) * share, n - i);
}

void add(float* x, const float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(x + i, load(x + i) + load(y + i));
  for (; i < n; ++i) x[i] += y[i];
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
