#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/conv_geometry.h>
#include <tapedeck/ops/kernels/im2col.h>

namespace tapedeck::kernels {

// A kernel that is not larger than its stride reads every pixel once at most, so it is a pointwise
// convolution of an image with a channel for each channel and tap: channel c * taps + tap. float32
// or float64.

/// Whether there is a stride, the windows do not overlap, and they never reach padding.
bool sampled_supports(const Conv2dShape& shape);

/// What the windows of some output rows read in `channels` planes [channels, H, W], as columns
/// [channels * taps, rows * OW] that lie `column_step` apart.
template <typename T>
void sample_rows(const T* image, std::int64_t channels, const Conv2dShape& shape, RowRange rows,
                 T* columns, std::int64_t column_step);
/// The same transposed, with a row for each window [rows * OW, channels * taps]: copies of KW
/// elements each.
template <typename T>
void sample_windows(const T* image, std::int64_t channels, const Conv2dShape& shape, RowRange rows,
                    T* windows, std::int64_t window_step);
/// The adjoint of sample_rows(). Writes the pixels of the image from the first of these output rows
/// to where the next one after them begins, or to the end: those in no window are bias[channel], or
/// 0 without; the columns have their bias already.
template <typename T>
void spread_rows(const T* columns, std::int64_t column_step, std::int64_t channels,
                 const Conv2dShape& shape, RowRange rows, const T* bias, T* image);

/// [N, C, H, W], contiguous -> [N, C * taps, OH, OW]: the pixels that are read.
Array sample_pixels(const Conv2dShape& shape, const Array& input);

/// The adjoint: [N, C * taps, OH, OW], contiguous -> [N, C, H, W]: the pixels that are read come
/// from `sampled`, all others are bias[channel], or 0 where the bias is undefined.
Array spread_pixels(const Conv2dShape& shape, const Array& sampled, const Array& bias);

/// bias [C], for each tap of a channel: [C * taps]. Undefined stays undefined.
Array bias_of_taps(const Conv2dShape& shape, const Array& bias);

}  // namespace tapedeck::kernels
