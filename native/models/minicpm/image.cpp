// See image.h. Arithmetic follows the reference's Python: doubles, truncation by int(), round() to even.
#include "models/minicpm/image.h"

#include <cmath>

#include "ops/pillow_resize.h"

namespace mstar::minicpm {
namespace {

struct Size {
  int64_t width = 0, height = 0;
};

/** `length` to a multiple of `divisor`, at least one of it. */
int64_t to_multiple(double length, int64_t divisor) {
  const double d = static_cast<double>(divisor);
  return std::max(static_cast<int64_t>(std::nearbyint(length / d)) * divisor, divisor);
}

/** Size near the area of scale_resolution squared that keeps the aspect ratio; smaller pictures stay unless enlarged.
 */
Size best_size(const Shape& s, double width, double height, bool enlarge) {
  const double scale = static_cast<double>(s.scale_resolution);
  if (width * height > scale * scale || enlarge) {
    const double ratio = width / height;
    height = std::trunc(scale / std::sqrt(ratio));
    width = std::trunc(height * ratio);  // from the height that was truncated already
  }
  return {to_multiple(width, s.patch_size), to_multiple(height, s.patch_size)};
}

/** Of each cell of the grid. */
Size cell_size(const Shape& s, const Image& image, const ImageLayout& grid) {
  const double width = static_cast<double>(to_multiple(static_cast<double>(image.width), grid.cols));
  const double height = static_cast<double>(to_multiple(static_cast<double>(image.height), grid.rows));
  return best_size(s, width / static_cast<double>(grid.cols), height / static_cast<double>(grid.rows), true);
}

at::Tensor normalised(const std::vector<uint8_t>& rgb, int64_t stride_pixels, int64_t x0, int64_t y0, Size size) {
  auto out = at::empty({3, size.height, size.width}, at::kFloat);
  float* data = out.mutable_data_ptr<float>();
  for (int64_t y = 0; y < size.height; ++y)
    for (int64_t x = 0; x < size.width; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        const float grey =
            static_cast<float>(rgb[static_cast<size_t>(((y0 + y) * stride_pixels + x0 + x) * 3 + c)]) / 255.0f;
        data[(c * size.height + y) * size.width + x] = (grey - 0.5f) / 0.5f;
      }
  return out;
}

}  // namespace

ImageLayout choose_layout(const Shape& s, int64_t width, int64_t height) {
  TORCH_CHECK(width > 0 && height > 0, "picture of ", width, " x ", height, " pixels");
  const double w = static_cast<double>(width), h = static_cast<double>(height);
  const double scale = static_cast<double>(s.scale_resolution);
  const auto wanted =
      static_cast<int64_t>(std::min(std::ceil(w * h / (scale * scale)), static_cast<double>(s.max_slices)));
  ImageLayout best;
  best.tokens = s.queries;
  if (wanted <= 1) return best;
  double least = INFINITY;
  for (int64_t cells = std::max<int64_t>(wanted - 1, 2); cells <= std::min(wanted + 1, s.max_slices); ++cells)
    for (int64_t cols = 1; cols <= cells; ++cols) {
      if (cells % cols != 0) continue;
      const int64_t rows = cells / cols;
      const double error = std::abs(std::log(w / h) - std::log(static_cast<double>(cols) / static_cast<double>(rows)));
      if (error >= least) continue;
      least = error;
      best.cols = cols;
      best.rows = rows;
    }
  best.tiles = best.cols * best.rows + 1;
  best.tokens = best.tiles * s.queries;
  return best;
}

Pixels slice_pixels(const Shape& s, const Image& image) {
  const auto resized = [&](Size to) {
    return pillow_resize(image.rgb, image.width, image.height, to.width, to.height);
  };
  const ImageLayout grid = choose_layout(s, image.width, image.height);
  const bool cut = grid.tiles > 1;
  const Size overview = best_size(s, static_cast<double>(image.width), static_cast<double>(image.height), !cut);
  Pixels slices = {normalised(resized(overview), overview.width, 0, 0, overview)};
  if (!cut) return slices;
  const Size cell = cell_size(s, image, grid);
  const int64_t width = cell.width * grid.cols;
  const auto whole = resized({width, cell.height * grid.rows});
  for (int64_t row = 0; row < grid.rows; ++row)
    for (int64_t col = 0; col < grid.cols; ++col)
      slices.push_back(normalised(whole, width, col * cell.width, row * cell.height, cell));
  return slices;
}

}  // namespace mstar::minicpm
