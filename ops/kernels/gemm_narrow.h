#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// How many products there are, and how many elements from one's operands to those of the next.
struct ProductBatch {
  std::int64_t count = 1, a_step = 0, b_step = 0, c_step = 0;
};

/// c = alpha a b + beta c, of one product or many for which plan_each_gemm() gives kNarrow: c is no
/// wider than a register tile and b stays in the L1 cache; a is read where it lies, by one tile of
/// rows after another. c is only read where beta != 0. Work is split over threads in a partition
/// that depends on the sizes alone. T is float or double.
template <typename T>
void gemm_narrow(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c,
                 const ProductBatch& batch = {});

}  // namespace tapedeck::kernels
