#pragma once
// What only tests, benchmarks and golden checks ask of the addon, as one object.
#include <napi.h>

namespace mstar::addon {

Napi::Object checks(Napi::Env env);

}  // namespace mstar::addon
