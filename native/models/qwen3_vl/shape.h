#pragma once
// Sizes of a Qwen3-VL model, read from the flat config that src/backbones/qwen3_vl.ts validated.
#include "models/layers/patches.h"
#include "models/layers/split_decoder.h"

namespace mstar::qwen3_vl {

struct Shape {
  explicit Shape(const Config& c)
      : patches{c.integer("patch_size"), c.integer("merge_size"), c.integer("min_pixels"),
                c.integer("max_pixels"), {0.5f, 0.5f, 0.5f},      {0.5f, 0.5f, 0.5f}},
        position_side(c.integer("position_side")),
        v_hidden(c.integer("v_hidden")),
        v_layers(c.integer("v_layers")),
        v_heads(c.integer("v_heads")),
        v_intermediate(c.integer("v_intermediate")),
        image_token_id(c.integer("image_token_id")),
        decoder{"model.language_model.",
                c.integer("tied") != 0 ? "model.language_model.embed_tokens.weight" : "lm_head.weight",
                layers::shape_of(c),
                false,
                true,
                {layers::rope_frequencies(c.number("rope_theta"), c.integer("l_head_dim")), 1,
                 layers::axes_in_turns(layers::sections_of(c))}} {
    decoder.shape.deep_layers = c.integer("deep_layers");
    for (int64_t k = 0; k < decoder.shape.deep_layers; ++k) deep.push_back(c.integer("deep_" + std::to_string(k)));
  }

  layers::PatchRules patches;
  int64_t position_side;  // of the grid of learnt positions
  int64_t v_hidden, v_layers, v_heads, v_intermediate, image_token_id;
  std::vector<int64_t> deep;  // blocks whose outputs go to the first decoder layers
  layers::SplitDecoder decoder;

  static constexpr double v_eps = 1e-6;  // fixed in the reference's code

  int64_t merged() const { return v_hidden * patches.merge * patches.merge; }
};

}  // namespace mstar::qwen3_vl
