#include <tapedeck/ops/kernels/gemm.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include <cblas.h>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/blas.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::kernels {

namespace {

// Below these, calling BLAS or waking threads costs more than the product.
constexpr std::int64_t kTinyProduct = 512;
constexpr std::int64_t kParallelProduct = 1 << 18;
constexpr std::int64_t kSplitAlign = 64;
constexpr std::int64_t kDotChunk = 1 << 14;
constexpr std::int64_t kDotLanes = 16;
constexpr std::int64_t kLargestBlasSize = std::numeric_limits<blasint>::max();

template <typename T>
constexpr bool kHasBlas = std::is_same_v<T, float> || std::is_same_v<T, double>;

// BLAS's view of a matrix: row-major, or the transpose of that.
template <typename T>
struct BlasOperand {
  const T* data;
  CBLAS_TRANSPOSE transpose;
  blasint leading;
};

template <typename T>
bool is_row_major(const Matrix<T>& m) {
  return (m.column_stride == 1 || m.columns <= 1) &&
         ((m.row_stride >= m.columns && m.row_stride <= kLargestBlasSize) || m.rows <= 1);
}

template <typename T>
blasint leading_dimension(const Matrix<T>& m) {
  return static_cast<blasint>(m.rows <= 1 ? std::max<std::int64_t>(1, m.columns) : m.row_stride);
}

// Neither axis has unit stride (or rows overlap): packs into `buffer`.
template <typename T>
BlasOperand<T> blas_operand(const Matrix<const T>& m, std::vector<T>& buffer) {
  if (is_row_major(m)) return {m.data, CblasNoTrans, leading_dimension(m)};
  if (is_row_major(m.transposed())) return {m.data, CblasTrans, leading_dimension(m.transposed())};
  buffer.resize(static_cast<std::size_t>(m.rows * m.columns));
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::int64_t j = 0; j < m.columns; ++j)
      buffer[i * m.columns + j] = m.data[i * m.row_stride + j * m.column_stride];
  return {buffer.data(), CblasNoTrans, static_cast<blasint>(std::max<std::int64_t>(1, m.columns))};
}

// c = alpha a b + beta c by rows of b: the inner loop runs along c.
template <typename T>
void gemm_loops(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  for (std::int64_t i = 0; i < c.rows; ++i) {
    T* c_row = c.data + i * c.row_stride;
    for (std::int64_t j = 0; j < c.columns; ++j) {
      T& element = c_row[j * c.column_stride];
      element = beta == T{0} ? T{0} : static_cast<T>(beta * element);
    }
    for (std::int64_t k = 0; k < a.columns; ++k) {
      const T factor = static_cast<T>(alpha * a.data[i * a.row_stride + k * a.column_stride]);
      const T* b_row = b.data + k * b.row_stride;
      for (std::int64_t j = 0; j < c.columns; ++j)
        c_row[j * c.column_stride] =
            static_cast<T>(c_row[j * c.column_stride] + factor * b_row[j * b.column_stride]);
    }
  }
}

template <typename T>
void gemm_blas(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  std::vector<T> a_buffer, b_buffer;
  const BlasOperand<T> x = blas_operand(a, a_buffer), y = blas_operand(b, b_buffer);
  const auto m = static_cast<blasint>(c.rows), n = static_cast<blasint>(c.columns);
  const auto k = static_cast<blasint>(a.columns);
  const SerialBlas serial;
  if constexpr (std::is_same_v<T, float>)
    cblas_sgemm(CblasRowMajor, x.transpose, y.transpose, m, n, k, alpha, x.data, x.leading, y.data,
                y.leading, beta, c.data, leading_dimension(c));
  else
    cblas_dgemm(CblasRowMajor, x.transpose, y.transpose, m, n, k, alpha, x.data, x.leading, y.data,
                y.leading, beta, c.data, leading_dimension(c));
}

// Rows or columns in one piece of a product: it has at least kParallelProduct / 2 multiplications
// and is wide enough that packing the shared operand again for each piece does not count.
std::int64_t split(std::int64_t extent, std::int64_t other, std::int64_t depth) {
  const std::int64_t products = std::max<std::int64_t>(1, other * depth);
  const std::int64_t least = std::max<std::int64_t>(kParallelProduct / 2 / products, 1);
  const std::int64_t even = (extent + 15) / 16;
  const std::int64_t piece = std::max({least, even, kSplitAlign});
  return (piece + kSplitAlign - 1) / kSplitAlign * kSplitAlign;
}

// y = a x, one piece of rows.
template <typename T>
void gemv_serial(Matrix<const T> a, const T* x, std::int64_t x_stride, T* y) {
  if constexpr (kHasBlas<T>) {
    if (a.rows * a.columns > kTinyProduct && x_stride > 0 &&
        (is_row_major(a) || is_row_major(a.transposed()))) {
      const SerialBlas serial;
      const bool plain = is_row_major(a);
      const Matrix<const T> m = plain ? a : a.transposed();
      const auto rows = static_cast<blasint>(m.rows), columns = static_cast<blasint>(m.columns);
      const auto trans = plain ? CblasNoTrans : CblasTrans;
      if constexpr (std::is_same_v<T, float>)
        cblas_sgemv(CblasRowMajor, trans, rows, columns, 1, m.data, leading_dimension(m), x,
                    static_cast<blasint>(x_stride), 0, y, 1);
      else
        cblas_dgemv(CblasRowMajor, trans, rows, columns, 1, m.data, leading_dimension(m), x,
                    static_cast<blasint>(x_stride), 0, y, 1);
      return;
    }
  }
  for (std::int64_t i = 0; i < a.rows; ++i) {
    T sum{0};
    for (std::int64_t k = 0; k < a.columns; ++k)
      sum = static_cast<T>(sum + a.data[i * a.row_stride + k * a.column_stride] * x[k * x_stride]);
    y[i] = sum;
  }
}

template <typename T>
T dot_serial(const T* x, std::int64_t x_stride, const T* y, std::int64_t y_stride, std::int64_t n) {
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

template <typename T>
Matrix<const T> matrix_of(const Array& a) {
  return {a.data<T>(), a.size(0), a.size(1), a.stride(0), a.stride(1)};
}

void check_operand(const Array& a, int dims, const char* which, const char* op) {
  TAPEDECK_CHECK(a.dim() == dims, op, ": expected ", which, " to be ", dims, "-D, got ",
                 a.sizes().ref());
  for (const std::int64_t size : a.sizes())
    TAPEDECK_CHECK(size <= kLargestBlasSize, op, ": ", which, " ", a.sizes().ref(),
                   " has a size that does not fit BLAS's 32 bits");
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
void gemm_serial(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.rows == 0 || c.columns == 0) return;
  if constexpr (kHasBlas<T>) {
    if (c.rows * c.columns * a.columns > kTinyProduct) {
      if (is_row_major(c))
        gemm_blas(alpha, a, b, beta, c);
      else  // c^T = b^T a^T
        gemm_blas(alpha, b.transposed(), a.transposed(), beta, c.transposed());
      return;
    }
  }
  gemm_loops(alpha, a, b, beta, c);
}

template <typename T>
void gemm_parallel(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (c.rows * c.columns * a.columns < kParallelProduct) {
    gemm_serial(alpha, a, b, beta, c);
  } else if (c.columns >= c.rows) {
    parallel_for(c.columns, split(c.columns, c.rows, a.columns),
                 [&](std::int64_t begin, std::int64_t end) {
                   gemm_serial(alpha, a, b.block(0, begin, b.rows, end - begin), beta,
                               c.block(0, begin, c.rows, end - begin));
                 });
  } else {
    parallel_for(c.rows, split(c.rows, c.columns, a.columns),
                 [&](std::int64_t begin, std::int64_t end) {
                   gemm_serial(alpha, a.block(begin, 0, end - begin, a.columns), b, beta,
                               c.block(begin, 0, end - begin, c.columns));
                 });
  }
}

template void gemm_serial(float, Matrix<const float>, Matrix<const float>, float, Matrix<float>);
template void gemm_serial(double, Matrix<const double>, Matrix<const double>, double,
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
      multiply(T{1}, Matrix<const T>{a.data<T>() + i * a.stride(0), M, K, a.stride(1), a.stride(2)},
               Matrix<const T>{b.data<T>() + i * b.stride(0), K, N, b.stride(1), b.stride(2)}, T{0},
               row_major(out.data<T>() + i * M * N, M, N));
    };
    if (batch < 8 && M * N * K >= kParallelProduct) {
      for (std::int64_t i = 0; i < batch; ++i) product(i, gemm_parallel<T>);
      return;
    }
    const std::int64_t grain =
        std::max<std::int64_t>(1, kParallelProduct / 2 / std::max<std::int64_t>(1, M * N * K));
    parallel_for(batch, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) product(i, gemm_serial<T>);
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
    const Matrix<const T> m = matrix_of<T>(a);
    const std::int64_t stride = x.size(0) > 1 ? x.stride(0) : 1;
    parallel_for(m.rows, split(m.rows, 1, m.columns), [&](std::int64_t begin, std::int64_t end) {
      gemv_serial<T>(m.block(begin, 0, end - begin, m.columns), x.data<T>(), stride,
                     out.data<T>() + begin);
    });
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
    std::vector<T> partial(static_cast<std::size_t>((n + kDotChunk - 1) / kDotChunk));
    parallel_for(n, kDotChunk, [&](std::int64_t begin, std::int64_t end) {
      partial[begin / kDotChunk] =
          dot_serial<T>(x.data<T>() + begin * x.stride(0), x.stride(0),
                        y.data<T>() + begin * y.stride(0), y.stride(0), end - begin);
    });
    T sum{0};
    for (const T value : partial) sum = static_cast<T>(sum + value);
    *out.data<T>() = sum;
  });
  return out;
}

}  // namespace tapedeck::kernels
