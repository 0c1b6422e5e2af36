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

}  // namespace

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

DeviceRows spans_of(const std::vector<DeviceRow>& rows, int64_t group, const at::Device& device) {
  DeviceRows out;
  size_t depth = 0;
  for (const DeviceRow& row : rows) depth = std::max(depth, row.shared.size());
  for (size_t level = 0; level < depth; ++level) {
    Spans& spans = out.spans.emplace_back();
    for (size_t r = 0; r < rows.size();) {
      const auto [begin, length] = seen(rows[r], level);
      size_t end = r + 1;
      while (end < rows.size() && seen(rows[end], level) == std::pair{begin, length}) ++end;
      spans.add(static_cast<int64_t>(end - r) * group, begin, length);
      r = end;
    }
    spans.upload(device);
  }
  Spans& own = out.spans.emplace_back();
  for (const DeviceRow& row : rows) own.add(group, row.own->begin, row.own_length + kSteps);
  own.upload(device);
  return out;
}

StepInputs::StepInputs(const std::vector<DeviceRow>& rows, int64_t steps, const DeviceDecoder& decoder, uint64_t seed) {
  const int64_t count = static_cast<int64_t>(rows.size());
  const auto device = decoder.options().device();
  std::vector<int64_t> first, places, positions, lengths;
  std::vector<int32_t> own;
  std::vector<float> draws;
  for (const DeviceRow& row : rows) first.push_back(row.response.tokens.back());
  for (int64_t step = 0; step < steps; ++step)
    for (const DeviceRow& row : rows) {
      places.push_back(row.own->begin + row.own_length + step);
      positions.push_back(row.cached() + step);
      lengths.push_back(row.cached() + step + 1);
      own.push_back(static_cast<int32_t>(row.own_length + step + 1));
      draws.push_back(row.uniform(seed, step));
    }
  DeviceRows rotated;
  decoder.rotate(rotated, positions, lengths);
  const auto shaped = [&](const at::Tensor& tensor) { return tensor.to(device).reshape({steps, count}); };
  tokens = at::tensor(first, at::kLong).to(device);
  uniform = shaped(at::tensor(draws));
  places_ = shaped(at::tensor(places, at::kLong));
  lengths_ = shaped(at::tensor(own, at::kInt));
  cosine_ = rotated.cosine.reshape({steps, count, -1});
  sine_ = rotated.sine.reshape({steps, count, -1});
}

void StepInputs::set(DeviceRows& out, const std::vector<DeviceRow>& rows, int64_t step) const {
  out.places = places_[step];
  out.cosine = cosine_[step];
  out.sine = sine_[step];
  Spans& own = out.spans.back();
  own.lengths_device = lengths_[step];
  for (size_t r = 0; r < rows.size(); ++r) own.lengths[r] = static_cast<int32_t>(rows[r].own_length + step + 1);
}

}  // namespace mstar
