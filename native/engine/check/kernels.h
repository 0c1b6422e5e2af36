#pragma once
// Every fused kernel of a device against its plain twin, on random numbers of the shapes that the backbones have.
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace mstar {

struct KernelError {
  std::string kernel;  // and what was compared
  std::string shape;
  double error;  // largest difference over the largest number; for drawn tokens the share that differs
};

/** In bfloat16 on `device`. Where it has no kernels the plain operations are compared with themselves. */
std::vector<KernelError> compare_kernels(const at::Device& device);

/** In float32 the kernels of every instruction set that this machine has. What is said of rows alone has no error. */
std::vector<KernelError> compare_cpu_kernels();

/** Attention of trees, the fast way and the plain one, places of heads and log-probabilities of tokens, with their
 * gradients, in float32 on the CPU. */
std::vector<KernelError> compare_training();

}  // namespace mstar
