#pragma once
// JavaScript values to engine structs and back. Refuses wrong JavaScript types, naming the field; meaning was checked
// in TypeScript.
#include <napi.h>

#include "distributed/watch.h"
#include "engine/model.h"

namespace mstar::addon {

ModelSpec to_model_spec(const Napi::Value& value);
/** With what `how` says for tests and benchmarks: `random`, `decode`, `oneGraph`. */
ModelSpec to_checked_spec(const Napi::Value& value, const Napi::Value& how);
std::map<std::string, double> to_config(const Napi::Value& value);
std::vector<RolloutRequest> to_requests(const Napi::Value& value);
Sampling to_sampling(const Napi::Value& value);
std::vector<Example> to_examples(const Napi::Value& value);
std::vector<std::vector<uint32_t>> to_positions(const Napi::Value& value);
OptimizerSettings to_optimizer(const Napi::Value& value);
/** Whether an optimizer's settings want moments in 8 bits. */
bool to_small_moments(const Napi::Value& value);
Objective to_objective(const Napi::Value& value);
std::vector<SaveTensor> to_save_tensors(const Napi::Value& value);
std::vector<SaveFile> to_save_files(const Napi::Value& value);
std::vector<WeightFile> to_weight_files(const Napi::Value& value);
GroupSpec to_group_spec(const Napi::Value& value);
WatchSpec to_watch_spec(const Napi::Value& value);

Napi::Value from_response(Napi::Env env, const Response& response);
Napi::Value from_rollout(Napi::Env env, const RolloutResult& result);
Napi::Value from_rows(Napi::Env env, const std::vector<std::vector<float>>& rows);
/** Sets what is measured on the object. */
void set_measures(Napi::Object& out, const PolicyMeasures& measures);
Napi::Value from_report(Napi::Env env, const StepReport& report);
Napi::Value from_layout(Napi::Env env, const ImageLayout& layout);
Napi::Value from_shapes(Napi::Env env, const std::vector<ParameterShape>& shapes);
Napi::Value from_state(Napi::Env env, const std::vector<StateTensor>& tensors);
/** `only`: names to give back; empty for all. */
Napi::Value from_stages(Napi::Env env, const Stages& stages, const std::vector<std::string>& only);
std::vector<std::string> to_strings(const Napi::Value& value);

}  // namespace mstar::addon
