#pragma once
// A backbone of pictures that keep their shape (patches.h) and a decoder with a matrix for every projection
// (split_decoder.h): what is left to the backbone is its tower.
#include "models/layers/patches.h"
#include "models/layers/split_decoder.h"

namespace mstar::layers {

class CellBackbone : public Backbone {
 public:
  CellBackbone(PatchRules patches, SplitDecoder decoder, int64_t image_token)
      : patches_(patches), decoder_(std::move(decoder)), image_token_(image_token) {}
  std::vector<ParameterShape> parameter_shapes() const override {
    auto shapes = vision_shapes();
    decoder_shapes(decoder_, shapes);
    return shapes;
  }
  ImageLayout layout(int64_t width, int64_t height) const override { return smart_layout(patches_, width, height); }
  Pixels pixels(const Image& image) const override { return {patch_values(patches_, image)}; }
  at::Tensor embed(const Parameters& p, const at::Tensor& tokens_N) const override {
    return at::embedding(p[decoder_.table()], tokens_N);
  }
  at::Tensor hidden(const Parameters& p, const at::Tensor& embedded, const std::vector<Tree>& trees) const override {
    return decode_hidden(decoder_, p, embedded, trees);
  }
  at::Tensor head(const Parameters& p) const override { return p[decoder_.head]; }
  DecoderShape decoder_shape() const override { return decoder_.shape; }
  DecoderWeights decoder_weights(const Parameters& p) const override { return layers::decoder_weights(decoder_, p); }
  Rope rope(int64_t) const override { return decoder_.rope; }
  int64_t image_token() const override { return image_token_; }
  std::string embedding_name() const override { return decoder_.table(); }

 private:
  virtual std::vector<ParameterShape> vision_shapes() const = 0;

  PatchRules patches_;
  SplitDecoder decoder_;
  int64_t image_token_;
};

}  // namespace mstar::layers
