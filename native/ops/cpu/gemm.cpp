// Packed-weight GEMM. A tile of rows x outputs stays in registers: 8 x 48 in the 32 registers of AVX-512, 6 x 16 in the
// 16 of AVX2, 6 x 8 without either. The panel of outputs is read once per tile of rows and stays in cache; k is cut
// into blocks so that a block of a panel fits into L2, rows into blocks whose x does.
#include "ops/cpu/gemm.h"

#include <algorithm>

#include "ops/cpu/simd.h"

namespace mstar::cpu::MSTAR_ISA {
namespace {

constexpr int kVectors = kLanes == 16 ? 3 : 2, kRows = kLanes == 16 ? 8 : 6;
constexpr int64_t kPanel = kVectors * kLanes, kBlock = 512, kRowBlock = 256, kColumnBlock = 64 / kRows * kRows;
/** Floats in a cache line. */
constexpr int64_t kLine = 16;

/** R rows x V vectors of outputs, of which `width` floats exist. `ahead` is asked into cache, a line for each k. Rows
 * of x lie `x_stride` floats apart, or in groups: one number of each of kRows rows side by side. */
template <int R, int V, bool Grouped>
__attribute__((noinline)) void tile(const float* panel, const float* x, int64_t x_stride, float* y, int64_t y_stride,
                                    int64_t depth, int64_t width, bool from_y, const float* ahead) {
  Floats sums[R][V];
  float edge[V * kLanes];
  const bool whole = width == V * kLanes;
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const float* from = y + r * y_stride;
    if (from_y && !whole) {
      std::memset(edge, 0, sizeof edge);
      std::memcpy(edge, from, static_cast<size_t>(width) * sizeof(float));
      from = edge;
    }
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) sums[r][v] = from_y ? load(from + v * kLanes) : Floats{};
  }
  for (int64_t i = 0; i < depth; ++i, panel += kPanel, ahead += kLine) {
    __builtin_prefetch(ahead);
    Floats w[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) w[v] = load(panel + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const float a = x[Grouped ? i * kRows + r : r * x_stride + i];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sums[r][v] += a * w[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    float* to = whole ? y + r * y_stride : edge;
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) store(to + v * kLanes, sums[r][v]);
    if (!whole) std::memcpy(y + r * y_stride, edge, static_cast<size_t>(width) * sizeof(float));
  }
}

/** Rows of x against one block of one panel. */
struct Strip {
  const float* panel;
  const float* next;  // the block that is needed after this one
  const float* x;
  float* y;
  int64_t x_stride, y_stride, rows, depth, width;
  bool from_y;
};

template <int V, bool Grouped, int R = kRows>
MSTAR_INLINE void rest(const Strip& s, int64_t r, const float* ahead) {
  if (s.rows - r == R) {
    tile<R, V, Grouped>(s.panel, s.x + r * s.x_stride, s.x_stride, s.y + r * s.y_stride, s.y_stride, s.depth, s.width,
                        s.from_y, ahead);
  } else if constexpr (R > 1) {
    rest<V, Grouped, R - 1>(s, r, ahead);
  }
}

template <int V, bool Grouped>
void strip(const Strip& s) {
  // Each of the first tiles asks for its share of the next block; the others ask for what is there.
  const auto ahead = [&](int64_t r) __attribute__((always_inline)) {
    return r / kRows < kPanel / kLine ? s.next + r / kRows * s.depth * kLine : s.panel;
  };
  int64_t r = 0;
  for (; r + kRows <= s.rows; r += kRows)
    tile<kRows, V, Grouped>(s.panel, s.x + r * s.x_stride, s.x_stride, s.y + r * s.y_stride, s.y_stride, s.depth,
                            s.width, s.from_y, ahead(r));
  rest<V, Grouped>(s, r, ahead(r));
}

/** A block of rows and of k against every panel. */
template <bool Grouped>
void block(const PackedWeight& w, Strip s, int64_t k0, float* y) {
  for (int64_t j = 0; j < w.n; j += kPanel) {
    s.panel = w.panels + j * w.k + k0 * kPanel;
    s.next = j + kPanel < w.n ? s.panel + w.k * kPanel : s.panel;
    s.y = y + j;
    s.width = std::min(kPanel, w.n - j);
    if (s.width > (kVectors - 1) * kLanes) {
      strip<kVectors, Grouped>(s);
    } else if (s.width > kLanes) {
      strip<2, Grouped>(s);
    } else {
      strip<1, Grouped>(s);
    }
  }
}

/** Groups of kRows rows from x [depth, rows]: copies of neighbours, where turning x would move every number alone. */
void group(const float* x, int64_t x_stride, int64_t rows, int64_t depth, float* to) {
  for (int64_t i = 0; i < depth; ++i, x += x_stride, to += kRows) {
    int64_t r = 0;
    for (; r + kRows <= rows; r += kRows) std::memcpy(to + r * depth, x + r, kRows * sizeof(float));
    if (r < rows) std::memcpy(to + r * depth, x + r, static_cast<size_t>(rows - r) * sizeof(float));
  }
}

}  // namespace

int64_t packed_floats(int64_t n, int64_t k) { return (n + kPanel - 1) / kPanel * kPanel * k; }

PackedWeight pack(const float* weight, int64_t n, int64_t k, int64_t stride, float* to) {
  for (int64_t j = 0; j < n; j += kPanel) {
    const int64_t width = std::min(kPanel, n - j);
    float* panel = to + j * k;
    if (width < kPanel) std::memset(panel, 0, static_cast<size_t>(kPanel * k) * sizeof(float));
    for (int64_t i = 0; i < k; i += kLine)  // a cache line of each row at a time
      transpose(weight + j * stride + i, stride, width, std::min(kLine, k - i), panel + i * kPanel, kPanel);
  }
  return {n, k, to};
}

PackedWeight pack_transposed(const float* weight, int64_t n, int64_t k, int64_t stride, float* to) {
  constexpr int64_t kTogether = 16;  // rows of `weight` that are read side by side, from end to end
  for (int64_t i = 0; i < k; i += kTogether)
    for (int64_t j = 0; j < n; j += kPanel) {
      const int64_t width = std::min(kPanel, n - j), whole = width / kLanes * kLanes;
      for (int64_t row = i; row < std::min(i + kTogether, k); ++row) {
        const float* from = weight + row * stride + j;
        float* line = to + j * k + row * kPanel;
        for (int64_t c = 0; c < whole; c += kLanes) store(line + c, load(from + c));
        if (whole < width) store(line + whole, load_some(from + whole, width - whole));
        for (int64_t c = (width + kLanes - 1) / kLanes * kLanes; c < kPanel; c += kLanes) store(line + c, Floats{});
      }
    }
  return {n, k, to};
}

void gemm(const PackedWeight& w, const float* x, int64_t x_stride, Layout layout, float* y, int64_t y_stride,
          int64_t rows, bool accumulate) {
  alignas(64) float groups[kColumnBlock * kBlock];
  const bool columns = layout == Layout::columns;
  const int64_t step = columns ? kColumnBlock : kRowBlock;
  for (int64_t r = 0; r < rows; r += step)
    for (int64_t k0 = 0; k0 < w.k; k0 += kBlock) {
      Strip s{};
      s.rows = std::min(step, rows - r);
      s.depth = std::min(kBlock, w.k - k0);
      s.y_stride = y_stride;
      s.from_y = accumulate || k0 > 0;
      if (columns) {
        group(x + k0 * x_stride + r, x_stride, s.rows, s.depth, groups);
        s.x = groups;
        s.x_stride = s.depth;  // a group of kRows rows is kRows * depth numbers long
        block<true>(w, s, k0, y + r * y_stride);
      } else {
        s.x = x + r * x_stride + k0;
        s.x_stride = x_stride;
        block<false>(w, s, k0, y + r * y_stride);
      }
    }
}

}  // namespace mstar::cpu::MSTAR_ISA
