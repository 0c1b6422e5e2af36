// See checks.h.
#include "addon/checks.h"

#include <ATen/Context.h>

#include "addon/convert.h"
#include "addon/failure.h"
#include "addon/model_object.h"
#include "base/device.h"
#include "base/stopwatch.h"
#include "engine/check/inspect.h"
#include "engine/check/kernels.h"
#include "engine/check/probe.h"
#include "engine/micro_batch.h"

namespace mstar::addon {
namespace {

/** loadModel(spec, { random, decode, oneGraph }). */
Napi::Value load_model(const Napi::CallbackInfo& info) {
  return ModelObject::load(info.Env(), to_checked_spec(info[0], info[1]));
}

/** inspect(model, example, stages). */
Napi::Value inspect(const Napi::CallbackInfo& info) {
  auto one = Napi::Array::New(info.Env(), 1);
  one.Set(0u, info[1]);
  return ModelObject::of(info[0]).submit(
      info.Env(), new_flag(), [examples = to_examples(one), only = to_strings(info[2])](Model& model, const StopFlag&) {
        return [stages = mstar::inspect(model, examples.at(0)), only](Napi::Env env) {
          return from_stages(env, stages, only);
        };
      });
}

/** gradients(model, batch, objective). */
Napi::Value gradients(const Napi::CallbackInfo& info) {
  return ModelObject::of(info[0]).submit(
      info.Env(), new_flag(),
      [batch = to_examples(info[1]), objective = to_objective(info[2])](Model& model, const StopFlag& stop) {
        return [result = mstar::gradients(model, batch, objective, stop)](Napi::Env env) -> Napi::Value {
          auto out = Napi::Object::New(env);
          out.Set("loss", result.first);
          out.Set("gradients", from_stages(env, result.second, {}));
          return out;
        };
      });
}

/** microBatches(model, batch, takenBy, budget): the examples of each, as indices. */
Napi::Value cut_batch(const Napi::CallbackInfo& info) {
  const auto taken = info[2].As<Napi::String>().Utf8Value() == "all" ? TakenBy::all : TakenBy::each;
  return ModelObject::of(info[0]).submit(
      info.Env(), new_flag(),
      [batch = to_examples(info[1]), taken, budget = info[3].ToNumber().Int64Value()](Model& model, const StopFlag&) {
        return [parts = micro_batches(model.backbone(), batch, taken, budget)](Napi::Env env) -> Napi::Value {
          auto out = Napi::Array::New(env, parts.size());
          for (uint32_t i = 0; i < parts.size(); ++i) {
            auto members = Napi::Array::New(env, parts[i].size());
            for (uint32_t j = 0; j < parts[i].size(); ++j) members.Set(j, static_cast<double>(parts[i][j]));
            out.Set(i, members);
          }
          return out;
        };
      });
}

/** policyLoss(logprobs, batch, objective): the policy objective of a whole batch alone. Blocks. */
Napi::Value policy_loss(const Napi::CallbackInfo& info) {
  const auto logprobs = info[0].As<Napi::Float32Array>();
  const PolicyLoss found = policy_loss_of({logprobs.Data(), logprobs.Data() + logprobs.ElementLength()},
                                          to_examples(info[1]), to_objective(info[2]));
  auto out = Napi::Object::New(info.Env());
  out.Set("loss", found.loss);
  auto gradient = Napi::Float32Array::New(info.Env(), found.gradient.size());
  std::copy(found.gradient.begin(), found.gradient.end(), gradient.Data());
  out.Set("gradient", gradient);
  set_measures(out, found.sums);
  return out;
}

/** setOptimizer(model, settings, group, { block, message }). */
Napi::Value set_optimizer(const Napi::CallbackInfo& info) {
  const auto sizes = info[3].As<Napi::Object>();
  return ModelObject::of(info[0]).set_optimizer(
      info[1], info[2], {sizes.Get("block").ToNumber().Int64Value(), sizes.Get("message").ToNumber().Int64Value()});
}

/** cuts(sizes, ranks): [from, count] of each parameter and rank. */
Napi::Value cuts(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  std::vector<int64_t> sizes;
  const auto given = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < given.Length(); ++i) sizes.push_back(given.Get(i).ToNumber().Int64Value());
  const Cuts cuts(sizes, info[1].ToNumber().Int32Value());
  auto out = Napi::Array::New(env, sizes.size());
  for (uint32_t i = 0; i < sizes.size(); ++i) {
    auto ranks = Napi::Array::New(env);
    for (int rank = 0; rank < cuts.ranks(); ++rank) {
      const Span span = cuts.of(i, rank);
      auto pair = Napi::Array::New(env);
      pair.Set(0u, static_cast<double>(span.from));
      pair.Set(1u, static_cast<double>(span.count));
      ranks.Set(static_cast<uint32_t>(rank), pair);
    }
    out.Set(i, ranks);
  }
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

/** workSeconds(): seconds of each kind of work since the last call. */
Napi::Value work_seconds(const Napi::CallbackInfo& info) {
  auto out = Napi::Object::New(info.Env());
  const auto seconds = Stopwatch::take();
  for (size_t i = 0; i < seconds.size(); ++i) out.Set(kWorkNames[i], seconds[i]);
  return out;
}

/** compareKernels(device): every fused kernel against its plain twin; on the CPU those of each instruction set and
 * the attention of trees too, of the same numbers each time. Blocks. */
Napi::Value compare(const Napi::CallbackInfo& info) {
  auto out = Napi::Array::New(info.Env());
  const auto device = open_device(info[0].As<Napi::String>().Utf8Value());
  at::manual_seed(1);
  auto errors = compare_kernels(device);
  if (device.is_cpu())
    for (const auto compare_more : {compare_cpu_kernels, compare_training})
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

}  // namespace

Napi::Object checks(Napi::Env env) {
  auto out = Napi::Object::New(env);
  out.Set("loadModel", Napi::Function::New(env, load_model));
  out.Set("inspect", Napi::Function::New(env, inspect));
  out.Set("gradients", Napi::Function::New(env, gradients));
  out.Set("microBatches", Napi::Function::New(env, cut_batch));
  out.Set("policyLoss", Napi::Function::New(env, guarded<policy_loss>));
  out.Set("setOptimizer", Napi::Function::New(env, set_optimizer));
  out.Set("cuts", Napi::Function::New(env, cuts));
  out.Set("probe", Napi::Function::New(env, guarded<probe>));
  out.Set("workSeconds", Napi::Function::New(env, work_seconds));
  out.Set("compareKernels", Napi::Function::New(env, guarded<compare>));
  return out;
}

}  // namespace mstar::addon
