// See hooks.h.
#include "addon/hooks.h"

#include "addon/convert.h"
#include "engine/rollout/row.h"

namespace mstar::addon {
namespace {

using Callback = std::shared_ptr<Napi::FunctionReference>;

Callback callback_of(const Napi::Value& value) {
  if (!value.IsFunction()) return nullptr;
  auto reference = std::make_shared<Napi::FunctionReference>(Napi::Persistent(value.As<Napi::Function>()));
  // If the environment ends first, the reference dies with it and must not be touched.
  reference->SuppressDestruct();
  return reference;
}

Napi::Value number(Napi::Env env, int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

/** Has a function called, unless its call is over by then. */
void deliver(const std::shared_ptr<Lane>& lane, const Callback& callback,
             std::function<std::vector<napi_value>(Napi::Env)> arguments) {
  lane->deliver([callback, arguments = std::move(arguments)](Napi::Env env) {
    if (!callback->IsEmpty()) callback->Call(arguments(env));
  });
}

}  // namespace

Napi::Function CancelFlag::define(Napi::Env env) {
  return DefineClass(env, "CancelFlag",
                     {InstanceMethod("cancel", &CancelFlag::cancel), InstanceMethod("drop", &CancelFlag::drop)});
}

CancelFlag* CancelFlag::of(const Napi::Value& value) {
  return value.IsObject() ? Napi::ObjectWrap<CancelFlag>::Unwrap(value.As<Napi::Object>()) : nullptr;
}

void CancelFlag::drop(const Napi::CallbackInfo& info) {
  if (const auto found = call.lock())
    found->drop(static_cast<size_t>(info[0].ToNumber().Int64Value()), info[1].ToNumber().Int64Value());
}

Callbacks::Callbacks(const Napi::CallbackInfo& info, size_t first)
    : on_response(callback_of(info[first])),
      on_progress(callback_of(info[first + 1])),
      on_tokens(callback_of(info[first + 2])) {}

CallHooks Callbacks::hooks(const std::shared_ptr<Lane>& lane) const {
  CallHooks hooks;
  if (on_response)
    hooks.on_response = [lane, told = on_response](int64_t request, int64_t sample, const Response& response) {
      deliver(lane, told, [=](Napi::Env env) -> std::vector<napi_value> {
        return {number(env, request), number(env, sample), from_response(env, response)};
      });
    };
  if (on_progress)
    hooks.on_progress = [lane, told = on_progress](int64_t done, int64_t total, int64_t tokens) {
      deliver(lane, told, [=](Napi::Env env) -> std::vector<napi_value> {
        return {number(env, done), number(env, total), number(env, tokens)};
      });
    };
  if (on_tokens)
    hooks.on_tokens = [lane, told = on_tokens](int64_t request, int64_t sample, const Response& all, size_t from) {
      const auto first = static_cast<int64_t>(from);
      const Response fresh{{all.tokens.begin() + first, all.tokens.end()},
                           {all.logprobs.begin() + first, all.logprobs.end()},
                           all.finish};
      deliver(lane, told, [=](Napi::Env env) -> std::vector<napi_value> {
        return {number(env, request), number(env, sample), from_response(env, fresh)};
      });
    };
  return hooks;
}

void Callbacks::release() const {
  for (const Callback& callback : {on_response, on_progress, on_tokens})
    if (callback) callback->Reset();
}

}  // namespace mstar::addon
