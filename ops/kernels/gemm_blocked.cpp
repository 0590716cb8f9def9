#include <tapedeck/ops/kernels/gemm_blocked.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <tapedeck/array/array.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>
#include <tapedeck/ops/kernels/transpose.h>

namespace tapedeck::kernels {

namespace {

// A packed panel of two vectors and this depth leaves the L1 cache to the rows that meet it.
constexpr std::int64_t kDepth = 256;
// Both operands packed; beyond, the depth is gone through in parts.
constexpr std::int64_t kPackedElements = 1 << 23;
constexpr std::int64_t kProductsInPiece = 1 << 19;  // about 20 us
constexpr std::int64_t kPackedInPiece = 1 << 14;
constexpr double kTransposeCost = 12;  // of an element, in products of a vector's lane
// Columns are read where they lie by no more tiles than these, or where all of them fit a cache.
constexpr std::int64_t kFewTiles = 8;
constexpr std::int64_t kCachedElements = 1 << 13;
constexpr std::int64_t kBlockPanels = 16;  // panels and a few tiles of rows stay in the L2 cache
constexpr std::int64_t kBlockTiles = 16;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

template <typename T>
Array scratch(std::int64_t elements) {
  return Array::empty({elements}, dtype_of<T>);
}

// Number i of n nearly equal parts of an extent.
struct Part {
  std::int64_t begin, size;
  Part(std::int64_t i, std::int64_t n, std::int64_t extent)
      : begin(i * extent / n), size((i + 1) * extent / n - begin) {}
};

// How c is cut: rows into tiles of nearly equal height, columns into panels of two vectors, the
// last of which may be one vector.
template <typename T>
struct Cut {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  std::int64_t M, N, panel;
  std::int64_t tiles, panels;

  Cut(std::int64_t rows, std::int64_t columns)
      : M(rows),
        N(columns),
        panel(2 * simd.lanes),
        tiles(ceil_div(rows, simd.max_rows)),
        panels(ceil_div(columns, panel)) {}

  std::int64_t panel_columns(std::int64_t p) const { return std::min(panel, N - p * panel); }
  int vectors(std::int64_t p) const { return panel_columns(p) > simd.lanes ? 2 : 1; }
};

// Panels of a (rows as lanes) and b (columns as lanes), packed or in place. The depth is cut into
// parts, and the panels of one part lie together.
template <typename T>
struct Packed {
  const Cut<T>& cut;
  Matrix<const T> a, b;
  std::int64_t depth, parts;
  // What is read once only, or hardly more often, and lies in lanes already.
  bool a_in_place, b_in_place;
  Array a_panels, b_panels;

  Packed(const Cut<T>& c, Matrix<const T> a_, Matrix<const T> b_)
      : cut(c),
        a(a_),
        b(b_),
        depth(a_.columns),
        parts(std::max<std::int64_t>(1, ceil_div(depth, kDepth))),
        a_in_place(a_.row_stride == 1 && c.panels <= 2),
        b_in_place(b_.column_stride == 1 &&
                   (c.tiles <= kFewTiles || b_.rows * b_.columns <= kCachedElements)),
        a_panels(scratch<T>(a_in_place ? 0 : c.tiles * c.simd.row_panel * depth)),
        b_panels(scratch<T>(b_panel_count() * c.panel * depth)) {}

  Part part(std::int64_t i) const { return Part(i, parts, depth); }
  // In place, all but a last panel that is not whole, which must not be read beyond its end.
  bool packs(std::int64_t p) const { return !b_in_place || cut.panel_columns(p) < cut.panel; }
  std::int64_t b_panel_count() const {
    return b_in_place ? (cut.N % cut.panel != 0 ? 1 : 0) : cut.panels;
  }
  T* a_panel(std::int64_t tile, const Part& k) const {
    return a_panels.template data<T>() + (k.begin * cut.tiles + k.size * tile) * cut.simd.row_panel;
  }
  T* b_panel(std::int64_t p, const Part& k) const {
    return b_panels.template data<T>() +
           (k.begin * b_panel_count() + k.size * (b_in_place ? 0 : p)) * cut.panel;
  }

  void pack() {
    const std::int64_t a_count = a_in_place ? 0 : cut.tiles, count = a_count + cut.panels;
    const std::int64_t in_piece = std::max<std::int64_t>(
        1, kPackedInPiece / std::max<std::int64_t>(1, cut.panel * (depth / parts)));
    parallel_for(parts * count, in_piece, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Part k = part(i / count);
        const std::int64_t which = i % count;
        if (which < a_count) {
          const Part rows(which, cut.tiles, cut.M);
          cut.simd.pack(&a.at(rows.begin, k.begin), a.row_stride, a.column_stride, rows.size,
                        k.size, cut.simd.row_panel, a_panel(which, k));
        } else if (const std::int64_t p = which - a_count; packs(p)) {
          cut.simd.pack(&b.at(k.begin, p * cut.panel), b.column_stride, b.row_stride,
                        cut.panel_columns(p), k.size, cut.panel, b_panel(p, k));
        }
      }
    });
  }

  // The operands of one tile.
  void point(GemmTile<T>& tile, std::int64_t t, std::int64_t p, const Part& k) const {
    tile.a = a_in_place ? &a.at(Part(t, cut.tiles, cut.M).begin, k.begin) : a_panel(t, k);
    tile.a_step = a_in_place ? a.column_stride : cut.simd.row_panel;
    tile.b = packs(p) ? b_panel(p, k) : &b.at(k.begin, p * cut.panel);
    tile.b_step = packs(p) ? cut.panel : b.row_stride;
    tile.depth = k.size;
  }
};

// Tiles and panels in one piece of work: as many as the caches hold, but fewer where that would
// leave threads without work.
struct Piece {
  std::int64_t tiles, panels;
};
template <typename T>
Piece piece_of(const Cut<T>& cut, std::int64_t depth) {
  const std::int64_t one = std::max<std::int64_t>(1, cut.simd.max_rows * cut.panel * depth);
  const std::int64_t wanted = std::max<std::int64_t>(1, kProductsInPiece / one);
  Piece piece{std::min(cut.tiles, kBlockTiles), std::min(cut.panels, kBlockPanels)};
  const auto pieces = [&] {
    return ceil_div(cut.tiles, piece.tiles) * ceil_div(cut.panels, piece.panels);
  };
  while (pieces() < 16 && piece.tiles * piece.panels > wanted) {
    std::int64_t& longer = piece.panels >= piece.tiles ? piece.panels : piece.tiles;
    longer = (longer + 1) / 2;
  }
  return piece;
}

template <typename T>
void multiply(const Packed<T>& packed, T alpha, T beta, Matrix<T> c) {
  const Cut<T>& cut = packed.cut;
  const Piece piece = piece_of(cut, packed.depth);
  const std::int64_t across = ceil_div(cut.panels, piece.panels);
  const std::int64_t down = ceil_div(cut.tiles, piece.tiles);
  parallel_for(across * down, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t p_begin = i % across * piece.panels, t_begin = i / across * piece.tiles;
      const std::int64_t p_end = std::min(cut.panels, p_begin + piece.panels);
      const std::int64_t t_end = std::min(cut.tiles, t_begin + piece.tiles);
      for (std::int64_t part = 0; part < packed.parts; ++part) {
        const Part k = packed.part(part);
        for (std::int64_t t = t_begin; t < t_end; ++t)
          for (std::int64_t p = p_begin; p < p_end; ++p) {
            const Part rows(t, cut.tiles, cut.M);
            GemmTile<T> tile;
            packed.point(tile, t, p, k);
            tile.alpha = alpha;
            tile.beta = part == 0 ? beta : T{1};
            tile.c = &c.at(rows.begin, p * cut.panel);
            tile.c_row_stride = c.row_stride;
            tile.columns = cut.panel_columns(p);
            cut.simd.tile[cut.vectors(p) - 1](static_cast<int>(rows.size), tile);
          }
      }
    }
  });
}

// How many elements vectors along this many columns compute for each that is wanted.
template <typename T>
double computed_for_one(std::int64_t columns) {
  const int lanes = gemm_tiles<T>().lanes;
  return static_cast<double>(ceil_div(columns, lanes) * lanes) / static_cast<double>(columns);
}

// Whether vectors along the rows of c save more than it costs to transpose the result.
template <typename T>
bool rows_fill_vectors(std::int64_t depth, const Matrix<T>& c) {
  const double along_columns = computed_for_one<T>(c.columns);
  const double along_rows = computed_for_one<T>(c.rows);
  return along_columns > 1.2 * along_rows &&
         (along_columns - along_rows) * static_cast<double>(depth) > kTransposeCost;
}

// c = sums^T + beta c, where the columns of c are adjacent
template <typename T>
void add_transposed(Matrix<const T> sums, T beta, Matrix<T> c) {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr std::int64_t kRows = 64, kColumns = 16;  // a block of both stays in the L1 cache
  const auto transposed = [&](std::int64_t i, std::int64_t j, std::int64_t rows,
                              std::int64_t columns, T* to, std::int64_t to_step) {
    transpose(reinterpret_cast<const Word*>(&sums.at(j, i)), sums.row_stride, columns, rows,
              reinterpret_cast<Word*>(to), to_step);
  };
  parallel_for(ceil_div(c.rows, kRows), ceil_div(kPackedInPiece, kRows * c.columns),
               [&](std::int64_t begin, std::int64_t end) {
                 T block[kRows * kColumns];
                 for (std::int64_t row = begin * kRows; row < std::min(c.rows, end * kRows);
                      row += kRows)
                   for (std::int64_t column = 0; column < c.columns; column += kColumns) {
                     const std::int64_t rows = std::min(kRows, c.rows - row);
                     const std::int64_t columns = std::min(kColumns, c.columns - column);
                     if (beta == T{0}) {
                       transposed(row, column, rows, columns, &c.at(row, column), c.row_stride);
                       continue;
                     }
                     transposed(row, column, rows, columns, block, columns);
                     for (std::int64_t i = 0; i < rows; ++i) {
                       T* const to = &c.at(row + i, column);
                       const T* const from = block + i * columns;
                       for (std::int64_t j = 0; j < columns; ++j) to[j] = from[j] + beta * to[j];
                     }
                   }
               });
}

// c has unit column stride, and vectors lie along its columns.
template <typename T>
void multiply_along_columns(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const std::int64_t K = a.columns;
  const Cut<T> cut(c.rows, c.columns);
  const std::int64_t whole = std::max<std::int64_t>(kDepth, kPackedElements / (c.rows + c.columns));
  const std::int64_t times = std::max<std::int64_t>(1, ceil_div(K, whole));
  for (std::int64_t i = 0; i < times; ++i) {
    const Part k(i, times, K);
    Packed<T> packed(cut, a.block(0, k.begin, a.rows, k.size),
                     b.block(k.begin, 0, k.size, b.columns));
    packed.pack();
    multiply(packed, alpha, i == 0 ? beta : T{1}, c);
  }
}

}  // namespace

template <typename T>
void gemm_blocked(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.rows == 0 || c.columns == 0) return;
  if (c.column_stride != 1 && c.columns > 1) {  // c^T = b^T a^T
    gemm_blocked(alpha, b.transposed(), a.transposed(), beta, c.transposed());
  } else if (rows_fill_vectors(a.columns, c)) {
    const Array sums = scratch<T>(c.rows * c.columns);
    const Matrix<T> sums_of_c = row_major(sums.data<T>(), c.columns, c.rows);
    multiply_along_columns(alpha, b.transposed(), a.transposed(), T{0}, sums_of_c);
    add_transposed<T>(sums_of_c, beta, c);
  } else {
    multiply_along_columns(alpha, a, b, beta, c);
  }
}

template <typename T>
void gemv_blocked(T alpha, Matrix<const T> a, const T* x, std::int64_t x_stride, T beta, T* y) {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  const std::int64_t K = a.columns;
  const std::int64_t grain =
      std::max<std::int64_t>(16, kProductsInPiece / 16 / std::max<std::int64_t>(1, K));
  parallel_for(a.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* row = a.data + i * a.row_stride;
      T sum;
      if (a.column_stride == 1) {
        sum = simd.dot(row, x, x_stride, K);
      } else if (x_stride == 1) {
        sum = simd.dot(x, row, a.column_stride, K);
      } else {
        sum = 0;
        for (std::int64_t k = 0; k < K; ++k) sum += row[k * a.column_stride] * x[k * x_stride];
      }
      y[i] = alpha * sum + (beta == T{0} ? T{0} : beta * y[i]);
    }
  });
}

#define TAPEDECK_INSTANTIATE(T)                                                  \
  template void gemm_blocked(T, Matrix<const T>, Matrix<const T>, T, Matrix<T>); \
  template void gemv_blocked(T, Matrix<const T>, const T*, std::int64_t, T, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
