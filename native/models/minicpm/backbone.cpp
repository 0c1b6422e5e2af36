// Assembly of MiniCPM-Llama3-V-2.5 from its parts, and its registration under the name that src/backbones/minicpm.ts
// uses.
#include "engine/segments.h"
#include "models/minicpm/image.h"
#include "models/minicpm/language.h"
#include "models/minicpm/resampler.h"
#include "models/minicpm/vision.h"

namespace mstar::minicpm {
namespace {

class MiniCpm final : public Backbone {
 public:
  explicit MiniCpm(const Config& config) : shape_(config) {
    TORCH_CHECK(shape_.l_hidden % shape_.resampler_head_dim == 0, "language width ", shape_.l_hidden,
                " does not divide into resampler heads of ", shape_.resampler_head_dim);
    TORCH_CHECK(shape_.l_hidden % shape_.l_heads == 0 && shape_.l_heads % shape_.l_kv_heads == 0,
                "language heads do not divide evenly");
    TORCH_CHECK(shape_.v_hidden % shape_.v_heads == 0, "vision heads do not divide evenly");
  }
  std::vector<ParameterShape> parameter_shapes() const override {
    std::vector<ParameterShape> shapes;
    language_shapes(shape_, shapes);
    vision_shapes(shape_, shapes);
    resampler_shapes(shape_, shapes);
    return shapes;
  }
  ImageLayout layout(int64_t width, int64_t height) const override { return choose_layout(shape_, width, height); }
  Pixels pixels(const Image& image) const override { return slice_pixels(shape_, image); }
  bool images_depend_on_prompt() const override { return true; }
  at::Tensor encode(const Parameters& p, const std::vector<Pixels>& images, Stages* stages) const override {
    std::vector<at::Tensor> slices;
    for (const Pixels& image : images) slices.insert(slices.end(), image.begin(), image.end());
    const auto patches = cut_patches(shape_, slices);
    const auto tower = encode_slices(shape_, p, patches);
    const auto tokens = segment(Part::vision, tower, [this, &p, grids = patches.grids](const at::Tensor& x) {
      return resample(shape_, p, x, grids);
    });
    if (stages != nullptr) {
      record_inputs(patches, *stages);
      (*stages)["vision_tower_output"] = tower;
      (*stages)["resampler_output"] = tokens;
    }
    return tokens.reshape({-1, shape_.l_hidden});
  }
  at::Tensor embed(const Parameters& p, const at::Tensor& tokens_N) const override {
    return at::embedding(p[kEmbedding], tokens_N, shape_.pad_id);
  }
  at::Tensor hidden(const Parameters& p, const at::Tensor& embedded_ND, const std::vector<Tree>& trees) const override {
    return decode_hidden(shape_, p, embedded_ND, trees);
  }
  at::Tensor head(const Parameters& p) const override { return p[kHead]; }
  DecoderShape decoder_shape() const override {
    DecoderShape d;
    d.layers = shape_.l_layers;
    d.hidden = shape_.l_hidden;
    d.heads = shape_.l_heads;
    d.kv_heads = shape_.l_kv_heads;
    d.head_dim = shape_.head_dim();
    d.intermediate = shape_.l_intermediate;
    d.vocab = shape_.vocab;
    d.max_positions = INT64_MAX;
    d.eps = static_cast<float>(shape_.l_eps);
    return d;
  }
  DecoderWeights decoder_weights(const Parameters& p) const override { return minicpm::decoder_weights(shape_, p); }
  Rope rope(int64_t) const override { return {rope_frequencies(shape_)}; }
  int64_t image_token() const override { return shape_.image_token_id; }
  std::string embedding_name() const override { return kEmbedding; }

 private:
  /** Pixels as the reference lays them out: [3, patch, patch * patches] of each slice; ids [slices, P]. */
  void record_inputs(const Patches& patches, Stages& stages) const {
    const int64_t size = shape_.patch_size, slices = patches.values_SPC.size(0), longest = patches.values_SPC.size(1);
    for (int64_t i = 0; i < slices; ++i) {
      const int64_t count = patches.grids[static_cast<size_t>(i)].count();
      const auto own = patches.values_SPC[i].narrow(0, 0, count).reshape({count, 3, size, size});
      stages["pixel_values." + std::to_string(i)] = own.permute({1, 2, 0, 3}).reshape({3, size, count * size});
    }
    stages["vision_position_ids"] = position_ids(shape_, longest).expand({slices, -1});
  }

  Shape shape_;
};

const BackboneRegistrar registrar("minicpm", [](const Config& config) -> std::unique_ptr<Backbone> {
  return std::make_unique<MiniCpm>(config);
});

}  // namespace
}  // namespace mstar::minicpm
