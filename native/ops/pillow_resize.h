#pragma once
// Pillow's resize of 8-bit RGB, bit for bit (Image.resize with BICUBIC or BILINEAR, Pillow 7 and later). The models'
// own preprocessing uses it, and one grey level off is already visible in the pixel values. Leaves tiling to models/.
#include <cstdint>
#include <vector>

namespace mstar {

enum class PillowFilter { bilinear, bicubic };

/** `rgb` is height x width x 3; returns out_height x out_width x 3. */
std::vector<uint8_t> pillow_resize(const std::vector<uint8_t>& rgb, int64_t width, int64_t height, int64_t out_width,
                                   int64_t out_height, PillowFilter filter = PillowFilter::bicubic);

}  // namespace mstar
