// Export table of the addon and what happens once: per process malloc thresholds and the first call of MKL's vector
// functions, per environment the engine thread and its end.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <napi.h>
#include <torch/headeronly/version.h>

#include <string_view>

#include "addon/checks.h"
#include "addon/convert.h"
#include "addon/failure.h"
#include "addon/group_object.h"
#include "addon/model_object.h"
#include "addon/session_object.h"
#include "base/malloc.h"
#include "base/tensor_memory.h"
#include "engine/check/probe.h"

namespace mstar::addon {
namespace {

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
                                                   {"vocabulary", shape.vocab}, {"headChunk", kHeadChunk}};
  for (const auto& [name, size] : sizes) out.Set(name, static_cast<double>(size));
  return out;
}

/** picturePatches(backbone, config, width, height). */
Napi::Value picture_patches(const Napi::CallbackInfo& info) {
  const Config config(to_config(info[1]));
  const auto backbone = make_backbone(info[0].As<Napi::String>().Utf8Value(), config);
  Image image{info[2].ToNumber().Int64Value(), info[3].ToNumber().Int64Value(), {}, {}};
  image.rgb.resize(static_cast<size_t>(3 * image.width * image.height));
  int64_t values = 0;
  for (const auto& tensor : backbone->pixels(image)) values += tensor.numel();
  const int64_t side = config.integer("patch_size");
  return Napi::Number::New(info.Env(), static_cast<double>(values / (3 * side * side)));
}

Napi::Value backbones(const Napi::CallbackInfo& info) {
  auto out = Napi::Array::New(info.Env());
  for (const std::string& name : backbone_names()) out.Set(out.Length(), name);
  return out;
}

Napi::Value load_model(const Napi::CallbackInfo& info) { return ModelObject::load(info.Env(), to_model_spec(info[0])); }

/** Makes the first call of MKL's vector functions, from which LibTorch takes sines, cosines and logarithms, before
 * there are threads. MKL looks at the processor in that call and, on Intel's, stores a provisional number first: a
 * second thread that reads it computes with a routine of four digits. */
void prepare_vector_functions() { at::sin(at::ones({1})); }

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  static const char* const malloc_state = [] {
    const char* state = raise_malloc_thresholds();
    if (std::string_view(state) != "default") keep_tensor_memory();
    prepare_vector_functions();
    return state;
  }();
  auto* instance = new Instance(env);
  instance->model_class = Napi::Persistent(ModelObject::define(env));
  instance->session_class = Napi::Persistent(SessionObject::define(env));
  instance->group_class = Napi::Persistent(GroupObject::define(env));
  env.SetInstanceData(instance);
  // Hooks run before instance data is deleted: the thread must be gone before anything it touches.
  env.AddCleanupHook([lane = instance->lane] { lane->close(); });

  exports.Set("CancelFlag", CancelFlag::define(env));
  exports.Set("loadModel", Napi::Function::New(env, load_model));
  exports.Set("parameterShapes", Napi::Function::New(env, guarded<parameter_shapes>));
  exports.Set("decoderShape", Napi::Function::New(env, guarded<decoder_shape>));
  exports.Set("picturePatches", Napi::Function::New(env, guarded<picture_patches>));
  exports.Set("backbones", Napi::Function::New(env, guarded<backbones>));
  exports.Set("checks", checks(env));
  exports.Set("joinGroup", Napi::Function::New(env, GroupObject::join));
  exports.Set("dieWithParent", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                return Napi::Boolean::New(info.Env(), die_with_parent(info[0].ToNumber().Int64Value()));
              }));
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
  } catch (...) {
    throw mstar::addon::to_error(env, std::current_exception());
  }
  return mstar::addon::initialise(env, exports);
}
NODE_API_MODULE(mstar, init)
