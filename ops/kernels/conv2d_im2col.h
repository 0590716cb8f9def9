#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

// The reference algorithm: columns of windows and matrix products. Any geometry. All operands are
// row-major; bias may be null. T is float or double.

/// Weights whose packing takes longer than the products with a few pixels.
inline constexpr std::int64_t kManyWeights = 1 << 15;

/// Columns that one product has: those of some output rows, or of several small images. It packs
/// the weights for so many.
std::int64_t im2col_columns(const Conv2dShape& shape, ConvDirection direction);

/// y[n, k] = bias[k] + W[K, C*KH*KW] x columns(x[n])[C*KH*KW, OH*OW]
template <typename T>
void conv2d_im2col(const Conv2dShape& shape, const T* x, const T* w, const T* bias, T* y);
/// dx[n] = bias + col2im(W^T[C*KH*KW, K] x dy[n][K, OH*OW])
template <typename T>
void conv2d_grad_input_im2col(const Conv2dShape& shape, const T* dy, const T* w, const T* bias,
                              T* dx);
/// dW = sum over n of dy[n][K, OH*OW] x columns(x[n])^T[OH*OW, C*KH*KW], and the bias's gradient
/// db, the sum of dy over images and pixels, unless that is null.
template <typename T>
void conv2d_grad_weight_im2col(const Conv2dShape& shape, const T* x, const T* dy, T* dw, T* db);

}  // namespace tapedeck::kernels
