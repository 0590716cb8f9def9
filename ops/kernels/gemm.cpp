#include <tapedeck/ops/kernels/gemm.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/gemm_blas.h>
#include <tapedeck/ops/kernels/gemm_blocked.h>
#include <tapedeck/ops/kernels/gemm_narrow.h>
#include <tapedeck/ops/kernels/gemm_skinny.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kTinyProduct = 512;   // below, packing costs more than the product
constexpr std::int64_t kTiniestProduct = 8;  // up to here, a call costs more
constexpr std::int64_t kFewRows = 3;         // go through their operand as a vector each
constexpr std::int64_t kDotDepth = 32;       // of the rows' products with it at least
constexpr std::int64_t kParallelProduct = 1 << 18;
constexpr std::int64_t kSplitAlign = 64;
constexpr std::int64_t kDotChunk = 1 << 14;
constexpr std::int64_t kDotLanes = 16;

// How many rows go through this operand as a vector each. Where its rows are vectors, one tile
// takes them all at once.
template <typename T>
std::int64_t few_rows(Matrix<const T> b) {
  if (b.rows < kDotDepth) return 0;
  return b.column_stride == 1 ? 1 : kFewRows;
}

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

// c = alpha a b + beta c
template <typename T>
void gemm_loops(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  constexpr int kColumns = kHasTiles<T> ? 4 : 16;  // the others come in any size, by whole lines
  T copy[kTinyProduct];
  if (b.column_stride != 1 && c.rows > 1 && b.rows * b.columns <= kTinyProduct) {
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

// Rows or columns in one piece of a product: it has at least kParallelProduct / 2 multiplications
// and is wide enough that packing the shared operand again for each piece does not count.
std::int64_t piece_of(std::int64_t extent, std::int64_t other, std::int64_t depth) {
  const std::int64_t products = std::max<std::int64_t>(1, other * depth);
  const std::int64_t least = std::max<std::int64_t>(kParallelProduct / 2 / products, 1);
  const std::int64_t even = (extent + 15) / 16;
  const std::int64_t piece = std::max({least, even, kSplitAlign});
  return round_up(piece, kSplitAlign);
}

// The columns or the rows of c in pieces, each with `multiply`.
template <typename T, typename Multiply>
void in_pieces(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c,
               Multiply multiply) {
  const std::int64_t K = a.columns;
  if (c.rows * c.columns * K < kParallelProduct) {
    multiply(alpha, a, b, beta, c);
  } else if (c.columns >= c.rows) {
    parallel_for(c.columns, piece_of(c.columns, c.rows, K),
                 [&](std::int64_t begin, std::int64_t end) {
                   multiply(alpha, a, b.block(0, begin, K, end - begin), beta,
                            c.block(0, begin, c.rows, end - begin));
                 });
  } else {
    parallel_for(c.rows, piece_of(c.rows, c.columns, K), [&](std::int64_t begin, std::int64_t end) {
      multiply(alpha, a.block(begin, 0, end - begin, K), b, beta,
               c.block(begin, 0, end - begin, c.columns));
    });
  }
}

// c's rows one by one, each as b^T times a row of a.
template <typename T>
void by_rows(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  for (std::int64_t i = 0; i < c.rows; ++i)
    gemv_blocked(alpha, b.transposed(), &a.at(i, 0), a.column_stride, beta, &c.at(i, 0));
}

// c = alpha a b + beta c by everything but blocks of packed panels: BLAS where the CPU has no
// vectors that are worth it. Returns false, with nothing done, where those are best.
template <typename T>
bool gemm_unblocked(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.rows * c.columns * a.columns <= kTinyProduct) {
    if (!gemm_narrow(alpha, a, b, beta, c)) gemm_loops(alpha, a, b, beta, c);
  } else if (!gemm_tiles<T>().fast) {
    in_pieces(alpha, a, b, beta, c, gemm_blas<T>);
  } else if (gemm_skinny(alpha, a, b, beta, c) || gemm_narrow(alpha, a, b, beta, c)) {
    return true;
  } else if (c.rows <= few_rows(b) && c.column_stride == 1) {
    by_rows(alpha, a, b, beta, c);
  } else if (c.columns <= few_rows(a.transposed()) && c.row_stride == 1) {
    by_rows(alpha, b.transposed(), a.transposed(), beta, c.transposed());
  } else {
    return false;
  }
  return true;
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

// Of each row of x with that of y.
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
Matrix<const T> matrix_of(const Array& a) {
  return {a.data<T>(), a.sizes()[0], a.sizes()[1], a.strides()[0], a.strides()[1]};
}

// Number i of a batch of matrices.
template <typename T>
Matrix<const T> matrix_of(const Array& batch, std::int64_t i) {
  return {batch.data<T>() + i * batch.stride(0), batch.size(1), batch.size(2), batch.stride(1),
          batch.stride(2)};
}

// c = a b for each of a batch, so many elements after the operands of the one before.
template <typename T>
void products_one_by_one(Matrix<const T> a, std::int64_t a_step, Matrix<const T> b,
                         std::int64_t b_step, std::int64_t batch, T* c) {
  const std::int64_t M = a.rows, K = a.columns, N = b.columns;
  parallel_for(
      batch, kParallelProduct / kTiniestProduct, [=](std::int64_t begin, std::int64_t end) {
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

// `row` in every row of `out`: copies of what is there already, for rows may be short.
void fill_rows(const Array& row, Array& out) {
  if (out.numel() == 0) return;
  constexpr std::size_t kMost = 1 << 14;  // stays in the L1 cache
  auto* const to = static_cast<char*>(out.raw());
  const auto row_bytes = static_cast<std::size_t>(row.nbytes());
  const auto all = static_cast<std::size_t>(out.nbytes());
  const std::size_t block = std::max(row_bytes, kMost / row_bytes * row_bytes);
  std::memcpy(to, row.raw(), row_bytes);
  for (std::size_t done = row_bytes, n; done < all; done += n) {
    n = std::min({done, block, all - done});
    std::memcpy(to + done, to, n);
  }
}

void check_operand(const Array& a, int dims, const char* which, const char* op) {
  TAPEDECK_CHECK(a.dim() == dims, op, ": expected ", which, " to be ", dims, "-D, got ",
                 a.sizes().ref());
}

void check_pair(const Array& a, const Array& b, const char* op) {
  TAPEDECK_CHECK_AS(TypeError, a.dtype() == b.dtype(), op,
                    ": expected both operands to have the same dtype, got ", a.dtype(), " and ",
                    b.dtype());
}

void check_product(const Array& a, const Array& b, const char* op) {
  check_operand(a, 2, "the first operand", op);
  check_operand(b, 2, "the second operand", op);
  check_pair(a, b, op);
  TAPEDECK_CHECK(a.size(1) == b.size(0), op, ": the shapes ", a.sizes().ref(), " and ",
                 b.sizes().ref(), " cannot be multiplied: ", a.size(1), " columns against ",
                 b.size(0), " rows");
}

}  // namespace

template <typename T>
void gemm_parallel(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.rows == 0 || c.columns == 0) return;
  if constexpr (!kHasTiles<T>) {
    in_pieces(alpha, a, b, beta, c, gemm_loops<T>);
  } else if (!gemm_unblocked(alpha, a, b, beta, c)) {
    gemm_blocked(alpha, a, b, beta, c);
  }
}

template <typename T>
void gemm_add_to_rows(Matrix<const T> a, Matrix<const T> b, const T* row_addends, Matrix<T> c) {
  if (c.rows == 0 || c.columns == 0) return;
  if (gemm_unblocked<T>(1, a, b, 0, c))
    add_to_rows(row_addends, c);
  else
    gemm_blocked_add_to_rows(a, b, row_addends, c);
}

template <typename T>
void gemm_serial(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  const SerialGuard serial;
  gemm_parallel(alpha, a, b, beta, c);
}

template void gemm_serial(float, Matrix<const float>, Matrix<const float>, float, Matrix<float>);
template void gemm_serial(double, Matrix<const double>, Matrix<const double>, double,
                          Matrix<double>);
template void gemm_add_to_rows(Matrix<const float>, Matrix<const float>, const float*,
                               Matrix<float>);
template void gemm_add_to_rows(Matrix<const double>, Matrix<const double>, const double*,
                               Matrix<double>);
template void gemm_parallel(float, Matrix<const float>, Matrix<const float>, float, Matrix<float>);
template void gemm_parallel(double, Matrix<const double>, Matrix<const double>, double,
                            Matrix<double>);

Array gemm(const Array& a, const Array& b, const char* op) {
  check_product(a, b, op);
  Array out = Array::empty({a.size(0), b.size(1)}, a.dtype());
  dispatch_numeric(a.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    gemm_parallel<T>(T{1}, matrix_of<T>(a), matrix_of<T>(b), T{0},
                     row_major(out.data<T>(), out.size(0), out.size(1)));
  });
  return out;
}

Array addmm(const Array& input, const Array& a, const Array& b, Scalar beta, Scalar alpha,
            const char* op) {
  check_product(a, b, op);
  Array out = Array::empty({a.size(0), b.size(1)}, a.dtype());
  if (beta.toDouble() != 0) {
    check_pair(input, a, op);
    if (input.dim() == 1 && input.is_contiguous() && input.numel() == out.size(1))
      fill_rows(input, out);
    else
      copy(input.expand(out.sizes()), out);
  }
  dispatch_numeric(a.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    gemm_parallel<T>(alpha.to<T>(), matrix_of<T>(a), matrix_of<T>(b), beta.to<T>(),
                     row_major(out.data<T>(), out.size(0), out.size(1)));
  });
  return out;
}

Array batched_gemm(const Array& a, const Array& b, const char* op) {
  check_operand(a, 3, "the first operand", op);
  check_operand(b, 3, "the second operand", op);
  check_pair(a, b, op);
  TAPEDECK_CHECK(a.size(0) == b.size(0) && a.size(2) == b.size(1), op, ": the batches ",
                 a.sizes().ref(), " and ", b.sizes().ref(), " cannot be multiplied");
  const std::int64_t batch = a.size(0), M = a.size(1), K = a.size(2), N = b.size(2);
  Array out = Array::empty({batch, M, N}, a.dtype());
  dispatch_numeric(a.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto product = [&](std::int64_t i, auto&& multiply) {
      return multiply(T{1}, matrix_of<T>(a, i), matrix_of<T>(b, i), T{0},
                      row_major(out.data<T>() + i * M * N, M, N));
    };
    const bool tiny = M * N * K <= kTinyProduct;
    if (batch < 8 && M * N * K >= kParallelProduct) {
      for (std::int64_t i = 0; i < batch; ++i) product(i, gemm_parallel<T>);
      return;
    }
    if (M == 1 && N == 1) {
      dots_of_rows(matrix_of<T>(a.select(1, 0)), matrix_of<T>(b.select(2, 0)), out.data<T>());
      return;
    }
    if (M * N * K <= kTiniestProduct) {
      products_one_by_one(matrix_of<T>(a, 0), a.stride(0), matrix_of<T>(b, 0), b.stride(0), batch,
                          out.data<T>());
      return;
    }
    if constexpr (kHasTiles<T>) {
      const auto narrow = [&](auto... operands) {
        return gemm_narrow(operands..., {batch, a.stride(0), b.stride(0), M * N});
      };
      if (batch > 0 && product(0, narrow)) return;
    }
    const std::int64_t grain =
        std::max<std::int64_t>(1, kParallelProduct / 2 / std::max<std::int64_t>(1, M * N * K));
    parallel_for(batch, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        tiny ? product(i, gemm_loops<T>) : product(i, gemm_serial<T>);
    });
  });
  return out;
}

Array gemv(const Array& a, const Array& x, const char* op) {
  check_operand(a, 2, "the first operand", op);
  check_operand(x, 1, "the second operand", op);
  check_pair(a, x, op);
  TAPEDECK_CHECK(a.size(1) == x.size(0), op, ": the shapes ", a.sizes().ref(), " and ",
                 x.sizes().ref(), " cannot be multiplied: ", a.size(1), " columns against ",
                 x.size(0), " elements");
  Array out = Array::empty({a.size(0)}, a.dtype());
  dispatch_numeric(a.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    // as a column: [M, K] x [K, 1]
    const Matrix<const T> column{x.data<T>(), x.size(0), 1, x.size(0) > 1 ? x.stride(0) : 1, 1};
    gemm_parallel<T>(T{1}, matrix_of<T>(a), column, T{0}, row_major(out.data<T>(), out.size(0), 1));
  });
  return out;
}

Array dot(const Array& x, const Array& y, const char* op) {
  TAPEDECK_CHECK(x.dim() == 1 && y.dim() == 1, op, ": expected 1-D operands, got ", x.sizes().ref(),
                 " and ", y.sizes().ref());
  check_pair(x, y, op);
  TAPEDECK_CHECK(x.numel() == y.numel(), op, ": expected operands of one length, got ",
                 x.sizes().ref(), " and ", y.sizes().ref());
  Array out = Array::empty({}, x.dtype());
  const std::int64_t n = x.numel();
  dispatch_numeric(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<T> partial(static_cast<std::size_t>(ceil_div(n, kDotChunk)));
    parallel_for(n, kDotChunk, [&](std::int64_t begin, std::int64_t end) {
      partial[begin / kDotChunk] =
          dot_loop<T>(x.data<T>() + begin * x.stride(0), x.stride(0),
                      y.data<T>() + begin * y.stride(0), y.stride(0), end - begin);
    });
    T sum{0};
    for (const T value : partial) sum = static_cast<T>(sum + value);
    *out.data<T>() = sum;
  });
  return out;
}

}  // namespace tapedeck::kernels
