// Export table of the addon and what happens once per environment: malloc thresholds, the engine thread, its end.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <napi.h>
#include <torch/headeronly/version.h>

#include <string_view>

#include "addon/convert.h"
#include "addon/model_object.h"
#include "base/device.h"
#include "base/malloc.h"
#include "base/tensor_memory.h"
#include "engine/kernel_check.h"
#include "engine/probe.h"

namespace mstar::addon {
namespace {

/** A call whose failures in the engine become JavaScript errors of one line. */
template <Napi::Value (*call)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return call(info);
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    throw Napi::Error::New(info.Env(), message.substr(0, message.find('\n')));
  }
}

Napi::Value parameter_shapes(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  if (!info[0].IsString()) throw Napi::TypeError::New(env, "backbone: wanted a string");
  return from_shapes(
      env, make_backbone(info[0].As<Napi::String>().Utf8Value(), Config(to_config(info[1])))->parameter_shapes());
}

/** Sizes of the decoder for a config: what memory plans are made of. */
Napi::Value decoder_shape(const Napi::CallbackInfo& info) {
  const auto shape = make_backbone(info[0].As<Napi::String>().Utf8Value(), Config(to_config(info[1])))->decoder_shape();
  auto out = Napi::Object::New(info.Env());
  const std::pair<const char*, int64_t> sizes[] = {{"layers", shape.layers},    {"hidden", shape.hidden},
                                                   {"heads", shape.heads},      {"kvHeads", shape.kv_heads},
                                                   {"headDim", shape.head_dim}, {"intermediate", shape.intermediate},
                                                   {"vocabulary", shape.vocab}};
  for (const auto& [name, size] : sizes) out.Set(name, static_cast<double>(size));
  return out;
}

Napi::Value backbones(const Napi::CallbackInfo& info) {
  auto out = Napi::Array::New(info.Env());
  for (const std::string& name : backbone_names()) out.Set(out.Length(), name);
  return out;
}

/** probe(device, dtype, copyBytes, matrixSide): measured limits and memory; blocks. */
Napi::Value probe(const Napi::CallbackInfo& info) {
  const auto device = open_device(info[0].As<Napi::String>().Utf8Value());
  const bool half = info[1].As<Napi::String>().Utf8Value() == "bfloat16";
  const auto options = at::TensorOptions(half ? at::kBFloat16 : at::kFloat).device(device);
  const DeviceProbe found =
      probe_device(options, info[2].As<Napi::Number>().Int64Value(), info[3].As<Napi::Number>().Int64Value());
  auto out = Napi::Object::New(info.Env());
  out.Set("copyBytesPerSecond", found.copy_bytes_per_second);
  out.Set("matmulFlopsPerSecond", found.matmul_flops_per_second);
  out.Set("freeBytes", static_cast<double>(free_bytes(device)));
  out.Set("kernels", cuda_plugin_symbol("mstar_cuda_ops") != nullptr);
  return out;
}

/** compareKernels(device): every fused kernel against its plain twin; on the CPU those of each instruction set and
 * the attention of trees too. Blocks. */
Napi::Value compare(const Napi::CallbackInfo& info) {
  auto out = Napi::Array::New(info.Env());
  const auto device = open_device(info[0].As<Napi::String>().Utf8Value());
  auto errors = compare_kernels(device);
  if (device.is_cpu())
    for (const auto compare_more : {compare_cpu_kernels, compare_tree_attention})
      for (KernelError& error : compare_more()) errors.push_back(std::move(error));
  for (const auto& [kernel, shape, error] : errors) {
    auto row = Napi::Object::New(info.Env());
    row.Set("kernel", kernel);
    row.Set("shape", shape);
    row.Set("error", error);
    out.Set(out.Length(), row);
  }
  return out;
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  static const char* const malloc_state = [] {
    const char* state = raise_malloc_thresholds();
    if (std::string_view(state) != "default") keep_tensor_memory();
    return state;
  }();
  auto* instance = new Instance(env);
  instance->model_class = Napi::Persistent(ModelObject::define(env));
  env.SetInstanceData(instance);
  // Hooks run before instance data is deleted: the thread must be gone before anything it touches.
  env.AddCleanupHook([lane = instance->lane] { lane->close(); });

  exports.Set("CancelFlag", CancelFlag::define(env));
  exports.Set("loadModel", Napi::Function::New(env, ModelObject::load));
  exports.Set("parameterShapes", Napi::Function::New(env, guarded<parameter_shapes>));
  exports.Set("decoderShape", Napi::Function::New(env, guarded<decoder_shape>));
  exports.Set("backbones", Napi::Function::New(env, backbones));
  exports.Set("probe", Napi::Function::New(env, guarded<probe>));
  exports.Set("compareKernels", Napi::Function::New(env, guarded<compare>));
  exports.Set("info", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                auto out = Napi::Object::New(info.Env());
                out.Set("torch", TORCH_VERSION);
                out.Set("threads", at::get_num_threads());
                out.Set("simd", instruction_set());
                out.Set("malloc", malloc_state);
                return out;
              }));
  return exports;
}

}  // namespace
}  // namespace mstar::addon

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  try {
    mstar::instruction_set();  // refuses a wrong MSTAR_SIMD before anything else happens
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
  return mstar::addon::initialise(env, exports);
}
NODE_API_MODULE(mstar, init)
