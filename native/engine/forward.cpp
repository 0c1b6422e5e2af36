// See forward.h.
#include "engine/forward.h"

namespace mstar {
namespace {

bool same_prompt(const Prompt& a, const Prompt& b) {
  const auto same_image = [](const ImagePtr& x, const ImagePtr& y) { return x->key == y->key; };
  return a.tokens == b.tokens &&
         std::equal(a.images.begin(), a.images.end(), b.images.begin(), b.images.end(), same_image);
}

/** Builds a Packed: finds shared prompts, the distinct pictures (or sets of pictures) and the places of image tokens.
 */
class Packer {
 public:
  explicit Packer(const Backbone& backbone) : backbone_(backbone) {}

  void append(const Example& example) {
    if (!continues_tree(example)) start_tree(example.prompt);
    const auto length = static_cast<int64_t>(example.response.size());
    tokens_.insert(tokens_.end(), example.response.begin(), example.response.end());
    if (length > 0) packed_.trees.back().branches.push_back(length);
  }

  Packed finish() {
    packed_.tokens_N = at::tensor(tokens_, at::kLong);
    packed_.image_positions = at::tensor(positions_, at::kLong);
    return std::move(packed_);
  }

 private:
  bool continues_tree(const Example& example) const {
    if (example.response.empty() || packed_.trees.empty() || packed_.trees.back().branches.empty()) return false;
    const Tree& tree = packed_.trees.back();
    const auto length = tree.trunk + static_cast<int64_t>(example.response.size());
    return rotate_alike(backbone_, tree.longest(), length) && same_prompt(*prompt_, example.prompt);
  }

  void start_tree(const Prompt& prompt) {
    prompt_ = &prompt;
    place_images(prompt.images);
    int64_t expected = 0, found = 0;
    for (const ImagePtr& image : prompt.images) expected += backbone_.layout(image->width, image->height).tokens;
    for (int64_t token : prompt.tokens) {
      if (token == backbone_.image_token()) {
        positions_.push_back(static_cast<int64_t>(tokens_.size()));
        ++found;
      }
      tokens_.push_back(token);
    }
    TORCH_CHECK(found == expected, "the prompt has ", found, " image tokens, its pictures make ", expected);
    packed_.trees.push_back({static_cast<int64_t>(prompt.tokens.size()), {}});
  }

  void place_images(const std::vector<ImagePtr>& images) {
    if (images.empty()) return;
    if (!backbone_.images_depend_on_prompt()) {
      if (packed_.image_sets.empty()) packed_.image_sets.emplace_back();
      for (const ImagePtr& image : images) {
        const auto [place, fresh] = known_.emplace(std::vector{image->key}, count_);
        if (fresh) packed_.image_sets[0].push_back(image), ++count_;
        packed_.image_uses.push_back(place->second);
      }
      return;
    }
    std::vector<std::string> key;
    for (const ImagePtr& image : images) key.push_back(image->key);
    const auto [place, fresh] = known_.emplace(std::move(key), count_);
    if (fresh) packed_.image_sets.push_back(images), count_ += static_cast<int64_t>(images.size());
    for (size_t i = 0; i < images.size(); ++i) packed_.image_uses.push_back(place->second + static_cast<int64_t>(i));
  }

  const Backbone& backbone_;
  Packed packed_;
  const Prompt* prompt_ = nullptr;  // of the last tree
  std::vector<int64_t> tokens_, positions_;
  std::map<std::vector<std::string>, int64_t> known_;  // keys of a picture or set: index of its first picture
  int64_t count_ = 0;
};

/** Image tokens of every distinct picture, in the order of the sets. */
std::vector<at::Tensor> encode_sets(const Backbone& backbone, const Parameters& p, const Packed& packed,
                                    Stages* stages) {
  std::vector<at::Tensor> parts;
  for (const auto& set : packed.image_sets) {
    std::vector<Pixels> pixels;
    std::vector<int64_t> lengths;
    for (const ImagePtr& image : set) {
      Pixels& own = pixels.emplace_back(backbone.pixels(*image));
      for (at::Tensor& tensor : own) tensor = tensor.to(p.options());
      lengths.push_back(backbone.layout(image->width, image->height).tokens);
    }
    const auto split = backbone.encode(p, pixels, stages).split_with_sizes(lengths);
    parts.insert(parts.end(), split.begin(), split.end());
  }
  return parts;
}

at::Tensor embed_packed(const Backbone& backbone, const Parameters& p, const Packed& packed, Stages* stages) {
  const auto embedded = backbone.embed(p, packed.tokens_N.to(p.device()));
  if (packed.image_sets.empty()) return embedded;
  const auto parts = encode_sets(backbone, p, packed, stages);
  std::vector<at::Tensor> placed;
  for (int64_t use : packed.image_uses) placed.push_back(parts[static_cast<size_t>(use)]);
  return embedded.index_copy(0, packed.image_positions.to(p.device()), at::cat(placed));
}

}  // namespace

bool rotate_alike(const Backbone& backbone, int64_t length, int64_t other) {
  const DecoderShape shape = backbone.decoder_shape();
  const bool long_one = length > shape.max_positions, other_long = other > shape.max_positions;
  return length == other || (long_one == other_long && (!long_one || shape.rotation_switches));
}

Packed pack(const Backbone& backbone, const std::vector<const Example*>& examples) {
  Packer packer(backbone);
  for (const Example* example : examples) packer.append(*example);
  return packer.finish();
}

at::Tensor forward_hidden(const Backbone& backbone, const Parameters& p, const Packed& packed, Stages* stages) {
  const auto embedded_ND = embed_packed(backbone, p, packed, stages);
  auto hidden_ND = backbone.hidden(p, embedded_ND, packed.trees);
  if (stages != nullptr) {
    (*stages)["embeddings"] = embedded_ND;
    (*stages)["hidden"] = hidden_ND;
  }
  return hidden_ND;
}

at::Tensor embed_prompts(const Backbone& backbone, const Parameters& p, const std::vector<const Prompt*>& prompts) {
  std::vector<Example> examples;
  for (const Prompt* prompt : prompts) examples.push_back({*prompt, {}, {}});
  std::vector<const Example*> members;
  for (const Example& example : examples) members.push_back(&example);
  return embed_packed(backbone, p, pack(backbone, members), nullptr).contiguous();
}

}  // namespace mstar
