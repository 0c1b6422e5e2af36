// See convert.h: arguments. Typed arrays are copied: the caller may change them while the engine works.
#include "addon/convert.h"

namespace mstar::addon {
namespace {

[[noreturn]] void refuse(Napi::Env env, const std::string& field, const char* wanted) {
  auto error = Napi::TypeError::New(env, field + ": wanted " + wanted);
  error.Set("code", "ERR_ARGUMENT");
  throw error;
}

Napi::Object object(const Napi::Value& value, const std::string& field) {
  if (!value.IsObject()) refuse(value.Env(), field, "an object");
  return value.As<Napi::Object>();
}

Napi::Value get(const Napi::Object& from, const char* field) { return from.Get(field); }

double number(const Napi::Object& from, const char* field) {
  const auto value = get(from, field);
  if (!value.IsNumber()) refuse(from.Env(), field, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t integer(const Napi::Object& from, const char* field) {
  const double value = number(from, field);
  if (value != std::floor(value) || std::abs(value) > 9007199254740991.0) refuse(from.Env(), field, "a whole number");
  return static_cast<int64_t>(value);
}

std::string text(const Napi::Object& from, const char* field) {
  const auto value = get(from, field);
  if (!value.IsString()) refuse(from.Env(), field, "a string");
  return value.As<Napi::String>().Utf8Value();
}

template <class T, class To>
std::vector<To> typed(const Napi::Value& value, const std::string& field, const char* wanted,
                      napi_typedarray_type type) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type)
    refuse(value.Env(), field, wanted);
  const auto array = value.As<Napi::TypedArrayOf<T>>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

std::vector<int64_t> ids(const Napi::Object& from, const char* field) {
  return typed<int32_t, int64_t>(get(from, field), field, "an Int32Array", napi_int32_array);
}

std::vector<float> floats(const Napi::Object& from, const char* field) {
  return typed<float, float>(get(from, field), field, "a Float32Array", napi_float32_array);
}

template <class F>
auto list(const Napi::Value& value, const std::string& field, F&& item) {
  if (!value.IsArray()) refuse(value.Env(), field, "an array");
  const auto array = value.As<Napi::Array>();
  std::vector<decltype(item(Napi::Value()))> out;
  out.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(value.Env());
    out.push_back(item(array.Get(i)));
  }
  return out;
}

/** Pictures of one call: equal keys are converted once. */
using Pictures = std::map<std::string, ImagePtr>;

std::vector<ImagePtr> images(const Napi::Object& from, Pictures& known) {
  return list(get(from, "images"), "images", [&](const Napi::Value& value) -> ImagePtr {
    const auto from_image = object(value, "image");
    const std::string key = text(from_image, "key");
    ImagePtr& slot = known[key];
    if (slot) return slot;
    auto image = std::make_shared<Image>();
    image->key = key;
    image->width = integer(from_image, "width");
    image->height = integer(from_image, "height");
    image->rgb = typed<uint8_t, uint8_t>(get(from_image, "rgb"), "rgb", "a Uint8Array", napi_uint8_array);
    if (image->width <= 0 || image->height <= 0 ||
        image->rgb.size() != static_cast<size_t>(image->width) * static_cast<size_t>(image->height) * 3)
      refuse(value.Env(), "rgb", "width x height x 3 bytes");
    return slot = image;
  });
}

Prompt prompt(const Napi::Object& from, Pictures& known) {
  Prompt out{ids(from, "tokens"), images(from, known)};
  if (out.tokens.empty()) refuse(from.Env(), "tokens", "at least one token");
  return out;
}

WeightFile weight_file(const Napi::Value& value) {
  const auto from = object(value, "weights");
  return {text(from, "path"), list(get(from, "tensors"), "tensors", [](const Napi::Value& item) {
            const auto tensor = object(item, "tensor");
            auto shape = list(get(tensor, "shape"), "shape",
                              [](const Napi::Value& size) { return size.ToNumber().Int64Value(); });
            return TensorRange{text(tensor, "name"), text(tensor, "dtype"), std::move(shape), integer(tensor, "begin"),
                               integer(tensor, "end")};
          })};
}

Sampled to_sampled(const Napi::Value& value) {
  const auto from = object(value, "sampled");
  Sampled sampled{number(from, "advantage"), floats(from, "logprobs"), {}};
  if (!get(from, "reference").IsUndefined()) sampled.reference = floats(from, "reference");
  return sampled;
}

}  // namespace

std::vector<std::string> to_strings(const Napi::Value& value) {
  return list(value, "names", [](const Napi::Value& item) { return item.ToString().Utf8Value(); });
}

std::map<std::string, double> to_config(const Napi::Value& value) {
  const auto from = object(value, "config");
  std::map<std::string, double> out;
  for (const std::string& name : to_strings(from.GetPropertyNames())) out[name] = number(from, name.c_str());
  return out;
}

std::vector<WeightFile> to_weight_files(const Napi::Value& value) { return list(value, "weights", weight_file); }

GroupSpec to_group_spec(const Napi::Value& value) {
  const auto from = object(value, "rank");
  GroupSpec spec;
  spec.rank = static_cast<int>(integer(from, "rank"));
  spec.size = static_cast<int>(integer(from, "size"));
  spec.host = text(from, "host");
  spec.port = static_cast<int>(integer(from, "port"));
  spec.listen_fd = static_cast<int>(integer(from, "listenFd"));
  spec.store_is_elsewhere = get(from, "storeIsElsewhere").ToBoolean();
  spec.job = text(from, "job");
  spec.proof = text(from, "proof");
  spec.address = text(from, "address");
  return spec;
}

WatchSpec to_watch_spec(const Napi::Value& value) {
  const auto from = object(value, "limits");
  WatchSpec spec;
  spec.beat_ms = integer(from, "beat");
  spec.silence_ms = integer(from, "silence");
  spec.stall_ms = integer(from, "stall");
  return spec;
}

ModelSpec to_model_spec(const Napi::Value& value) {
  const auto from = object(value, "spec");
  ModelSpec spec;
  spec.backbone = text(from, "backbone");
  spec.config = to_config(get(from, "config"));
  spec.weights = to_weight_files(get(from, "weights"));
  spec.device = text(from, "device");
  spec.dtype = text(from, "dtype");
  spec.threads = static_cast<int>(integer(from, "threads"));
  if (spec.threads < 1 || spec.threads > 1024) refuse(from.Env(), "threads", "1 to 1024");
  if (!get(from, "deterministic").IsUndefined()) spec.deterministic = get(from, "deterministic").ToBoolean();
  if (!get(from, "kvBytes").IsUndefined()) spec.kv_bytes = integer(from, "kvBytes");
  spec.token_budget = integer(from, "tokenBudget");
  if (spec.token_budget < 1) refuse(from.Env(), "tokenBudget", "at least 1");
  if (!get(from, "adapter").IsUndefined()) {
    const auto adapter = object(get(from, "adapter"), "adapter");
    spec.adapter.targets = to_strings(get(adapter, "targets"));
    spec.adapter.rank = integer(adapter, "rank");
    spec.adapter.scale = number(adapter, "scale");
    if (spec.adapter.rank < 1) refuse(from.Env(), "rank", "at least 1");
    if (!get(adapter, "seed").IsUndefined()) spec.adapter.seed = static_cast<uint64_t>(integer(adapter, "seed"));
  }
  if (!get(from, "recompute").IsUndefined()) spec.recompute.emplace().layers = integer(from, "recompute");
  if (!get(from, "offload").IsUndefined()) spec.offload = get(from, "offload").ToBoolean();
  const std::string head = text(from, "head");
  if (head != "none" && head != "mean" && head != "load") refuse(from.Env(), "head", "'none', 'mean' or 'load'");
  spec.head = head == "none" ? Head::none : head == "mean" ? Head::mean : Head::load;
  return spec;
}

ModelSpec to_checked_spec(const Napi::Value& value, const Napi::Value& how) {
  ModelSpec spec = to_model_spec(value);
  const auto from = object(how, "how");
  if (!get(from, "random").IsUndefined()) spec.random = static_cast<uint64_t>(integer(from, "random"));
  if (!get(from, "decode").IsUndefined()) {
    const std::string decode = text(from, "decode");
    if (decode != "packed" && decode != "tensor") refuse(from.Env(), "decode", "'packed' or 'tensor'");
    spec.tensor_decode = decode == "tensor";
  }
  if (get(from, "oneGraph").ToBoolean()) spec.recompute.emplace().one_graph = true;
  return spec;
}

std::vector<RolloutRequest> to_requests(const Napi::Value& value) {
  Pictures known;
  return list(value, "requests", [&](const Napi::Value& item) {
    const auto from = object(item, "request");
    RolloutRequest request;
    request.prompt = prompt(from, known);
    if (!get(from, "prefix").IsUndefined()) request.prefix = ids(from, "prefix");
    request.n = integer(from, "n");
    if (request.n < 1 || request.n > 65536) refuse(from.Env(), "n", "1 to 65536");
    request.key = text(from, "key");
    return request;
  });
}

Sampling to_sampling(const Napi::Value& value) {
  const auto from = object(value, "sampling");
  Sampling sampling;
  sampling.temperature = number(from, "temperature");
  sampling.top_k = integer(from, "topK");
  sampling.top_p = number(from, "topP");
  sampling.max_tokens = integer(from, "maxTokens");
  sampling.seed = static_cast<uint64_t>(integer(from, "seed"));
  sampling.stop = ids(from, "stop");
  if (!get(from, "scaledLogprobs").IsUndefined()) sampling.scaled_logprobs = get(from, "scaledLogprobs").ToBoolean();
  if (sampling.max_tokens < 1) refuse(from.Env(), "maxTokens", "1 or more");
  if (!(sampling.temperature >= 0)) refuse(from.Env(), "temperature", "0 or more");
  if (!(sampling.top_p > 0)) refuse(from.Env(), "topP", "a number above 0");
  return sampling;
}

std::vector<Example> to_examples(const Napi::Value& value) {
  Pictures known;
  return list(value, "examples", [&](const Napi::Value& item) {
    const auto from = object(item, "example");
    Example example;
    example.prompt = prompt(from, known);
    example.response = ids(from, "response");
    if (!get(from, "labels").IsUndefined()) example.labels = floats(from, "labels");
    if (!get(from, "sampled").IsUndefined()) example.sampled = to_sampled(get(from, "sampled"));
    if (!get(from, "weight").IsUndefined()) example.weight = number(from, "weight");
    return example;
  });
}

std::vector<std::vector<uint32_t>> to_positions(const Napi::Value& value) {
  return list(value, "at", [](const Napi::Value& item) {
    return typed<uint32_t, uint32_t>(item, "at", "a Uint32Array", napi_uint32_array);
  });
}

OptimizerSettings to_optimizer(const Napi::Value& value) {
  const auto from = object(value, "optimizer");
  OptimizerSettings settings;
  settings.lr = number(from, "lr");
  settings.warmup_steps = integer(from, "warmupSteps");
  if (!get(from, "decaySteps").IsUndefined()) {
    settings.decay_steps = integer(from, "decaySteps");
    settings.total_steps = integer(from, "totalSteps");
  }
  settings.beta1 = number(from, "beta1");
  settings.beta2 = number(from, "beta2");
  settings.eps = number(from, "eps");
  settings.weight_decay = number(from, "weightDecay");
  settings.clip = number(from, "clip");
  settings.frozen = to_strings(get(from, "frozen"));
  return settings;
}

bool to_small_moments(const Napi::Value& value) {
  const auto from = object(value, "optimizer");
  if (get(from, "moments").IsUndefined()) return false;
  const std::string moments = text(from, "moments");
  if (moments != "float32" && moments != "8bit") refuse(from.Env(), "moments", "'float32' or '8bit'");
  return moments == "8bit";
}

Objective to_objective(const Napi::Value& value) {
  Objective objective;
  if (value.IsString()) {
    const std::string name = value.As<Napi::String>().Utf8Value();
    if (name != "response" && name != "step") refuse(value.Env(), "objective", "'response', 'step' or an object");
    objective.kind = name == "step" ? Objective::step : Objective::response;
    return objective;
  }
  const auto from = object(value, "objective");
  objective.kind = Objective::policy;
  objective.temperature = number(from, "temperature");
  objective.clip_low = number(from, "clipLow");
  objective.clip_high = number(from, "clipHigh");
  objective.kl = number(from, "kl");
  objective.length = integer(from, "length");
  const std::string by = text(from, "aggregation");
  if (by != "response" && by != "token" && by != "constant")
    refuse(from.Env(), "aggregation", "'response', 'token' or 'constant'");
  objective.aggregation = by == "response" ? Aggregation::response
                          : by == "token"  ? Aggregation::token
                                           : Aggregation::constant;
  return objective;
}

std::vector<SaveTensor> to_save_tensors(const Napi::Value& value) {
  return list(value, "tensors", [](const Napi::Value& each) {
    const auto tensor = object(each, "tensor");
    return SaveTensor{text(tensor, "name"), text(tensor, "dtype")};
  });
}

std::vector<SaveFile> to_save_files(const Napi::Value& value) {
  return list(value, "files", [](const Napi::Value& item) {
    const auto from = object(item, "file");
    return SaveFile{text(from, "path"),
                    typed<uint8_t, uint8_t>(get(from, "header"), "header", "a Uint8Array", napi_uint8_array),
                    to_save_tensors(get(from, "tensors"))};
  });
}

}  // namespace mstar::addon
