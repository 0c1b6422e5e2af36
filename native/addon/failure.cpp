// See failure.h. LibTorch appends source locations and stacks to its messages: their first line is what is kept.
#include "addon/failure.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "engine/exchange.h"
#include "engine/types.h"

namespace mstar::addon {
namespace {

/** LibTorch has a class for this on a GPU alone, and not for all that fails there. */
bool tells_of_memory(const std::string& message) {
  for (const char* words : {"out of memory", "allocate memory", "enough memory"})
    if (message.find(words) != std::string::npos) return true;
  return false;
}

Napi::Error error_of(Napi::Env env, const char* code, const std::string& message) {
  auto error = Napi::Error::New(env, message.substr(0, message.find('\n')));
  error.Set("code", code);
  return error;
}

}  // namespace

Napi::Error to_error(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Napi::Error& error) {
    return error;
  } catch (const Cancelled& error) {
    return error_of(env, "ERR_CANCELLED", error.what());
  } catch (const PeerFailed& error) {
    return error_of(env, "ERR_RANK", error.what());
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    return error_of(env, tells_of_memory(message) ? "ERR_MEMORY" : "ERR_ENGINE", message);
  } catch (const std::bad_alloc&) {
    return error_of(env, "ERR_MEMORY", "out of memory");
  } catch (const std::exception& error) {
    return error_of(env, "ERR_ENGINE", error.what());
  } catch (...) {
    return error_of(env, "ERR_ENGINE", "unknown native failure");
  }
}

}  // namespace mstar::addon
