#include <tapedeck/ops/kernels/gemm_narrow.h>

#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kProductsInPiece = 1 << 18;

std::int64_t grain_of(std::int64_t products) {
  return std::max<std::int64_t>(1, kProductsInPiece / std::max<std::int64_t>(1, products));
}

}  // namespace

template <typename T>
void gemm_narrow(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c,
                 const ProductBatch& batch) {
  const GemmTiles<T>& simd = gemm_tiles<T>();
  const std::int64_t K = a.columns, M = c.rows, N = c.columns;
  const GemmTile<T> tile{a.data, a.row_stride, a.column_stride, b.data, b.row_stride, K, alpha,
                         beta,   c.data,       c.row_stride,    N};
  const NarrowProducts<T> all{
      tile, M, batch.count, batch.a_step, batch.b_step, batch.c_step, N > 1 ? b.column_stride : 1};
  // Stored in order, rows without gaps repair what one before them spoils.
  const bool gapless =
      beta == T{0} && c.row_stride == N && (batch.count == 1 || batch.c_step == M * N);
  if (batch.count == 1) {
    parallel_for(M, grain_of(K * N), [&](std::int64_t begin, std::int64_t end) {
      NarrowProducts<T> rows = all;
      rows.first.a += begin * a.row_stride;
      rows.first.c += begin * c.row_stride;
      rows.rows = end - begin;
      if (gapless) rows.first.c_end = rows.first.c + (end - begin) * N;
      simd.narrow(rows);
    });
  } else {
    parallel_for(batch.count, grain_of(M * K * N), [&](std::int64_t begin, std::int64_t end) {
      NarrowProducts<T> some = all;
      some.first.a += begin * batch.a_step;
      some.first.b += begin * batch.b_step;
      some.first.c += begin * batch.c_step;
      some.count = end - begin;
      if (gapless) some.first.c_end = some.first.c + (end - begin) * M * N;
      simd.narrow(some);
    });
  }
}

template void gemm_narrow(float, Matrix<const float>, Matrix<const float>, float, Matrix<float>,
                          const ProductBatch&);
template void gemm_narrow(double, Matrix<const double>, Matrix<const double>, double,
                          Matrix<double>, const ProductBatch&);

}  // namespace tapedeck::kernels
