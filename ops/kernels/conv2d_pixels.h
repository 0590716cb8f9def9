#pragma once

#include <tapedeck/ops/kernels/conv_window.h>

namespace tapedeck::kernels {

// The convolution itself with vectors over pixels (see pixel_tiles.h): for few channels on either
// side, in a group or in all, where vectors over channels would stay empty or sums would be stored
// after a handful of products. Any geometry. T is float or double, bias may be null.

template <typename T>
void conv2d_pixels(const ConvWindow& window, const T* in, const T* weight, const T* bias, T* out);
template <typename T>
void conv2d_grad_weight_pixels(const Conv2dShape& shape, const T* x, const T* dy, T* dw);

/// The weight gradient with vectors over filters, for few channels and many filters, and that of
/// the bias unless db is null.
template <typename T>
void conv2d_grad_weight_taps(const Conv2dShape& shape, const T* x, const T* dy, T* dw, T* db);

/// Whether the weight gradient reads planes where they lie: 3x3 and 5x5 kernels of stride 1 and 2
/// with AVX-512, whose rows fill more than half of a vector, and a group's input in the L2 cache.
template <typename T>
bool pixels_weight_reads_in_place(const Conv2dShape& shape);

}  // namespace tapedeck::kernels
