#pragma once
// One step of AdamW on numbers of one parameter, whatever its weights and moments are held in. Knows no parameters, no
// ranks and no schedule. On the CPU the kernels of ops/cpu take it where there are any.
#include <ATen/core/Tensor.h>

#include <string>

#include "ops/cpu/adamw.h"

namespace mstar {

/** What is kept of some neighbouring numbers from one step to the next; flat. */
struct AdamWState {
  at::Tensor first;   // float32, or bfloat16 where the moments are small
  at::Tensor second;  // float32, or in small moments codes of its root: uint8 (ops/cpu/adamw.h)
  at::Tensor
      scales;      // of small moments: the largest root of each block of `kRootBlock`, the last of which may be shorter
  at::Tensor low;  // int16, of bfloat16 weights: the lower halves of their float32 masters

  /** Zeros for `count` numbers. */
  static AdamWState zeros(int64_t count, bool small, bool halves, const at::TensorOptions& options);
  /** Those from `from` on, which is a multiple of the block. */
  AdamWState narrow(int64_t from, int64_t count) const;
  /** Copies on another device; from and to pinned memory without waiting. */
  AdamWState copied_to(const at::Device& device) const;
  void copy_from(const AdamWState& other) const;
  /** Bytes that `zeros` would take. */
  static int64_t bytes(int64_t count, bool small, bool halves);
};

struct AdamW {
  double lr, beta1, beta2, eps, decay;
  int64_t steps;  // this one included
};

/** The same as the kernels of the CPU take it. */
cpu::AdamWStep cpu_step(const AdamW& adamw);

/** Second moments in float32 of small ones. */
at::Tensor unpack_second(const AdamWState& state);

/** Where numbers are in training: small moments are rounded by chances of which this is the name. */
struct Rounding {
  uint32_t seed = 0;
  int64_t from = 0;  // place of the first number in its parameter

  static Rounding of(const std::string& parameter, int64_t step, int64_t from);
};

/** Steps weights, flat, and their state. `grad` is float32 or of the weights' type. */
void adamw_step(const AdamW& adamw, const at::Tensor& weights, const at::Tensor& grad, const AdamWState& state,
                const Rounding& rounding);

/** The same by operations of LibTorch: on a GPU, and the twin of the kernels. */
void adamw_step_plain(const AdamW& adamw, const at::Tensor& weights, const at::Tensor& grad, const AdamWState& state,
                      const Rounding& rounding);

}  // namespace mstar
