#pragma once
// A decoder of Llama's kind with a matrix for every projection, by the names that Hugging Face's classes give them.
// What it has besides (biases, norms of heads, positions by row and column, deep features, a tied head) is said by
// data.
#include <string>

#include "models/layers/decoder.h"

namespace mstar::layers {

struct SplitDecoder {
  std::string prefix;  // of all names but the head's
  std::string head;    // name of the output matrix; that of the token table where the two are one
  DecoderShape shape;
  bool qkv_biases = false, head_norms = false;
  Rope rope;
  std::string table() const { return prefix + "embed_tokens.weight"; }
};

/** Sizes by the names of `languageNumbers` (src/backbones/fields/common.ts), and the width of a head as l_head_dim. */
DecoderShape shape_of(const Config& config);

/** Frequencies that turn by time, rows and columns: section_0, section_1 and section_2. */
std::array<int64_t, 3> sections_of(const Config& config);

/** Parts of a position by frequency: `sections` frequencies turn by time, rows and columns, in three runs. */
at::Tensor axes_in_runs(const std::array<int64_t, 3>& sections);

/** The same in turns (time, row, column, time, ...) as long as each has frequencies left; the rest turn by time. */
at::Tensor axes_in_turns(const std::array<int64_t, 3>& sections);

/** 1 / theta^(2i / head_dim): [head_dim / 2] float32. */
at::Tensor rope_frequencies(double theta, int64_t head_dim);

void decoder_shapes(const SplitDecoder& decoder, std::vector<ParameterShape>& out);

/** As Backbone::hidden. */
at::Tensor decode_hidden(const SplitDecoder& decoder, const Parameters& p, const at::Tensor& embedded,
                         const std::vector<Tree>& trees);

DecoderWeights decoder_weights(const SplitDecoder& decoder, const Parameters& p);

}  // namespace mstar::layers
