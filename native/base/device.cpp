// See device.h. libtorch_cuda.so registers its kernels with the dispatcher of libtorch_cpu when it is loaded.
#include "base/device.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace mstar {
namespace {

/** Path of `file` in the folder of the library that holds `symbol`. */
std::string beside(const void* symbol, const char* file) {
  Dl_info info{};
  if (dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return file;
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/') + 1) + file;
}

void load_cuda() {
  static const std::string failure = [] {
    const auto path = beside(reinterpret_cast<const void*>(&at::detail::getCUDAHooks), "libtorch_cuda.so");
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return std::string();
    const char* why = dlerror();
    return std::string(why != nullptr ? why : "cannot be loaded");
  }();
  TORCH_CHECK(failure.empty(), "device 'cuda': this LibTorch has no CUDA: ", failure);
}

int64_t index_of(const std::string& name) {
  if (name == "cuda") return 0;
  TORCH_CHECK(name.starts_with("cuda:") && name.size() > 5 && name.size() < 8 &&
                  std::all_of(name.begin() + 5, name.end(), [](char c) { return c >= '0' && c <= '9'; }),
              "device '", name, "' is not one of cpu, cuda, cuda:N");
  return std::stoll(name.substr(5));
}

/** What /proc says is free, pages of the file cache included: they give way. */
int64_t available_memory() {
  std::ifstream info("/proc/meminfo");
  std::string key;
  int64_t kilobytes = 0;
  while (info >> key >> kilobytes) {
    if (key == "MemAvailable:") return kilobytes * 1024;
    info.ignore(64, '\n');
  }
  return static_cast<int64_t>(sysconf(_SC_AVPHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

}  // namespace

at::Device open_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const int64_t index = index_of(name);
  load_cuda();
  const int64_t count = at::detail::getCUDAHooks().getNumGPUs();
  TORCH_CHECK(count > 0, "device '", name, "': no GPU was found");
  TORCH_CHECK(index < count, "device '", name, "': there are ", count, " GPUs, counted from 0");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

void* cuda_plugin_symbol(const char* name) {
  static void* const plugin =
      dlopen(beside(reinterpret_cast<const void*>(&open_device), "libmstar_cuda.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  return plugin == nullptr ? nullptr : dlsym(plugin, name);
}

void synchronize(const at::Device& device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  guard.synchronizeDevice(device.index());
}

int64_t free_bytes(const at::Device& device) {
  if (device.is_cpu()) return available_memory();
  // Found by name: the CUDA runtime came with libtorch_cuda, and its header is not needed for two numbers.
  using MemGetInfo = int (*)(size_t*, size_t*);
  const auto info = reinterpret_cast<MemGetInfo>(dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  TORCH_CHECK(info != nullptr, "the CUDA runtime has no cudaMemGetInfo");
  const c10::DeviceGuard guard(device);
  size_t free = 0, total = 0;
  TORCH_CHECK(info(&free, &total) == 0, "the GPU does not say how much memory is free");
  return static_cast<int64_t>(free);
}

}  // namespace mstar
