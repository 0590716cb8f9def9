#pragma once

#include <tapedeck/ops/kernels/conv_window.h>

namespace tapedeck::kernels {

/// The direct algorithm for windows whose taps lie far apart: whether a dilation leaves columns
/// side by side that have the same taps inside the image, and there are so many weights that a few
/// rows of the output are too little work for them.
template <typename T>
bool direct_far_pays(const ConvWindow& window);

/// in [N, groups * C, in_h, in_w] -> out [N, groups * K, out_h, out_w]; bias may be null.
template <typename T>
void conv2d_direct_far(const ConvWindow& window, const T* in, const T* weight, const T* bias,
                       T* out);

}  // namespace tapedeck::kernels
