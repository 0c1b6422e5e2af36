#pragma once
// Sizes of a Phi-3.5-vision model, read from the flat config that src/backbones/phi3v.ts validated.
#include "engine/backbone.h"

namespace mstar::phi3v {

struct Shape {
  explicit Shape(const Config& c)
      : patch_size(c.integer("patch_size")),
        grid(c.integer("grid")),
        v_hidden(c.integer("v_hidden")),
        v_layers(c.integer("v_layers")),
        v_heads(c.integer("v_heads")),
        v_intermediate(c.integer("v_intermediate")),
        num_crops(c.integer("num_crops")),
        l_hidden(c.integer("l_hidden")),
        l_layers(c.integer("l_layers")),
        l_heads(c.integer("l_heads")),
        l_kv_heads(c.integer("l_kv_heads")),
        l_intermediate(c.integer("l_intermediate")),
        vocab(c.integer("vocab")),
        pad_id(c.integer("pad_id")),
        original_positions(c.integer("original_positions")),
        max_positions(c.integer("max_positions")),
        l_eps(c.number("l_eps")),
        rope_theta(c.number("rope_theta")) {
    for (int64_t i = 0; i < head_dim() / 2; ++i) {
      short_factors.push_back(c.number("rope_short_" + std::to_string(i)));
      long_factors.push_back(c.number("rope_long_" + std::to_string(i)));
    }
  }

  int64_t patch_size, grid, v_hidden, v_layers, v_heads, v_intermediate, num_crops;  // grid: patches a side
  int64_t l_hidden, l_layers, l_heads, l_kv_heads, l_intermediate, vocab, pad_id;
  int64_t original_positions, max_positions;  // trained on; stretched to
  double l_eps, rope_theta;
  std::vector<double> short_factors, long_factors;

  int64_t crop() const { return grid * patch_size; }  // pixels a side
  int64_t side() const { return grid / 2; }           // image tokens a side of one crop
  int64_t merged() const { return 4 * v_hidden; }     // width of 2 x 2 merged patches
  int64_t head_dim() const { return l_hidden / l_heads; }
};

}  // namespace mstar::phi3v
