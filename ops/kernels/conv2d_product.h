#pragma once

#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

// Where the kernel covers the whole image, each filter has one window, and the convolution is a
// linear layer: a product of matrices of the operands as they lie. All are row-major; bias may be
// null. T is float or double.

/// y[N, K] = bias + x[N, C*H*W] x W^T[C*H*W, K]
template <typename T>
void conv2d_product(const Conv2dShape& shape, const T* x, const T* w, const T* bias, T* y);
/// dx[N, C*H*W] = bias + dy[N, K] x W[K, C*H*W], with a bias for each channel
template <typename T>
void conv2d_grad_input_product(const Conv2dShape& shape, const T* dy, const T* w, const T* bias,
                               T* dx);
/// dW[K, C*H*W] = dy^T[K, N] x x[N, C*H*W]
template <typename T>
void conv2d_grad_weight_product(const Conv2dShape& shape, const T* x, const T* dy, T* dw);

}  // namespace tapedeck::kernels
