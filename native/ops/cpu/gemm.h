#pragma once
// y = x W^T with the second operand packed: the matrix product of the decode path (packed once per version) and of
// training. Each output element is one sum over k in ascending order whatever the number of rows, so a row's result
// does not depend on which rows it shares a batch with. Leaves threads to the caller: every call runs on the calling
// thread.
#include <cstdint>
#include <vector>

namespace mstar::cpu {

/** A [n, k] weight (rows = outputs) in panels of 16 outputs: panel[p][k][16], zero-padded. */
struct PackedWeight {
  int64_t n = 0, k = 0;
  std::vector<float> panels;
  bool empty() const { return panels.empty(); }
};

/** Packs `weight` [n, k], row stride `stride` floats. */
void pack(PackedWeight& out, const float* weight, int64_t n, int64_t k, int64_t stride);

/** The same from the transpose: `weight` is [k, n]. */
void pack_transposed(PackedWeight& out, const float* weight, int64_t n, int64_t k, int64_t stride);

/** How x lies in memory: [rows, k] or [k, rows]. */
enum class Layout { rows, columns };

/** Outputs [first, last) of a product; both multiples of 16, or last = n. */
struct OutputRange {
  int64_t first, last;
};

/** As gemm below for a range of outputs, with x in either layout; `x_stride` is that of its outer dimension. */
void gemm_range(const PackedWeight& w, const float* x, int64_t x_stride, Layout layout, float* y, int64_t y_stride,
                int64_t rows, bool accumulate, OutputRange range);

/** y[r, j] = (accumulate ? y[r, j] : 0) + sum_k x[r, k] w[j, k] for r < rows; row strides in floats. */
void gemm(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows,
          bool accumulate);

}  // namespace mstar::cpu
