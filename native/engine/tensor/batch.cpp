// See batch.h.
#include "engine/tensor/batch.h"

namespace mstar {
namespace {

/** Begin and length of what a row sees at a level; nothing where it has fewer levels. */
std::pair<int64_t, int64_t> seen(const Row& row, size_t level) {
  if (level >= row.shared.size()) return {0, 0};
  return {places_of(*row.shared[level].segment).place(0), row.shared[level].length};
}

/** Places of a shared span that one group of threads sees on a GPU, and pieces that a span is cut in at most. */
constexpr int64_t kPiece = 256, kMostPieces = 8;

int64_t power_of_two(int64_t least) {
  int64_t power = 1;
  while (power < least) power *= 2;
  return power;
}

/** What a run of rows shares at a level. */
struct Shared {
  int64_t rows, begin, length;
  int64_t pieces(bool cut) const {
    return cut ? std::clamp<int64_t>((length + kPiece - 1) / kPiece, 1, kMostPieces) : 1;
  }
};

std::vector<Shared> shared_at(const std::vector<RowToken>& tokens, size_t level) {
  std::vector<Shared> all;
  for (size_t r = 0; r < tokens.size();) {
    const auto [begin, length] = seen(*tokens[r].row, level);
    size_t end = r + 1;
    while (end < tokens.size() && seen(*tokens[end].row, level) == std::pair{begin, length}) ++end;
    all.push_back({static_cast<int64_t>(end - r), begin, length});
    r = end;
  }
  return all;
}

/** How a span is cut depends on its own length alone, so that a row's sums do not depend on what is beside it. */
Level level_of(const std::vector<Shared>& all, int64_t group, int64_t queries, bool gpu) {
  Level out;
  for (const Shared& shared : all) out.copies = std::max(out.copies, shared.pieces(gpu));
  const auto slots = static_cast<int64_t>(all.size()) + 1;
  for (int64_t copy = 0; copy < out.copies; ++copy) {
    int64_t left = queries;
    for (const Shared& shared : all) {
      const int64_t piece = (shared.length + shared.pieces(gpu) - 1) / shared.pieces(gpu);
      const int64_t from = std::min(copy * piece, shared.length);
      out.spans.add(shared.rows * group, shared.begin + from, std::min(piece, shared.length - from));
      left -= shared.rows * group;
    }
    // Queries of padding see nothing; nothing reads what comes of them. They do not count as the most queries.
    const int64_t most = out.spans.most_queries;
    for (int64_t slot = slots; slot <= (gpu ? power_of_two(slots) : slots); ++slot, left = 0) out.spans.add(left, 0, 0);
    out.spans.most_queries = most;
  }
  if (gpu) {
    out.spans.most_queries = power_of_two(out.spans.most_queries);
    out.spans.longest = power_of_two(out.spans.longest);
  }
  return out;
}

/** The blocks of every row; rows of padding see the first place of theirs. */
RowBlocks own_of(const std::vector<RowToken>& tokens, const Padding& padding, const at::Device& device) {
  int64_t width = 1;
  for (const RowToken& token : tokens) width = std::max(width, token.row->own->blocks());
  if (!device.is_cpu()) width = power_of_two(width);
  auto table = at::full({padding.rows, width}, padding.scratch, at::kInt);
  int32_t* at = table.mutable_data_ptr<int32_t>();
  for (const RowToken& token : tokens) {
    const auto& ids = places_of(*token.row->own).ids();
    std::copy(ids.begin(), ids.end(), at);
    at += width;
  }
  return {table.to(device), at::ones({padding.rows}, at::TensorOptions(at::kInt).device(device))};
}

}  // namespace

Padding padding_for(int64_t rows, int32_t scratch, const at::Device& device) {
  if (device.is_cpu()) return {rows, scratch};
  const int64_t step = rows <= 16 ? 1 : rows <= 64 ? 16 : 32;
  return {rows <= 16 ? power_of_two(rows) : (rows + step - 1) / step * step, scratch};
}

TensorRows spans_of(const std::vector<RowToken>& tokens, int64_t group, const Padding& padding,
                    const at::Device& device) {
  TensorRows out;
  size_t depth = 0;
  for (const RowToken& token : tokens) depth = std::max(depth, token.row->shared.size());
  for (size_t level = 0; level < depth; ++level) {
    out.levels.push_back(level_of(shared_at(tokens, level), group, padding.rows * group, !device.is_cpu()));
    out.levels.back().spans.upload(device);
  }
  out.own = own_of(tokens, padding, device);
  return out;
}

StepInputs::StepInputs(const std::vector<RowToken>& given, int64_t steps, const Padding& padding,
                       const TensorDecoder& decoder) {
  const auto unused = static_cast<size_t>(padding.rows) - given.size();
  const auto device = decoder.options().device();
  const int64_t nowhere = padding.scratch * kBlockTokens;
  std::vector<int64_t> first, places, lengths;
  std::vector<Position> positions;
  std::vector<int32_t> own;
  std::vector<float> draws;
  for (const RowToken& token : given) first.push_back(token.id());
  first.insert(first.end(), unused, 0);
  for (int64_t step = 0; step < steps; ++step) {
    for (const RowToken& token : given) {
      const Row* row = token.row;
      const KvPlaces& room = places_of(*row->own);
      const int64_t most = room.blocks() * kBlockTokens, at = token.at + step;
      places.push_back(at < most ? room.place(at) : nowhere);
      positions.push_back(token.turn(step));
      lengths.push_back(token.place() + step + 1);
      own.push_back(static_cast<int32_t>(std::min(at + 1, most)));
      draws.push_back(uniform_of(*row, step));
    }
    places.insert(places.end(), unused, nowhere);
    positions.insert(positions.end(), unused, Position{});
    lengths.insert(lengths.end(), unused, 1);
    own.insert(own.end(), unused, 1);
    draws.insert(draws.end(), unused, 0.0f);
  }
  TensorRows rotated;
  decoder.rotate(rotated, positions, lengths);
  const auto shaped = [&](const at::Tensor& tensor) { return tensor.to(device).reshape({steps, padding.rows}); };
  tokens = at::tensor(first, at::kLong).to(device);
  uniform = shaped(at::tensor(draws));
  places_ = shaped(at::tensor(places, at::kLong));
  lengths_ = shaped(at::tensor(own, at::kInt));
  cosine_ = rotated.cosine.reshape({steps, padding.rows, -1});
  sine_ = rotated.sine.reshape({steps, padding.rows, -1});
}

void StepInputs::set(TensorRows& out, int64_t step) const {
  out.places = places_[step];
  out.cosine = cosine_[step];
  out.sine = sine_[step];
  out.own.lengths = lengths_[step];
}

}  // namespace mstar
