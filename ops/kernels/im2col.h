#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

/// Output rows [begin, end).
struct RowRange {
  std::int64_t begin, end;
};

/// Writes the windows of `channels` planes [channels, H, W] as columns
/// [channels * KH * KW, rows * OW] whose rows lie `column_step` apart, for some output rows; taps
/// in the padding give 0.
template <typename T>
void im2col(const T* image, std::int64_t channels, const Conv2dShape& shape, RowRange rows,
            T* columns, std::int64_t column_step);
/// The adjoint: adds each column element to the pixel that im2col read it from.
template <typename T>
void col2im_add(const T* columns, std::int64_t column_step, std::int64_t channels,
                const Conv2dShape& shape, RowRange rows, T* image);
/// The same with a row for each output pixel, [rows * OW, channels * KH * KW]: rows of the kernel
/// lie as they do in the image. The shape has no dilation along rows.
template <typename T>
void windows_add(const T* windows, std::int64_t window_step, std::int64_t channels,
                 const Conv2dShape& shape, RowRange rows, T* image);

/// [N, C, H, W] -> [N, C * KH * KW, OH * OW], the columns of a convolution with `kernel`.
/// groups and output_padding take no part. \throws Error where the geometry does not fit.
Array unfold(const Array& input, IntArrayRef kernel, const Conv2dGeometry& geometry);
/// The adjoint, [N, C * KH * KW, OH * OW] -> [N, C, H, W] with `output_size` {H, W}: overlapping
/// windows add up.
Array fold(const Array& columns, IntArrayRef output_size, IntArrayRef kernel,
           const Conv2dGeometry& geometry);

}  // namespace tapedeck::kernels
