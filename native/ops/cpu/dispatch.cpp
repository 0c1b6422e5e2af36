// See kernels.h.
#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/stopwatch.h"
#include "ops/cpu/kernels.h"

namespace mstar::cpu {

#if defined(__x86_64__)
namespace amx {
extern const Kernels table;
}
namespace avx512bf16 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
namespace avx2 {
extern const Kernels table;
}
#endif
namespace plain {
extern const Kernels table;
}

namespace {

/** Asks the system for the tiles of AMX, once for all threads of the process. False where there are none. */
[[maybe_unused]] bool tiles_granted() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // of arch_prctl
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

const std::vector<const Kernels*>& machine_kernels() {
  static const std::vector<const Kernels*> found = [] {
    std::vector<const Kernels*> sets;
#if defined(__x86_64__)
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    const bool halves = wide && __builtin_cpu_supports("avx512bf16");
    if (halves && __builtin_cpu_supports("amx-bf16") && tiles_granted()) sets.push_back(&amx::table);
    // Intel's vdpbf16ps takes longer than the two float32 products that it replaces.
    const bool worth = halves && !__builtin_cpu_is("intel");
    if (worth) sets.push_back(&avx512bf16::table);
    if (wide) sets.push_back(&avx512::table);
    if (halves && !worth) sets.push_back(&avx512bf16::table);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(&avx2::table);
#endif
    sets.push_back(&plain::table);
    return sets;
  }();
  return found;
}

const Kernels& kernels() {
  static const Kernels& chosen = []() -> const Kernels& {
    const auto& sets = machine_kernels();
    const char* wish = std::getenv("MSTAR_SIMD");
    if (wish == nullptr || *wish == '\0') return *sets.front();
    std::string known;
    for (const Kernels* set : sets) {
      if (std::string(set->name) == wish) return *set;
      known += (known.empty() ? "" : ", ") + std::string(set->name);
    }
    throw std::runtime_error("MSTAR_SIMD: found '" + std::string(wish) + "', this machine has " + known);
  }();
  return chosen;
}

int64_t packed_floats(int64_t n, int64_t k) { return kernels().packed_floats(n, k); }

PackedWeight pack(const float* weight, int64_t n, int64_t k, int64_t stride, float* to) {
  const Stopwatch watch(Work::packing);
  return kernels().pack(weight, n, k, stride, to);
}

PackedWeight pack_transposed(const float* weight, int64_t n, int64_t k, int64_t stride, float* to) {
  const Stopwatch watch(Work::packing);
  return kernels().pack_transposed(weight, n, k, stride, to);
}

void gemm(const PackedWeight& w, const float* x, int64_t x_stride, Layout layout, float* y, int64_t y_stride,
          int64_t rows, bool accumulate) {
  const Stopwatch watch(Work::products);
  if (w.pairs != nullptr) return gemm_halves(w, x, x_stride, y, y_stride, rows, accumulate);
  kernels().gemm(w, x, x_stride, layout, y, y_stride, rows, accumulate);
}

int64_t packed_halves(int64_t n, int64_t k) { return kernels().packed_halves(n, k); }

PackedWeight pack_halves(const uint16_t* weight, int64_t n, int64_t k, int64_t stride, uint16_t* to) {
  const Stopwatch watch(Work::packing);
  return kernels().pack_halves(weight, n, k, stride, to);
}

void gemm_halves(const PackedWeight& w, const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows,
                 bool accumulate) {
  const Stopwatch watch(Work::products);
  kernels().gemm_halves(w, x, x_stride, y, y_stride, rows, accumulate);
}

void adamw(const AdamWStep& step, uint16_t* high, int16_t* low, const float* grad, float* first, float* second,
           int64_t n) {
  kernels().adamw(step, high, low, grad, first, second, n);
}

void adamw_halves(const AdamWStep& step, uint16_t* high, int16_t* low, const uint16_t* grad, float* first,
                  float* second, int64_t n) {
  kernels().adamw_halves(step, high, low, grad, first, second, n);
}

void adamw_small(const AdamWStep& step, uint16_t* high, int16_t* low, const float* grad, const SmallMoments& moments,
                 int64_t n) {
  kernels().adamw_small(step, high, low, grad, moments, n);
}

void adamw_small_halves(const AdamWStep& step, uint16_t* high, int16_t* low, const uint16_t* grad,
                        const SmallMoments& moments, int64_t n) {
  kernels().adamw_small_halves(step, high, low, grad, moments, n);
}

void adamw_small_floats(const AdamWStep& step, float* weight, const float* grad, const SmallMoments& moments,
                        int64_t n) {
  kernels().adamw_small_floats(step, weight, grad, moments, n);
}

void attend_queries(const Attention& attention, const AttendQuery* queries, const void* const* own) {
  kernels().attend_queries(attention, queries, own);
}

void attend_with(const Kernels& set, const Attention& a, AttendWorkspace& workspace) {
  const Stopwatch watch(Work::attention);
  int64_t width = 1, longest = 0;
  for (int64_t s = 0; s < a.shared_count; ++s) width += padded(a.shared[s].length);
  workspace.own.clear();
  for (int64_t r = 0; r < a.row_count; ++r) {
    const KvSpan& own = a.rows[r].own;
    longest = std::max(longest, padded(own.length));
    workspace.own.insert(workspace.own.end(), own.blocks, own.blocks + padded(own.length) / kBlockTokens);
  }
  workspace.own.insert(workspace.own.end(), kBlocksAhead, workspace.own.empty() ? nullptr : workspace.own.back());
  width += longest;
  const int64_t count = a.row_count * a.group;
  const auto wanted = static_cast<size_t>(count * width);
  if (workspace.scores.size() < wanted) workspace.scores.resize(wanted);
  workspace.queries.clear();
  for (int64_t i = 0; i < count; ++i) {
    const AttendRow& row = a.rows[i / a.group];
    float* out = row.out + i % a.group * a.head_dim;
    std::fill(out, out + a.head_dim, 0.0f);
    workspace.queries.push_back({row.q + i % a.group * a.head_dim, out, workspace.scores.data() + i * width});
  }
  set.attend_queries(a, workspace.queries.data(), workspace.own.data());
}

void attend(const Attention& attention, AttendWorkspace& workspace) { attend_with(kernels(), attention, workspace); }

void rms_norm(const float* x, const float* weight, float eps, float* out, int64_t rows, int64_t width) {
  const Stopwatch watch(Work::rows);
  kernels().rms_norm(x, weight, eps, out, rows, width);
}

void rotate_half(float* x, const float* cosine, const float* sine, int64_t heads, int64_t head_dim) {
  const Stopwatch watch(Work::rows);
  kernels().rotate_half(x, cosine, sine, heads, head_dim);
}

void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* dweight,
                       int64_t rows, int64_t width) {
  const Stopwatch watch(Work::rows);
  kernels().rms_norm_backward(x, weight, eps, dy, dx, dweight, rows, width);
}

void swiglu(const float* gate, const float* up, int64_t stride, float* out, int64_t rows, int64_t width) {
  const Stopwatch watch(Work::rows);
  kernels().swiglu(gate, up, stride, out, rows, width);
}

void swiglu_backward(const float* gate, const float* up, int64_t stride, const float* dy, float* dgate, float* dup,
                     int64_t rows, int64_t width) {
  const Stopwatch watch(Work::rows);
  kernels().swiglu_backward(gate, up, stride, dy, dgate, dup, rows, width);
}

double exp_scaled(const float* x, float max, float scale, float* out, int64_t n) {
  const Stopwatch watch(Work::rows);
  return kernels().exp_scaled(x, max, scale, out, n);
}

float dot(const float* a, const float* b, int64_t n) { return kernels().dot(a, b, n); }

void softmax_backward(float* weight, float* slope, float max, float scale, float along, int64_t n) {
  const Stopwatch watch(Work::rows);
  kernels().softmax_backward(weight, slope, max, scale, along, n);
}

void logprob_backward(const float* x, float scale, float lse, float into, float* out, int64_t n) {
  const Stopwatch watch(Work::rows);
  kernels().logprob_backward(x, scale, lse, into, out, n);
}

void add(float* x, const float* y, int64_t n) {
  const Stopwatch watch(Work::rows);
  kernels().add(x, y, n);
}

float max_of(const float* x, int64_t n) { return kernels().max_of(x, n); }

}  // namespace mstar::cpu
