// The packed GEMM of weights in bfloat16. x is rounded, a block at a time, into a buffer of the form that the products
// want; a tile of rows x outputs stays in registers over the whole block of k. With AMX the registers are eight tiles
// of 16 x 16 sums or 16 x 32 factors: two by two tiles of sums where there are more than 16 rows, one by four where
// there are not. Elsewhere tiles are those of gemm.cpp, and both numbers of a pair are multiplied by vdpbf16ps, or one
// after the other in float32.
#include <algorithm>

#include "ops/cpu/gemm.h"
#include "ops/cpu/simd.h"

namespace mstar::cpu::MSTAR_ISA {
namespace {

/** Outputs of a panel; k of one is a multiple of kDepth. */
#if MSTAR_HALVES == 2
constexpr int kVectors = 4;
constexpr int64_t kDepth = 32;
#else
constexpr int kVectors = kLanes == 16 ? 3 : 2, kRows = kLanes == 16 ? 8 : 5;
constexpr int64_t kDepth = 2;
#endif
constexpr int64_t kPanel = kVectors * kLanes, kBlock = 1024;

constexpr int64_t padded_depth(int64_t k) { return (k + kDepth - 1) / kDepth * kDepth; }

#if MSTAR_HALVES > 0
using Rounded = uint16_t;

/** x rounded to bfloat16, `depth` numbers a row, with zeros behind the `count` that there are. */
MSTAR_INLINE void round_row(const float* x, int64_t count, int64_t depth, Rounded* to) {
  for (int64_t i = 0; i < depth; i += kLanes) {
    const int64_t some = std::min<int64_t>(kLanes, std::max<int64_t>(0, count - i));
    const auto there = static_cast<__mmask16>((1u << some) - 1);
    const auto half = (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(there, x + i));
    std::memcpy(to + i, &half, static_cast<size_t>(std::min<int64_t>(kLanes, depth - i)) * sizeof(Rounded));
  }
}
#else
using Rounded = float;

MSTAR_INLINE void round_row(const float* x, int64_t count, int64_t depth, Rounded* to) {
  for (int64_t i = 0; i < count; ++i) {
    uint16_t half;
    put(x[i], half);
    to[i] = get(half);
  }
  for (int64_t i = count; i < depth; ++i) to[i] = 0;
}
#endif

/** Rows that are rounded together: a quarter of a megabyte. */
constexpr int64_t kRowBlock = (int64_t{1} << 18) / (kBlock * static_cast<int64_t>(sizeof(Rounded)));

/** Rows of rounded x against one block of one panel. */
struct Strip {
  const uint16_t* pairs;
  const Rounded* x;
  float* y;
  int64_t y_stride, rows, depth, width;  // `width` outputs of the panel exist
  bool from_y;
};

#if MSTAR_HALVES == 2

constexpr int64_t kTile = 16;  // rows, and 4-byte columns, of a tile

/** What each of the eight tile registers holds: 16 rows of 64 bytes. */
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/** 16 x 16 sums from row r and output j of the strip on, and their way between memory and a tile register: directly, or
 * by way of `edge` where some do not exist. */
struct Sums {
  Sums(const Strip& strip, int64_t r, int64_t j)
      : y(strip.y + r * strip.y_stride + j),
        stride(strip.y_stride),
        rows(std::min(kTile, strip.rows - r)),
        columns(std::max<int64_t>(0, std::min(kTile, strip.width - j))) {}
  bool whole() const { return rows == kTile && columns == kTile; }
  void fetch() {
    std::memset(edge, 0, sizeof edge);
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(edge + r * kTile, y + r * stride, static_cast<size_t>(columns) * sizeof(float));
  }
  void keep() const {
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(y + r * stride, edge + r * kTile, static_cast<size_t>(columns) * sizeof(float));
  }

  float* y;
  int64_t stride, rows, columns;
  alignas(64) float edge[kTile * kTile];
};

// Tile registers are named by numbers in the instruction itself.
#define MSTAR_BEGIN(tile, sums)                                 \
  if (!s.from_y) {                                              \
    _tile_zero(tile);                                           \
  } else if ((sums).whole()) {                                  \
    _tile_loadd(tile, (sums).y, (sums).stride * sizeof(float)); \
  } else {                                                      \
    (sums).fetch();                                             \
    _tile_loadd(tile, (sums).edge, kTile * sizeof(float));      \
  }
#define MSTAR_END(tile, sums)                                    \
  if ((sums).whole()) {                                          \
    _tile_stored(tile, (sums).y, (sums).stride * sizeof(float)); \
  } else {                                                       \
    _tile_stored(tile, (sums).edge, kTile * sizeof(float));      \
    (sums).keep();                                               \
  }

/** Up to 32 rows from r on x 32 outputs from j on. */
void square(const Strip& s, int64_t r, int64_t j) {
  Sums sums0(s, r, j), sums1(s, r, j + kTile), sums2(s, r + kTile, j), sums3(s, r + kTile, j + kTile);
  const int64_t x_bytes = s.depth * 2, w_bytes = kPanel * 4;
  const Rounded *upper = s.x + r * s.depth, *lower = upper + kTile * s.depth;
  const uint16_t* w = s.pairs + 2 * j;
  MSTAR_BEGIN(0, sums0)
  MSTAR_BEGIN(1, sums1)
  MSTAR_BEGIN(2, sums2)
  MSTAR_BEGIN(3, sums3)
  for (int64_t i = 0; i < s.depth; i += kDepth, w += kDepth * kPanel) {
    _tile_loadd(4, upper + i, x_bytes);
    _tile_loadd(6, w, w_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, w + 2 * kTile, w_bytes);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, lower + i, x_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  MSTAR_END(0, sums0)
  MSTAR_END(1, sums1)
  MSTAR_END(2, sums2)
  MSTAR_END(3, sums3)
}

/** Up to 16 rows from r on x the whole panel. */
void line(const Strip& s, int64_t r) {
  Sums sums0(s, r, 0), sums1(s, r, kTile), sums2(s, r, 2 * kTile), sums3(s, r, 3 * kTile);
  const int64_t x_bytes = s.depth * 2, w_bytes = kPanel * 4;
  const Rounded* x = s.x + r * s.depth;
  const uint16_t* w = s.pairs;
  MSTAR_BEGIN(0, sums0)
  MSTAR_BEGIN(1, sums1)
  MSTAR_BEGIN(2, sums2)
  MSTAR_BEGIN(3, sums3)
  for (int64_t i = 0; i < s.depth; i += kDepth, w += kDepth * kPanel) {
    _tile_loadd(4, x + i, x_bytes);
    _tile_loadd(5, w, w_bytes);
    _tile_dpbf16ps(0, 4, 5);
    _tile_loadd(6, w + 2 * kTile, w_bytes);
    _tile_dpbf16ps(1, 4, 6);
    _tile_loadd(7, w + 4 * kTile, w_bytes);
    _tile_dpbf16ps(2, 4, 7);
    _tile_loadd(5, w + 6 * kTile, w_bytes);
    _tile_dpbf16ps(3, 4, 5);
  }
  MSTAR_END(0, sums0)
  MSTAR_END(1, sums1)
  MSTAR_END(2, sums2)
  MSTAR_END(3, sums3)
}

#undef MSTAR_BEGIN
#undef MSTAR_END

void strip(const Strip& s) {
  int64_t r = 0;
  for (; r + kTile < s.rows; r += 2 * kTile)
    for (int64_t j = 0; j < s.width; j += 2 * kTile) square(s, r, j);
  if (r < s.rows) line(s, r);
}

/** The tile registers while it lives. Others who use them on this thread set them up anew for themselves. */
struct Registers {
  Registers() {
    const TileShapes shapes;
    _tile_loadconfig(&shapes);
  }
  ~Registers() { _tile_release(); }
};
/** `square` and `line` read whole tiles of rows. */
constexpr int64_t kRowsRead = 2 * kTile;

#else

struct Registers {
  ~Registers() {}
};
constexpr int64_t kRowsRead = 1;

#if MSTAR_HALVES == 1
using Pairs = Vector<kLanes>::Integers;
MSTAR_INLINE Pairs pair_of(const Rounded* x) {
  int32_t both;
  std::memcpy(&both, x, sizeof both);
  return Pairs{} + both;
}
MSTAR_INLINE Floats add_products(const Floats& sums, const Rounded* x, const Pairs& w) {
  return (Floats)_mm512_dpbf16_ps((__m512)sums, (__m512bh)pair_of(x), (__m512bh)w);
}
#else
/** The two numbers of each pair in float32. */
struct Pairs {
  Floats first, second;
};
MSTAR_INLINE Floats add_products(const Floats& sums, const Rounded* x, const Pairs& w) {
  return (sums + x[0] * w.first) + x[1] * w.second;
}
#endif

MSTAR_INLINE Pairs load_pairs(const uint16_t* from) {
  Integers both;
  std::memcpy(&both, from, sizeof both);
#if MSTAR_HALVES == 1
  return both;
#else
  const Integers first = both << 16, second = both & static_cast<int32_t>(0xffff0000);
  return {(Floats)first, (Floats)second};
#endif
}

/** R rows x V vectors of outputs. */
template <int R, int V>
__attribute__((noinline)) void tile(const Strip& s, int64_t r0) {
  Floats sums[R][V];
  float edge[V * kLanes];
  const bool whole = s.width >= V * kLanes;
  const auto bytes = static_cast<size_t>(s.width) * sizeof(float);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const float* from = s.y + (r0 + r) * s.y_stride;
    if (s.from_y && !whole) {
      std::memset(edge, 0, sizeof edge);
      std::memcpy(edge, from, bytes);
      from = edge;
    }
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) sums[r][v] = s.from_y ? load(from + v * kLanes) : Floats{};
  }
  const uint16_t* pairs = s.pairs;
  const Rounded* x = s.x + r0 * s.depth;
  for (int64_t i = 0; i < s.depth; i += 2, pairs += 2 * kPanel) {
    Pairs w[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) w[v] = load_pairs(pairs + v * 2 * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sums[r][v] = add_products(sums[r][v], x + r * s.depth + i, w[v]);
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    float* to = whole ? s.y + (r0 + r) * s.y_stride : edge;
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) store(to + v * kLanes, sums[r][v]);
    if (!whole) std::memcpy(s.y + (r0 + r) * s.y_stride, edge, bytes);
  }
}

template <int V, int R = kRows>
MSTAR_INLINE void rest(const Strip& s, int64_t r) {
  if (s.rows - r == R) {
    tile<R, V>(s, r);
  } else if constexpr (R > 1) {
    rest<V, R - 1>(s, r);
  }
}

template <int V>
void rows_of(const Strip& s) {
  int64_t r = 0;
  for (; r + kRows <= s.rows; r += kRows) tile<kRows, V>(s, r);
  rest<V>(s, r);
}

void strip(const Strip& s) {
  if (s.width > (kVectors - 1) * kLanes) {
    rows_of<kVectors>(s);
  } else if (s.width > kLanes) {
    rows_of<2>(s);
  } else {
    rows_of<1>(s);
  }
}

#endif

}  // namespace

int64_t packed_halves(int64_t n, int64_t k) { return (n + kPanel - 1) / kPanel * kPanel * padded_depth(k); }

PackedWeight pack_halves(const uint16_t* weight, int64_t n, int64_t k, int64_t stride, uint16_t* to) {
  const int64_t depth = padded_depth(k);
  std::memset(to, 0, static_cast<size_t>(packed_halves(n, k)) * sizeof(uint16_t));
  for (int64_t j = 0; j < n; ++j) {
    uint16_t* column = to + j / kPanel * kPanel * depth + j % kPanel * 2;
    for (int64_t i = 0; i < k; i += 2)
      std::memcpy(column + i * kPanel, weight + j * stride + i,
                  static_cast<size_t>(std::min<int64_t>(2, k - i)) * sizeof(uint16_t));
  }
  return {n, k, nullptr, to};
}

void gemm_halves(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows,
                 bool accumulate) {
  alignas(64) Rounded rounded[kRowBlock * kBlock];
  const Registers registers;
  const int64_t depth = padded_depth(w.k);
  for (int64_t r0 = 0; r0 < rows; r0 += kRowBlock)
    for (int64_t k0 = 0; k0 < w.k; k0 += kBlock) {
      Strip s{};
      s.x = rounded;
      s.y_stride = y_stride;
      s.rows = std::min(kRowBlock, rows - r0);
      s.depth = std::min(kBlock, depth - k0);
      s.from_y = accumulate || k0 > 0;
      for (int64_t r = 0; r < s.rows; ++r)
        round_row(x + (r0 + r) * x_stride + k0, std::min(kBlock, w.k - k0), s.depth, rounded + r * s.depth);
      const int64_t missing = (kRowsRead - s.rows % kRowsRead) % kRowsRead;
      std::memset(rounded + s.rows * s.depth, 0, static_cast<size_t>(missing * s.depth) * sizeof(Rounded));
      for (int64_t j = 0; j < w.n; j += kPanel) {
        s.pairs = w.pairs + j * depth + k0 * kPanel;
        s.y = y + r0 * y_stride + j;
        s.width = std::min(kPanel, w.n - j);
        strip(s);
      }
    }
}

}  // namespace mstar::cpu::MSTAR_ISA
