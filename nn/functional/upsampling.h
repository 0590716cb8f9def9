#pragma once

#include <tapedeck/nn/options/upsampling.h>

namespace tapedeck::nn::functional {

/// Resizes the axes after the channels of [N, C, L], [N, C, H, W] or [N, C, D, H, W] to the option
/// `size`, or by scale_factor. Modes: kNearest, kNearestExact, kArea; kLinear for 3D input,
/// kBilinear and kBicubic for 4D, kTrilinear for 5D. \throws NotImplementedError for others.
Tensor interpolate(const Tensor& input, const InterpolateFuncOptions& options = {});

}  // namespace tapedeck::nn::functional
