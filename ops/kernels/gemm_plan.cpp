#include <tapedeck/ops/kernels/gemm_plan.h>

#include <algorithm>

#include <tapedeck/ops/kernels/ceil_div.h>

namespace tapedeck::kernels {

namespace {

// A packed panel of two vectors and this depth leaves the L1 cache to the rows that meet it.
constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kProductsInPiece = 1 << 19;  // about 20 us
constexpr std::int64_t kWantedPieces = 16;
constexpr std::int64_t kRunBytes = 256;  // of each row, that a piece reads at least
// Columns are read where they lie by any number of tiles if they fit the L1 cache; by one or two
// blocks of tiles if a panel's rows are two cache lines, which come at once and are asked for
// ahead; by a few tiles if they fit the L2 cache; by two also from the L3 cache.
constexpr std::int64_t kFewTiles = 8, kFewestTiles = 2;
constexpr std::int64_t kElementsInL1 = 1 << 13, kElementsInL2 = 1 << 16, kElementsInL3 = 1 << 19;
constexpr std::int64_t kTwoLines = 128;
// Rows are read where they lie by a few panels and, where they stay in the L2 cache, by those of so
// many columns: packing saves some steps of each product, and as many columns make up for its cost.
constexpr std::int64_t kFewestPanels = 2, kFewColumns = 256;

template <typename T>
bool columns_in_place(const GemmPanels<T>& rows, const GemmPanels<T>& columns, std::int64_t depth) {
  if (columns.stride != 1) return false;
  const std::int64_t elements = columns.extent * depth;
  const bool two_lines = columns.width * static_cast<std::int64_t>(sizeof(T)) >= kTwoLines;
  return elements <= kElementsInL1 || (rows.count <= 2 * kBlockTiles && two_lines) ||
         (rows.count <= kFewTiles && elements <= kElementsInL2) ||
         (rows.count <= kFewestTiles && elements <= kElementsInL3);
}

template <typename T>
bool rows_in_place(const GemmPanels<T>& rows, const GemmPanels<T>& columns, std::int64_t depth) {
  return columns.count <= kFewestPanels ||
         (columns.extent <= kFewColumns && rows.extent * depth <= kElementsInL2);
}

template <typename T>
std::int64_t least_panels(const GemmPanels<T>& panels) {
  if (panels.stride != 1) return 1;
  return ceil_div(kRunBytes, panels.width * static_cast<std::int64_t>(sizeof(T)));
}

}  // namespace

// One of the operands is packed piece by piece, which leaves it in the L2 cache, where the other is
// so short that every piece can have all of it: then nothing is packed twice.
template <typename T>
GemmPlan<T>::GemmPlan(Matrix<const T> a, Matrix<const T> b, bool rows_packed)
    : rows(GemmPanels<T>::rows_of(a)),
      columns(GemmPanels<T>::columns_of(b)),
      parts(std::max<std::int64_t>(1, ceil_div(a.columns, kDepth))),
      piece_rows(std::min(rows.count, kBlockTiles)),
      piece_columns(std::min(columns.count, kBlockPanels)),
      depth_(a.columns) {
  std::int64_t least_rows = 1, least_columns = 1;
  if (columns.extent >= rows.extent && rows.count <= 2 * kBlockTiles) {
    columns_from = Source::kOwn;
    piece_rows = least_rows = rows.count;
    least_columns = least_panels(columns);
  } else if (!rows_packed && rows.extent > columns.extent && columns.count <= 2 * kBlockPanels) {
    rows_from = Source::kOwn;
    piece_columns = least_columns = columns.count;
    least_rows = least_panels(rows);
  }
  if (!rows_packed && rows_in_place(rows, columns, depth_)) rows_from = Source::kInPlace;
  if (columns_in_place(rows, columns, depth_)) columns_from = Source::kInPlace;
  shrink_pieces(least_rows, least_columns);
}

// As many as the caches hold, but fewer where that would leave threads without work.
template <typename T>
void GemmPlan<T>::shrink_pieces(std::int64_t least_rows, std::int64_t least_columns) {
  const std::int64_t depth = std::max<std::int64_t>(1, depth_ / parts);
  const std::int64_t tile = gemm_tiles<T>().max_rows * columns.width * depth;
  const std::int64_t wanted = std::max<std::int64_t>(1, kProductsInPiece / tile);
  while (ceil_div(rows.count, piece_rows) * ceil_div(columns.count, piece_columns) <
             kWantedPieces &&
         piece_rows * piece_columns > wanted) {
    const bool can_rows = piece_rows > least_rows, can_columns = piece_columns > least_columns;
    if (!can_rows && !can_columns) break;
    const bool cut_columns = can_columns && (!can_rows || piece_columns >= piece_rows);
    std::int64_t& longer = cut_columns ? piece_columns : piece_rows;
    longer = std::max((longer + 1) / 2, cut_columns ? least_columns : least_rows);
  }
}

template struct GemmPlan<float>;
template struct GemmPlan<double>;

}  // namespace tapedeck::kernels
