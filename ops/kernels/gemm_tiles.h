#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// Steps that no tile has.
constexpr std::int64_t kNeverAsk = std::int64_t{1} << 62;

/// A tile of a matrix product: `rows` rows times one panel of one or two vectors of columns.
///
///   c[i][j] = alpha * sum over k < depth of a[i * a_row_stride + k * a_step] * b[k * b_step + j]
///             + (beta != 0 ? beta * c[i][j] : 0) + (row_addends ? row_addends[i] : 0)
///
/// for j < columns.
template <typename T>
struct GemmTile {
  const T* a;
  std::int64_t a_row_stride, a_step;
  const T* b;
  std::int64_t b_step;  ///< a whole vector is read at each k, even where c has fewer columns
  std::int64_t depth;
  T alpha, beta;
  T* c;
  std::int64_t c_row_stride;
  std::int64_t columns;            ///< with two vectors, more than those of one
  const T* row_addends = nullptr;  ///< one for each row, or null
  /// Up to here a row of c that is shorter than a vector may be stored as one: what it spoils is
  /// stored later.
  const T* c_end = nullptr;
  /// Of a panel that is read soon: a row for every `ahead_every` steps of the depth that is asked
  /// for meanwhile, and how far it is from each to the next. Null for none. Without AVX-512, they
  /// are always sixteen steps: as many tiles ask for a panel.
  const T* ahead = nullptr;
  std::int64_t ahead_step = 0;
  std::int64_t ahead_every = kNeverAsk;
};

/// Elements that the panel of a narrow product may have: it stays in the L1 cache.
constexpr std::int64_t kNarrowPanel = 1 << 11;

/// `count` products of `rows` rows and one panel, each as `first` but for where its operands lie:
/// so many elements after those of the one before. They are read in place; of b, no more than the
/// columns.
template <typename T>
struct NarrowProducts {
  GemmTile<T> first;
  std::int64_t rows, count;
  std::int64_t a_step, b_step, c_step;
  /// Where b has no contiguous rows: between its columns. It is packed then.
  std::int64_t b_column_stride = 1;
};

/// Packed tiles of rows times a few columns, with vectors along the rows:
///
///   sums[(t * columns + j) * row_panel + i] = sum over k < depth of
///       a[t * a_tile + k * row_panel + i] * b[k * b_step + j]
///
/// for t < tiles, j < columns and i < row_panel, the number of elements of a packed panel.
template <typename T>
struct FewColumns {
  std::int64_t tiles;
  const T* a;
  std::int64_t a_tile;
  const T* b;
  std::int64_t b_step;
  std::int64_t columns, depth;
  T* sums;
};

/// What the instruction set of this CPU offers to matrix products; T is float or double.
template <typename T>
struct GemmTiles {
  bool fast;      ///< false where the CPU has nothing that is worth it
  int lanes;      ///< of a vector
  int max_rows;   ///< of a tile
  int row_panel;  ///< elements that a packed panel has for max_rows
  /// Panels of one vector and of two.
  void (*tile[2])(int rows, const GemmTile<T>& tile);
  void (*narrow)(const NarrowProducts<T>& products);
  /// Columns of a last panel up to which `few_columns` is faster than a tile: of one that has no
  /// others, and of one where they follow a whole vector. 0 where there is none.
  int most_few_columns, most_few_behind;
  void (*few_columns)(const FewColumns<T>& product);
  /// to[k * panel + i] = from[i * stride + k * depth_stride] for i < width, and some values beyond
  /// for i < panel, of which those for i < extent may be read. extent >= width > 0; panel is a
  /// multiple of `lanes`.
  void (*pack)(const T* from, std::int64_t stride, std::int64_t depth_stride, std::int64_t width,
               std::int64_t extent, std::int64_t depth, std::int64_t panel, T* to);
  /// sum of x[i] * y[i * y_stride], in several chains.
  T (*dot)(const T* x, const T* y, std::int64_t y_stride, std::int64_t n);
};

template <typename T>
const GemmTiles<T>& gemm_tiles();

}  // namespace tapedeck::kernels
