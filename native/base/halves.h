#pragma once
// A float32 number as a bfloat16 and the 16 bits that are lost in it: exact, and no bigger than the float32.
#include <ATen/core/Tensor.h>

namespace mstar {

/** float32 whose bits are high * 2^16 + low; `low` is int16 and signed, for `high` is the nearest bfloat16. */
at::Tensor join_halves(const at::Tensor& high, const at::Tensor& low);

/** The nearest bfloat16 of each finite float32, ties away from zero: what `split_halves` makes of it. */
at::Tensor nearest_bfloat16(const at::Tensor& values);

/** Writes the nearest bfloat16 of each finite float32 (ties away from zero) into `high` and the rest into `low`. */
void split_halves(const at::Tensor& master, const at::Tensor& high, const at::Tensor& low);

}  // namespace mstar
