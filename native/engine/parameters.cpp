// See parameters.h.
#include "engine/parameters.h"

#include "engine/reads.h"

namespace mstar {
namespace {

thread_local Reads* reading = nullptr;

}  // namespace

Reads::Reads() : outer_(reading) { reading = this; }

Reads::~Reads() { reading = outer_; }

void Reads::note(const at::Tensor& parameter) {
  if (reading != nullptr) reading->tensors_.insert(parameter.unsafeGetTensorImpl());
}

Parameters::Parameters(const std::vector<ParameterShape>& shapes, at::TensorOptions options) : options_(options) {
  for (const auto& [name, shape] : shapes) add(name, at::empty(shape, options));
}

const at::Tensor& Parameters::operator[](const std::string& name) const {
  const auto found = index_.find(name);
  TORCH_CHECK(found != index_.end(), "no parameter named ", name);
  Reads::note(found->second);
  return found->second;
}

void Parameters::add(const std::string& name, at::Tensor value) {
  TORCH_CHECK(!has(name), "parameter registered twice: ", name);
  names_.push_back(name);
  index_.emplace(name, std::move(value));
}

int64_t Parameters::count() const {
  int64_t total = 0;
  for (const auto& [name, tensor] : index_) total += tensor.numel();
  return total;
}

}  // namespace mstar
