// See group_object.h.
#include "addon/group_object.h"

#include <ATen/Functions.h>

#include <chrono>

#include "addon/convert.h"
#include "addon/model_object.h"
#include "base/device.h"

namespace mstar::addon {
namespace {

std::shared_ptr<Lane> lane_of(Napi::Env env) { return env.GetInstanceData<Instance>()->lane; }

Napi::Value on_lane(Napi::Env env, std::function<Lane::Result()> work) {
  return lane_of(env)->submit(env, std::make_shared<std::atomic<bool>>(false), std::move(work));
}

}  // namespace

Napi::Function GroupObject::define(Napi::Env env) {
  return DefineClass(env, "NativeGroup",
                     {InstanceMethod("set", &GroupObject::set), InstanceMethod("get", &GroupObject::get),
                      InstanceMethod("measure", &GroupObject::measure), InstanceMethod("usage", &GroupObject::usage),
                      InstanceMethod("watch", &GroupObject::watch), InstanceMethod("tick", &GroupObject::tick),
                      InstanceMethod("fail", &GroupObject::fail), InstanceMethod("leave", &GroupObject::leave)});
}

GroupObject::GroupObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<GroupObject>(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "groups are made by joinGroup()");
  group_ = *info[0].As<Napi::External<std::shared_ptr<Group>>>().Data();
}

std::shared_ptr<Group> GroupObject::of(const Napi::Value& value) {
  const auto env = value.Env();
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(env.GetInstanceData<Instance>()->group_class.Value()))
    throw Napi::TypeError::New(env, "group: wanted what joinGroup() gave");
  return Napi::ObjectWrap<GroupObject>::Unwrap(value.As<Napi::Object>())->group_;
}

Napi::Value GroupObject::join(const Napi::CallbackInfo& info) {
  return on_lane(info.Env(), [spec = to_group_spec(info[0])]() -> Lane::Result {
    auto group = std::make_shared<Group>(spec);
    return [group](Napi::Env env) -> Napi::Value {
      auto holder = group;
      return env.GetInstanceData<Instance>()->group_class.New(
          {Napi::External<std::shared_ptr<Group>>::New(env, &holder)});
    };
  });
}

Napi::Value GroupObject::set(const Napi::CallbackInfo& info) {
  return on_lane(info.Env(),
                 [group = group_, key = info[0].As<Napi::String>().Utf8Value(),
                  value = info[1].As<Napi::String>().Utf8Value()]() -> Lane::Result {
                   group->set(key, value);
                   return [](Napi::Env env) -> Napi::Value { return env.Undefined(); };
                 });
}

Napi::Value GroupObject::get(const Napi::CallbackInfo& info) {
  return on_lane(info.Env(), [group = group_, key = info[0].As<Napi::String>().Utf8Value()]() -> Lane::Result {
    const std::string value = group->get(key);
    return [value](Napi::Env env) -> Napi::Value { return Napi::String::New(env, value); };
  });
}

Napi::Value GroupObject::measure(const Napi::CallbackInfo& info) {
  const auto exchange = info[0].As<Napi::String>().Utf8Value();
  const auto bytes = info[1].As<Napi::Number>().Int64Value();
  return on_lane(info.Env(), [group = group_, exchange, bytes]() -> Lane::Result {
    const int64_t size = group->size(), part = std::max<int64_t>(1, bytes / 4 / size);
    const auto in = at::ones({part * size}), out = at::empty({part * size});
    const std::vector<int64_t> parts(static_cast<size_t>(size), part);
    double seconds = 0;
    for (int time = 0; time < 2; ++time) {  // the first opens connections
      group->barrier();
      const auto began = std::chrono::steady_clock::now();
      if (exchange == "allToAll")
        group->all_to_all(out, in, parts, parts);
      else if (exchange == "allGather")
        group->all_gather(out, in.narrow(0, 0, part));
      else
        group->broadcast(in, 0);
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    }
    return [seconds](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, seconds); };
  });
}

Napi::Value GroupObject::usage(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  auto out = Napi::Object::New(env);
  out.Set("busySeconds", lane_of(env)->busy_seconds() - group_->waited_seconds());
  const auto device = info[0].As<Napi::String>().Utf8Value();
  if (device != "cpu") out.Set("gpuFreeBytes", static_cast<double>(free_bytes(open_device(device))));
  return out;
}

void GroupObject::watch(const Napi::CallbackInfo& info) {
  WatchSpec spec = to_watch_spec(info[0]);
  spec.rank = group_->rank();
  spec.size = group_->size();
  watch_ = std::make_shared<Watch>(spec, group_->another_store());
}

void GroupObject::tick(const Napi::CallbackInfo&) {
  if (watch_) watch_->tick();
}

void GroupObject::fail(const Napi::CallbackInfo& info) {
  if (watch_) watch_->fail(info[0].As<Napi::String>().Utf8Value());
}

Napi::Value GroupObject::leave(const Napi::CallbackInfo& info) {
  return on_lane(
      info.Env(),
      [watch = std::exchange(watch_, nullptr), group = std::exchange(group_, nullptr)]() mutable -> Lane::Result {
        watch.reset();
        group.reset();
        return [](Napi::Env env) -> Napi::Value { return env.Undefined(); };
      });
}

}  // namespace mstar::addon
