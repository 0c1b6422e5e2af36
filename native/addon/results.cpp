// See convert.h: results.
#include "addon/convert.h"
#include "io/tensor_file.h"

namespace mstar::addon {
namespace {

template <class Array, class T>
Napi::Value array_of(Napi::Env env, const T* data, size_t count) {
  auto array = Array::New(env, count);
  std::copy(data, data + count, array.Data());
  return array;
}

Napi::Object shape_entry(Napi::Env env, const std::string& name, const std::vector<int64_t>& sizes) {
  auto shape = Napi::Array::New(env, sizes.size());
  for (uint32_t d = 0; d < sizes.size(); ++d) shape.Set(d, static_cast<double>(sizes[d]));
  auto entry = Napi::Object::New(env);
  entry.Set("name", name);
  entry.Set("shape", shape);
  return entry;
}

}  // namespace

Napi::Value from_response(Napi::Env env, const Response& response) {
  auto out = Napi::Object::New(env);
  out.Set("tokens", array_of<Napi::Int32Array>(env, response.tokens.data(), response.tokens.size()));
  out.Set("logprobs", array_of<Napi::Float32Array>(env, response.logprobs.data(), response.logprobs.size()));
  out.Set("finish", response.finish == Finish::stop ? "stop" : "length");
  return out;
}

Napi::Value from_rollout(Napi::Env env, const RolloutResult& result) {
  auto requests = Napi::Array::New(env, result.responses.size());
  for (uint32_t i = 0; i < result.responses.size(); ++i) {
    const Napi::HandleScope scope(env);
    auto samples = Napi::Array::New(env, result.responses[i].size());
    for (uint32_t j = 0; j < result.responses[i].size(); ++j)
      samples.Set(j, from_response(env, result.responses[i][j]));
    requests.Set(i, samples);
  }
  auto out = Napi::Object::New(env);
  out.Set("responses", requests);
  out.Set("visionEncodes", static_cast<double>(result.vision_encodes));
  out.Set("cachedPrompts", static_cast<double>(result.cached_prompts));
  out.Set("recomputedTokens", static_cast<double>(result.recomputed_tokens));
  out.Set("kvBytes", static_cast<double>(result.kv_bytes));
  out.Set("prefillTokens", static_cast<double>(result.prefill_tokens));
  out.Set("decodeTokens", static_cast<double>(result.decode_tokens));
  out.Set("seconds", result.seconds);
  return out;
}

Napi::Value from_rows(Napi::Env env, const std::vector<std::vector<float>>& rows) {
  auto out = Napi::Array::New(env, rows.size());
  for (uint32_t i = 0; i < rows.size(); ++i)
    out.Set(i, array_of<Napi::Float32Array>(env, rows[i].data(), rows[i].size()));
  return out;
}

void set_measures(Napi::Object& out, const PolicyMeasures& measures) {
  out.Set("clipShare", measures.clipped);
  out.Set("kl", measures.kl);
  out.Set("mismatchMean", measures.difference);
  out.Set("mismatchMax", measures.largest);
}

Napi::Value from_report(Napi::Env env, const StepReport& report) {
  auto out = Napi::Object::New(env);
  out.Set("loss", report.loss);
  out.Set("gradNorm", report.grad_norm);
  out.Set("lr", report.lr);
  out.Set("tokens", static_cast<double>(report.tokens));
  out.Set("version", static_cast<double>(report.version));
  if (report.policy) set_measures(out, *report.policy);
  return out;
}

Napi::Value from_layout(Napi::Env env, const ImageLayout& layout) {
  auto out = Napi::Object::New(env);
  out.Set("cols", static_cast<double>(layout.cols));
  out.Set("rows", static_cast<double>(layout.rows));
  out.Set("tiles", static_cast<double>(layout.tiles));
  out.Set("tokens", static_cast<double>(layout.tokens));
  return out;
}

Napi::Value from_shapes(Napi::Env env, const std::vector<ParameterShape>& shapes) {
  auto out = Napi::Array::New(env, shapes.size());
  for (uint32_t i = 0; i < shapes.size(); ++i) {
    const Napi::HandleScope scope(env);
    out.Set(i, shape_entry(env, shapes[i].first, shapes[i].second));
  }
  return out;
}

Napi::Value from_state(Napi::Env env, const std::vector<StateTensor>& tensors) {
  auto out = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    const Napi::HandleScope scope(env);
    auto entry = shape_entry(env, tensors[i].name, tensors[i].shape);
    entry.Set("dtype", dtype_name(tensors[i].type));
    out.Set(i, entry);
  }
  return out;
}

Napi::Value from_stages(Napi::Env env, const Stages& stages, const std::vector<std::string>& only) {
  auto out = Napi::Object::New(env);
  for (const auto& [name, tensor] : stages) {
    if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end()) continue;
    const auto flat = tensor.detach().to(at::kFloat).contiguous();
    auto shape = Napi::Array::New(env, static_cast<size_t>(flat.dim()));
    for (int64_t d = 0; d < flat.dim(); ++d) shape.Set(static_cast<uint32_t>(d), static_cast<double>(flat.size(d)));
    auto entry = Napi::Object::New(env);
    entry.Set("shape", shape);
    entry.Set("data",
              array_of<Napi::Float32Array>(env, flat.const_data_ptr<float>(), static_cast<size_t>(flat.numel())));
    out.Set(name, entry);
  }
  return out;
}

}  // namespace mstar::addon
