// Assembly of InternVL2 from its parts, and its registration under the name that src/backbones/internvl2.ts uses.
#include "models/internvl2/image.h"
#include "models/internvl2/language.h"
#include "models/internvl2/vision.h"

namespace mstar::internvl2 {
namespace {

class InternVl2 final : public Backbone {
 public:
  explicit InternVl2(const Config& config) : shape_(config) {
    TORCH_CHECK(shape_.image_size % shape_.patch_size == 0 && shape_.grid() % shape_.merge() == 0, "image_size ",
                shape_.image_size, " does not divide into patches of ", shape_.patch_size, " merged ", shape_.merge(),
                " by ", shape_.merge());
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
  Pixels pixels(const Image& image) const override { return {tile_pixels(shape_, image)}; }
  at::Tensor encode(const Parameters& p, const std::vector<Pixels>& images, Stages* stages) const override {
    std::vector<at::Tensor> tiles;
    for (const Pixels& image : images) tiles.push_back(image[0]);
    return encode_tiles(shape_, p, at::cat(tiles), stages);
  }
  at::Tensor embed(const Parameters& p, const at::Tensor& tokens_N) const override {
    return at::embedding(p[embedding_name()], tokens_N, shape_.pad_id);
  }
  at::Tensor hidden(const Parameters& p, const at::Tensor& embedded_ND, const std::vector<Tree>& trees) const override {
    return decode_hidden(shape_, p, embedded_ND, trees);
  }
  at::Tensor head(const Parameters& p) const override { return p["language_model.output.weight"]; }
  DecoderShape decoder_shape() const override {
    DecoderShape d;
    d.layers = shape_.l_layers;
    d.hidden = shape_.l_hidden;
    d.heads = shape_.l_heads;
    d.kv_heads = shape_.l_kv_heads;
    d.head_dim = shape_.head_dim();
    d.intermediate = shape_.l_intermediate;
    d.vocab = shape_.vocab;
    d.max_positions = shape_.rope_dynamic ? shape_.max_positions : INT64_MAX;
    d.eps = static_cast<float>(shape_.l_eps);
    return d;
  }
  DecoderWeights decoder_weights(const Parameters& p) const override { return internvl2::decoder_weights(shape_, p); }
  Rope rope(int64_t length) const override { return {internvl2::rope_frequencies(shape_, length)}; }
  int64_t image_token() const override { return shape_.image_context_id; }
  std::string embedding_name() const override { return "language_model.model.tok_embeddings.weight"; }

 private:
  Shape shape_;
};

const BackboneRegistrar registrar("internvl2", [](const Config& config) -> std::unique_ptr<Backbone> {
  return std::make_unique<InternVl2>(config);
});

}  // namespace
}  // namespace mstar::internvl2
