// Assembly of Phi-3.5-vision from its parts, and its registration under the name that src/backbones/phi3v.ts uses.
#include "models/phi3v/image.h"
#include "models/phi3v/language.h"
#include "models/phi3v/vision.h"

namespace mstar::phi3v {
namespace {

/** The vocabulary has no token for a piece of a picture. */
constexpr int64_t kImageToken = -1;

class Phi3V final : public Backbone {
 public:
  explicit Phi3V(const Config& config) : shape_(config) {
    TORCH_CHECK(shape_.grid % 2 == 0, "a side of ", shape_.grid, " patches does not merge by twos");
    TORCH_CHECK(shape_.l_hidden % shape_.l_heads == 0 && shape_.l_heads % shape_.l_kv_heads == 0,
                "language heads do not divide evenly");
    TORCH_CHECK(shape_.v_hidden % shape_.v_heads == 0, "vision heads do not divide evenly");
  }
  std::vector<ParameterShape> parameter_shapes() const override {
    std::vector<ParameterShape> shapes;
    vision_shapes(shape_, shapes);
    language_shapes(shape_, shapes);
    return shapes;
  }
  ImageLayout layout(int64_t width, int64_t height) const override { return choose_layout(shape_, width, height); }
  Pixels pixels(const Image& image) const override { return crop_pixels(shape_, image); }
  at::Tensor encode(const Parameters& p, const std::vector<Pixels>& images, Stages* stages) const override {
    return encode_pictures(shape_, p, images, stages);
  }
  at::Tensor embed(const Parameters& p, const at::Tensor& tokens_N) const override {
    // Any row does for image tokens: pictures take their places, so that no gradient comes back to it.
    return at::embedding(p[embedding_name()], tokens_N.masked_fill(tokens_N == kImageToken, 0), shape_.pad_id);
  }
  at::Tensor hidden(const Parameters& p, const at::Tensor& embedded_ND, const std::vector<Tree>& trees) const override {
    return decode_hidden(shape_, p, embedded_ND, trees);
  }
  at::Tensor head(const Parameters& p) const override { return p["lm_head.weight"]; }
  DecoderShape decoder_shape() const override {
    DecoderShape d;
    d.layers = shape_.l_layers;
    d.hidden = shape_.l_hidden;
    d.heads = shape_.l_heads;
    d.kv_heads = shape_.l_kv_heads;
    d.head_dim = shape_.head_dim();
    d.intermediate = shape_.l_intermediate;
    d.vocab = shape_.vocab;
    d.max_positions = shape_.original_positions;
    d.rotation_switches = true;
    d.eps = static_cast<float>(shape_.l_eps);
    return d;
  }
  DecoderWeights decoder_weights(const Parameters& p) const override { return phi3v::decoder_weights(shape_, p); }
  Rope rope(int64_t length) const override { return rope_of(shape_, length); }
  int64_t image_token() const override { return kImageToken; }
  std::string embedding_name() const override { return "model.embed_tokens.weight"; }

 private:
  Shape shape_;
};

const BackboneRegistrar registrar("phi3v", [](const Config& config) -> std::unique_ptr<Backbone> {
  return std::make_unique<Phi3V>(config);
});

}  // namespace
}  // namespace mstar::phi3v
