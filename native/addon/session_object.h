#pragma once
// The JavaScript face of a session: calls that are computed together, on threads of the session's own.
#include <napi.h>

#include "addon/lane.h"
#include "engine/model.h"

namespace mstar::addon {

class SessionObject : public Napi::ObjectWrap<SessionObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SessionObject(const Napi::CallbackInfo& info);
  /** What the constructor takes, wrapped as an External. */
  struct Given {
    std::shared_ptr<Model> model;
    std::shared_ptr<Session> session;
    StopFlag stop;
  };

 private:
  Session& open(Napi::Env env) const;
  Napi::Value rollout(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<Lane> lane_;
  Given given_;
};

}  // namespace mstar::addon
