#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/matrix.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

/// c = alpha a b + beta c by register tiles over packed panels. T is float or double; c must have
/// unit stride along one axis and no overlap with a or b; it is only read where beta != 0. Work is
/// split over threads in a partition that depends on the sizes alone.
template <typename T>
void gemm_blocked(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);
/// c[i][j] = (a b)[i][j] + row_addends[i], by the same.
template <typename T>
void gemm_blocked_add_to_rows(Matrix<const T> a, Matrix<const T> b, const T* row_addends,
                              Matrix<T> c);

/// c[i][j] += addends[i], on all threads.
template <typename T>
void add_to_rows(const T* addends, Matrix<T> c);

/// The first operand of several products, packed once for all of them.
template <typename T>
class PackedRows {
 public:
  /// Copies a, on all threads.
  explicit PackedRows(Matrix<const T> a);
  /// c = a b, and an addend for each row where there are any, as by gemm_blocked(): c must have
  /// unit column stride.
  void multiply(Matrix<const T> b, Matrix<T> c, const T* row_addends = nullptr) const;

 private:
  Matrix<const T> a_;  // only its sizes
  Scratch<T> packed_;  // the parts of the depth, one behind the other
};

}  // namespace tapedeck::kernels
