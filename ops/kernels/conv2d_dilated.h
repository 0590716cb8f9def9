#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

// With a dilation and no stride, pixels whose positions leave the same remainder only meet each
// other: the convolution is one without a dilation of dilation_h * dilation_w images for each.
// float32 or float64.

/// Whether there is a dilation, no stride, and padding of whole steps of the dilation.
bool dilated_supports(const Conv2dShape& shape);

/// The convolution of these images. All are as large as the largest: the others end in zeros, and
/// in outputs that do not count.
Conv2dShape dilated_shape(const Conv2dShape& shape);
Conv2dGeometry dilated_geometry(const Conv2dShape& shape);

/// [N, C, H, W], contiguous -> [N * dilation_h * dilation_w, C, ceil(H / dilation_h),
/// ceil(W / dilation_w)]. The input or grad_output of `shape`.
Array split_dilated(const Conv2dShape& shape, const Array& array);
/// The reverse: -> sizes.
Array join_dilated(const Conv2dShape& shape, const Array& images, IntArrayRef sizes);

}  // namespace tapedeck::kernels
