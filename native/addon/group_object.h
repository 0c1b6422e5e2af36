#pragma once
// The JavaScript face of a group of ranks: joining it, its store, its watch, and what measures its collectives.
#include <napi.h>

#include "addon/lane.h"
#include "distributed/watch.h"

namespace mstar::addon {

class GroupObject : public Napi::ObjectWrap<GroupObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit GroupObject(const Napi::CallbackInfo& info);
  /** joinGroup({ rank, size, host, port, ... }): joins on the lane; resolves to a GroupObject. */
  static Napi::Value join(const Napi::CallbackInfo& info);
  /** The group of a value that joinGroup() gave. Throws Napi::TypeError for another one. */
  static std::shared_ptr<Group> of(const Napi::Value& value);

 private:
  Napi::Value set(const Napi::CallbackInfo& info);
  Napi::Value get(const Napi::CallbackInfo& info);
  Napi::Value measure(const Napi::CallbackInfo& info);
  Napi::Value usage(const Napi::CallbackInfo& info);
  void watch(const Napi::CallbackInfo& info);
  void tick(const Napi::CallbackInfo& info);
  void fail(const Napi::CallbackInfo& info);
  Napi::Value leave(const Napi::CallbackInfo& info);

  std::shared_ptr<Group> group_;
  std::shared_ptr<Watch> watch_;
};

}  // namespace mstar::addon
