// See image.h. A portrait is transposed, treated as a landscape and transposed back; this changes which of the two
// rounded resize passes comes first, so it is done as written and not simplified.
#include "models/phi3v/image.h"

#include "ops/pillow_resize.h"

namespace mstar::phi3v {
namespace {

constexpr float kMean[3] = {0.48145466f, 0.4578275f, 0.40821073f}, kStd[3] = {0.26862954f, 0.26130258f, 0.27577711f};
constexpr uint8_t kWhite = 255;

/** Size of a landscape after scaling, and the rows of crops that it is padded to. */
struct Landscape {
  int64_t width, height, cols, rows;
};

Landscape scale_landscape(const Shape& s, int64_t width, int64_t height) {
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  const auto fits = [&](int64_t cols) {
    return static_cast<double>(cols) * std::ceil(static_cast<double>(cols) / ratio) <= static_cast<double>(s.num_crops);
  };
  int64_t cols = 1;
  while (fits(cols + 1)) ++cols;
  const int64_t wide = s.crop() * cols;
  // A strip so flat that nothing would be left of its height keeps one row of pixels.
  const int64_t high = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(wide) / ratio));
  return {wide, high, cols, (high + s.crop() - 1) / s.crop()};
}

std::vector<uint8_t> transposed(const std::vector<uint8_t>& rgb, int64_t width, int64_t height) {
  std::vector<uint8_t> out(rgb.size());
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      std::copy_n(rgb.begin() + (y * width + x) * 3, 3, out.begin() + (x * height + y) * 3);
  return out;
}

/** Scaled, then padded with white above and below, the odd row below. */
std::vector<uint8_t> padded_landscape(const Shape& s, const Landscape& to, const std::vector<uint8_t>& rgb,
                                      int64_t width, int64_t height) {
  const auto scaled = pillow_resize(rgb, width, height, to.width, to.height, PillowFilter::bilinear);
  const int64_t padded_height = to.rows * s.crop(), above = (padded_height - to.height) / 2;
  std::vector<uint8_t> out(static_cast<size_t>(padded_height * to.width * 3), kWhite);
  std::copy(scaled.begin(), scaled.end(), out.begin() + above * to.width * 3);
  return out;
}

at::Tensor normalised(const std::vector<uint8_t>& rgb, int64_t width, int64_t height) {
  auto out = at::empty({3, height, width}, at::kFloat);
  float* data = out.mutable_data_ptr<float>();
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = c; i < rgb.size(); i += 3) *data++ = (static_cast<float>(rgb[i]) / 255.0f - kMean[c]) / kStd[c];
  return out;
}

}  // namespace

ImageLayout choose_layout(const Shape& s, int64_t width, int64_t height) {
  TORCH_CHECK(width > 0 && height > 0, "picture of ", width, " x ", height, " pixels");
  const bool portrait = width < height;
  const Landscape scaled = scale_landscape(s, std::max(width, height), std::min(width, height));
  ImageLayout layout;
  layout.cols = portrait ? scaled.rows : scaled.cols;
  layout.rows = portrait ? scaled.cols : scaled.rows;
  layout.tiles = 1 + layout.cols * layout.rows;
  // One separator ends every row of the crops' common grid and of the global view, and one stands between the two.
  layout.tokens = layout.tiles * s.side() * s.side() + (layout.rows + 1) * s.side() + 1;
  return layout;
}

Pixels crop_pixels(const Shape& s, const Image& image) {
  const bool portrait = image.width < image.height;
  const int64_t width = std::max(image.width, image.height), height = std::min(image.width, image.height);
  const Landscape to = scale_landscape(s, width, height);
  int64_t padded_width = to.width, padded_height = to.rows * s.crop();
  auto rgb = portrait ? transposed(image.rgb, image.width, image.height) : image.rgb;
  rgb = padded_landscape(s, to, rgb, width, height);
  if (portrait) {
    rgb = transposed(rgb, padded_width, padded_height);
    std::swap(padded_width, padded_height);
  }
  const auto picture = normalised(rgb, padded_width, padded_height);
  const auto global = at::upsample_bicubic2d(picture.unsqueeze(0), {s.crop(), s.crop()}, false);
  return {global.squeeze(0), picture};
}

}  // namespace mstar::phi3v
