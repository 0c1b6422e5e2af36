#pragma once
// The one place where a C++ exception becomes a JavaScript error: one line of message and a code.
#include <napi.h>

#include <exception>

namespace mstar::addon {

/** An error that came from JavaScript stays what it is. Codes: ERR_CANCELLED, ERR_MEMORY, ERR_ENGINE. Call on the
 * JavaScript thread. */
Napi::Error to_error(Napi::Env env, const std::exception_ptr& failure);

/** A call that answers at once. */
template <Napi::Value (*call)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return call(info);
  } catch (...) {
    throw to_error(info.Env(), std::current_exception());
  }
}

}  // namespace mstar::addon
