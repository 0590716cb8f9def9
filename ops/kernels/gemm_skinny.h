#pragma once

#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// c = alpha a b + beta c where c has few rows or few columns, so that packing the larger operand
/// would cost more than the product: both operands are read where they lie. c is only read where
/// beta != 0. Work is split over threads in a partition that depends on the sizes alone. T is float
/// or double.
/// \returns false, with nothing done, where the sizes or the layouts are not of this kind.
template <typename T>
bool gemm_skinny(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);

}  // namespace tapedeck::kernels
