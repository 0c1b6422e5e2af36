// Decode attention over every row's own blocks of places, merged with attentions over shared spans in the same pass. A
// block has one row and one key head; 16 lanes read one key at a time and keep its group's queries in registers, so
// keys and values are read once. Streams of keys keep running maxima and sums (float32, base 2) that are joined in
// shared memory.
#include "ops/block.h"
#include "ops/cuda/kernels.h"

namespace mstar::cuda {
namespace {

constexpr int kLanes = 16, kStreams = 8, kThreads = kLanes * kStreams;
constexpr int kBatch = 4;  // keys that a stream has under way, all of one block
constexpr int kRound = kStreams * kBatch;
constexpr int kBlock = static_cast<int>(kBlockTokens);
static_assert(kBlock % kBatch == 0);
constexpr unsigned kAll = 0xffffffffu;
constexpr float kLog2E = 1.4426950408889634f;

/** V neighbouring numbers, loaded as wide as their alignment allows. */
template <int V>
struct Numbers {
  __nv_bfloat162 pairs[V / 2];
  __device__ void load(const bf16* from) {
    if constexpr (V == 8)
      *reinterpret_cast<uint4*>(pairs) = *reinterpret_cast<const uint4*>(from);
    else if constexpr (V == 4)
      *reinterpret_cast<uint2*>(pairs) = *reinterpret_cast<const uint2*>(from);
    else
      for (int i = 0; i < V / 2; ++i) pairs[i] = reinterpret_cast<const __nv_bfloat162*>(from)[i];
  }
  __device__ void clear() {
#pragma unroll
    for (int i = 0; i < V / 2; ++i) pairs[i] = __float2bfloat162_rn(0.0f);
  }
  __device__ void widen(float* to) const {
#pragma unroll
    for (int i = 0; i < V / 2; ++i) {
      const float2 two = __bfloat1622float2(pairs[i]);
      to[2 * i] = two.x;
      to[2 * i + 1] = two.y;
    }
  }
};

template <int G, int V>
__global__ __launch_bounds__(kThreads) void attend_kernel(AttendRows a) {
  constexpr int E = kLanes * V;
  __shared__ float most_of[kStreams][G], sum_of[kStreams][G], out_of[kStreams][G][E];
  const int kv = blockIdx.x, lane = threadIdx.x % kLanes, stream = threadIdx.x / kLanes;
  const int64_t row = blockIdx.y, stride = int64_t{a.kv_heads} * E;
  const int length = a.lengths[row];
  const bf16 *keys = a.keys + kv * E + lane * V, *values = a.values + kv * E + lane * V;
  const int32_t* blocks = a.table + row * a.width;

  float query[G][V], most[G], sum[G], out[G][V];
#pragma unroll
  for (int g = 0; g < G; ++g) {
    Numbers<V> raw;
    raw.load(a.queries + ((row * G + g) * a.kv_heads + kv) * E + lane * V);
    raw.widen(query[g]);
    most[g] = -INFINITY;
    sum[g] = 0;
#pragma unroll
    for (int i = 0; i < V; ++i) {
      query[g][i] *= a.scale * kLog2E;
      out[g][i] = 0;
    }
  }

  int block = stream * kBatch < length ? blocks[stream * kBatch / kBlock] : 0;
  // All lanes of a warp go round equally often: they shuffle together.
  for (int start = 0; start < length; start += kRound) {
    const int at = start + stream * kBatch;
    const int64_t first = (int64_t{block} * kBlock + at % kBlock) * stride;
    // Where the next keys lie is asked for before these have come.
    if (at + kRound < length) block = blocks[(at + kRound) / kBlock];
    Numbers<V> key[kBatch], value[kBatch];
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      if (at + b < length) {
        key[b].load(keys + first + b * stride);
        value[b].load(values + first + b * stride);
      } else {
        key[b].clear();
        value[b].clear();  // what lies there may be no number
      }
    }
    float score[G][kBatch];
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      float wide[V];
      key[b].widen(wide);
#pragma unroll
      for (int g = 0; g < G; ++g) {
        float dot = 0;
#pragma unroll
        for (int i = 0; i < V; ++i) dot += query[g][i] * wide[i];
#pragma unroll
        for (int offset = kLanes / 2; offset > 0; offset /= 2) dot += __shfl_xor_sync(kAll, dot, offset);
        score[g][b] = at + b < length ? dot : -INFINITY;
      }
    }
    if (at >= length) continue;  // no shuffle follows in this round
#pragma unroll
    for (int g = 0; g < G; ++g) {
      float top = most[g];
#pragma unroll
      for (int b = 0; b < kBatch; ++b) top = fmaxf(top, score[g][b]);
      const float shrink = exp2f(most[g] - top);
      most[g] = top;
      sum[g] *= shrink;
#pragma unroll
      for (int i = 0; i < V; ++i) out[g][i] *= shrink;
    }
#pragma unroll
    for (int b = 0; b < kBatch; ++b) {
      float wide[V];
      value[b].widen(wide);
#pragma unroll
      for (int g = 0; g < G; ++g) {
        const float weight = exp2f(score[g][b] - most[g]);
        sum[g] += weight;
#pragma unroll
        for (int i = 0; i < V; ++i) out[g][i] += weight * wide[i];
      }
    }
  }

#pragma unroll
  for (int g = 0; g < G; ++g) {
    if (lane == 0) {
      most_of[stream][g] = most[g];
      sum_of[stream][g] = sum[g];
    }
#pragma unroll
    for (int i = 0; i < V; ++i) out_of[stream][g][lane * V + i] = out[g][i];
  }
  __syncthreads();

  for (int p = threadIdx.x; p < G * E; p += kThreads) {
    const int g = p / E, e = p % E;
    const int64_t folded = row * G + g;
    float top = -INFINITY;
    for (int s = 0; s < kStreams; ++s) top = fmaxf(top, most_of[s][g]);
    for (int i = 0; i < a.count; ++i) {
      const float lse = a.parts[i].lse[kv * a.parts[i].lse_stride + folded];
      if (!isinf(lse)) top = fmaxf(top, lse * kLog2E);
    }
    float weight = 0, total = 0;
    for (int s = 0; s < kStreams; ++s) {
      if (most_of[s][g] == -INFINITY) continue;
      const float w = exp2f(most_of[s][g] - top);
      weight += w * sum_of[s][g];
      total += w * out_of[s][g][e];
    }
    for (int i = 0; i < a.count; ++i) {
      const float lse = a.parts[i].lse[kv * a.parts[i].lse_stride + folded];
      if (isinf(lse)) continue;  // an empty span
      const float w = exp2f(lse * kLog2E - top);
      weight += w;
      total += w * __bfloat162float(a.parts[i].out[(folded * a.kv_heads + kv) * E + e]);
    }
    a.merged[((row * a.kv_heads + kv) * G + g) * E + e] = __float2bfloat16(total / weight);
  }
}

template <int G>
cudaError_t launch(const AttendRows& a, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(a.kv_heads), static_cast<unsigned>(a.rows));
  if (a.head_dim == 128)
    attend_kernel<G, 8><<<grid, kThreads, 0, stream>>>(a);
  else if (a.head_dim == 96)
    attend_kernel<G, 6><<<grid, kThreads, 0, stream>>>(a);
  else
    attend_kernel<G, 4><<<grid, kThreads, 0, stream>>>(a);
  return cudaGetLastError();
}

}  // namespace

bool takes_rows(int group, int head_dim) {
  return (group == 1 || group == 2 || group == 4 || group == 8) &&
         (head_dim == 64 || head_dim == 96 || head_dim == 128);
}

cudaError_t attend_rows(const AttendRows& a, cudaStream_t stream) {
  if (a.rows == 0) return cudaSuccess;
  switch (a.group) {
    case 1:
      return launch<1>(a, stream);
    case 2:
      return launch<2>(a, stream);
    case 4:
      return launch<4>(a, stream);
    default:
      return launch<8>(a, stream);
  }
}

}  // namespace mstar::cuda
