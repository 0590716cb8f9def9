#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// A matrix in somebody's memory: element (i, j) lies at data[i * row_stride + j * column_stride],
/// so that a transpose or a block is another Matrix and never a copy.
template <typename T>
struct Matrix {
  T* data;
  std::int64_t rows, columns, row_stride, column_stride;

  T& at(std::int64_t i, std::int64_t j) const { return data[i * row_stride + j * column_stride]; }
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

}  // namespace tapedeck::kernels
