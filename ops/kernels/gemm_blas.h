#pragma once

#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// c = alpha a b + beta c through BLAS, on the calling thread. T is float or double; c is row-major
/// or the transpose of that. A transposed operand is not copied; one
/// without a unit stride is.
template <typename T>
void gemm_blas(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);

}  // namespace tapedeck::kernels
