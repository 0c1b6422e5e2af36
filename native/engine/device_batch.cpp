// See device_batch.h.
#include "engine/device_batch.h"

#include "base/random.h"

namespace mstar {
namespace {

std::vector<std::pair<int64_t, int64_t>> shared_key(const DeviceRow& row) {
  std::vector<std::pair<int64_t, int64_t>> key;
  for (const View& view : row.shared) key.emplace_back(view.span->begin, view.length);
  return key;
}

/** Begin and length of what a row sees at a level; nothing where it has fewer levels. */
std::pair<int64_t, int64_t> seen(const DeviceRow& row, size_t level) {
  if (level >= row.shared.size()) return {0, 0};
  return {row.shared[level].span->begin, row.shared[level].length};
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

std::vector<Shared> shared_at(const std::vector<DeviceRow>& rows, size_t level) {
  std::vector<Shared> all;
  for (size_t r = 0; r < rows.size();) {
    const auto [begin, length] = seen(rows[r], level);
    size_t end = r + 1;
    while (end < rows.size() && seen(rows[end], level) == std::pair{begin, length}) ++end;
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

}  // namespace

Padding padding_for(int64_t rows, int64_t scratch, const at::Device& device) {
  if (device.is_cpu()) return {rows, scratch};
  const int64_t step = rows <= 16 ? 1 : rows <= 64 ? 16 : 32;
  return {rows <= 16 ? power_of_two(rows) : (rows + step - 1) / step * step, scratch};
}

int64_t total_length(const std::vector<View>& views) {
  int64_t total = 0;
  for (const View& view : views) total += view.length;
  return total;
}

float DeviceRow::uniform(uint64_t seed, int64_t ahead) const {
  const auto position = static_cast<uint32_t>(response.tokens.size()) + static_cast<uint32_t>(ahead);
  const double drawn = philox_uniform(seed, stream, static_cast<uint32_t>(sample), position);
  return std::min(static_cast<float>(drawn), 1.0f - 0x1p-22f);
}

void sort_by_shared(std::vector<DeviceRow>& rows) {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const DeviceRow& a, const DeviceRow& b) { return shared_key(a) < shared_key(b); });
}

DeviceRows spans_of(const std::vector<DeviceRow>& rows, int64_t group, const Padding& padding,
                    const at::Device& device) {
  DeviceRows out;
  size_t depth = 0;
  for (const DeviceRow& row : rows) depth = std::max(depth, row.shared.size());
  for (size_t level = 0; level < depth; ++level) {
    out.levels.push_back(level_of(shared_at(rows, level), group, padding.rows * group, !device.is_cpu()));
    out.levels.back().spans.upload(device);
  }
  for (const DeviceRow& row : rows) out.own.add(group, row.own->begin, row.own_length + kSteps);
  for (auto r = static_cast<int64_t>(rows.size()); r < padding.rows; ++r) out.own.add(group, padding.scratch, 1);
  if (!device.is_cpu()) out.own.longest = power_of_two(out.own.longest);
  out.own.upload(device);
  return out;
}

StepInputs::StepInputs(const std::vector<DeviceRow>& rows, int64_t steps, const Padding& padding,
                       const DeviceDecoder& decoder, uint64_t seed) {
  const auto unused = static_cast<size_t>(padding.rows) - rows.size();
  const auto device = decoder.options().device();
  std::vector<int64_t> first, places, positions, lengths;
  std::vector<float> draws;
  for (const DeviceRow& row : rows) first.push_back(row.response.tokens.back());
  first.insert(first.end(), unused, 0);
  for (int64_t step = 0; step < steps; ++step) {
    for (const DeviceRow& row : rows) {
      places.push_back(row.own->begin + row.own_length + step);
      positions.push_back(row.cached() + step);
      lengths.push_back(row.cached() + step + 1);
      lengths_host_.push_back(static_cast<int32_t>(row.own_length + step + 1));
      draws.push_back(row.uniform(seed, step));
    }
    places.insert(places.end(), unused, padding.scratch);
    positions.insert(positions.end(), unused, 0);
    lengths.insert(lengths.end(), unused, 1);
    lengths_host_.insert(lengths_host_.end(), unused, 1);
    draws.insert(draws.end(), unused, 0.0f);
  }
  DeviceRows rotated;
  decoder.rotate(rotated, positions, lengths);
  const auto shaped = [&](const at::Tensor& tensor) { return tensor.to(device).reshape({steps, padding.rows}); };
  tokens = at::tensor(first, at::kLong).to(device);
  uniform = shaped(at::tensor(draws));
  places_ = shaped(at::tensor(places, at::kLong));
  lengths_ = shaped(at::tensor(lengths_host_, at::kInt));
  cosine_ = rotated.cosine.reshape({steps, padding.rows, -1});
  sine_ = rotated.sine.reshape({steps, padding.rows, -1});
}

void StepInputs::set(DeviceRows& out, int64_t step) const {
  out.places = places_[step];
  out.cosine = cosine_[step];
  out.sine = sine_[step];
  out.own.lengths_device = lengths_[step];
  const auto from = lengths_host_.begin() + step * out.own.size();
  out.own.lengths.assign(from, from + out.own.size());
}

}  // namespace mstar
