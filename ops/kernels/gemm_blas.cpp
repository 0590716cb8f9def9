#include <tapedeck/ops/kernels/gemm_blas.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include <cblas.h>

#include <tapedeck/array/error.h>
#include <tapedeck/ops/kernels/blas.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kLargestBlasSize = std::numeric_limits<blasint>::max();

// BLAS's view of a matrix: row-major, or the transpose of that.
template <typename T>
struct BlasOperand {
  const T* data;
  CBLAS_TRANSPOSE transpose;
  blasint leading;
};

// Rows without overlap in ascending order, with a leading dimension of 32 bits.
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

}  // namespace

template <typename T>
void gemm_blas(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  if (!is_row_major(c)) {  // c^T = b^T a^T
    gemm_blas(alpha, b.transposed(), a.transposed(), beta, c.transposed());
    return;
  }
  TAPEDECK_CHECK(std::max({c.rows, c.columns, a.columns}) <= kLargestBlasSize,
                 "a matrix product of ", c.rows, " x ", a.columns, " x ", c.columns,
                 " does not fit BLAS's 32 bits");
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

template void gemm_blas(float, Matrix<const float>, Matrix<const float>, float, Matrix<float>);
template void gemm_blas(double, Matrix<const double>, Matrix<const double>, double, Matrix<double>);

}  // namespace tapedeck::kernels
