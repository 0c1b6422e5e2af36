// The kernels of the instruction set that this file is compiled for, side by side. See kernels.h.
#include "ops/cpu/kernels.h"

#define MSTAR_TEXT(name) #name
#define MSTAR_NAME(name) MSTAR_TEXT(name)

namespace mstar::cpu::MSTAR_ISA {

// Defined by the other sources of the set.
decltype(cpu::packed_floats) packed_floats;
decltype(cpu::pack) pack;
decltype(cpu::pack_transposed) pack_transposed;
decltype(cpu::gemm) gemm;
decltype(cpu::packed_halves) packed_halves;
decltype(cpu::pack_halves) pack_halves;
decltype(cpu::gemm_halves) gemm_halves;
decltype(cpu::attend_queries) attend_queries;
decltype(cpu::adamw) adamw;
decltype(cpu::adamw_halves) adamw_halves;
decltype(cpu::adamw_small) adamw_small;
decltype(cpu::adamw_small_halves) adamw_small_halves;
decltype(cpu::adamw_small_floats) adamw_small_floats;
decltype(cpu::rms_norm) rms_norm;
decltype(cpu::rotate_half) rotate_half;
decltype(cpu::swiglu) swiglu;
decltype(cpu::rms_norm_backward) rms_norm_backward;
decltype(cpu::swiglu_backward) swiglu_backward;
decltype(cpu::exp_scaled) exp_scaled;
decltype(cpu::dot) dot;
decltype(cpu::softmax_backward) softmax_backward;
decltype(cpu::logprob_backward) logprob_backward;
decltype(cpu::add) add;
decltype(cpu::max_of) max_of;

extern const Kernels table;
const Kernels table{MSTAR_NAME(MSTAR_ISA),
                    packed_floats,
                    pack,
                    pack_transposed,
                    gemm,
                    packed_halves,
                    pack_halves,
                    gemm_halves,
                    adamw,
                    adamw_halves,
                    adamw_small,
                    adamw_small_halves,
                    adamw_small_floats,
                    attend_queries,
                    rms_norm,
                    rotate_half,
                    swiglu,
                    rms_norm_backward,
                    swiglu_backward,
                    exp_scaled,
                    dot,
                    softmax_backward,
                    logprob_backward,
                    add,
                    max_of};

}  // namespace mstar::cpu::MSTAR_ISA
