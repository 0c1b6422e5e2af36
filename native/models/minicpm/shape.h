#pragma once
// Sizes of a MiniCPM-Llama3-V-2.5 model, read from the flat config that src/backbones/minicpm.ts validated.
#include "engine/backbone.h"

namespace mstar::minicpm {

struct Shape {
  explicit Shape(const Config& c)
      : patch_size(c.integer("patch_size")),
        position_side(c.integer("position_side")),
        v_hidden(c.integer("v_hidden")),
        v_layers(c.integer("v_layers")),
        v_heads(c.integer("v_heads")),
        v_intermediate(c.integer("v_intermediate")),
        scale_resolution(c.integer("scale_resolution")),
        max_slices(c.integer("max_slices")),
        queries(c.integer("queries")),
        l_hidden(c.integer("l_hidden")),
        l_layers(c.integer("l_layers")),
        l_heads(c.integer("l_heads")),
        l_kv_heads(c.integer("l_kv_heads")),
        l_intermediate(c.integer("l_intermediate")),
        vocab(c.integer("vocab")),
        pad_id(c.integer("pad_id")),
        image_token_id(c.integer("image_token_id")),
        v_eps(c.number("v_eps")),
        l_eps(c.number("l_eps")),
        rope_theta(c.number("rope_theta")) {}

  int64_t patch_size, position_side, v_hidden, v_layers, v_heads, v_intermediate, scale_resolution, max_slices, queries;
  int64_t l_hidden, l_layers, l_heads, l_kv_heads, l_intermediate, vocab;
  int64_t pad_id;  // the embedding row that never learns; -1: none
  int64_t image_token_id;
  double v_eps, l_eps, rope_theta;

  static constexpr int64_t resampler_head_dim = 128;  // fixed in the reference's code
  static constexpr double resampler_eps = 1e-6;

  int64_t resampler_heads() const { return l_hidden / resampler_head_dim; }
  int64_t head_dim() const { return l_hidden / l_heads; }
};

}  // namespace mstar::minicpm
