#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>
#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// c = alpha a b + beta c; c is only read where beta != 0. Any numeric type; c must have a unit
/// stride along one axis and no overlap with a or b. Work is split over threads in a partition that
/// depends on the sizes alone.
template <typename T>
void gemm_parallel(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);
/// c[i][j] = (a b)[i][j] + row_addends[i], without a second pass over c where that is large. T is
/// float or double.
template <typename T>
void gemm_add_to_rows(Matrix<const T> a, Matrix<const T> b, const T* row_addends, Matrix<T> c);
/// The same on the calling thread alone.
template <typename T>
void gemm_serial(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);

/// [M, K] x [K, N] -> [M, N]. Any strides; any numeric dtype. K = 0 gives zeros.
/// \throws Error that names `op` where dimensions, sizes or dtypes do not fit.
Array gemm(const Array& a, const Array& b, const char* op = "mm");
/// beta input + alpha a b, with input of any shape that expands to [M, N]; where beta is 0, input
/// is not read.
Array addmm(const Array& input, const Array& a, const Array& b, Scalar beta = 1, Scalar alpha = 1,
            const char* op = "addmm");
/// [B, M, K] x [B, K, N] -> [B, M, N]; a batch expanded with stride 0 is not copied.
Array batched_gemm(const Array& a, const Array& b, const char* op = "bmm");
/// [M, K] x [K] -> [M].
Array gemv(const Array& a, const Array& x, const char* op = "mv");
/// [K] x [K] -> scalar, summed in chunks of a fixed length.
Array dot(const Array& x, const Array& y, const char* op = "dot");

}  // namespace tapedeck::kernels
