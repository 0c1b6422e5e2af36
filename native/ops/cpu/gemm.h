#pragma once
// y = x W^T for weights that are packed once and used many times: the decode path's matrix product.
// Each output element is one sum over k in ascending order whatever the number of rows, so a row's result does not depend
// on which rows it shares a batch with. Leaves threads to the caller: every call runs on the calling thread.
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

/** y[r, j] = (accumulate ? y[r, j] : 0) + sum_k x[r, k] w[j, k] for r < rows; row strides in floats. */
void gemm(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, bool accumulate);

}  // namespace mstar::cpu
