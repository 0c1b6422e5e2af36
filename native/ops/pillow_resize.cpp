// Two passes, horizontal then vertical, each rounded to 8 bits; weights are doubles rounded to integers of 22 fraction
// bits.
#include "ops/pillow_resize.h"

#include <algorithm>
#include <cmath>

namespace mstar {
namespace {

constexpr int kFraction = 32 - 8 - 2;

struct Window {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

std::vector<Window> windows(int64_t in, int64_t out, PillowFilter filter) {
  const auto weight_at = filter == PillowFilter::bicubic ? bicubic : triangle;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double filter_scale = std::max(scale, 1.0);
  const double support = (filter == PillowFilter::bicubic ? 2.0 : 1.0) * filter_scale;
  std::vector<Window> all(static_cast<size_t>(out));
  for (int64_t o = 0; o < out; ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const int64_t last = std::min<int64_t>(in, static_cast<int64_t>(centre + support + 0.5));
    std::vector<double> weights;
    double total = 0;
    for (int64_t i = first; i < last; ++i) {
      weights.push_back(weight_at((static_cast<double>(i) - centre + 0.5) / filter_scale));
      total += weights.back();
    }
    Window& window = all[static_cast<size_t>(o)];
    window.first = first;
    for (double w : weights) {
      const double scaled = (total != 0.0 ? w / total : w) * (1 << kFraction);
      window.weights.push_back(static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
  }
  return all;
}

uint8_t clip8(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kFraction, 0, 255)); }

}  // namespace

std::vector<uint8_t> pillow_resize(const std::vector<uint8_t>& rgb, int64_t width, int64_t height, int64_t out_width,
                                   int64_t out_height, PillowFilter filter) {
  std::vector<uint8_t> wide;
  const std::vector<uint8_t>* from = &rgb;
  if (out_width != width) {
    wide.resize(static_cast<size_t>(out_width * height * 3));
    const auto table = windows(width, out_width, filter);
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < out_width; ++x) {
        const Window& window = table[static_cast<size_t>(x)];
        int32_t sum[3] = {1 << (kFraction - 1), 1 << (kFraction - 1), 1 << (kFraction - 1)};
        const uint8_t* pixel = rgb.data() + (y * width + window.first) * 3;
        for (int32_t weight : window.weights)
          for (int c = 0; c < 3; ++c) sum[c] += *pixel++ * weight;
        for (int c = 0; c < 3; ++c) wide[static_cast<size_t>((y * out_width + x) * 3 + c)] = clip8(sum[c]);
      }
    from = &wide;
  }
  if (out_height == height) return *from;
  std::vector<uint8_t> out(static_cast<size_t>(out_width * out_height * 3));
  const auto table = windows(height, out_height, filter);
  const int64_t stride = out_width * 3;
  for (int64_t y = 0; y < out_height; ++y) {
    const Window& window = table[static_cast<size_t>(y)];
    for (int64_t i = 0; i < stride; ++i) {
      int32_t sum = 1 << (kFraction - 1);
      const uint8_t* pixel = from->data() + window.first * stride + i;
      for (int32_t weight : window.weights) {
        sum += *pixel * weight;
        pixel += stride;
      }
      out[static_cast<size_t>(y * stride + i)] = clip8(sum);
    }
  }
  return out;
}

}  // namespace mstar
