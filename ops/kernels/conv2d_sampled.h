#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

// A 1x1 kernel with a stride reads single pixels, so it is a pointwise convolution of an image of
// these pixels alone. float32 or float64.

/// Whether the kernel is 1x1, steps by more than a pixel and never reads padding.
bool sampled_supports(const Conv2dShape& shape);

/// [N, C, H, W], contiguous -> [N, C, OH, OW]: the pixels that are read.
Array sample_pixels(const Conv2dShape& shape, const Array& input);

/// The adjoint: [N, C, OH, OW], contiguous -> [N, C, H, W]: the pixels that are read come from
/// `sampled`, all others are bias[channel], or 0 where the bias is undefined.
Array spread_pixels(const Conv2dShape& shape, const Array& sampled, const Array& bias);

}  // namespace tapedeck::kernels
