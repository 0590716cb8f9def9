#pragma once

#include <tapedeck/nn/options/upsampling.h>

namespace tapedeck::nn::functional {

/// Resizes the axes after the channels of [N, C, L] or [N, C, H, W] to the option `size`, or by
/// scale_factor. Modes: kNearest, kNearestExact, kLinear (3D input), kBilinear (4D), kArea.
/// \throws NotImplementedError for others.
Tensor interpolate(const Tensor& input, const InterpolateFuncOptions& options = {});

}  // namespace tapedeck::nn::functional
