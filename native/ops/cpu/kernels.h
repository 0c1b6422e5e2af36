#pragma once
// The kernels of one instruction set, and which set this process uses. The functions of gemm.h, attention.h and rows.h
// lead to the chosen set; a comparison of sets takes a table by hand.
#include <vector>

#include "ops/cpu/adamw.h"
#include "ops/cpu/attention.h"
#include "ops/cpu/gemm.h"
#include "ops/cpu/rows.h"

namespace mstar::cpu {

struct Kernels {
  const char* name;
  decltype(&cpu::packed_floats) packed_floats;
  decltype(&cpu::pack) pack;
  decltype(&cpu::pack_transposed) pack_transposed;
  decltype(&cpu::gemm) gemm;
  decltype(&cpu::packed_halves) packed_halves;
  decltype(&cpu::pack_halves) pack_halves;
  decltype(&cpu::gemm_halves) gemm_halves;
  decltype(&cpu::adamw) adamw;
  decltype(&cpu::adamw_halves) adamw_halves;
  decltype(&cpu::adamw_small) adamw_small;
  decltype(&cpu::adamw_small_halves) adamw_small_halves;
  decltype(&cpu::adamw_small_floats) adamw_small_floats;
  decltype(&cpu::attend_queries) attend_queries;
  decltype(&cpu::rms_norm) rms_norm;
  decltype(&cpu::rotate_half) rotate_half;
  decltype(&cpu::swiglu) swiglu;
  decltype(&cpu::rms_norm_backward) rms_norm_backward;
  decltype(&cpu::swiglu_backward) swiglu_backward;
  decltype(&cpu::exp_scaled) exp_scaled;
  decltype(&cpu::dot) dot;
  decltype(&cpu::softmax_backward) softmax_backward;
  decltype(&cpu::logprob_backward) logprob_backward;
  decltype(&cpu::add) add;
  decltype(&cpu::max_of) max_of;
};

/** What this machine can run, the fastest first. */
const std::vector<const Kernels*>& machine_kernels();

/** The first of them, or the one that MSTAR_SIMD names. Chosen once; throws one line where there is no such set. */
const Kernels& kernels();

/** `attend` with the kernels of a given set. */
void attend_with(const Kernels& set, const Attention& attention, AttendWorkspace& workspace);

}  // namespace mstar::cpu
