// Special functions, linear algebra, order statistics and the parts of tensors beside libtorch's:
// values, first and second gradients in float64.
#include <limits>
#include <string>

#include <tests/libtorch/beside.h>

namespace {

using namespace beside;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

#define UNARY(low, high, ...)                                          \
  both(#__VA_ARGS__, {uniform({3, 7}, low, high)}, [](const auto& t) { \
    const auto& x = t[0];                                              \
    return __VA_ARGS__;                                                \
  })
// libtorch sums the series of the second derivative of log gamma to four terms: 1e-9 at best.
#define TRIGAMMA(low, high, ...)                   \
  both(#__VA_ARGS__, {uniform({3, 7}, low, high)}, \
       [](const auto& t) {                         \
         const auto& x = t[0];                     \
         return __VA_ARGS__;                       \
       },                                          \
       {.tolerance = 1e-8})
#define BINARY(low, high, ...)                                                                  \
  both(#__VA_ARGS__, {uniform({3, 5}, low, high), uniform({5}, low, high)}, [](const auto& t) { \
    const auto &x = t[0], &y = t[1];                                                            \
    return __VA_ARGS__;                                                                         \
  })

TEST(BesideLibtorch, SpecialFunctions) {
  torch::manual_seed(1);
  UNARY(-3, 3, asinh(x));
  UNARY(1.1, 4, acosh(x));
  UNARY(-0.9, 0.9, atanh(x));
  TRIGAMMA(0.1, 20, lgamma(x));
  TRIGAMMA(-3.9, -3.1, lgamma(x));
  TRIGAMMA(0.1, 20, digamma(x));
  TRIGAMMA(-3.9, -3.1, digamma(x));
  TRIGAMMA(0.2, 20, x.polygamma(1));
  UNARY(0.2, 20, x.polygamma(3));
  TRIGAMMA(1.1, 5, x.mvlgamma(2));
  UNARY(-0.99, 0.99, erfinv(x));
  UNARY(0.05, 0.95, logit(x));
  UNARY(0.05, 0.95, logit(x, 0.2));
  UNARY(0.1, 3, sinc(x));
  UNARY(-3, 3, deg2rad(x));
  UNARY(-3, 3, rad2deg(x));
  BINARY(-3, 3, logaddexp(x, y));
  BINARY(-3, 3, logaddexp2(x, y));
  BINARY(-3, 3, hypot(x, y));
  BINARY(0.1, 3, xlogy(x, y));
  BINARY(-3, 3, copysign(x, y));
  BINARY(-3, 3, fmax(x, y));
  BINARY(-3, 3, fmin(x, y));
  BINARY(0.1, 3, float_power(x, y));
}

TEST(BesideLibtorch, SpecialFunctionsAtTheEnds) {
  SAME_VALUES(t::digamma(t::tensor({0.0, -0.0, -1.0, 1e8, 1.0})));
  SAME_VALUES(t::erfinv(t::tensor({-1.0, 1.0, 2.0, 0.0})));
  SAME_VALUES(t::logaddexp(t::tensor({-kInf, kInf, 1.0}), t::tensor({-kInf, kInf, -kInf})));
  SAME_VALUES(t::xlogy(t::tensor({0.0, 0.0, 1.0}), t::tensor({0.0, kNan, 0.0})));
  SAME_VALUES(t::nan_to_num(t::tensor({kInf, -kInf, kNan, 1.0})));
  SAME_VALUES(t::nan_to_num(t::tensor({kInf, -kInf, kNan, 1.0}), 1.0, 2.0, 3.0));
  SAME_VALUES(t::heaviside(t::tensor({-1.0, 0.0, 2.0}), t::tensor({0.5})));
  SAME_VALUES(t::signbit(t::tensor({-1.0, 0.0, -0.0})));
  SAME_VALUES(t::bitwise_left_shift(t::tensor({5, -5}), t::tensor({1, 2})));
  SAME_VALUES(t::bitwise_right_shift(t::tensor({5, -5}), t::tensor({1, 2})));
  SAME_VALUES(t::gcd(t::tensor({12, -18, 0, 7}), t::tensor({8, 27, 0, 0})));
  SAME_VALUES(t::lcm(t::tensor({12, -18, 0, 7}), t::tensor({8, 27, 0, 0})));
  for (const int n : {1, 2, 5, 8})
    for (const bool periodic : {false, true}) {
      SAME_VALUES(t::hann_window(n, periodic));
      SAME_VALUES(t::hamming_window(n, periodic));
      SAME_VALUES(t::blackman_window(n, periodic));
      SAME_VALUES(t::bartlett_window(n, periodic));
    }
}

// Well away from singular.
torch::Tensor regular(const List& shape) {
  const std::int64_t n = shape.back();
  return torch::randn(shape, torch::kDouble) * 0.3 + 2 * torch::eye(n, torch::kDouble);
}
torch::Tensor positive(const List& shape) {
  const auto x = regular(shape);
  return x.matmul(x.transpose(-2, -1)).contiguous();
}

TEST(BesideLibtorch, LinearAlgebra) {
  torch::manual_seed(2);
  for (const List& shape : {List{3, 3}, List{2, 4, 4}, List{1, 1}}) {
    both("inverse", {regular(shape)}, [](const auto& t) { return inverse(t[0]); });
    both("det", {regular(shape)}, [](const auto& t) { return det(t[0]); });
    both("logdet", {positive(shape)}, [](const auto& t) { return logdet(t[0]); });
    both("slogdet", {regular(shape)}, [](const auto& t) { return std::get<1>(slogdet(t[0])); });
    both("cholesky", {positive(shape)}, [](const auto& t) { return cholesky(t[0]); });
    both("cholesky_inverse", {positive(shape)},
         [](const auto& t) { return cholesky_inverse(cholesky(t[0])); });
    both("matrix_power", {regular(shape)}, [](const auto& t) { return matrix_power(t[0], 3); });
    both("matrix_exp", {regular(shape)}, [](const auto& t) { return matrix_exp(t[0]); });
    both("pinverse", {regular(shape)}, [](const auto& t) { return pinverse(t[0]); });
  }
  both("qr", {torch::randn({2, 5, 3}, torch::kDouble)}, [](const auto& t) {
    const auto [q, r] = qr(t[0]);
    return q.abs().sum() + r.pow(2).sum();
  });
  both("svd", {torch::randn({2, 5, 3}, torch::kDouble)}, [](const auto& t) {
    const auto [u, s, v] = svd(t[0]);
    return u.pow(2).sum(-1) + s.sum(-1, true) + v.pow(4).sum();
  });
  both("triangular_solve", {torch::randn({3, 2}, torch::kDouble), regular({3, 3})},
       [](const auto& t) { return std::get<0>(triangular_solve(t[0], t[1])); });
  both("cholesky_solve", {torch::randn({3, 2}, torch::kDouble), regular({3, 3})},
       [](const auto& t) { return cholesky_solve(t[0], t[1].tril()); });
  both("kron", {uniform({2, 3}, -1, 1), uniform({3, 2}, -1, 1)},
       [](const auto& t) { return kron(t[0], t[1]); });
}

TEST(BesideLibtorch, LinearAlgebraOfItsNamespace) {
  SAME_VALUES(
      t::linalg::norm(t::arange(6.).view({2, 3}), t::nullopt, t::nullopt, false, t::nullopt));
  SAME_VALUES(t::linalg::norm(t::arange(6.).view({2, 3}), 1, t::nullopt, false, t::nullopt));
  SAME_VALUES(t::linalg::norm(t::arange(6.).view({2, 3}), "fro", t::nullopt, false, t::nullopt));
  SAME_VALUES(
      t::linalg::matrix_norm(t::arange(6.).view({2, 3}), "nuc", List{0, 1}, false, t::nullopt));
  SAME_VALUES(t::linalg::vector_norm(t::arange(6.).view({2, 3}), 3, List{1}, true, t::nullopt));
  SAME_VALUES(t::linalg::matrix_rank(t::arange(9.).view({3, 3}), 1e-3, false));
  SAME_VALUES(t::linalg::multi_dot({t::ones({2, 3}), t::ones({3, 4}), t::ones({4})}));
  SAME_VALUES(std::get<0>(t::linalg::eigh(t::ones({3, 3}, t::kDouble) + t::eye(3), "L")));
  SAME_GRADIENTS(({{5, 3}, {5, 2}}),
                 std::get<0>(t::linalg::lstsq(x[0], x[1], t::nullopt, t::nullopt)));
  SAME_GRADIENTS(({{2, 3, 5}, {2, 3, 1}}),
                 std::get<0>(t::linalg::lstsq(x[0], x[1], t::nullopt, "gelsd")));
  for (const char* driver : {"gels", "gelsy", "gelsd", "gelss"}) {
    SAME_VALUES(std::get<1>(t::linalg::lstsq(t::arange(8.).view({4, 2}).square(), t::ones({4, 3}),
                                             t::nullopt, driver)));
    SAME_VALUES(std::get<2>(t::linalg::lstsq(t::arange(8.).view({4, 2}).square(), t::ones({4, 3}),
                                             t::nullopt, driver)));
    SAME_VALUES(std::get<3>(t::linalg::lstsq(t::arange(8.).view({4, 2}).square(), t::ones({4, 3}),
                                             t::nullopt, driver)));
  }
  BOTH_THROW(t::inverse(t::zeros({2, 2})));
  BOTH_THROW(t::cholesky(-t::eye(2)));
  BOTH_THROW(t::det(t::ones({2, 3})));
}

TEST(BesideLibtorch, OrderStatisticsAndParts) {
  torch::manual_seed(3);
  const auto x = uniform({4, 5}, -2, 2);
  both("cummax", {x}, [](const auto& t) { return std::get<0>(cummax(t[0], 1)); });
  both("cummin", {x}, [](const auto& t) { return std::get<0>(cummin(t[0], 0)); });
  both("logcumsumexp", {x}, [](const auto& t) { return logcumsumexp(t[0], 1); });
  both("quantile", {x}, [](const auto& t) { return quantile(t[0], 0.35, 1, true); });
  both("diff", {x}, [](const auto& t) { return diff(t[0], 2, 0); });
  both("cov", {x}, [](const auto& t) { return cov(t[0]); });
  both("cov of one row", {x}, [](const auto& t) { return cov(t[0].narrow(0, 0, 1)); });
  both("corrcoef", {x}, [](const auto& t) { return corrcoef(t[0]); });
  both("renorm", {x}, [](const auto& t) { return renorm(t[0], 2, 0, 1); });
  both("trapezoid", {x}, [](const auto& t) { return trapezoid(t[0], 0.5); });
  both("select_scatter", {x, uniform({4}, 0, 1)},
       [](const auto& t) { return select_scatter(t[0], t[1], 1, 2); });
  both("slice_scatter", {x, uniform({4, 2}, 0, 1)},
       [](const auto& t) { return slice_scatter(t[0], t[1], 1, 1, 5, 2); });
  both("combinations", {uniform({4}, 0, 1)}, [](const auto& t) { return combinations(t[0], 3); });
  SAME_VALUES(std::get<1>(t::cummax(t::tensor({1, 3, 3, 2}), 0)));
  SAME_VALUES(std::get<1>(t::mode(t::tensor({{2, 1, 2, 1}, {5, 5, 7, 0}}))));
  SAME_VALUES(t::nansum(t::tensor({1.0, kNan, 2.0})));
  SAME_VALUES(t::nanmean(t::tensor({1.0, kNan, 2.0})));
  SAME_VALUES(t::histc(t::tensor({0.0, 0.4, 0.6, 1.0, 3.0}), 3));
  SAME_VALUES(t::isin(t::tensor({1, 2, 5}), t::tensor({5, 1})));
  SAME_VALUES(t::block_diag({t::ones({2, 3}), t::ones({2})}));
  SAME_VALUES(t::cartesian_prod({t::arange(2), t::arange(3)}));
  SAME_VALUES(t::vander(t::tensor({2., 3.}), 3));
  SAME_VALUES(std::get<0>(t::unique_dim(t::tensor({{1, 2}, {0, 1}, {1, 2}}), 0)));
  SAME_VALUES(t::hsplit(t::arange(6).view({2, 3}), 3)[1]);
  SAME_VALUES(t::zeros({7, 2}).fill_diagonal_(1, true));
  SAME_TEXT(t::ones({2}).options());
  SAME_TEXT(t::TensorOptions().dtype(t::kInt));
  SAME_TEXT(t::ones({2}, t::kLong).dtype());
}

}  // namespace
