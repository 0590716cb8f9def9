#pragma once

#include <algorithm>
#include <cstdint>

#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>
#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

/// Number i of n nearly equal parts of an extent.
struct Part {
  std::int64_t begin, size;
  Part(std::int64_t i, std::int64_t n, std::int64_t extent)
      : begin(i * extent / n), size((i + 1) * extent / n - begin) {}
};

/// An operand of a product of register tiles, cut into panels across the depth: the rows of a into
/// tiles of nearly equal height, the columns of b into panels of two vectors.
template <typename T>
struct GemmPanels {
  const T* data;
  std::int64_t stride, depth_stride;  ///< between the elements of a panel, and along the depth
  std::int64_t extent, count;
  std::int64_t width;  ///< elements that a packed panel has at each depth
  std::int64_t most,
      longer;  ///< of the panels' sizes, and how many have it; then one less, or less

  static GemmPanels rows_of(Matrix<const T> a) {
    const GemmTiles<T>& simd = gemm_tiles<T>();
    const std::int64_t count = ceil_div(a.rows, simd.max_rows), most = ceil_div(a.rows, count);
    return {a.data,
            a.row_stride,
            a.column_stride,
            a.rows,
            count,
            simd.row_panel,
            most,
            a.rows - count * (most - 1)};
  }
  static GemmPanels columns_of(Matrix<const T> b) {
    const std::int64_t width = 2 * gemm_tiles<T>().lanes, count = ceil_div(b.columns, width);
    return {b.data, b.column_stride, b.row_stride, b.columns, count, width, width, count};
  }

  std::int64_t begin(std::int64_t i) const {
    return i * most - std::max<std::int64_t>(0, i - longer);
  }
  std::int64_t size(std::int64_t i) const {
    return i < longer ? std::min(most, extent - i * most) : most - 1;
  }
  const T* at(std::int64_t i, std::int64_t k) const {
    return data + begin(i) * stride + k * depth_stride;
  }
  /// Elements that `n` packed panels take.
  std::int64_t packed(std::int64_t n, const Part& k) const { return n * width * k.size; }

  /// Packs `n` panels from number `first` on, one behind the other; of each only the rows of the
  /// depth from `begin` to `end` in the part k.
  void pack(std::int64_t first, std::int64_t n, const Part& k, std::int64_t begin, std::int64_t end,
            T* to) const;
};

}  // namespace tapedeck::kernels
