#pragma once
// What a call for responses takes from JavaScript besides its requests: a flag that cancels it, functions that it
// tells.
#include <napi.h>

#include "addon/lane.h"
#include "engine/rollout/call.h"

namespace mstar::addon {

/** Raised by an AbortSignal; polled by the engine. */
class CancelFlag : public Napi::ObjectWrap<CancelFlag> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit CancelFlag(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<CancelFlag>(info), flag(std::make_shared<std::atomic<bool>>(false)) {}
  /** The flag that was given, or null. */
  static CancelFlag* of(const Napi::Value& value);
  StopFlag flag;
  std::weak_ptr<Call> call;  // of a session, whose responses can be dropped one by one

 private:
  void cancel(const Napi::CallbackInfo&) { flag->store(true); }
  void drop(const Napi::CallbackInfo& info);
};

inline StopFlag new_flag() { return std::make_shared<std::atomic<bool>>(false); }

/** Functions that engine threads may have called while a call goes on. Used on the JavaScript thread. */
struct Callbacks {
  std::shared_ptr<Napi::FunctionReference> on_response, on_progress, on_tokens;
  /** Those of the arguments from `first` on, each a function or null. */
  Callbacks(const Napi::CallbackInfo& info, size_t first);
  CallHooks hooks(const std::shared_ptr<Lane>& lane) const;
  /** Drops the references: nothing is called any more. */
  void release() const;
};

}  // namespace mstar::addon
