#pragma once

#include <tapedeck/ops/kernels/gemm_plan.h>
#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// c = alpha a b + beta c where c has few rows or few columns, so that packing the larger operand
/// would cost more than the product: operands are read where they lie, a small one from a copy. The
/// plan is from plan_skinny(). c is only read where beta != 0. Work is split over threads in a
/// partition that depends on the sizes alone. T is float or double.
template <typename T>
void gemm_skinny(const GemmPlan& plan, T alpha, Matrix<const T> a, Matrix<const T> b, T beta,
                 Matrix<T> c);

}  // namespace tapedeck::kernels
