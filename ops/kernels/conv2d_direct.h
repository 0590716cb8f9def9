#pragma once

#include <tapedeck/ops/kernels/conv_window.h>

namespace tapedeck::kernels {

// The convolution itself, without columns: vectors over output channels, inputs broadcast from
// zero-padded rows that stay in the L2 cache (see conv_tiles.h). Any geometry; fast where a group
// has at least a vector of output channels. Strided input gradients are split into the phases of
// the stride, so that only products that count are formed. T is float or double, bias may be null.
//
// The weight gradient is made of outer products, vectors over input channels; with it that of the
// bias, unless db is null.

template <typename T>
void conv2d_direct(const ConvWindow& window, const T* in, const T* weight, const T* bias, T* out);
template <typename T>
void conv2d_grad_weight_direct(const Conv2dShape& shape, const T* x, const T* dy, T* dw, T* db);

}  // namespace tapedeck::kernels
