#include <tapedeck/ops/kernels/gemm.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/gemm_blas.h>
#include <tapedeck/ops/kernels/gemm_blocked.h>
#include <tapedeck/ops/kernels/gemm_loops.h>
#include <tapedeck/ops/kernels/gemm_narrow.h>
#include <tapedeck/ops/kernels/gemm_plan.h>
#include <tapedeck/ops/kernels/gemm_skinny.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kProductsInPiece = 1 << 17;  // multiplications
constexpr std::int64_t kSplitAlign = 64;

template <typename T>
constexpr bool kHasTiles = std::is_same_v<T, float> || std::is_same_v<T, double>;

// Rows or columns in one piece of a product: it has at least kProductsInPiece multiplications
// and is wide enough that packing the shared operand again for each piece does not count.
std::int64_t piece_of(std::int64_t extent, std::int64_t other, std::int64_t depth) {
  const std::int64_t products = std::max<std::int64_t>(1, other * depth);
  const std::int64_t least = std::max<std::int64_t>(kProductsInPiece / products, 1);
  const std::int64_t even = (extent + 15) / 16;
  const std::int64_t piece = std::max({least, even, kSplitAlign});
  return round_up(piece, kSplitAlign);
}

// The columns or the rows of c in pieces, each with `multiply`.
template <typename T, typename Multiply>
void in_pieces(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c,
               Multiply multiply) {
  const std::int64_t K = a.columns;
  if (c.rows * c.columns * K < 2 * kProductsInPiece) {
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

// c = alpha a b + beta c
template <typename T>
void run(const GemmPlan& plan, T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c) {
  switch (plan.algorithm) {
    case GemmAlgorithm::kLoops:
      gemm_loops(alpha, a, b, beta, c);
      break;
    case GemmAlgorithm::kBlas:
      in_pieces(alpha, a, b, beta, c, gemm_blas<T>);
      break;
    case GemmAlgorithm::kNarrow:
      gemm_narrow(alpha, a, b, beta, c);
      break;
    case GemmAlgorithm::kTiles:
      gemm_blocked(alpha, a, b, beta, c);
      break;
    default:
      gemm_skinny(plan, alpha, a, b, beta, c);
  }
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
  if constexpr (kHasTiles<T>)
    run(plan_gemm<T>(a, b, c), alpha, a, b, beta, c);
  else
    in_pieces(alpha, a, b, beta, c, gemm_loops<T>);
}

template <typename T>
void gemm_add_to_rows(Matrix<const T> a, Matrix<const T> b, const T* row_addends, Matrix<T> c) {
  if (c.rows == 0 || c.columns == 0) return;
  const GemmPlan plan = plan_gemm<T>(a, b, c);
  if (plan.algorithm == GemmAlgorithm::kTiles) {
    gemm_blocked_add_to_rows(a, b, row_addends, c);
  } else {
    run<T>(plan, 1, a, b, 0, c);
    add_to_rows(row_addends, c);
  }
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
    const auto product_of = [&](std::int64_t i) {
      return row_major(out.data<T>() + i * M * N, M, N);
    };
    const auto side_by_side = [&](auto&& multiply) {
      const std::int64_t products = std::max<std::int64_t>(1, M * N * K);
      parallel_for(batch, std::max<std::int64_t>(1, kProductsInPiece / products),
                   [&](std::int64_t begin, std::int64_t end) {
                     const SerialGuard serial;
                     for (std::int64_t i = begin; i < end; ++i)
                       multiply(matrix_of<T>(a, i), matrix_of<T>(b, i), product_of(i));
                   });
    };
    if (out.numel() == 0) return;
    switch (plan_batch(batch, M, K, N)) {
      case BatchAlgorithm::kInTurn:
        for (std::int64_t i = 0; i < batch; ++i)
          gemm_parallel<T>(1, matrix_of<T>(a, i), matrix_of<T>(b, i), 0, product_of(i));
        break;
      case BatchAlgorithm::kDots:
        dots_of_rows(matrix_of<T>(a.select(1, 0)), matrix_of<T>(b.select(2, 0)), out.data<T>());
        break;
      case BatchAlgorithm::kOneByOne:
        tiny_products(matrix_of<T>(a, 0), matrix_of<T>(b, 0), out.data<T>(),
                      {batch, a.stride(0), b.stride(0), M * N});
        break;
      case BatchAlgorithm::kSideBySide:
        if constexpr (kHasTiles<T>) {
          const Matrix<const T> a0 = matrix_of<T>(a, 0), b0 = matrix_of<T>(b, 0);
          const GemmPlan plan = plan_each_gemm<T>(a0, b0, product_of(0));
          if (plan.algorithm == GemmAlgorithm::kNarrow)
            gemm_narrow<T>(1, a0, b0, 0, product_of(0), {batch, a.stride(0), b.stride(0), M * N});
          else
            side_by_side([&](auto x, auto y, auto z) { run<T>(plan, 1, x, y, 0, z); });
        } else {
          side_by_side([](auto x, auto y, auto z) { gemm_loops<T>(T{1}, x, y, T{0}, z); });
        }
    }
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
    *out.data<T>() = dot_product(x.data<T>(), x.stride(0), y.data<T>(), y.stride(0), n);
  });
  return out;
}

}  // namespace tapedeck::kernels
