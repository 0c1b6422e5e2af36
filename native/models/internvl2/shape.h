#pragma once
// Sizes of an InternVL2 model, read from the flat config that src/backbones/internvl2.ts validated.
#include "engine/backbone.h"

namespace mstar::internvl2 {

struct Shape {
  explicit Shape(const Config& c)
      : image_size(c.integer("image_size")),
        patch_size(c.integer("patch_size")),
        v_hidden(c.integer("v_hidden")),
        v_layers(c.integer("v_layers")),
        v_heads(c.integer("v_heads")),
        v_intermediate(c.integer("v_intermediate")),
        min_tiles(c.integer("min_tiles")),
        max_tiles(c.integer("max_tiles")),
        l_hidden(c.integer("l_hidden")),
        l_layers(c.integer("l_layers")),
        l_heads(c.integer("l_heads")),
        l_kv_heads(c.integer("l_kv_heads")),
        l_intermediate(c.integer("l_intermediate")),
        vocab(c.integer("vocab")),
        max_positions(c.integer("max_positions")),
        pad_id(c.integer("pad_id")),
        image_context_id(c.integer("image_context_id")),
        v_eps(c.number("v_eps")),
        l_eps(c.number("l_eps")),
        downsample(c.number("downsample")),
        rope_theta(c.number("rope_theta")),
        rope_factor(c.number("rope_factor")),
        rope_dynamic(c.number("rope_dynamic") != 0),
        use_thumbnail(c.number("use_thumbnail") != 0) {}

  int64_t image_size, patch_size, v_hidden, v_layers, v_heads, v_intermediate, min_tiles, max_tiles;
  int64_t l_hidden, l_layers, l_heads, l_kv_heads, l_intermediate, vocab, max_positions, pad_id, image_context_id;
  double v_eps, l_eps, downsample, rope_theta, rope_factor;
  bool rope_dynamic, use_thumbnail;

  int64_t grid() const { return image_size / patch_size; }  // patches a side
  int64_t merge() const {
    return static_cast<int64_t>(1.0 / downsample + 0.5);
  }  // patches a side that become one token
  int64_t tokens_per_tile() const { return (grid() / merge()) * (grid() / merge()); }
  int64_t head_dim() const { return l_hidden / l_heads; }
  int64_t group() const { return l_heads / l_kv_heads; }  // query heads per kv head
};

}  // namespace mstar::internvl2
