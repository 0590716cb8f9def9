#pragma once

#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// c = alpha a b + beta c by register tiles over packed panels. T is float or double; c must have
/// unit stride along one axis and no overlap with a or b; it is only read where beta != 0. Work is
/// split over threads in a partition that depends on the sizes alone.
template <typename T>
void gemm_blocked(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);
/// y = alpha a x + beta y over y's elements, contiguous; by the rows of a.
template <typename T>
void gemv_blocked(T alpha, Matrix<const T> a, const T* x, std::int64_t x_stride, T beta, T* y);

}  // namespace tapedeck::kernels
