#pragma once
// Launchers of the bfloat16 kernels: raw pointers and a stream, no LibTorch, so that they compile in seconds. The
// meaning of each is that of the operation of the same name in ops/fused.h. All return the launch's error.
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

namespace mstar::cuda {

using bf16 = __nv_bfloat16;
constexpr int kMostParts = 18;

/** An attention over other spans: folded out [rows * group, kv_heads, head_dim], lse[kv * lse_stride + folded row]. */
struct Part {
  const bf16* out;
  const float* lse;
  int64_t lse_stride;
};

struct RotateStore {
  const bf16* qkv;
  const float *cosine, *sine;
  const int64_t* places;
  bf16 *keys, *values, *queries;
  int64_t rows;
  int heads, kv_heads, head_dim;
};
cudaError_t rotate_and_store(const RotateStore& a, cudaStream_t stream);

struct Merge {
  Part parts[kMostParts];
  int count;
  bf16* merged;
  int64_t rows;
  int group, kv_heads, head_dim;
};
cudaError_t merge(const Merge& a, cudaStream_t stream);

struct AttendRows {
  const bf16 *queries, *keys, *values;
  const int32_t *table, *lengths;  // blocks of each row, `width` apart
  int64_t width;
  Part parts[kMostParts];
  int count;
  bf16* merged;
  int64_t rows;
  int group, kv_heads, head_dim;
  float scale;
};
/** Whether the kernel is built for these sizes. */
bool takes_rows(int group, int head_dim);
cudaError_t attend_rows(const AttendRows& a, cudaStream_t stream);

struct AddNorm {
  bf16* x;
  const bf16 *delta, *weight;  // delta may be null
  bf16* out;
  int64_t rows, width;
  float eps;
};
cudaError_t add_norm(const AddNorm& a, cudaStream_t stream);

cudaError_t swiglu(const bf16* gate, const bf16* up, bf16* out, int64_t count, cudaStream_t stream);

struct Draw {
  const bf16* logits;
  const float* uniform;
  int64_t* tokens;
  float* logprobs;
  int64_t rows, vocab, stride;  // `stride`: numbers between the starts of two rows
  float temperature;            // 0: greedy
};
cudaError_t draw(const Draw& a, cudaStream_t stream);

}  // namespace mstar::cuda
