#pragma once

#include <tapedeck/nn/options/vision.h>

namespace tapedeck::nn::functional {

/// Where affine matrices theta [N, 2, 3] (or [N, 3, 4]) send the pixels of a size: [N, H, W, 2].
/// See <tapedeck/ops/grid_sample.h>.
Tensor affine_grid(const Tensor& theta, IntArrayRef size, bool align_corners = false);
/// The values of input [N, C, H, W] at the places grid [N, OH, OW, 2]: [N, C, OH, OW]; likewise in
/// three dimensions.
Tensor grid_sample(const Tensor& input, const Tensor& grid,
                   const GridSampleFuncOptions& options = {});

}  // namespace tapedeck::nn::functional
