// The table of backbones that static registrars fill.
#include "engine/backbone.h"

namespace mstar {
namespace {

std::map<std::string, BackboneFactory>& table() {
  static std::map<std::string, BackboneFactory> backbones;
  return backbones;
}

}  // namespace

double Config::number(const std::string& name) const {
  const auto found = values_.find(name);
  TORCH_CHECK(found != values_.end(), "config has no number '", name, "'");
  return found->second;
}

at::Tensor tensor_of(const std::vector<Position>& positions) {
  auto out = at::empty({static_cast<int64_t>(positions.size()), 3}, at::kFloat);
  float* to = out.mutable_data_ptr<float>();
  for (const Position& position : positions)
    for (int64_t part : position) *to++ = static_cast<float>(part);
  return out;
}

at::Tensor Rope::angles(const at::Tensor& positions_N3) const {
  const auto device = positions_N3.device();
  const auto parts = axes.defined() ? positions_N3.index_select(1, axes.to(device)) : positions_N3.narrow(1, 0, 1);
  return parts * frequencies.to(device);
}

BackboneRegistrar::BackboneRegistrar(const char* name, BackboneFactory factory) { table().emplace(name, factory); }

std::vector<std::string> backbone_names() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : table()) names.push_back(name);
  return names;
}

std::unique_ptr<Backbone> make_backbone(const std::string& name, const Config& config) {
  const auto found = table().find(name);
  if (found == table().end()) {
    std::string known;
    for (const auto& other : backbone_names()) known += (known.empty() ? "" : ", ") + other;
    TORCH_CHECK(false, "no backbone named '", name, "'; this build has: ", known);
  }
  return found->second(config);
}

}  // namespace mstar
