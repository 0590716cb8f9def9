#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/gemm_panels.h>
#include <tapedeck/ops/kernels/matrix.h>

// Which algorithm serves which product, and how register tiles go about one: by sizes and strides
// alone, so that a product has the same bits for any number of threads. T is float or double.

namespace tapedeck::kernels {

enum class GemmAlgorithm : std::uint8_t {
  kLoops,      ///< of a few elements
  kBlas,       ///< for CPUs without vectors that are worth it
  kRows,       ///< gemm_skinny: vectors along the rows of c, which are few
  kLongRows,   ///< gemm_skinny: the same for a few rows after another, of which c has many
  kDots,       ///< gemm_skinny: vectors along the depth
  kShortDots,  ///< gemm_skinny: vectors across columns, along which the depth lies
  kNarrow,     ///< gemm_narrow: register tiles, of one panel that is not packed beforehand
  kTiles       ///< gemm_blocked: register tiles over packed panels
};

struct GemmPlan {
  GemmAlgorithm algorithm;
  bool transposed = false;  ///< as c^T = b^T a^T
  std::int32_t parts = 1;   ///< of the depth, added up in order: of kRows
};

template <typename T>
GemmPlan plan_gemm(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<const T>& c);
/// The same for each of many small products, whose operands lie alike.
template <typename T>
GemmPlan plan_each_gemm(const Matrix<const T>& a, const Matrix<const T>& b,
                        const Matrix<const T>& c);
/// The same if it is one of gemm_skinny, which copies no large operand.
template <typename T>
std::optional<GemmPlan> plan_skinny(const Matrix<const T>& a, const Matrix<const T>& b,
                                    const Matrix<const T>& c);

enum class BatchAlgorithm {
  kInTurn,      ///< one after the other, each on all threads
  kSideBySide,  ///< each on one thread
  kOneByOne,    ///< so small that a call would cost more than the product
  kDots         ///< rows by columns
};
/// For `count` products [M, K] x [K, N].
BatchAlgorithm plan_batch(std::int64_t count, std::int64_t M, std::int64_t K, std::int64_t N);

/// Whether vectors of register tiles lie along the rows of c, whose columns are transposed
/// afterwards: c has unit column stride.
template <typename T>
bool tiles_along_rows(const Matrix<const T>& a, const Matrix<const T>& c);
/// How many of the last columns of c are a product of their own, because rows that register tiles
/// read in place repay it, if plan_skinny() knows how.
template <typename T>
std::int64_t columns_apart(const Matrix<const T>& a, const Matrix<const T>& c);

/// Elements of the larger operand that one piece of kRows reads, which is what takes the time.
constexpr std::int64_t kSkinnyPiece = 1 << 16;
/// Panels and tiles that stay in the L2 cache together.
constexpr std::int64_t kBlockPanels = 16, kBlockTiles = 16;

/// A product as tiles: the operands' panels, where they come from, and how many of them are one
/// piece of work.
template <typename T>
struct TilePlan {
  /// From where they lie, from a copy of all of them that is made beforehand, or from one that each
  /// piece of the work makes of its own.
  enum class Source { kInPlace, kShared, kOwn };

  GemmPanels<T> rows, columns;  ///< of a and of b
  std::int64_t parts;           ///< of the depth, one after the other
  Source rows_from = Source::kShared, columns_from = Source::kShared;
  std::int64_t piece_rows, piece_columns;  ///< in tiles and panels
  std::int64_t few_columns = 0;  ///< the last ones, which meet packed rows as vectors along these

  /// `rows_packed`: a copy of all rows is there already.
  TilePlan(Matrix<const T> a, Matrix<const T> b, bool rows_packed = false);

  Part part(std::int64_t i) const { return Part(i, parts, depth_); }
  Part longest_part() const { return Part(0, 1, ceil_div(depth_, parts)); }

 private:
  std::int64_t depth_;

  void shrink_pieces(std::int64_t least_rows, std::int64_t least_columns);
};

}  // namespace tapedeck::kernels
