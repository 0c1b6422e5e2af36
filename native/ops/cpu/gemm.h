#pragma once
// y = x W^T with the second operand packed: the matrix product of the decode path (packed once per version) and of
// training. Each output element is one sum over k in ascending order whatever the number of rows, so a row's result
// does not depend on which rows it shares a batch with. Leaves threads to the caller: every call runs on the calling
// thread.
#include <cstdint>

namespace mstar::cpu {

/** A view of a [n, k] weight (rows = outputs) in panels of as many outputs as the instruction set has in a tile:
 * panels[p][k][width] in float32, or pairs[p][k / 2][width][2] in bfloat16, zero-padded. One of the two is there. */
struct PackedWeight {
  int64_t n = 0, k = 0;
  const float* panels = nullptr;
  const uint16_t* pairs = nullptr;
};

/** Floats that a packed [n, k] weight takes. */
int64_t packed_floats(int64_t n, int64_t k);

/** Packs `weight` [n, k], row stride `stride` floats, into `to`. */
PackedWeight pack(const float* weight, int64_t n, int64_t k, int64_t stride, float* to);

/** The same from the transpose: `weight` is [k, n]. */
PackedWeight pack_transposed(const float* weight, int64_t n, int64_t k, int64_t stride, float* to);

/** Numbers that a [n, k] weight packed in bfloat16 takes. */
int64_t packed_halves(int64_t n, int64_t k);

/** Packs a bfloat16 `weight` [n, k], row stride `stride` numbers, into `to`, which begins a cache line. */
PackedWeight pack_halves(const uint16_t* weight, int64_t n, int64_t k, int64_t stride, uint16_t* to);

/** How x lies in memory: [rows, k] or [k, rows]. */
enum class Layout { rows, columns };

/** y[r, j] = (accumulate ? y[r, j] : 0) + sum_k x[r, k] w[j, k] for r < rows; strides in floats, `x_stride` that of
 * x's outer dimension. A weight in bfloat16 takes x in rows only. */
void gemm(const PackedWeight& w, const float* x, int64_t x_stride, Layout layout, float* y, int64_t y_stride,
          int64_t rows, bool accumulate);

/** The part of `gemm` for a weight in bfloat16. */
void gemm_halves(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows,
                 bool accumulate);

}  // namespace mstar::cpu
