// Draws one token per row of logits: one block of 32 warps a row, each warp a contiguous part of the vocabulary. Two
// passes over the row (the second comes from cache) and a third over the part in which the draw falls. No sort.
#include "ops/cuda/kernels.h"

namespace mstar::cuda {
namespace {

constexpr int kWarps = 32;
constexpr unsigned kAll = 0xffffffffu;

__device__ float warp_sum(float value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(kAll, value, offset);
  return value;
}

/** The larger value; the lower index on a tie. */
__device__ void warp_most(float& value, int64_t& index) {
  for (int offset = 16; offset > 0; offset /= 2) {
    const float other = __shfl_xor_sync(kAll, value, offset);
    const int64_t place = __shfl_xor_sync(kAll, index, offset);
    if (other > value || (other == value && place < index)) {
      value = other;
      index = place;
    }
  }
}

/** First element of [from, to) at which the running sum of exp((logit - most) * inverse) exceeds `target`; the last one
 * with weight where rounding left the target above the sum. Run by one warp. */
__device__ int64_t crossing(const bf16* logits, int64_t from, int64_t to, float most, float inverse, float target) {
  const int lane = threadIdx.x % 32;
  float before = 0;
  int64_t last = from;
  for (int64_t start = from; start < to; start += 32) {
    const int64_t i = start + lane;
    const float own = i < to ? expf((__bfloat162float(logits[i]) - most) * inverse) : 0.0f;
    float sum = own;
    for (int offset = 1; offset < 32; offset *= 2) {
      const float left = __shfl_up_sync(kAll, sum, offset);
      if (lane >= offset) sum += left;
    }
    const unsigned over = __ballot_sync(kAll, own > 0 && before + sum > target);
    if (over != 0) return start + __ffs(static_cast<int>(over)) - 1;
    const unsigned weighing = __ballot_sync(kAll, own > 0);
    if (weighing != 0) last = start + 31 - __clz(static_cast<int>(weighing));
    before += __shfl_sync(kAll, sum, 31);
  }
  return last;
}

__global__ void draw_kernel(Draw a) {
  __shared__ float most_of[kWarps], plain_of[kWarps], scaled_of[kWarps];
  __shared__ int64_t place_of[kWarps];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const bf16* logits = a.logits + int64_t{blockIdx.x} * a.stride;
  const int64_t share = (a.vocab + kWarps - 1) / kWarps;
  const int64_t from = min(share * warp, a.vocab), to = min(from + share, a.vocab);

  float most = -INFINITY;
  int64_t place = a.vocab;
  for (int64_t i = from + lane; i < to; i += 32) {
    const float value = __bfloat162float(logits[i]);
    if (value > most) {
      most = value;
      place = i;
    }
  }
  warp_most(most, place);
  if (lane == 0) {
    most_of[warp] = most;
    place_of[warp] = place;
  }
  __syncthreads();
  most = most_of[lane];
  place = place_of[lane];
  warp_most(most, place);

  const float inverse = a.temperature > 0 ? 1 / a.temperature : 1.0f;
  float plain = 0, scaled = 0;
  for (int64_t i = from + lane; i < to; i += 32) {
    const float value = __bfloat162float(logits[i]) - most;
    plain += expf(value);
    scaled += expf(value * inverse);
  }
  plain = warp_sum(plain);
  scaled = warp_sum(scaled);
  if (lane == 0) {
    plain_of[warp] = plain;
    scaled_of[warp] = scaled;
  }
  __syncthreads();
  const float total_plain = warp_sum(plain_of[lane]);

  int chosen = 0;
  float target = 0;
  if (a.temperature > 0) {
    target = a.uniform[blockIdx.x] * warp_sum(scaled_of[lane]);
    while (chosen < kWarps - 1 && target >= scaled_of[chosen]) target -= scaled_of[chosen++];
    while (chosen > 0 && scaled_of[chosen] <= 0) target = scaled_of[--chosen];  // rounding ran past the last weight
  }
  if (warp != chosen) return;
  int64_t token = place;
  if (a.temperature > 0) {
    const int64_t start = min(share * chosen, a.vocab);
    token = crossing(logits, start, min(start + share, a.vocab), most, inverse, target);
  }
  if (lane == 0) {
    a.tokens[blockIdx.x] = token;
    a.logprobs[blockIdx.x] = __bfloat162float(logits[token]) - most - logf(total_plain);
  }
}

}  // namespace

cudaError_t draw(const Draw& a, cudaStream_t stream) {
  if (a.rows > 0) draw_kernel<<<static_cast<unsigned>(a.rows), kWarps * 32, 0, stream>>>(a);
  return cudaGetLastError();
}

}  // namespace mstar::cuda
