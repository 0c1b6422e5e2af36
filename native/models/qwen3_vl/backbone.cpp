// Qwen3-VL: its tower, and its registration under the name that src/backbones/qwen3_vl.ts uses.
#include "models/layers/cell_backbone.h"
#include "models/qwen3_vl/vision.h"

namespace mstar::qwen3_vl {
namespace {

class Qwen3Vl final : public layers::CellBackbone {
 public:
  explicit Qwen3Vl(const Shape& shape)
      : CellBackbone(shape.patches, shape.decoder, shape.image_token_id), shape_(shape) {}
  at::Tensor encode(const Parameters& p, const std::vector<Pixels>& images, Stages* stages) const override {
    return encode_pictures(shape_, p, images, stages);
  }

 private:
  std::vector<ParameterShape> vision_shapes() const override { return qwen3_vl::vision_shapes(shape_); }
  Shape shape_;
};

const BackboneRegistrar registrar("qwen3_vl", [](const Config& config) -> std::unique_ptr<Backbone> {
  return std::make_unique<Qwen3Vl>(Shape(config));
});

}  // namespace
}  // namespace mstar::qwen3_vl
