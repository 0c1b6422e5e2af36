// See parameters.h.
#include "engine/parameters.h"

#include "base/random.h"
#include "engine/reads.h"

namespace mstar {
namespace {

constexpr const char *kInner = "lora_A.weight", *kOuter = "lora_B.weight";

/** "x." of "x.weight". */
std::string module_of(const std::string& matrix) { return matrix.substr(0, matrix.rfind('.') + 1); }

/** Uniform in +-1 / sqrt(k) for a of [r, k], as PEFT draws it: a pure function of seed, name and place. */
void draw(const at::Tensor& a, uint64_t seed, const std::string& name) {
  const auto values = at::empty(a.sizes(), at::kFloat);
  const uint64_t stream = hash_key(name);
  const int64_t rank = a.size(0), width = a.size(1);
  const double bound = 1 / std::sqrt(static_cast<double>(width));
  float* to = values.mutable_data_ptr<float>();
  for (int64_t r = 0; r < rank; ++r)
    for (int64_t i = 0; i < width; ++i) {
      const double uniform = philox_uniform(seed, stream, static_cast<uint32_t>(r), static_cast<uint32_t>(i));
      *to++ = static_cast<float>((2 * uniform - 1) * bound);
    }
  a.copy_(values);
}

thread_local Reads* reading = nullptr;

}  // namespace

Reads::Reads() : outer_(reading) { reading = this; }

Reads::~Reads() { reading = outer_; }

void Reads::note(const at::Tensor& parameter) {
  if (reading != nullptr) reading->tensors_.insert(parameter.unsafeGetTensorImpl());
}

Parameters::Parameters(const std::vector<ParameterShape>& shapes, at::TensorOptions options) : options_(options) {
  for (const auto& [name, shape] : shapes) add(name, at::empty(shape, options));
  own_ = shapes.size();
}

const at::Tensor& Parameters::operator[](const std::string& name) const {
  const auto found = index_.find(name);
  TORCH_CHECK(found != index_.end(), "no parameter named ", name);
  Reads::note(found->second);
  return found->second;
}

Weight Parameters::weight(const std::string& name) const {
  Weight out((*this)[name]);
  // A module may have a bias beside its matrix.
  if (!scale_ || !name.ends_with(".weight")) return out;
  const std::string module = module_of(name);
  if (!has(module + kInner)) return out;
  out.a = (*this)[module + kInner];
  out.b = (*this)[module + kOuter];
  out.scale = *scale_;
  return out;
}

void Parameters::adapt(const AdapterSpec& spec) {
  if (spec.targets.empty()) return;
  scale_ = spec.scale;
  const auto options = options_.dtype(at::kFloat);
  for (const std::string& target : spec.targets) {
    const at::Tensor& matrix = (*this)[target];
    TORCH_CHECK(matrix.dim() == 2, "an adapter of ", target, ", which is no matrix");
    const std::string module = module_of(target);
    const auto a = at::zeros({spec.rank, matrix.size(1)}, options);
    const auto b = at::zeros({matrix.size(0), spec.rank}, options);
    if (spec.seed) draw(a, *spec.seed, module + kInner);
    add(module + kInner, a);
    add(module + kOuter, b);
  }
}

std::vector<std::string> Parameters::learnable() const {
  return {names_.begin() + static_cast<std::ptrdiff_t>(scale_ ? own_ : 0), names_.end()};
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
