#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/gemm_panels.h>
#include <tapedeck/ops/kernels/matrix.h>

namespace tapedeck::kernels {

// Panels and tiles that stay in the L2 cache together.
constexpr std::int64_t kBlockPanels = 16, kBlockTiles = 16;

/// A product as tiles: the operands' panels, where they come from, and how many of them are one
/// piece of work. All of it depends on sizes and strides alone.
template <typename T>
struct GemmPlan {
  /// From where they lie, from a copy of all of them that is made beforehand, or from one that each
  /// piece of the work makes of its own.
  enum class Source { kInPlace, kShared, kOwn };

  GemmPanels<T> rows, columns;  ///< of a and of b
  std::int64_t parts;           ///< of the depth, one after the other
  Source rows_from = Source::kShared, columns_from = Source::kShared;
  std::int64_t piece_rows, piece_columns;  ///< in tiles and panels

  /// `rows_packed`: a copy of all rows is there already.
  GemmPlan(Matrix<const T> a, Matrix<const T> b, bool rows_packed = false);

  Part part(std::int64_t i) const { return Part(i, parts, depth_); }
  Part longest_part() const { return Part(0, 1, ceil_div(depth_, parts)); }

 private:
  std::int64_t depth_;

  void shrink_pieces(std::int64_t least_rows, std::int64_t least_columns);
};

}  // namespace tapedeck::kernels
