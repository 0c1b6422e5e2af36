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
    Tree& tree = packed_.trees.emplace_back();
    tree.trunk = static_cast<int64_t>(prompt.tokens.size());
    if (!backbone_.decoder_shape().grid_positions) return;
    tree.positions = positions_of(backbone_, prompt);
    tree.shift = position_shift(backbone_, prompt);
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
  const auto pictures = at::cat(placed);
  const int64_t deep = pictures.size(1) - embedded.size(1);
  return (deep > 0 ? at::constant_pad_nd(embedded, {0, deep}) : embedded)
      .index_copy(0, packed.image_positions.to(p.device()), pictures);
}

}  // namespace

bool rotate_alike(const Backbone& backbone, int64_t length, int64_t other) {
  const DecoderShape shape = backbone.decoder_shape();
  const bool long_one = length > shape.max_positions, other_long = other > shape.max_positions;
  return length == other || (long_one == other_long && (!long_one || shape.rotation_switches));
}

std::vector<Position> positions_of(const Backbone& backbone, const Prompt& prompt) {
  const bool grids = backbone.decoder_shape().grid_positions;
  std::vector<Position> positions;
  auto image = prompt.images.begin();
  ImageLayout grid;
  int64_t next = 0, cell = 0;
  for (int64_t token : prompt.tokens) {
    if (!grids || token != backbone.image_token()) {
      positions.push_back({next, next, next});
      ++next;
      continue;
    }
    if (cell == 0) {
      TORCH_CHECK(image != prompt.images.end(), "the prompt has more image tokens than its pictures make");
      grid = backbone.layout((*image)->width, (*image)->height);
      ++image;
    }
    positions.push_back({next, next + cell / grid.cols, next + cell % grid.cols});
    if (++cell < grid.tokens) continue;
    next += std::max(grid.rows, grid.cols);
    cell = 0;
  }
  return positions;
}

int64_t position_shift(const Backbone& backbone, const Prompt& prompt) {
  int64_t shift = 0;
  if (!backbone.decoder_shape().grid_positions) return shift;
  for (const ImagePtr& image : prompt.images) {
    const ImageLayout grid = backbone.layout(image->width, image->height);
    shift += std::max(grid.rows, grid.cols) - grid.tokens;
  }
  return shift;
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
    (*stages)["embeddings"] = embedded_ND.narrow(1, 0, hidden_ND.size(1));
    if (packed.trees.size() == 1 && !packed.trees[0].positions.empty())
      (*stages)["position_ids"] = tensor_of(packed.trees[0].positions).t();
    (*stages)["hidden"] = hidden_ND;
  }
  return hidden_ND;
}

at::Tensor embed_prompts(const Backbone& backbone, const Parameters& p, const std::vector<const Prompt*>& prompts) {
  std::vector<Example> examples;
  for (const Prompt* prompt : prompts) examples.emplace_back().prompt = *prompt;
  std::vector<const Example*> members;
  for (const Example& example : examples) members.push_back(&example);
  return embed_packed(backbone, p, pack(backbone, members), nullptr).contiguous();
}

}  // namespace mstar
