#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>

namespace tapedeck::kernels {

/// A matrix in somebody's memory: element (i, j) lies at data[i * row_stride + j * column_stride],
/// so that a transpose or a block is another Matrix and never a copy.
template <typename T>
struct Matrix {
  T* data;
  std::int64_t rows, columns, row_stride, column_stride;

  Matrix transposed() const { return {data, columns, rows, column_stride, row_stride}; }
  Matrix block(std::int64_t row, std::int64_t column, std::int64_t n_rows,
               std::int64_t n_columns) const {
    return {data + row * row_stride + column * column_stride, n_rows, n_columns, row_stride,
            column_stride};
  }
  operator Matrix<const T>() const { return {data, rows, columns, row_stride, column_stride}; }
};

/// Row-major rows of `stride` elements; `columns` where none is given.
template <typename T>
Matrix<T> row_major(T* data, std::int64_t rows, std::int64_t columns, std::int64_t stride = -1) {
  return {data, rows, columns, stride < 0 ? columns : stride, 1};
}

/// c = alpha a b + beta c on the calling thread; c is only read where beta != 0. T is float or
/// double; c must have a unit stride along one axis and no overlap with a or b.
template <typename T>
void gemm_serial(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);
/// The same with the rows or columns of c split over threads, in a partition that depends on the
/// sizes alone. T is any numeric type.
template <typename T>
void gemm_parallel(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);

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
