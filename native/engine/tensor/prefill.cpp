// See prefill.h.
#include "engine/tensor/prefill.h"

namespace mstar {
namespace {

/** Rows of a piece, and rows whose logits are computed at once, where sizes must not vary. */
constexpr int64_t kPiece = 256, kLogitRows = 64;

/** A level for each span that sequences continue: sequence s has `rows[s]` rows. */
std::vector<Level> levels_of(const std::vector<std::vector<SharedSpan>>& before, const std::vector<int64_t>& rows,
                             int64_t group, const at::Device& device) {
  size_t depth = 0;
  for (const auto& views : before) depth = std::max(depth, views.size());
  std::vector<Level> levels(depth);
  for (size_t l = 0; l < depth; ++l) {
    for (size_t s = 0; s < before.size(); ++s) {
      const bool seen = l < before[s].size();
      levels[l].spans.add(rows[s] * group, seen ? places_of(*before[s][l].segment).place(0) : 0,
                          seen ? before[s][l].length : 0);
    }
    levels[l].spans.upload(device);
  }
  return levels;
}

}  // namespace

at::Tensor TensorPrefill::run(const std::vector<Fresh>& fresh, const std::vector<int64_t>& wanted) {
  at::Tensor hidden;
  if (deterministic_) {
    std::vector<at::Tensor> parts;
    for (const Fresh& sequence : fresh) parts.push_back(in_pieces(sequence));
    hidden = at::cat(parts);
  } else {
    hidden = together(fresh);
  }
  if (wanted.empty()) return {};
  return logits(hidden.index_select(0, at::tensor(wanted, at::kLong).to(hidden.device())));
}

at::Tensor TensorPrefill::together(const std::vector<Fresh>& fresh) {
  const auto device = decoder_.options().device();
  TensorRows rows;
  std::vector<at::Tensor> embedded;
  std::vector<std::vector<SharedSpan>> before;
  std::vector<int64_t> places, lengths;
  std::vector<Position> positions;
  for (const Fresh& sequence : fresh) {
    const int64_t length = sequence.length();
    positions.insert(positions.end(), sequence.positions.begin(), sequence.positions.end());
    for (int64_t i = 0; i < length; ++i) {
      places.push_back(places_of(*sequence.segment).place(i));
      lengths.push_back(sequence.sequence_length);
    }
    rows.causal.push_back(length);
    before.push_back(sequence.before);
    embedded.push_back(sequence.embedded);
  }
  rows.levels = levels_of(before, rows.causal, decoder_.group(), device);
  rows.places = at::tensor(places, at::kLong).to(device);
  decoder_.rotate(rows, positions, lengths);
  return decoder_.forward(arena_, rows, at::cat(embedded));
}

at::Tensor TensorPrefill::in_pieces(const Fresh& sequence) {
  const auto device = decoder_.options().device();
  const int64_t length = sequence.length();
  std::vector<at::Tensor> hidden;
  for (int64_t from = 0; from < length; from += kPiece) {
    const int64_t count = std::min(kPiece, length - from);
    TensorRows rows;
    std::vector<int64_t> places, lengths;
    std::vector<Position> positions;
    for (int64_t i = from; i < from + kPiece; ++i) {
      // Rows of padding come last: causally nobody sees them.
      const bool real = i < from + count;
      places.push_back(real ? places_of(*sequence.segment).place(i) : arena_.scratch() * kBlockTokens);
      positions.push_back(real ? sequence.positions[static_cast<size_t>(i)] : Position{});
      lengths.push_back(real ? sequence.sequence_length : 1);
    }
    rows.causal.push_back(kPiece);
    auto before = sequence.before;
    if (from > 0) before.push_back({sequence.segment, from});
    rows.levels = levels_of({before}, rows.causal, decoder_.group(), device);
    rows.places = at::tensor(places, at::kLong).to(device);
    decoder_.rotate(rows, positions, lengths);
    const auto embedded = at::constant_pad_nd(sequence.embedded.narrow(0, from, count), {0, 0, 0, kPiece - count});
    hidden.push_back(decoder_.forward(arena_, rows, embedded).narrow(0, 0, count));
  }
  return at::cat(hidden);
}

at::Tensor TensorPrefill::logits(const at::Tensor& hidden) const {
  if (!deterministic_) return decoder_.logits(hidden);
  std::vector<at::Tensor> parts;
  for (int64_t from = 0; from < hidden.size(0); from += kLogitRows) {
    const int64_t count = std::min(kLogitRows, hidden.size(0) - from);
    const auto padded = at::constant_pad_nd(hidden.narrow(0, from, count), {0, 0, 0, kLogitRows - count});
    parts.push_back(decoder_.logits(padded).narrow(0, 0, count));
  }
  return at::cat(parts);
}

}  // namespace mstar
