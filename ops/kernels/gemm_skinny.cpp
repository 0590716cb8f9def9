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

constexpr std::int64_t kColumnsInPiece = 128;  // at least: memory is read in runs of them
constexpr std::int64_t kProductsInPiece = 1 << 18;
constexpr std::int64_t kDotsDepth = 1024;       // a few rows and columns of it stay in the L1 cache
constexpr std::int64_t kLongRows = 4;           // at a time
constexpr std::int64_t kFarElements = 1 << 19;  // of c, that caches near by do not hold
constexpr std::int64_t kWrittenInPiece = 1 << 15;

// Pieces of whole blocks of columns.
template <typename T>
void by_columns(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const SkinnyTiles<T>& simd = skinny_tiles<T>();
  const std::int64_t K = a.columns, block = simd.row_columns;
  const std::int64_t wanted =
      std::max(kColumnsInPiece, kSkinnyPiece / std::max<std::int64_t>(1, K));
  const std::int64_t grain = std::max(block, round_up(wanted, block));
  parallel_for(c.columns, grain, [&](std::int64_t begin, std::int64_t end) {
    simd.rows(alpha, a, b.block(0, begin, K, end - begin), beta,
              c.block(0, begin, c.rows, end - begin));
  });
}

// The same by parts of the depth that are added in order.
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
  parallel_for(M * N, kSkinnyPiece / parts, [&](std::int64_t begin, std::int64_t end) {
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
  const std::int64_t most = ceil_div(kProductsInPiece, c.rows * std::max<std::int64_t>(1, K));
  const std::int64_t even = ceil_div(c.columns, ceil_div(c.columns, most));  // threads end together
  parallel_for(c.columns, round_up(even, kColumns), [&](std::int64_t begin, std::int64_t end) {
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

// The same matrix with contiguous rows, in a copy if it has none.
template <typename T>
Matrix<const T> by_rows(Matrix<const T> a, Scratch<T>& copy) {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  if (a.column_stride == 1) return a;
  copy = Scratch<T>(a.rows * a.columns);
  if (a.row_stride != 1 && a.rows > 1) {
    for (std::int64_t i = 0; i < a.rows; ++i)
      for (std::int64_t k = 0; k < a.columns; ++k) copy.data()[i * a.columns + k] = a.at(i, k);
    return row_major<const T>(copy.data(), a.rows, a.columns);
  }
  transpose(reinterpret_cast<const Word*>(a.data), a.column_stride, a.columns, a.rows,
            reinterpret_cast<Word*>(copy.data()), a.columns);
  return row_major<const T>(copy.data(), a.rows, a.columns);
}

}  // namespace

template <typename T>
void gemm_skinny(const GemmPlan& plan, T alpha, Matrix<const T> a, Matrix<const T> b, T beta,
                 Matrix<T> c) {
  if (plan.transposed) {
    gemm_skinny({plan.algorithm, false, plan.parts}, alpha, b.transposed(), a.transposed(), beta,
                c.transposed());
  } else if (plan.algorithm == GemmAlgorithm::kRows) {
    plan.parts > 1 ? by_depth(alpha, a, b, beta, c, plan.parts) : by_columns(alpha, a, b, beta, c);
  } else if (plan.algorithm == GemmAlgorithm::kLongRows) {
    long_rows(alpha, a, b, beta, c);
  } else {
    Scratch<T> a_copy, b_copy;
    a = by_rows(a, a_copy);
    b = by_rows(b.transposed(), b_copy).transposed();
    plan.algorithm == GemmAlgorithm::kShortDots ? short_dots(alpha, a, b, beta, c)
                                                : dots(alpha, a, b, beta, c);
  }
}

template void gemm_skinny(const GemmPlan&, float, Matrix<const float>, Matrix<const float>, float,
                          Matrix<float>);
template void gemm_skinny(const GemmPlan&, double, Matrix<const double>, Matrix<const double>,
                          double, Matrix<double>);

}  // namespace tapedeck::kernels
