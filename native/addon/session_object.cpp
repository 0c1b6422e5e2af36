// See session_object.h.
#include "addon/session_object.h"

#include "addon/convert.h"
#include "addon/failure.h"
#include "addon/hooks.h"
#include "addon/model_object.h"

namespace mstar::addon {

Napi::Function SessionObject::define(Napi::Env env) {
  return DefineClass(env, "NativeSession",
                     {InstanceMethod("rollout", &SessionObject::rollout),
                      InstanceMethod("state", &SessionObject::state), InstanceMethod("close", &SessionObject::close)});
}

SessionObject::SessionObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionObject>(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "sessions are made by openSession()");
  given_ = *info[0].As<Napi::External<Given>>().Data();
  lane_ = info.Env().GetInstanceData<Instance>()->lane;
  // The engine thread may be waiting for the session to end; this hook runs before that of the thread.
  info.Env().AddCleanupHook([stop = given_.stop] { *stop = true; });
}

Session& SessionObject::open(Napi::Env env) const {
  if (given_.session) return *given_.session;
  auto error = Napi::Error::New(env, "the session was closed");
  error.Set("code", "ERR_DISPOSED");
  throw error;
}

Napi::Value SessionObject::rollout(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  Session& session = open(env);
  auto requests = to_requests(info[0]);
  const Sampling sampling = to_sampling(info[1]);
  CancelFlag* cancel = CancelFlag::of(info[2]);
  const Callbacks callbacks(info, 3);
  const auto pending = lane_->open(env, [callbacks] { callbacks.release(); });
  auto hooks = callbacks.hooks(lane_);
  hooks.on_over = [lane = lane_, pending, &session](Call& call) {
    try {
      auto result = std::make_shared<RolloutResult>(call.take_result());
      result->kv_bytes = session.kv_bytes();
      lane->settle(pending, [result](Napi::Env given) { return from_rollout(given, *result); });
    } catch (...) {
      lane->fail(pending, std::current_exception());
    }
  };
  const auto call = std::make_shared<Call>(std::move(requests), sampling, std::move(hooks),
                                           cancel == nullptr ? nullptr : cancel->flag);
  if (cancel != nullptr) cancel->call = call;
  try {
    session.add(call);
  } catch (...) {
    lane_->fail(pending, std::current_exception());
  }
  return pending->promise();
}

Napi::Value SessionObject::state(const Napi::CallbackInfo& info) {
  const SessionState state = open(info.Env()).state();
  auto out = Napi::Object::New(info.Env());
  out.Set("waiting", static_cast<double>(state.waiting));
  out.Set("running", static_cast<double>(state.running));
  out.Set("kvBytes", static_cast<double>(state.kv_bytes));
  out.Set("mostKvBytes", static_cast<double>(state.most_kv_bytes));
  out.Set("keptBytes", static_cast<double>(state.kept_bytes));
  return out;
}

Napi::Value SessionObject::close(const Napi::CallbackInfo& info) {
  return lane_->submit(info.Env(), new_flag(), [given = std::exchange(given_, {})]() mutable -> Lane::Result {
    if (given.session) given.session->close();
    given.session.reset();
    given.model.reset();
    return [](Napi::Env env) -> Napi::Value { return env.Undefined(); };
  });
}

}  // namespace mstar::addon
