// See image.h. The picture is resized as a whole to the grid (aspect ratio not kept), then cut.
#include "models/internvl2/image.h"

#include "ops/pillow_resize.h"

namespace mstar::internvl2 {
namespace {

constexpr float kMean[3] = {0.485f, 0.456f, 0.406f}, kStd[3] = {0.229f, 0.224f, 0.225f};

void write_tile(const std::vector<uint8_t>& rgb, int64_t stride_pixels, int64_t x0, int64_t y0, int64_t size,
                float* out) {
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        const float grey =
            static_cast<float>(rgb[static_cast<size_t>(((y0 + y) * stride_pixels + x0 + x) * 3 + c)]) / 255.0f;
        out[(c * size + y) * size + x] = (grey - kMean[c]) / kStd[c];
      }
}

}  // namespace

ImageLayout choose_layout(const Shape& shape, int64_t width, int64_t height) {
  TORCH_CHECK(width > 0 && height > 0, "picture of ", width, " x ", height, " pixels");
  const double aspect = static_cast<double>(width) / static_cast<double>(height);
  const double area = static_cast<double>(width) * static_cast<double>(height);
  ImageLayout best;
  double best_difference = INFINITY;
  for (int64_t product = shape.min_tiles; product <= shape.max_tiles; ++product)
    for (int64_t cols = 1; cols <= product; ++cols) {
      if (product % cols != 0) continue;
      const int64_t rows = product / cols;
      const double difference = std::abs(aspect - static_cast<double>(cols) / static_cast<double>(rows));
      const double half_grid = 0.5 * static_cast<double>(shape.image_size * shape.image_size * product);
      if (difference < best_difference || (difference == best_difference && area > half_grid)) {
        best_difference = difference;
        best.cols = cols;
        best.rows = rows;
      }
    }
  best.tiles = best.cols * best.rows;
  if (shape.use_thumbnail && best.tiles > 1) best.tiles += 1;
  best.tokens = best.tiles * shape.tokens_per_tile();
  return best;
}

at::Tensor tile_pixels(const Shape& shape, const Image& image) {
  const ImageLayout layout = choose_layout(shape, image.width, image.height);
  const int64_t size = shape.image_size, floats = 3 * size * size;
  auto out = at::empty({layout.tiles, 3, size, size}, at::kFloat);
  float* data = out.mutable_data_ptr<float>();
  const auto grid = pillow_resize(image.rgb, image.width, image.height, size * layout.cols, size * layout.rows);
  for (int64_t row = 0; row < layout.rows; ++row)
    for (int64_t col = 0; col < layout.cols; ++col, data += floats)
      write_tile(grid, size * layout.cols, col * size, row * size, size, data);
  if (layout.tiles > layout.cols * layout.rows)
    write_tile(pillow_resize(image.rgb, image.width, image.height, size, size), size, 0, 0, size, data);
  return out;
}

}  // namespace mstar::internvl2
