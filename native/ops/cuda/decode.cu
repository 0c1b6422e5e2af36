// Kernels around the matrix products of a decode step: rotation with the key/value write, merge of attention parts,
// residual addition with RMSNorm, gated activation. One block per row but for the last; sums in float32.
#include "ops/cuda/kernels.h"

namespace mstar::cuda {
namespace {

constexpr int kThreads = 256;

/** A log-sum-exp; that of an empty span is infinite, of either sign, and weighs nothing. */
__device__ float known(float sum) { return isinf(sum) ? -INFINITY : sum; }

__global__ void rotate_kernel(RotateStore a) {
  const int64_t row = blockIdx.x;
  const int half = a.head_dim / 2, group = a.heads / a.kv_heads, rotated = a.heads + a.kv_heads;
  const int total = (a.heads + 2 * a.kv_heads) * half;
  const bf16* qkv = a.qkv + row * int64_t{2} * total;
  const int64_t place = a.places[row];
  for (int p = threadIdx.x; p < total; p += blockDim.x) {
    const int head = p / half, i = p % half;
    bf16 low = qkv[head * a.head_dim + i], high = qkv[head * a.head_dim + half + i];
    if (head < rotated) {
      const float c = a.cosine[row * half + i], s = a.sine[row * half + i];
      const float x = __bfloat162float(low), y = __bfloat162float(high);
      low = __float2bfloat16(x * c - y * s);
      high = __float2bfloat16(y * c + x * s);
    }
    bf16* to;
    if (head < a.heads)
      to = a.queries + ((row * group + head % group) * a.kv_heads + head / group) * a.head_dim;
    else if (head < rotated)
      to = a.keys + (place * a.kv_heads + head - a.heads) * a.head_dim;
    else
      to = a.values + (place * a.kv_heads + head - rotated) * a.head_dim;
    to[i] = low;
    to[half + i] = high;
  }
}

__global__ void merge_kernel(Merge a) {
  const int64_t folded = blockIdx.x, row = folded / a.group;
  const int j = static_cast<int>(folded % a.group);
  for (int p = threadIdx.x; p < a.kv_heads * a.head_dim; p += blockDim.x) {
    const int kv = p / a.head_dim;
    float most = -INFINITY;
    for (int i = 0; i < a.count; ++i) most = fmaxf(most, known(a.parts[i].lse[kv * a.parts[i].lse_stride + folded]));
    float value = 0, weight = 0;
    for (int i = 0; i < a.count; ++i) {
      const float sum = known(a.parts[i].lse[kv * a.parts[i].lse_stride + folded]);
      if (sum == -INFINITY) continue;
      const float w = __expf(sum - most);
      weight += w;
      value += w * __bfloat162float(a.parts[i].out[folded * a.kv_heads * a.head_dim + p]);
    }
    a.merged[(row * a.kv_heads * a.group + kv * a.group + j) * a.head_dim + p % a.head_dim] =
        __float2bfloat16(weight > 0 ? value / weight : 0.0f);
  }
}

__device__ float block_sum(float value) {
  __shared__ float partial[32];
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  value = threadIdx.x % 32 < blockDim.x / 32 ? partial[threadIdx.x % 32] : 0.0f;
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  return value;
}

__global__ void add_norm_kernel(AddNorm a) {
  bf16* x = a.x + int64_t{blockIdx.x} * a.width;
  bf16* out = a.out + int64_t{blockIdx.x} * a.width;
  float squares = 0;
  for (int64_t i = threadIdx.x; i < a.width; i += blockDim.x) {
    float value = __bfloat162float(x[i]);
    if (a.delta != nullptr) {
      // Rounded before it is squared: the norm is that of the numbers that are kept.
      const bf16 sum = __float2bfloat16(value + __bfloat162float(a.delta[blockIdx.x * a.width + i]));
      x[i] = sum;
      value = __bfloat162float(sum);
    }
    squares += value * value;
  }
  const float inverse = rsqrtf(block_sum(squares) / static_cast<float>(a.width) + a.eps);
  for (int64_t i = threadIdx.x; i < a.width; i += blockDim.x)
    out[i] = __float2bfloat16(__bfloat162float(x[i]) * inverse * __bfloat162float(a.weight[i]));
}

__global__ void swiglu_kernel(const __nv_bfloat162* gate, const __nv_bfloat162* up, __nv_bfloat162* out,
                              int64_t pairs) {
  for (int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x; i < pairs; i += int64_t{gridDim.x} * blockDim.x) {
    const float2 g = __bfloat1622float2(gate[i]), u = __bfloat1622float2(up[i]);
    out[i] = __floats2bfloat162_rn(g.x / (1 + __expf(-g.x)) * u.x, g.y / (1 + __expf(-g.y)) * u.y);
  }
}

}  // namespace

cudaError_t rotate_and_store(const RotateStore& a, cudaStream_t stream) {
  if (a.rows > 0) rotate_kernel<<<static_cast<unsigned>(a.rows), kThreads, 0, stream>>>(a);
  return cudaGetLastError();
}

cudaError_t merge(const Merge& a, cudaStream_t stream) {
  if (a.rows > 0) merge_kernel<<<static_cast<unsigned>(a.rows * a.group), kThreads, 0, stream>>>(a);
  return cudaGetLastError();
}

cudaError_t add_norm(const AddNorm& a, cudaStream_t stream) {
  if (a.rows > 0) add_norm_kernel<<<static_cast<unsigned>(a.rows), kThreads, 0, stream>>>(a);
  return cudaGetLastError();
}

cudaError_t swiglu(const bf16* gate, const bf16* up, bf16* out, int64_t count, cudaStream_t stream) {
  const int64_t pairs = count / 2, blocks = (pairs + kThreads - 1) / kThreads;
  if (pairs > 0)
    swiglu_kernel<<<static_cast<unsigned>(blocks < 4096 ? blocks : 4096), kThreads, 0, stream>>>(
        reinterpret_cast<const __nv_bfloat162*>(gate), reinterpret_cast<const __nv_bfloat162*>(up),
        reinterpret_cast<__nv_bfloat162*>(out), pairs);
  return cudaGetLastError();
}

}  // namespace mstar::cuda
