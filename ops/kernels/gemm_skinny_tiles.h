#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// c = alpha a b + beta c on the calling thread, of operands that are read where they lie; c is
/// only read where beta != 0. T is float or double.
template <typename T>
struct SkinnyTiles {
  int lanes;         ///< of a vector
  int max_rows;      ///< of c, in `rows`
  int max_adjacent;  ///< of those, where the columns of c are adjacent
  int row_columns;   ///< `rows` goes through b in blocks of no more columns
  int short_depth;   ///< of `short_dots`, at most
  int short_rows;    ///< of c in `short_dots`, at most
  /// The rows of b are contiguous: vectors lie along them, and a may lie in any way. The rows of c
  /// are contiguous, or its columns are adjacent.
  void (*rows)(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);
  /// The rows of a and the columns of b are contiguous: vectors lie along the depth.
  void (*dots)(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);
  /// The same by vectors across the columns of b, which add up no lanes; the columns of c are
  /// adjacent.
  void (*short_dots)(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);
};

template <typename T>
const SkinnyTiles<T>& skinny_tiles();

}  // namespace tapedeck::kernels
