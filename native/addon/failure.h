#pragma once
// The one place where a C++ exception becomes a JavaScript error: one line of message and a code.
#include <napi.h>

#include <exception>

namespace mstar::addon {

/** An error that came from JavaScript stays what it is. Codes: ERR_CANCELLED, ERR_MEMORY, ERR_ENGINE. Call on the
 * JavaScript thread. */
Napi::Error to_error(Napi::Env env, const std::exception_ptr& failure);

}  // namespace mstar::addon
