#pragma once
// The perceiver resampler: a fixed number of learned queries reads the patches of each slice.
#include "models/minicpm/vision.h"

namespace mstar::minicpm {

void resampler_shapes(const Shape& shape, std::vector<ParameterShape>& out);

/** Tower output [slices, P, Dv] -> [slices, queries, D], differentiable; a slice's padding is not read. */
at::Tensor resample(const Shape& shape, const Parameters& p, const at::Tensor& x_SPC,
                    const std::vector<Patches::Grid>& grids);

}  // namespace mstar::minicpm
