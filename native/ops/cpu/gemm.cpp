// Packed-weight GEMM. A tile of 6 rows x 16 outputs stays in registers (12 accumulators of AVX2, 6 of AVX-512); the panel of
// 16 outputs is read once per tile of rows and stays in cache. k is cut into blocks so that a panel block fits into L1.
#include "ops/cpu/gemm.h"

#include <algorithm>

#include "ops/cpu/simd.h"

namespace mstar::cpu {
namespace {

using simd::f8;
constexpr int64_t kLanes = 16, kRows = 6, kBlock = 512;

template <int R>
MSTAR_INLINE void tile(const float* panel, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t k, int64_t width, bool from_y) {
  f8 low[R], high[R];
  float edge[kLanes];
  for (int r = 0; r < R; ++r) {
    low[r] = high[r] = f8{};
    if (!from_y) continue;
    const float* from = y + r * y_stride;
    if (width < kLanes) {
      std::memset(edge, 0, sizeof edge);
      std::memcpy(edge, from, static_cast<size_t>(width) * sizeof(float));
      from = edge;
    }
    low[r] = MSTAR_LOAD(from);
    high[r] = MSTAR_LOAD(from + 8);
  }
  for (int64_t i = 0; i < k; ++i) {
    const f8 w0 = MSTAR_LOAD(panel + i * kLanes), w1 = MSTAR_LOAD(panel + i * kLanes + 8);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const float a = x[r * x_stride + i];
      low[r] += a * w0;
      high[r] += a * w1;
    }
  }
  for (int r = 0; r < R; ++r) {
    float* to = width == kLanes ? y + r * y_stride : edge;
    MSTAR_STORE(to, low[r]);
    MSTAR_STORE(to + 8, high[r]);
    if (width < kLanes) std::memcpy(y + r * y_stride, edge, static_cast<size_t>(width) * sizeof(float));
  }
}

}  // namespace

void pack(PackedWeight& out, const float* weight, int64_t n, int64_t k, int64_t stride) {
  const int64_t panels = (n + kLanes - 1) / kLanes;
  out.n = n;
  out.k = k;
  out.panels.assign(static_cast<size_t>(panels * k * kLanes), 0.0f);
  for (int64_t j = 0; j < n; ++j) {
    float* panel = out.panels.data() + (j / kLanes) * k * kLanes + j % kLanes;
    for (int64_t i = 0; i < k; ++i) panel[i * kLanes] = weight[j * stride + i];
  }
}

MSTAR_SIMD void gemm(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, bool accumulate) {
  for (int64_t k0 = 0; k0 < w.k; k0 += kBlock) {
    const int64_t depth = std::min(kBlock, w.k - k0);
    const bool from_y = accumulate || k0 > 0;
    for (int64_t j = 0; j < w.n; j += kLanes) {
      const float* panel = w.panels.data() + j * w.k + k0 * kLanes;
      const int64_t width = std::min(kLanes, w.n - j);
      int64_t r = 0;
      for (; r + kRows <= rows; r += kRows) tile<6>(panel, x + r * x_stride + k0, x_stride, y + r * y_stride + j, y_stride, depth, width, from_y);
      for (; r + 2 <= rows; r += 2) tile<2>(panel, x + r * x_stride + k0, x_stride, y + r * y_stride + j, y_stride, depth, width, from_y);
      for (; r < rows; ++r) tile<1>(panel, x + r * x_stride + k0, x_stride, y + r * y_stride + j, y_stride, depth, width, from_y);
    }
  }
}

}  // namespace mstar::cpu
