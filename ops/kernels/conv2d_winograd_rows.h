#pragma once

#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/winograd_transforms.h>

namespace tapedeck::kernels {

// Winograd's convolution with vectors over the tiles of a row instead of channels: for few
// channels, whose transposition would be much beside the products, and which would leave vectors
// partly empty.

/// Whether that exists for a variant, and is faster.
template <typename T>
bool winograd_rows_pay(WinogradVariant variant, const ConvWindow& window);

/// out = the convolution of `in` that the window is; bias may be null.
template <typename T>
void conv2d_winograd_rows(WinogradVariant variant, const ConvWindow& window, const T* in,
                          const T* weight, const T* bias, T* out);

}  // namespace tapedeck::kernels
