#pragma once
// What the kernels of one instruction set are written with: vectors of MSTAR_LANES floats through GCC's vector
// extensions. The build compiles each kernel source once per instruction set (CMakeLists.txt), into a namespace of its
// name MSTAR_ISA; kernels.h chooses among them at run time. Include this header last: everything after it is compiled
// for that instruction set, while what stands in other headers stays as general as the rest of the program, so that the
// linker cannot hand the rest of the program an inline function that the machine does not have.
//
// MSTAR_HALVES says how the set multiplies bfloat16: 0, widened to float32; 1, in pairs by vdpbf16ps; 2, in tiles of
// AMX. GCC's extensions have no words for the last two, which are the only intrinsics.
#include <cstdint>
#include <cstring>
#if MSTAR_HALVES > 0
#include <immintrin.h>
#endif

#include "ops/cpu/number.h"

#if MSTAR_HALVES == 2
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512bf16,amx-tile,amx-bf16")
#elif MSTAR_HALVES == 1
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512bf16")
#elif MSTAR_LANES == 16
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
#elif MSTAR_LANES == 8
#pragma GCC target("avx2,fma")
#endif

#define MSTAR_INLINE_MEMBER inline __attribute__((always_inline))
#define MSTAR_INLINE static MSTAR_INLINE_MEMBER

// Vectors are passed by value between functions that are always inlined: no calling convention is at stake.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace mstar::cpu::MSTAR_ISA {

template <int L>
struct Vector {
  typedef float Floats __attribute__((vector_size(4 * L)));
  typedef int32_t Integers __attribute__((vector_size(4 * L)));
  typedef uint16_t Halves __attribute__((vector_size(2 * L)));
  typedef double Doubles __attribute__((vector_size(8 * L)));
};

constexpr int kLanes = MSTAR_LANES;
using Floats = Vector<kLanes>::Floats;
using Integers = Vector<kLanes>::Integers;

// Copies, not casts: they need no alignment and compilers make one instruction of each.
template <int L = kLanes>
MSTAR_INLINE typename Vector<L>::Floats load(const float* from) {
  typename Vector<L>::Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/** bfloat16 numbers, widened. */
template <int L = kLanes>
MSTAR_INLINE typename Vector<L>::Floats load(const uint16_t* from) {
  typename Vector<L>::Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  return (typename Vector<L>::Floats)(__builtin_convertvector(halves, typename Vector<L>::Integers) << 16);
}

template <int L = kLanes>
MSTAR_INLINE void store(float* to, const typename Vector<L>::Floats& value) {
  std::memcpy(to, &value, sizeof value);
}

/** The larger of each pair of lanes. */
MSTAR_INLINE Floats larger(const Floats& a, const Floats& b) { return a > b ? a : b; }

/** e^x to about 2 ulp for x of at most 88, such as a distance from a largest value; below -87 that of -87, 1.6e-38. */
MSTAR_INLINE Floats exp_to_88(Floats x) {
  x = x < -87.0f ? (Floats{} - 87.0f) : x;
  const Floats magic = Floats{} + 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const Floats scaled = x * 1.44269504088896341f + magic;
  const Floats n = scaled - magic;
  const Floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Floats p = Floats{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const Integers power = (__builtin_convertvector(n, Integers) + 127) << 23;
  Floats scale;
  std::memcpy(&scale, &power, sizeof scale);
  return p * scale;
}

/** e^x for any x; above 88 that of 88. */
MSTAR_INLINE Floats exp(const Floats& x) { return exp_to_88(x > 88.0f ? (Floats{} + 88.0f) : x); }

/** Up to kLanes floats, zeros behind them. */
MSTAR_INLINE Floats load_some(const float* from, int64_t count) {
  float padded[kLanes] = {0};
  std::memcpy(padded, from, static_cast<size_t>(count) * sizeof(float));
  return load(padded);
}

MSTAR_INLINE void store_some(float* to, const Floats& value, int64_t count) {
  float padded[kLanes];
  store(padded, value);
  std::memcpy(to, padded, static_cast<size_t>(count) * sizeof(float));
}

/** Sum of all lanes in a fixed tree order. */
MSTAR_INLINE float sum(const Floats& v) {
  float lane[kLanes];
  store(lane, v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}

/** Sums in double, one for each lane of floats. Two halves, because GCC keeps a vector wider than a register in memory.
 */
class DoubleSums {
 public:
  MSTAR_INLINE_MEMBER void add(const Floats& v) {
    const auto wide = __builtin_convertvector(v, Vector<kLanes>::Doubles);
    Doubles halves[2];
    std::memcpy(halves, &wide, sizeof wide);
    low_ += halves[0];
    high_ += halves[1];
  }
  MSTAR_INLINE_MEMBER double total() const {
    double lane[kLanes / 2];
    const Doubles both = low_ + high_;
    std::memcpy(lane, &both, sizeof both);
#pragma GCC unroll 4
    for (int width = kLanes / 4; width > 0; width /= 2)
#pragma GCC unroll 4
      for (int i = 0; i < width; ++i) lane[i] += lane[i + width];
    return lane[0];
  }

 private:
  using Doubles = Vector<kLanes / 2>::Doubles;
  Doubles low_{}, high_{};
};

/** to[j][i] = from[i][j] for four rows and four columns. */
MSTAR_INLINE void transpose4(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  using Four = Vector<4>::Floats;
  using Order = Vector<4>::Integers;
  const Four a = load<4>(from), b = load<4>(from + from_stride), c = load<4>(from + 2 * from_stride),
             d = load<4>(from + 3 * from_stride);
  const Four low_ab = __builtin_shuffle(a, b, Order{0, 4, 1, 5}), high_ab = __builtin_shuffle(a, b, Order{2, 6, 3, 7});
  const Four low_cd = __builtin_shuffle(c, d, Order{0, 4, 1, 5}), high_cd = __builtin_shuffle(c, d, Order{2, 6, 3, 7});
  store<4>(to, __builtin_shuffle(low_ab, low_cd, Order{0, 1, 4, 5}));
  store<4>(to + to_stride, __builtin_shuffle(low_ab, low_cd, Order{2, 3, 6, 7}));
  store<4>(to + 2 * to_stride, __builtin_shuffle(high_ab, high_cd, Order{0, 1, 4, 5}));
  store<4>(to + 3 * to_stride, __builtin_shuffle(high_ab, high_cd, Order{2, 3, 6, 7}));
}

/** to[j][i] = from[i][j] for `rows` rows and `columns` columns of `from`. */
MSTAR_INLINE void transpose(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                            int64_t to_stride) {
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4)
      transpose4(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    for (; j < columns; ++j)
      for (int64_t r = i; r < i + 4; ++r) to[j * to_stride + r] = from[r * from_stride + j];
  }
  for (; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) to[j * to_stride + i] = from[i * from_stride + j];
}

}  // namespace mstar::cpu::MSTAR_ISA
