#include <tapedeck/ops/kernels/gemm_skinny.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/gemm_skinny_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/transpose.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kElementsInPiece = 1 << 16;  // of b, which is what takes the time
constexpr std::int64_t kColumnsInPiece = 128;       // at least: memory is read in runs of them
// Columns that are read as one run at memory speed, and the depth of a part where pieces have
// fewer.
constexpr std::int64_t kLongRun = 1024, kLeastDepth = 32;
constexpr std::int64_t kProductsInPiece = 1 << 18;
constexpr std::int64_t kMostParts = 16;
constexpr std::int64_t kDotsDepth = 1024;  // a few rows and columns of it stay in the L1 cache
// Of this depth and with rows of so many blocks, it is writing c that takes the time.
constexpr std::int64_t kShallow = 8, kLongRowBlocks = 1;
constexpr std::int64_t kLongRows = 4;           // at a time
constexpr std::int64_t kFarElements = 1 << 19;  // of c, that caches near by do not hold
constexpr std::int64_t kWrittenInPiece = 1 << 15;
constexpr std::int64_t kFewDots = 16;  // rows, or columns; beyond, packing pays
// The depth must be worth it to add up the lanes of each sum: so many times the few rows, for
// packing costs the less for each product the more there are, and so many vectors.
constexpr std::int64_t kDotsDepthForRow = 20;
constexpr std::int64_t kDotsVectors = 4;
constexpr std::int64_t kShortColumns = 64;  // make up for the last ones, which fill no vector
constexpr std::int64_t kRepaysCopy = 8;     // rows of the other operand that meet a copied one
constexpr std::int64_t kCopiedFast = 4;     // rows that are copied as fast as they are read

// Pieces of whole blocks of columns.
template <typename T>
void by_columns(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const SkinnyTiles<T>& simd = skinny_tiles<T>();
  const std::int64_t K = a.columns, block = simd.row_columns;
  const std::int64_t wanted =
      std::max(kColumnsInPiece, kElementsInPiece / std::max<std::int64_t>(1, K));
  const std::int64_t grain = std::max(block, round_up(wanted, block));
  parallel_for(c.columns, grain, [&](std::int64_t begin, std::int64_t end) {
    simd.rows(alpha, a, b.block(0, begin, K, end - begin), beta,
              c.block(0, begin, c.rows, end - begin));
  });
}

// c = alpha a b + beta c, where c has rows of vectors, by parts of the depth that are added in
// order.
template <typename T>
void by_depth(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c,
              std::int64_t parts) {
  const std::int64_t K = a.columns, M = c.rows, N = c.columns;
  const Scratch<T> sums(parts * M * N);
  T* const partial = sums.data();
  parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t k = i * K / parts, size = (i + 1) * K / parts - k;
      skinny_tiles<T>().rows(alpha, a.block(0, k, M, size), b.block(k, 0, size, N), T{0},
                             row_major(partial + i * M * N, M, N));
    }
  });
  parallel_for(M * N, kElementsInPiece / parts, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = 1; part < parts; ++part) {
      const T* const from = partial + part * M * N;
      for (std::int64_t i = begin; i < end; ++i) partial[i] += from[i];
    }
  });
  for (std::int64_t i = 0; i < M; ++i)
    for (std::int64_t j = 0; j < N; ++j) {
      T& to = c.at(i, j);
      to = partial[i * N + j] + (beta == T{0} ? T{0} : beta * to);
    }
}

// Where pieces of columns would read b in short runs, pieces are whole rows of it.
template <typename T>
void few_rows(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const std::int64_t K = a.columns;
  const std::int64_t parts =
      std::min({kMostParts, K * c.columns / kElementsInPiece, K / kLeastDepth});
  if (parts > 1 && kElementsInPiece / K < kLongRun)
    by_depth(alpha, a, b, beta, c, parts);
  else
    by_columns(alpha, a, b, beta, c);
}

// A few rows of c after another, written from end to end; one by one where they hardly share loads.
template <typename T>
void long_rows(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const SkinnyTiles<T>& simd = skinny_tiles<T>();
  const bool streams = a.columns <= 2 && c.rows * c.columns >= kFarElements;
  const std::int64_t rows = streams ? 1 : kLongRows;
  parallel_for(ceil_div(c.rows, rows), ceil_div(kWrittenInPiece, rows * c.columns),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin * rows; i < std::min(c.rows, end * rows); i += rows) {
                   const std::int64_t n = std::min(rows, c.rows - i);
                   simd.rows(alpha, a.block(i, 0, n, a.columns), b, beta,
                             c.block(i, 0, n, c.columns));
                 }
               });
}

// c has at least as many columns as rows.
template <typename T>
void dots(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  constexpr std::int64_t kColumns = 12;  // of whole tiles, with every instruction set
  constexpr std::int64_t kAligned = 16;  // parts begin where lines do if rows do
  const std::int64_t K = a.columns;
  const std::int64_t wanted = ceil_div(kProductsInPiece, c.rows * std::max<std::int64_t>(1, K));
  parallel_for(c.columns, round_up(wanted, kColumns), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t parts = ceil_div(K, kDotsDepth),
                       depth = round_up(ceil_div(K, parts), kAligned);
    for (std::int64_t k = 0; k < K; k += depth) {
      const std::int64_t size = std::min(depth, K - k);
      skinny_tiles<T>().dots(alpha, a.block(0, k, c.rows, size),
                             b.block(k, begin, size, end - begin), k == 0 ? beta : T{1},
                             c.block(0, begin, c.rows, end - begin));
    }
  });
}

template <typename T>
void short_dots(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  parallel_for(c.columns, ceil_div(kProductsInPiece, c.rows * a.columns),
               [&](std::int64_t begin, std::int64_t end) {
                 skinny_tiles<T>().short_dots(alpha, a, b.block(0, begin, b.rows, end - begin),
                                              beta, c.block(0, begin, c.rows, end - begin));
               });
}

template <typename T>
bool has_adjacent_columns(const Matrix<T>& c) {
  return c.column_stride == c.rows && (c.row_stride == 1 || c.rows == 1);
}

// The same matrix with contiguous rows, in a copy if it has none.
template <typename T>
Matrix<const T> by_rows(Matrix<const T> a, Scratch<T>& copy) {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  if (a.column_stride == 1) return a;
  copy = Scratch<T>(a.rows * a.columns);
  transpose(reinterpret_cast<const Word*>(a.data), a.column_stride, a.columns, a.rows,
            reinterpret_cast<Word*>(copy.data()), a.columns);
  return row_major<const T>(copy.data(), a.rows, a.columns);
}

// The same by dots if those are few enough; operands whose elements are not contiguous along the
// depth are copied where that pays. c has at least as many columns as rows.
template <typename T>
bool by_dots(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const SkinnyTiles<T>& simd = skinny_tiles<T>();
  const std::int64_t M = a.rows, K = a.columns, N = c.columns;
  const bool copies_a = a.column_stride != 1, copies_b = b.row_stride != 1;
  if (M > kFewDots || (copies_a && a.row_stride != 1) || (copies_b && b.column_stride != 1))
    return false;
  if ((copies_b && N > kCopiedFast) || (copies_a && M > kCopiedFast && N < kRepaysCopy))
    return false;
  const bool is_short = K <= simd.short_depth && M <= simd.short_rows && N >= kShortColumns &&
                        has_adjacent_columns(c);
  // With one row, each element of b has one product: packing it costs more than any sum of lanes.
  if (M > 1 && !is_short && (K < kDotsDepthForRow * M || K < kDotsVectors * simd.lanes))
    return false;
  Scratch<T> a_copy, b_copy;
  a = by_rows(a, a_copy);
  b = by_rows(b.transposed(), b_copy).transposed();
  is_short ? short_dots(alpha, a, b, beta, c) : dots(alpha, a, b, beta, c);
  return true;
}

}  // namespace

template <typename T>
bool gemm_skinny(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.rows == 0 || c.columns == 0) return true;
  const SkinnyTiles<T>& simd = skinny_tiles<T>();
  const auto fits_rows = [&](const Matrix<const T>& wide, const Matrix<T>& out) {
    return wide.column_stride == 1 &&
           ((out.rows <= simd.max_rows && out.column_stride == 1) ||
            (out.rows <= simd.max_adjacent && has_adjacent_columns(out))) &&
           (out.rows == 1 || out.columns >= simd.lanes);
  };
  if (fits_rows(b, c)) {
    few_rows(alpha, a, b, beta, c);
    return true;
  }
  if (fits_rows(a.transposed(), c.transposed())) {
    few_rows(alpha, b.transposed(), a.transposed(), beta, c.transposed());
    return true;
  }
  if (b.column_stride == 1 && c.column_stride == 1 && a.columns <= kShallow &&
      c.columns >= kLongRowBlocks * simd.row_columns) {
    long_rows(alpha, a, b, beta, c);
    return true;
  }
  return c.columns >= c.rows ? by_dots(alpha, a, b, beta, c)
                             : by_dots(alpha, b.transposed(), a.transposed(), beta, c.transposed());
}

template bool gemm_skinny(float, Matrix<const float>, Matrix<const float>, float, Matrix<float>);
template bool gemm_skinny(double, Matrix<const double>, Matrix<const double>, double,
                          Matrix<double>);

}  // namespace tapedeck::kernels
