// Qwen2.5-VL: its tower, and its registration under the name that src/backbones/qwen2_5_vl.ts uses.
#include "models/layers/cell_backbone.h"
#include "models/qwen2_5_vl/vision.h"

namespace mstar::qwen2_5_vl {
namespace {

class Qwen25Vl final : public layers::CellBackbone {
 public:
  explicit Qwen25Vl(const Shape& shape)
      : CellBackbone(shape.patches, shape.decoder, shape.image_token_id), shape_(shape) {}
  at::Tensor encode(const Parameters& p, const std::vector<Pixels>& images, Stages* stages) const override {
    return encode_pictures(shape_, p, images, stages);
  }

 private:
  std::vector<ParameterShape> vision_shapes() const override { return qwen2_5_vl::vision_shapes(shape_); }
  Shape shape_;
};

const BackboneRegistrar registrar("qwen2_5_vl", [](const Config& config) -> std::unique_ptr<Backbone> {
  return std::make_unique<Qwen25Vl>(Shape(config));
});

}  // namespace
}  // namespace mstar::qwen2_5_vl
