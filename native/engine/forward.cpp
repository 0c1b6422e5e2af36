// See forward.h.
#include "engine/forward.h"

namespace mstar {
namespace {

/** Appends one sequence and notes where its image tokens lie. */
void append(const Backbone& backbone, const Prompt& prompt, std::vector<int64_t>& tokens,
            std::vector<int64_t>& positions, Packed& packed, std::map<std::string, int64_t>& known) {
  int64_t expected = 0, found = 0;
  for (const ImagePtr& image : prompt.images) {
    expected += backbone.layout(image->width, image->height).tokens;
    const auto [place, fresh] = known.emplace(image->key, static_cast<int64_t>(packed.images.size()));
    if (fresh) packed.images.push_back(image);
    packed.image_uses.push_back(place->second);
  }
  for (int64_t token : prompt.tokens) {
    if (token == backbone.image_token()) {
      positions.push_back(static_cast<int64_t>(tokens.size()));
      ++found;
    }
    tokens.push_back(token);
  }
  TORCH_CHECK(found == expected, "the prompt has ", found, " image tokens, its pictures make ", expected);
}

at::Tensor embed_packed(const Backbone& backbone, const Parameters& p, const Packed& packed, Stages* stages) {
  const auto embedded = backbone.embed(p, packed.tokens_N);
  if (packed.images.empty()) return embedded;
  std::vector<at::Tensor> pixels;
  std::vector<int64_t> lengths;
  for (const ImagePtr& image : packed.images) {
    pixels.push_back(backbone.pixels(*image));
    lengths.push_back(backbone.layout(image->width, image->height).tokens);
  }
  const auto all = at::cat(pixels);
  if (stages != nullptr) (*stages)["pixel_values"] = all;
  const auto parts = backbone.encode(p, all, stages).split_with_sizes(lengths);
  std::vector<at::Tensor> placed;
  for (int64_t use : packed.image_uses) placed.push_back(parts[static_cast<size_t>(use)]);
  return embedded.index_copy(0, packed.image_positions, at::cat(placed));
}

}  // namespace

Packed pack(const Backbone& backbone, const std::vector<const Example*>& examples) {
  Packed packed;
  std::vector<int64_t> tokens, positions;
  std::map<std::string, int64_t> known;
  for (const Example* example : examples) {
    append(backbone, example->prompt, tokens, positions, packed, known);
    tokens.insert(tokens.end(), example->response.begin(), example->response.end());
    packed.lengths.push_back(static_cast<int64_t>(example->prompt.tokens.size() + example->response.size()));
  }
  packed.tokens_N = at::tensor(tokens, at::kLong);
  packed.image_positions = at::tensor(positions, at::kLong);
  return packed;
}

at::Tensor forward_hidden(const Backbone& backbone, const Parameters& p, const Packed& packed, Stages* stages) {
  return backbone.hidden(p, embed_packed(backbone, p, packed, stages), packed.lengths);
}

at::Tensor embed_prompt(const Backbone& backbone, const Parameters& p, const Prompt& prompt) {
  const Example example{prompt, {}, {}};
  return embed_packed(backbone, p, pack(backbone, {&example}), nullptr).contiguous();
}

}  // namespace mstar
