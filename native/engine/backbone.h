#pragma once
// The contract of a backbone: what the engine asks of native/models/<name>. The engine knows this class and no model.
// A backbone is pure assembly over a Parameters table: it owns no weights and keeps no state between calls.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/parameters.h"
#include "engine/types.h"

namespace mstar {

/** Flat numbers of a model's config, by the names that src/backbones/<name>.ts gives them. */
class Config {
 public:
  explicit Config(std::map<std::string, double> values) : values_(std::move(values)) {}
  double number(const std::string& name) const;
  int64_t integer(const std::string& name) const { return static_cast<int64_t>(number(name)); }

 private:
  std::map<std::string, double> values_;
};

/** How one picture is cut: a grid of tiles, perhaps a thumbnail, and the image tokens that follow. A picture of one
 * tile that keeps its shape is a grid of image tokens instead. */
struct ImageLayout {
  int64_t cols = 1, rows = 1, tiles = 1, tokens = 0;
};

/** Where the rotation sees a token: in time, down and across. All three are the same for text. */
using Position = std::array<int64_t, 3>;

/** [N, 3] float32. */
at::Tensor tensor_of(const std::vector<Position>& positions);

/** Sizes of the decoder-only language model, as the decode path needs them. */
struct DecoderShape {
  int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, intermediate = 0, vocab = 0;
  int64_t max_positions = 0;  // the rotation is the same for every sequence up to this length
  // Beyond max_positions another fixed rotation holds for all positions of the sequence: keys cached before the
  // sequence grew past it are of no use and are made anew (LongRoPE). Otherwise they stay as they are (dynamic NTK).
  bool rotation_switches = false;
  // Image tokens are placed by row and column of the grid that `layout` gives, and the text after a picture goes on
  // where its longer side ends. Otherwise every token is one place further than the one before it.
  bool grid_positions = false;
  // After each of so many first layers a picture adds features to the rows of its tokens (deepstack).
  int64_t deep_layers = 0;
  float eps = 0;
};

/** Rotary position embedding: angle = position * frequency; cosine and sine are multiplied by `scale`. */
struct Rope {
  at::Tensor frequencies;  // [head_dim / 2] float32
  double scale = 1;
  at::Tensor axes = {};  // int64 [head_dim / 2]: which part of a position each frequency turns by; undefined: the first
  /** Of positions [N, 3]: [N, head_dim / 2] on their device. */
  at::Tensor angles(const at::Tensor& positions_N3) const;
};

/** One picture as its vision tower wants it: float32 tensors whose meaning the backbone alone knows. */
using Pixels = std::vector<at::Tensor>;

/** Weights of one decoder layer; `qkv` holds all query heads, then key heads, then value heads. */
struct DecoderLayer {
  at::Tensor attention_norm;
  Weight qkv, output;
  at::Tensor ffn_norm;
  Weight gate, up, down;
  at::Tensor qkv_bias = {};                   // of the rows of qkv; undefined: none
  at::Tensor query_norm = {}, key_norm = {};  // [E], of every head before it is rotated; undefined: none
};

/** Everything the decode path packs. Tensors may be fresh copies; they are read once per version. */
struct DecoderWeights {
  std::vector<DecoderLayer> layers;
  at::Tensor norm, head;
};

/** Named intermediate tensors, collected for golden checks when not null. */
using Stages = std::map<std::string, at::Tensor>;

/** Sequences that begin alike: `trunk` tokens, then those of each branch, which sees the trunk and itself. */
struct Tree {
  int64_t trunk = 0;
  std::vector<int64_t> branches;
  std::vector<Position> positions = {};  // of the trunk, where pictures take positions of their own
  int64_t shift = 0;                     // of positions in the branches from their places in the sequence
  int64_t tokens() const { return std::accumulate(branches.begin(), branches.end(), trunk); }
  /** Of the trunk and its longest branch together. */
  int64_t longest() const {
    return trunk + (branches.empty() ? 0 : *std::max_element(branches.begin(), branches.end()));
  }
};

/** Trees laid end to end without padding. */
struct Packed {
  at::Tensor tokens_N;  // int64
  std::vector<Tree> trees;
  at::Tensor image_positions;                     // int64: where image tokens lie in tokens_N, in order
  std::vector<std::vector<ImagePtr>> image_sets;  // distinct; the pictures of a set are encoded in one call
  std::vector<int64_t> image_uses;  // for each picture place in order: index into all pictures of the sets in order
};

class Backbone {
 public:
  virtual ~Backbone() = default;
  virtual std::vector<ParameterShape> parameter_shapes() const = 0;
  virtual ImageLayout layout(int64_t width, int64_t height) const = 0;
  virtual Pixels pixels(const Image& image) const = 0;
  /** Image tokens of `images` laid end to end [I, D], differentiable; [I, (1 + L) D] with the features of L deep layers
   * beside them. */
  virtual at::Tensor encode(const Parameters& p, const std::vector<Pixels>& images, Stages* stages) const = 0;
  /** Whether the tokens of a picture depend on the other pictures of its prompt; such sets are encoded apart. */
  virtual bool images_depend_on_prompt() const { return false; }
  /** Token embeddings [N, D] without pictures, differentiable. */
  virtual at::Tensor embed(const Parameters& p, const at::Tensor& tokens_N) const = 0;
  /** Final hidden states after the last norm [N, D] of packed trees, differentiable: the plain twin of the decode
   * path. Where there are pictures, what is embedded is as wide as what `encode` gives. */
  virtual at::Tensor hidden(const Parameters& p, const at::Tensor& embedded_ND,
                            const std::vector<Tree>& trees) const = 0;
  /** Output matrix [V, D]. */
  virtual at::Tensor head(const Parameters& p) const = 0;
  virtual DecoderShape decoder_shape() const = 0;
  virtual DecoderWeights decoder_weights(const Parameters& p) const = 0;
  /** Rotation of a sequence of this many tokens. */
  virtual Rope rope(int64_t length) const = 0;
  /** Id that stands for one image token; negative where the vocabulary has none: `embed` then takes it too. */
  virtual int64_t image_token() const = 0;
  /** Name of the token embedding, from whose mean a new reward head is made. */
  virtual std::string embedding_name() const = 0;
};

using BackboneFactory = std::unique_ptr<Backbone> (*)(const Config&);

/** A static instance of this in native/models/<name>/backbone.cpp makes the backbone known; no list is edited. */
struct BackboneRegistrar {
  BackboneRegistrar(const char* name, BackboneFactory factory);
};

/** Throws, naming what this build has, when there is no such backbone. */
std::unique_ptr<Backbone> make_backbone(const std::string& name, const Config& config);
std::vector<std::string> backbone_names();

}  // namespace mstar
