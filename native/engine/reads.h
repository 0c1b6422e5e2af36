#pragma once
// Which parameters a piece of work looks up, so that nobody has to list them.
#include <ATen/core/Tensor.h>

#include <set>

namespace mstar {

/** What this thread looks up in tables of Parameters while it lives; of several the youngest alone sees it. */
class Reads {
 public:
  Reads();
  ~Reads();
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;
  /** Tells the one of this thread, if there is one. */
  static void note(const at::Tensor& parameter);
  const std::set<const at::TensorImpl*>& tensors() const { return tensors_; }

 private:
  Reads* const outer_;
  std::set<const at::TensorImpl*> tensors_;
};

}  // namespace mstar
