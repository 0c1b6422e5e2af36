#pragma once
// The weights of a model by their Hugging Face names, in registration order. Leaves files to io/ and meaning to
// models/.
#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mstar {

/** Name and shape of one weight that a backbone wants. */
using ParameterShape = std::pair<std::string, std::vector<int64_t>>;

class Parameters {
 public:
  Parameters(const std::vector<ParameterShape>& shapes, at::TensorOptions options);
  /** Number type and device of the backbone's weights: what pictures and activations are made as. */
  const at::TensorOptions& options() const { return options_; }
  at::Device device() const { return options_.device(); }
  /** The tensor of that name; throws when the backbone has none. */
  const at::Tensor& operator[](const std::string& name) const;
  bool has(const std::string& name) const { return index_.count(name) > 0; }
  void add(const std::string& name, at::Tensor value);
  const std::vector<std::string>& names() const { return names_; }
  int64_t count() const;  // numbers, not tensors

 private:
  at::TensorOptions options_;
  std::vector<std::string> names_;
  std::map<std::string, at::Tensor> index_;
};

}  // namespace mstar
