#pragma once
// As much of gloo::Context as c10d names; see compat/README.md.
#include <chrono>
namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds);
};
}  // namespace gloo
