#pragma once
// The JavaScript face of a model: each verb converts its arguments, queues work on the lane and returns a promise.
#include <napi.h>

#include <vector>

#include "addon/hooks.h"
#include "addon/lane.h"
#include "engine/model.h"

namespace mstar::addon {

/** What the addon keeps per environment. */
struct Instance {
  explicit Instance(Napi::Env env) : lane(std::make_shared<Lane>(env)) {}
  std::shared_ptr<Lane> lane;
  Napi::FunctionReference model_class, session_class, group_class;
};

class ModelObject : public Napi::ObjectWrap<ModelObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ModelObject(const Napi::CallbackInfo& info);
  ~ModelObject() override;
  void Finalize(Napi::Env env) override;
  /** Loads on the lane; resolves to a ModelObject. */
  static Napi::Value load(Napi::Env env, const ModelSpec& spec);
  /** The object behind a JavaScript model; throws where `value` is none. */
  static ModelObject& of(const Napi::Value& value);
  using Work = std::function<Lane::Result(Model&, const StopFlag&)>;
  /** Queues work on the model, which a raised `stop` or dispose() cancels; resolves to its result. */
  Napi::Value submit(Napi::Env env, StopFlag stop, Work work, std::function<void()> release = {});
  /** `group`: what joinGroup() gave, or no object for one rank. */
  Napi::Value set_optimizer(const Napi::Value& settings, const Napi::Value& group, ExchangeSizes sizes);

 private:
  Model& alive(Napi::Env env) const;

  Napi::Value rollout(const Napi::CallbackInfo& info);
  Napi::Value open_session(const Napi::CallbackInfo& info);
  Napi::Value logprobs(const Napi::CallbackInfo& info);
  Napi::Value score(const Napi::CallbackInfo& info);
  Napi::Value set_optimizer(const Napi::CallbackInfo& info);
  Napi::Value train_step(const Napi::CallbackInfo& info);
  Napi::Value image_layout(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value merge_loss(const Napi::CallbackInfo& info);
  Napi::Value restore(const Napi::CallbackInfo& info);
  Napi::Value parameters(const Napi::CallbackInfo& info);
  Napi::Value version(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<Lane> lane_;
  std::shared_ptr<Model> model_;
  std::shared_ptr<std::atomic<int64_t>> version_;
  std::vector<std::weak_ptr<std::atomic<bool>>> running_;  // raised by dispose
  int64_t bytes_ = 0;
};

}  // namespace mstar::addon
