#pragma once
// Opens the device that a model computes on. The addon itself is linked against LibTorch's CPU library alone; the CUDA
// library beside it is loaded here, on the first wish for a GPU.
#include <ATen/core/Tensor.h>

#include <string>

namespace mstar {

/** `cpu`, `cuda` or `cuda:N`; throws one line that says what is missing. */
at::Device open_device(const std::string& name);

/** A function of the CUDA plug-in beside this addon; null where there is none. */
void* cuda_plugin_symbol(const char* name);

/** Waits for everything that was asked of the device; nothing on CPU. */
void synchronize(const at::Device& device);

/** Bytes that may still be allocated on the device; on CPU what the machine has free. */
int64_t free_bytes(const at::Device& device);

}  // namespace mstar
