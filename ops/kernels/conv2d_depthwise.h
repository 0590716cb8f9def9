#pragma once

#include <tapedeck/ops/kernels/conv_geometry.h>
#include <tapedeck/ops/kernels/conv_window.h>

namespace tapedeck::kernels {

// Convolutions with one input channel in each group (C = groups, K a multiple of C), directly:
// a plane is copied once into zero-padded rows, split by the phase of the stride so that every tap
// reads neighbouring elements for neighbouring outputs. All operands are row-major; bias may be
// null. T is float or double.

template <typename T>
void conv2d_depthwise(const Conv2dShape& shape, const T* x, const T* w, const T* bias, T* y);
template <typename T>
void conv2d_grad_input_depthwise(const Conv2dShape& shape, const T* dy, const T* w, const T* bias,
                                 T* dx);
template <typename T>
void conv2d_grad_weight_depthwise(const Conv2dShape& shape, const T* x, const T* dy, T* dw);

/// Whether planes are read where they lie: 3x3 kernels of stride 1 and 2 and, with AVX-512, 5x5 and
/// 7x7 ones.
template <typename T>
bool depthwise_reads_in_place(const Conv2dShape& shape);
/// Of such planes the weight's gradient and, in `db` if that is not null, the sums of dy. N > 0.
template <typename T>
void conv2d_grad_filters_depthwise(const Conv2dShape& shape, const T* x, const T* dy, T* dw, T* db);

// The same with vectors over channels: a plane of each is transposed into pixels that hold all of
// them. For planes too small, or strides too large, for vectors over pixels.

/// The output, or with ConvWindow::grad_input() the input's gradient.
template <typename T>
void conv2d_depthwise_channels(const ConvWindow& window, const T* in, const T* weight,
                               const T* bias, T* out);
/// With the sums of dy in `db`, if that is not null.
template <typename T>
void conv2d_grad_weight_depthwise_channels(const Conv2dShape& shape, const T* x, const T* dy, T* dw,
                                           T* db = nullptr);

}  // namespace tapedeck::kernels
