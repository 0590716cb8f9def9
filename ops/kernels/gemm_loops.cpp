#include <tapedeck/ops/kernels/gemm_loops.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kCopiedElements = 512;   // of an operand, on the stack
constexpr std::int64_t kTinyInPiece = 1 << 15;  // matrices of a batch
constexpr std::int64_t kDotChunk = 1 << 14;
constexpr std::int64_t kDotLanes = 16;

template <typename T>
constexpr bool kHasTiles = std::is_same_v<T, float> || std::is_same_v<T, double>;

// One row of c by kColumns columns, whose sums stay in registers.
template <int kColumns, typename T>
void row_loop(T alpha, const T* a, std::int64_t a_step, Matrix<const T> b, T beta, T* c,
              std::int64_t c_step) {
  T sum[kColumns] = {};
  for (std::int64_t k = 0; k < b.rows; ++k)
    for (int j = 0; j < kColumns; ++j)
      sum[j] =
          static_cast<T>(sum[j] + a[k * a_step] * b.data[k * b.row_stride + j * b.column_stride]);
  for (int j = 0; j < kColumns; ++j)
    c[j * c_step] = static_cast<T>(alpha * sum[j] + (beta == T{0} ? T{0} : beta * c[j * c_step]));
}

template <typename T>
T dot_loop(const T* x, std::int64_t x_stride, const T* y, std::int64_t y_stride, std::int64_t n) {
  if constexpr (kHasTiles<T>) {
    if (x_stride == 1) return gemm_tiles<T>().dot(x, y, y_stride, n);
    if (y_stride == 1) return gemm_tiles<T>().dot(y, x, x_stride, n);
  }
  T lane[kDotLanes] = {};
  std::int64_t i = 0;
  for (; i + kDotLanes <= n; i += kDotLanes)
    for (std::int64_t l = 0; l < kDotLanes; ++l)
      lane[l] = static_cast<T>(lane[l] + x[(i + l) * x_stride] * y[(i + l) * y_stride]);
  T sum{0};
  for (; i < n; ++i) sum = static_cast<T>(sum + x[i * x_stride] * y[i * y_stride]);
  for (const T value : lane) sum = static_cast<T>(sum + value);
  return sum;
}

}  // namespace

template <typename T>
void gemm_loops(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  constexpr int kColumns = kHasTiles<T> ? 4 : 16;  // the others come in any size, by whole lines
  T copy[kCopiedElements];
  if (b.column_stride != 1 && c.rows > 1 && b.rows * b.columns <= kCopiedElements) {
    for (std::int64_t k = 0; k < b.rows; ++k)
      for (std::int64_t j = 0; j < b.columns; ++j) copy[k * b.columns + j] = b.at(k, j);
    b = row_major<const T>(copy, b.rows, b.columns);
  }
  for (std::int64_t i = 0; i < c.rows; ++i) {
    const T* const row = &a.at(i, 0);
    std::int64_t j = 0;
    for (; j + kColumns <= c.columns; j += kColumns) {
      const Matrix<const T> some = b.block(0, j, b.rows, kColumns);
      if (b.column_stride == 1 && c.column_stride == 1)  // as a constant, it makes them vectors
        row_loop<kColumns>(alpha, row, a.column_stride,
                           row_major(some.data, b.rows, kColumns, b.row_stride), beta, &c.at(i, j),
                           1);
      else
        row_loop<kColumns>(alpha, row, a.column_stride, some, beta, &c.at(i, j), c.column_stride);
    }
    for (; j < c.columns; ++j)
      row_loop<1>(alpha, row, a.column_stride, b.block(0, j, b.rows, 1), beta, &c.at(i, j), 1);
  }
}

template <typename T>
void tiny_products(Matrix<const T> a, Matrix<const T> b, T* c, const ProductBatch& batch) {
  const std::int64_t M = a.rows, K = a.columns, N = b.columns;
  const std::int64_t a_step = batch.a_step, b_step = batch.b_step;
  parallel_for(batch.count, kTinyInPiece, [=](std::int64_t begin, std::int64_t end) {
    T* to = c + begin * M * N;
    for (std::int64_t i = begin; i < end; ++i) {
      const T *left = a.data + i * a_step, *right = b.data + i * b_step;
      for (std::int64_t row = 0; row < M; ++row)
        for (std::int64_t column = 0; column < N; ++column) {
          T sum{0};
          for (std::int64_t k = 0; k < K; ++k)
            sum = static_cast<T>(sum + left[row * a.row_stride + k * a.column_stride] *
                                           right[k * b.row_stride + column * b.column_stride]);
          *to++ = sum;
        }
    }
  });
}

template <typename T>
void dots_of_rows(Matrix<const T> x, Matrix<const T> y, T* dots) {
  const std::int64_t n = x.columns;
  if (n == 0) {
    std::fill_n(dots, x.rows, T{0});
    return;
  }
  parallel_for(x.rows, ceil_div(kDotChunk, n), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T *a = &x.at(i, 0), *b = &y.at(i, 0);
      if (n > kDotLanes) {
        dots[i] = dot_loop(a, x.column_stride, b, y.column_stride, n);
      } else {  // a call would take longer than they do
        T sum{0};
        for (std::int64_t k = 0; k < n; ++k)
          sum = static_cast<T>(sum + a[k * x.column_stride] * b[k * y.column_stride]);
        dots[i] = sum;
      }
    }
  });
}

template <typename T>
T dot_product(const T* x, std::int64_t x_stride, const T* y, std::int64_t y_stride,
              std::int64_t n) {
  std::vector<T> partial(static_cast<std::size_t>(ceil_div(n, kDotChunk)));
  parallel_for(n, kDotChunk, [&](std::int64_t begin, std::int64_t end) {
    partial[begin / kDotChunk] =
        dot_loop(x + begin * x_stride, x_stride, y + begin * y_stride, y_stride, end - begin);
  });
  T sum{0};
  for (const T value : partial) sum = static_cast<T>(sum + value);
  return sum;
}

#define TAPEDECK_INSTANTIATE(T)                                                           \
  template void gemm_loops(T, Matrix<const T>, Matrix<const T>, T, Matrix<T>);            \
  template void tiny_products(Matrix<const T>, Matrix<const T>, T*, const ProductBatch&); \
  template void dots_of_rows(Matrix<const T>, Matrix<const T>, T*);                       \
  template T dot_product(const T*, std::int64_t, const T*, std::int64_t, std::int64_t);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
TAPEDECK_INSTANTIATE(std::int64_t)
TAPEDECK_INSTANTIATE(std::int32_t)
TAPEDECK_INSTANTIATE(std::uint8_t)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
