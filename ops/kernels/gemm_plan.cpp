#include <tapedeck/ops/kernels/gemm_plan.h>

#include <algorithm>

#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/gemm_skinny_tiles.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>

namespace tapedeck::kernels {

namespace {

// ---- which algorithm ----------------------------------------------------------------------------

// Multiplications up to which what the other algorithms do beforehand costs more than loops lose.
constexpr std::int64_t kTinyProduct = 512;
// Multiplications up to which a call, for each product of a batch, costs more than the product.
constexpr std::int64_t kTiniestProduct = 8;
// Products of a batch that leave threads without work where each has one, if they are large enough
// to be divided themselves.
constexpr std::int64_t kFewProducts = 8, kLargeProduct = 1 << 18;

// Columns that are read as one run at memory speed. Where pieces would have fewer, they are parts
// of the depth, whose sums are added up: each of them has so many steps at least, and the sums stay
// few.
constexpr std::int64_t kLongRun = 1024, kLeastDepth = 32, kMostParts = 16;

// Depth up to which the time goes into writing c, if that has rows of so many blocks.
constexpr std::int64_t kShallow = 8, kLongRowBlocks = 1;

// Up to so many rows, sums of lanes pay. Packing, which they save, costs the less for each product
// the more rows there are, so the depth has to repay the sums: so many times the rows, and so many
// vectors. More lanes are longer sums, beside tiles that need less packing.
struct DotLimits {
  std::int64_t rows, depth_for_row, vectors;
};
constexpr DotLimits kDotsOf512Bits{16, 20, 4};
constexpr DotLimits dots_of_256_bits(std::int64_t lanes) { return {24, lanes / 2, 2}; }
// So few rows leave most of a register tile empty: any depth from here on repays the sums.
constexpr std::int64_t kFewestRows = 3, kDotDepth = 32;
// Columns that make up for the last ones of short dots, which fill no vector.
constexpr std::int64_t kShortColumns = 64;
// Rows that are copied as fast as they are read, and rows of the other operand that repay the copy
// of more.
constexpr std::int64_t kCopiedFast = 4, kRepaysCopy = 8;

// Columns of a, each a stream, that a tile reads side by side.
constexpr std::int64_t kMostStreams = 16;

// ---- how vectors of register tiles lie ----------------------------------------------------------

// Transposing an element of the result, in multiplications of a vector's lane; and how many times
// as many of these there have to be, for an estimate.
constexpr double kTransposeCost = 12, kClearlyMore = 1.2;
// Depth from which on sums that are stored one by one cost less than a vector's empty lanes.
constexpr std::int64_t kRepaysStores = 64;
// Elements of rows in place from which on a product of the last few columns repays its calls.
constexpr std::int64_t kRepaysCalls = 1 << 11;

// ---- how register tiles go about a product ------------------------------------------------------

// A packed panel of two vectors and this depth leaves the L1 cache to the rows that meet it.
constexpr std::int64_t kDepth = 256;
// A piece of work, about 20 us, and pieces that make threads end together.
constexpr std::int64_t kProductsInPiece = 1 << 19, kWantedPieces = 16;
constexpr std::int64_t kRunBytes = 256;  // of each row, that a piece reads at least
// Columns are read where they lie by any number of tiles if they fit the L1 cache; by one or two
// blocks of tiles if a panel's rows are two cache lines, which come at once and are asked for
// ahead; else by as many tiles as repeat the reading in less time than packing takes, as far as
// they come from the L3 cache. Of rows that are a multiple of a page apart, lines compete for a few
// places of each cache: they have to fit the L2 cache, or meet one tile or two.
constexpr std::int64_t kElementsInL1 = 1 << 13, kElementsInL2 = 1 << 16, kElementsInL3 = 1 << 20;
constexpr std::int64_t kTwoLines = 128, kPageBytes = 4096;
constexpr std::int64_t kFewTiles = 10, kFewestTiles = 2, kElementsOfPages = 1 << 19;
// Rows are read where they lie by a few panels and, where they stay in the L2 cache, by those of so
// many columns: packing saves some steps of each product, and as many columns make up for its cost.
constexpr std::int64_t kFewestPanels = 2, kFewColumns = 256;

template <typename T>
bool has_adjacent_columns(const Matrix<T>& m) {
  return m.column_stride == m.rows && (m.row_stride == 1 || m.rows == 1);
}

// Whether the rows of c are so few that vectors along them read all that is to be read of b once.
template <typename T>
bool has_few_rows(const Matrix<const T>& b, const Matrix<const T>& c) {
  const SkinnyTiles<T>& simd = skinny_tiles<T>();
  return b.column_stride == 1 &&
         ((c.rows <= simd.max_rows && c.column_stride == 1) ||
          (c.rows <= simd.max_adjacent && has_adjacent_columns(c))) &&
         (c.rows == 1 || c.columns >= simd.lanes);
}

// [?, K] x [K, N] by few rows: where parts of the columns would read b in short runs, they are of
// the depth.
std::int32_t parts_of_depth(std::int64_t K, std::int64_t N) {
  const std::int64_t parts = std::min({kMostParts, K * N / kSkinnyPiece, K / kLeastDepth});
  return parts > 1 && kSkinnyPiece / K < kLongRun ? static_cast<std::int32_t>(parts) : 1;
}

// By dots if those are few enough; operands whose elements are not contiguous along the depth are
// copied where that pays. c has at least as many columns as rows.
template <typename T>
std::optional<GemmAlgorithm> plan_dots(const Matrix<const T>& a, const Matrix<const T>& b,
                                       const Matrix<const T>& c) {
  const SkinnyTiles<T>& simd = skinny_tiles<T>();
  const std::int64_t M = a.rows, K = a.columns, N = c.columns;
  const bool copies_a = a.column_stride != 1, copies_b = b.row_stride != 1;
  if ((copies_b && N > kCopiedFast) || (copies_a && M > kCopiedFast && N < kRepaysCopy))
    return std::nullopt;
  if (K <= simd.short_depth && M <= simd.short_rows && N >= kShortColumns &&
      has_adjacent_columns(c))
    return GemmAlgorithm::kShortDots;
  // With one row, each element of b has one product: packing it costs more than any sum of lanes.
  if (M == 1 || (M <= kFewestRows && K >= kDotDepth)) return GemmAlgorithm::kDots;
  const bool is_wide = simd.lanes * sizeof(T) >= 64;
  const DotLimits limits = is_wide ? kDotsOf512Bits : dots_of_256_bits(simd.lanes);
  if (M > limits.rows || K < limits.depth_for_row * M || K < limits.vectors * simd.lanes)
    return std::nullopt;
  return GemmAlgorithm::kDots;
}

// Whether c is no wider than a register tile and the panel stays in the L1 cache: neither operand
// is packed beforehand.
template <typename T>
bool is_narrow(const Matrix<const T>& a, const Matrix<const T>& c) {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  const std::int64_t width = c.columns > simd.lanes ? 2 * simd.lanes : simd.lanes;
  return simd.fast && c.columns <= width && c.column_stride == 1 &&
         a.columns * width <= kNarrowPanel && (a.column_stride == 1 || a.columns <= kMostStreams);
}

// How many elements vectors along this many columns compute for each that is wanted.
template <typename T>
double computed_for_one(std::int64_t columns) {
  const int lanes = gemm_tiles<T>().lanes;
  return static_cast<double>(round_up(columns, lanes)) / static_cast<double>(columns);
}

// How many of a panel's columns would leave most of a vector empty, if vectors along packed rows
// take these in less time. Behind a whole vector, a second one that overlaps it would take as long
// as that.
template <typename T>
std::int64_t columns_along_rows(std::int64_t columns, std::int64_t depth) {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  const std::int64_t left = columns % simd.lanes;
  const int most = columns < simd.lanes ? simd.most_few_columns : simd.most_few_behind;
  return depth >= kRepaysStores && left <= most ? left : 0;
}

template <typename T>
bool columns_in_place(const GemmPanels<T>& columns, std::int64_t tiles, std::int64_t depth) {
  if (columns.stride != 1) return false;
  constexpr std::int64_t kSize = sizeof(T);
  const bool two_lines = columns.width * kSize >= kTwoLines;
  const bool pages = columns.depth_stride * kSize % kPageBytes == 0;
  const std::int64_t elements = columns.extent * depth;
  return elements <= kElementsInL1 || (tiles <= 2 * kBlockTiles && two_lines) ||
         (tiles <= kFewTiles && elements <= (pages ? kElementsInL2 : kElementsInL3)) ||
         (tiles <= kFewestTiles && elements <= kElementsOfPages);
}

template <typename T>
bool rows_in_place(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  return columns <= kFewestPanels * 2 * gemm_tiles<T>().lanes ||
         (columns <= kFewColumns && rows * depth <= kElementsInL2);
}

template <typename T>
std::int64_t least_panels(const GemmPanels<T>& panels) {
  if (panels.stride != 1) return 1;
  return ceil_div(kRunBytes, panels.width * static_cast<std::int64_t>(sizeof(T)));
}

}  // namespace

template <typename T>
std::optional<GemmPlan> plan_skinny(const Matrix<const T>& a, const Matrix<const T>& b,
                                    const Matrix<const T>& c) {
  using Algorithm = GemmAlgorithm;
  const Matrix<const T> a_t = a.transposed(), b_t = b.transposed(), c_t = c.transposed();
  const std::int64_t K = a.columns;
  if (has_few_rows(b, c)) return GemmPlan{Algorithm::kRows, false, parts_of_depth(K, c.columns)};
  if (has_few_rows(a_t, c_t)) return GemmPlan{Algorithm::kRows, true, parts_of_depth(K, c.rows)};
  if (b.column_stride == 1 && c.column_stride == 1 && K <= kShallow &&
      c.columns >= kLongRowBlocks * skinny_tiles<T>().row_columns)
    return GemmPlan{Algorithm::kLongRows};
  const bool is_tall = c.columns < c.rows;
  const auto dots = is_tall ? plan_dots(b_t, a_t, c_t) : plan_dots(a, b, c);
  if (dots) return GemmPlan{*dots, is_tall};
  return std::nullopt;
}

template <typename T>
GemmPlan plan_gemm(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<const T>& c) {
  using Algorithm = GemmAlgorithm;
  if (c.rows * c.columns * a.columns <= kTinyProduct)
    return {is_narrow(a, c) ? Algorithm::kNarrow : Algorithm::kLoops};
  if (!gemm_tiles<T>().fast) return {Algorithm::kBlas};
  if (const auto skinny = plan_skinny(a, b, c)) return *skinny;
  if (is_narrow(a, c)) return {Algorithm::kNarrow};
  return {Algorithm::kTiles};
}

// Side by side, narrow products share more than others save.
template <typename T>
GemmPlan plan_each_gemm(const Matrix<const T>& a, const Matrix<const T>& b,
                        const Matrix<const T>& c) {
  return is_narrow(a, c) ? GemmPlan{GemmAlgorithm::kNarrow} : plan_gemm(a, b, c);
}

BatchAlgorithm plan_batch(std::int64_t count, std::int64_t M, std::int64_t K, std::int64_t N) {
  if (count < kFewProducts && M * N * K >= kLargeProduct) return BatchAlgorithm::kInTurn;
  if (M == 1 && N == 1) return BatchAlgorithm::kDots;
  return M * N * K <= kTiniestProduct ? BatchAlgorithm::kOneByOne : BatchAlgorithm::kSideBySide;
}

template <typename T>
bool tiles_along_rows(const Matrix<const T>& a, const Matrix<const T>& c) {
  // A few panels read the rows of a where they lie, unless these are the vectors.
  if (a.row_stride != 1 && c.columns <= 2 * gemm_tiles<T>().lanes) return false;
  const double along_columns = computed_for_one<T>(c.columns);
  const double along_rows = computed_for_one<T>(c.rows);
  return along_columns > kClearlyMore * along_rows &&
         (along_columns - along_rows) * static_cast<double>(a.columns) > kTransposeCost;
}

// Those that would fill no more than half of a vector.
template <typename T>
std::int64_t columns_apart(const Matrix<const T>& a, const Matrix<const T>& c) {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  const std::int64_t left = c.columns % simd.lanes, vectors = c.columns / simd.lanes;
  if (vectors == 0 || 2 * left > simd.lanes) return 0;
  if (vectors % 2 != 0 && simd.most_few_behind == 0) return 0;
  if (a.columns < kRepaysStores || c.rows * a.columns < kRepaysCalls) return 0;
  return rows_in_place<T>(c.rows, c.columns, a.columns) ? left : 0;
}

// One of the operands is packed piece by piece, which leaves it in the L2 cache, where the other is
// so short that every piece can have all of it: then nothing is packed twice.
template <typename T>
TilePlan<T>::TilePlan(Matrix<const T> a, Matrix<const T> b, bool rows_packed)
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
  if (!rows_packed && rows_in_place<T>(rows.extent, columns.extent, depth_))
    rows_from = Source::kInPlace;
  if (columns_in_place(columns, rows.count, depth_)) columns_from = Source::kInPlace;
  if (rows_from != Source::kInPlace)
    few_columns = columns_along_rows<T>(columns.size(columns.count - 1), depth_ / parts);
  shrink_pieces(least_rows, least_columns);
}

// As many as the caches hold, but fewer where that would leave threads without work.
template <typename T>
void TilePlan<T>::shrink_pieces(std::int64_t least_rows, std::int64_t least_columns) {
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

#define TAPEDECK_INSTANTIATE(T)                                                                \
  template GemmPlan plan_gemm(const Matrix<const T>&, const Matrix<const T>&,                  \
                              const Matrix<const T>&);                                         \
  template GemmPlan plan_each_gemm(const Matrix<const T>&, const Matrix<const T>&,             \
                                   const Matrix<const T>&);                                    \
  template std::optional<GemmPlan> plan_skinny(const Matrix<const T>&, const Matrix<const T>&, \
                                               const Matrix<const T>&);                        \
  template bool tiles_along_rows(const Matrix<const T>&, const Matrix<const T>&);              \
  template std::int64_t columns_apart(const Matrix<const T>&, const Matrix<const T>&);         \
  template struct TilePlan<T>;
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
