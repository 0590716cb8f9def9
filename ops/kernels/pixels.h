#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// out = in / 255, as torchvision's ToTensor.
void pixels_to_float(const std::uint8_t* in, float* out, std::int64_t n);

/// Row-major float32 [..., C, H, W] in place: (x - mean) / std, with one mean and std for each
/// channel or one for all.
void normalize_channels(Array& images, const float* mean, const float* std, std::int64_t channels);

}  // namespace tapedeck::kernels
