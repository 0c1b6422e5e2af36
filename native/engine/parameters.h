#pragma once
// The weights of a model by their Hugging Face names, in registration order, and the adapters of matrices. Leaves files
// to io/ and meaning to models/.
#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ops/dense.h"

namespace mstar {

/** Name and shape of one weight that a backbone wants. */
using ParameterShape = std::pair<std::string, std::vector<int64_t>>;

/** Which matrices get an adapter: products of low rank that learn in their place (LoRA). */
struct AdapterSpec {
  std::vector<std::string> targets;  // matrices by name; none: no adapter, and everything may learn
  int64_t rank = 0;
  double scale = 1;              // of the product: alpha / rank
  std::optional<uint64_t> seed;  // of a new adapter, which changes nothing yet; otherwise files hold it
};

class Parameters {
 public:
  Parameters(const std::vector<ParameterShape>& shapes, at::TensorOptions options);
  /** Number type and device of the backbone's weights: what pictures and activations are made as. */
  const at::TensorOptions& options() const { return options_; }
  at::Device device() const { return options_.device(); }
  /** The tensor of that name; throws when the backbone has none. */
  const at::Tensor& operator[](const std::string& name) const;
  /** The matrix of that name with its adapter, where it has one: what a product is made of. */
  Weight weight(const std::string& name) const;
  /** Registers adapters in float32, names as PEFT gives them: of `x.weight`, x.lora_A.weight and x.lora_B.weight. A new
   * one is drawn from the seed and its name. */
  void adapt(const AdapterSpec& spec);
  /** Names of the parameters that can learn: all, or beside adapters what was added to the backbone's own. */
  std::vector<std::string> learnable() const;
  bool has(const std::string& name) const { return index_.count(name) > 0; }
  void add(const std::string& name, at::Tensor value);
  const std::vector<std::string>& names() const { return names_; }
  int64_t count() const;  // numbers, not tensors

 private:
  at::TensorOptions options_;
  size_t own_ = 0;               // parameters of the backbone, which come first
  std::optional<double> scale_;  // of adapters, where there are any
  std::vector<std::string> names_;
  std::map<std::string, at::Tensor> index_;
};

}  // namespace mstar
