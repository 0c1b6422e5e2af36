// Packed-weight GEMM. A tile of 6 rows x 16 outputs stays in registers (12 accumulators of AVX2, 6 of AVX-512); the
// panel of 16 outputs is read once per tile of rows and stays in cache. k is cut into blocks so that a panel block fits
// into L1.
#include "ops/cpu/gemm.h"

#include <algorithm>

#include "ops/cpu/simd.h"

namespace mstar::cpu {
namespace {

using simd::f8;
constexpr int64_t kLanes = 16, kRows = 6, kBlock = 512;

template <int R, Layout L>
MSTAR_INLINE void tile(const float* panel, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t k,
                       int64_t width, bool from_y) {
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
      const float a = L == Layout::rows ? x[r * x_stride + i] : x[i * x_stride + r];
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

void pack_transposed(PackedWeight& out, const float* weight, int64_t n, int64_t k, int64_t stride) {
  const int64_t panels = (n + kLanes - 1) / kLanes;
  out.n = n;
  out.k = k;
  out.panels.resize(static_cast<size_t>(panels * k * kLanes));
  for (int64_t p = 0; p < panels; ++p) {
    const int64_t width = std::min(kLanes, n - p * kLanes);
    float* panel = out.panels.data() + p * k * kLanes;
    for (int64_t i = 0; i < k; ++i, panel += kLanes) {
      std::memcpy(panel, weight + i * stride + p * kLanes, static_cast<size_t>(width) * sizeof(float));
      std::memset(panel + width, 0, static_cast<size_t>(kLanes - width) * sizeof(float));
    }
  }
}

namespace {

template <Layout L>
MSTAR_INLINE void product(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride,
                          int64_t rows, bool accumulate, OutputRange range) {
  const int64_t row_step = L == Layout::rows ? x_stride : 1, k_step = L == Layout::rows ? 1 : x_stride;
  for (int64_t k0 = 0; k0 < w.k; k0 += kBlock) {
    const int64_t depth = std::min(kBlock, w.k - k0);
    const bool from_y = accumulate || k0 > 0;
    const float* x_block = x + k0 * k_step;
    for (int64_t j = range.first; j < range.last; j += kLanes) {
      const float* panel = w.panels.data() + j * w.k + k0 * kLanes;
      const int64_t width = std::min(kLanes, w.n - j);
      int64_t r = 0;
      for (; r + kRows <= rows; r += kRows)
        tile<6, L>(panel, x_block + r * row_step, x_stride, y + r * y_stride + j, y_stride, depth, width, from_y);
      for (; r + 2 <= rows; r += 2)
        tile<2, L>(panel, x_block + r * row_step, x_stride, y + r * y_stride + j, y_stride, depth, width, from_y);
      for (; r < rows; ++r)
        tile<1, L>(panel, x_block + r * row_step, x_stride, y + r * y_stride + j, y_stride, depth, width, from_y);
    }
  }
}

}  // namespace

MSTAR_SIMD void gemm_range(const PackedWeight& w, const float* x, int64_t x_stride, Layout layout, float* y,
                           int64_t y_stride, int64_t rows, bool accumulate, OutputRange range) {
  if (layout == Layout::rows) {
    product<Layout::rows>(w, x, x_stride, y, y_stride, rows, accumulate, range);
  } else {
    product<Layout::columns>(w, x, x_stride, y, y_stride, rows, accumulate, range);
  }
}

void gemm(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows,
          bool accumulate) {
  gemm_range(w, x, x_stride, Layout::rows, y, y_stride, rows, accumulate, {0, w.n});
}

}  // namespace mstar::cpu
