// See model_object.h.
#include "addon/model_object.h"

#include "addon/convert.h"
#include "addon/failure.h"
#include "addon/group_object.h"
#include "addon/session_object.h"

namespace mstar::addon {
namespace {

StopFlag flag_of(const Napi::Value& value) {
  const CancelFlag* given = CancelFlag::of(value);
  return given == nullptr ? new_flag() : given->flag;
}

Lane::Result nothing() {
  return [](Napi::Env env) -> Napi::Value { return env.Undefined(); };
}

}  // namespace

Napi::Function ModelObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativeModel",
      {InstanceMethod("rollout", &ModelObject::rollout), InstanceMethod("openSession", &ModelObject::open_session),
       InstanceMethod("logprobs", &ModelObject::logprobs), InstanceMethod("score", &ModelObject::score),
       InstanceMethod("setOptimizer", &ModelObject::set_optimizer),
       InstanceMethod("trainStep", &ModelObject::train_step), InstanceMethod("imageLayout", &ModelObject::image_layout),
       InstanceMethod("save", &ModelObject::save), InstanceMethod("mergeLoss", &ModelObject::merge_loss),
       InstanceMethod("restore", &ModelObject::restore), InstanceMethod("parameters", &ModelObject::parameters),
       InstanceMethod("dispose", &ModelObject::dispose), InstanceAccessor("version", &ModelObject::version, nullptr)});
}

ModelObject::ModelObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ModelObject>(info), version_(std::make_shared<std::atomic<int64_t>>(0)) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "models are made by loadModel()");
  model_ = *info[0].As<Napi::External<std::shared_ptr<Model>>>().Data();
  lane_ = info.Env().GetInstanceData<Instance>()->lane;
  // What the garbage collector should know of; memory of a GPU is not its business.
  if (model_->parameters().device().is_cpu())
    bytes_ = model_->parameters().count() * static_cast<int64_t>(model_->parameters().options().dtype().itemsize());
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_);
}

ModelObject::~ModelObject() {
  for (const auto& weak : running_)
    if (const auto flag = weak.lock()) flag->store(true);
}

void ModelObject::Finalize(Napi::Env env) {
  if (model_) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
}

Napi::Value ModelObject::load(Napi::Env env, const ModelSpec& spec) {
  const auto stop = new_flag();
  return env.GetInstanceData<Instance>()->lane->submit(env, stop, [spec, stop] {
    auto model = std::make_shared<Model>(spec, stop);
    return [model](Napi::Env env) -> Napi::Value {
      auto holder = model;
      return env.GetInstanceData<Instance>()->model_class.New(
          {Napi::External<std::shared_ptr<Model>>::New(env, &holder)});
    };
  });
}

ModelObject& ModelObject::of(const Napi::Value& value) {
  const auto env = value.Env();
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(env.GetInstanceData<Instance>()->model_class.Value()))
    throw Napi::TypeError::New(env, "model: wanted what loadModel() gave");
  return *Napi::ObjectWrap<ModelObject>::Unwrap(value.As<Napi::Object>());
}

Model& ModelObject::alive(Napi::Env env) const {
  if (model_) return *model_;
  auto error = Napi::Error::New(env, "the model was disposed");
  error.Set("code", "ERR_DISPOSED");
  throw error;
}

Napi::Value ModelObject::submit(Napi::Env env, StopFlag stop, Work work, std::function<void()> release) {
  alive(env);
  std::erase_if(running_, [](const auto& weak) { return weak.expired(); });
  running_.push_back(stop);
  return lane_->submit(
      env, stop,
      [model = model_, version = version_, stop, work = std::move(work)] {
        auto result = work(*model, stop);
        version->store(model->version());
        return result;
      },
      std::move(release));
}

Napi::Value ModelObject::rollout(const Napi::CallbackInfo& info) {
  const Callbacks callbacks(info, 3);
  return submit(
      info.Env(), flag_of(info[2]),
      [requests = to_requests(info[0]), sampling = to_sampling(info[1]), hooks = callbacks.hooks(lane_)](
          Model& model, const StopFlag& stop) {
        auto result = std::make_shared<RolloutResult>(model.rollout(requests, sampling, hooks, stop));
        return [result](Napi::Env env) { return from_rollout(env, *result); };
      },
      [callbacks] { callbacks.release(); });
}

Napi::Value ModelObject::open_session(const Napi::CallbackInfo& info) {
  const auto stop = new_flag();
  return submit(info.Env(), stop, [model = model_](Model& open, const StopFlag& flag) {
    const SessionObject::Given given{model, open.open_session(flag), flag};
    return [given](Napi::Env env) -> Napi::Value {
      auto holder = given;
      return env.GetInstanceData<Instance>()->session_class.New(
          {Napi::External<SessionObject::Given>::New(env, &holder)});
    };
  });
}

Napi::Value ModelObject::logprobs(const Napi::CallbackInfo& info) {
  const double temperature = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 1;
  return submit(
      info.Env(), new_flag(), [examples = to_examples(info[0]), temperature](Model& model, const StopFlag& stop) {
        return [rows = model.logprobs(examples, temperature, stop)](Napi::Env env) { return from_rows(env, rows); };
      });
}

Napi::Value ModelObject::score(const Napi::CallbackInfo& info) {
  return submit(info.Env(), new_flag(),
                [examples = to_examples(info[0]), at = to_positions(info[1])](Model& model, const StopFlag& stop) {
                  return [rows = model.score(examples, at, stop)](Napi::Env env) { return from_rows(env, rows); };
                });
}

Napi::Value ModelObject::set_optimizer(const Napi::CallbackInfo& info) { return set_optimizer(info[0], info[1], {}); }

Napi::Value ModelObject::set_optimizer(const Napi::Value& settings, const Napi::Value& group, ExchangeSizes sizes) {
  return submit(settings.Env(), new_flag(),
                [settings = to_optimizer(settings), small = to_small_moments(settings), sizes,
                 group = group.IsObject() ? GroupObject::of(group) : nullptr](Model& model, const StopFlag&) {
                  return [state = model.set_optimizer(settings, small, group, sizes)](Napi::Env env) {
                    return from_state(env, state);
                  };
                });
}

Napi::Value ModelObject::train_step(const Napi::CallbackInfo& info) {
  return submit(info.Env(), new_flag(),
                [batch = to_examples(info[0]), objective = to_objective(info[1])](Model& model, const StopFlag& stop) {
                  return [report = model.train_step(batch, objective, stop)](Napi::Env env) {
                    return from_report(env, report);
                  };
                });
}

Napi::Value ModelObject::image_layout(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  if (!info[0].IsNumber() || !info[1].IsNumber())
    throw Napi::TypeError::New(env, "imageLayout: wanted width and height");
  const int64_t width = info[0].As<Napi::Number>().Int64Value(), height = info[1].As<Napi::Number>().Int64Value();
  if (width < 1 || height < 1) throw Napi::RangeError::New(env, "imageLayout: wanted positive sizes");
  const Model& model = alive(env);
  try {
    return from_layout(env, model.backbone().layout(width, height));
  } catch (...) {
    throw to_error(env, std::current_exception());
  }
}

Napi::Value ModelObject::save(const Napi::CallbackInfo& info) {
  return submit(info.Env(), new_flag(), [files = to_save_files(info[0])](Model& model, const StopFlag&) {
    model.save(files);
    return nothing();
  });
}

Napi::Value ModelObject::merge_loss(const Napi::CallbackInfo& info) {
  return submit(info.Env(), new_flag(), [tensors = to_save_tensors(info[0])](Model& model, const StopFlag&) {
    return [loss = model.merge_loss(tensors)](Napi::Env env) -> Napi::Value {
      auto out = Napi::Object::New(env);
      out.Set("update", loss.update);
      out.Set("lost", loss.lost);
      return out;
    };
  });
}

Napi::Value ModelObject::restore(const Napi::CallbackInfo& info) {
  if (!info[1].IsNumber()) throw Napi::TypeError::New(info.Env(), "version: wanted a number");
  return submit(info.Env(), new_flag(),
                [files = to_weight_files(info[0]), version = info[1].As<Napi::Number>().Int64Value()](Model& model,
                                                                                                      const StopFlag&) {
                  model.restore(files, version);
                  return nothing();
                });
}

Napi::Value ModelObject::parameters(const Napi::CallbackInfo& info) {
  const Parameters& table = alive(info.Env()).parameters();
  std::vector<ParameterShape> shapes;
  for (const std::string& name : table.names()) shapes.push_back({name, table[name].sizes().vec()});
  return from_shapes(info.Env(), shapes);
}

Napi::Value ModelObject::version(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(version_->load()));
}

Napi::Value ModelObject::dispose(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  for (const auto& weak : running_)
    if (const auto flag = weak.lock()) flag->store(true);
  if (model_) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
  // The last reference goes away on the engine thread, after the calls that were queued before.
  return lane_->submit(env, new_flag(), [model = std::move(model_)]() mutable {
    model.reset();
    return nothing();
  });
}

}  // namespace mstar::addon
