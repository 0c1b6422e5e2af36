#pragma once
// Examples to packed batches and through the backbone in plain ATen, with pictures in their places: what training,
// scoring, log-probabilities and the oracle of the decode path are made of.
#include "engine/backbone.h"

namespace mstar {

/** Whether responses to the same prompt can be branches of one tree: the rotation of a trunk must not depend on which
 * of sequences of these lengths it belongs to. */
bool rotate_alike(const Backbone& backbone, int64_t length, int64_t other);

/** Prompts followed by responses, without padding. Neighbours with the same prompt become branches of one tree where
 * they rotate alike; an example without a response is a tree of its own. */
Packed pack(const Backbone& backbone, const std::vector<const Example*>& examples);

/** Where the rotation sees the tokens of a prompt. */
std::vector<Position> positions_of(const Backbone& backbone, const Prompt& prompt);

/** Of a token after this prompt: its position, in all three parts, less its place in the sequence. */
int64_t position_shift(const Backbone& backbone, const Prompt& prompt);

/** Final hidden states [N, D], differentiable; each distinct picture is encoded once. */
at::Tensor forward_hidden(const Backbone& backbone, const Parameters& p, const Packed& packed,
                          Stages* stages = nullptr);

/** Embeddings [N, D] of prompts laid end to end with their pictures in place, contiguous: what prefill starts from.
 * Wider by the features of deep layers where there are pictures. */
at::Tensor embed_prompts(const Backbone& backbone, const Parameters& p, const std::vector<const Prompt*>& prompts);

}  // namespace mstar
