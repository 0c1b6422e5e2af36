#pragma once
// Sizes of a Qwen2.5-VL model, read from the flat config that src/backbones/qwen2_5_vl.ts validated.
#include "models/layers/patches.h"
#include "models/layers/split_decoder.h"

namespace mstar::qwen2_5_vl {

struct Shape {
  explicit Shape(const Config& c)
      : patches{c.integer("patch_size"),
                c.integer("merge_size"),
                c.integer("min_pixels"),
                c.integer("max_pixels"),
                {0.48145466f, 0.4578275f, 0.40821073f},
                {0.26862954f, 0.26130258f, 0.27577711f}},
        window(c.integer("window")),
        v_hidden(c.integer("v_hidden")),
        v_layers(c.integer("v_layers")),
        v_heads(c.integer("v_heads")),
        v_intermediate(c.integer("v_intermediate")),
        image_token_id(c.integer("image_token_id")),
        decoder{"model.",
                c.integer("tied") != 0 ? "model.embed_tokens.weight" : "lm_head.weight",
                layers::shape_of(c),
                true,
                false,
                {layers::rope_frequencies(c.number("rope_theta"), c.integer("l_head_dim")), 1,
                 layers::axes_in_runs(layers::sections_of(c))}} {
    for (int64_t i = 0; i < v_layers; ++i) full.push_back(c.integer("full_" + std::to_string(i)) != 0);
  }

  layers::PatchRules patches;
  int64_t window;  // image tokens a side
  int64_t v_hidden, v_layers, v_heads, v_intermediate, image_token_id;
  std::vector<bool> full;  // by block: patches attend to the whole picture, not to their window
  layers::SplitDecoder decoder;

  static constexpr double v_eps = 1e-6;  // fixed in the reference's code

  int64_t merged() const { return v_hidden * patches.merge * patches.merge; }
};

}  // namespace mstar::qwen2_5_vl
