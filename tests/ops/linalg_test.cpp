#include <gtest/gtest.h>

#include <cmath>

#include <tests/support/errors.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using testing_support::list_row;
using testing_support::OpRow;
using testing_support::row;
using testing_support::Shapes;

using V = Variable;
using List = autograd::variable_list;

// Matrices with distinct singular values, and positive-definite ones, of any.
V spread(const V& x) {
  const std::int64_t m = x.size(-2), n = x.size(-1);
  return x * 0.1 + linspace(1, 3, m, kFloat64).to(x.dtype()).unsqueeze(-1) * eye(m, n, x.dtype());
}
V definite(const V& x) { return matmul(x, x.mT()) + eye(x.size(-1), x.dtype()) * 3; }
V symmetric(const V& x) { return spread(x) + spread(x).mT(); }

const std::vector<Shapes> kSquare = {{{3, 3}}, {{2, 4, 4}}, {{1, 1}}, {{0, 3, 3}}};
const std::vector<Shapes> kAny = {{{3, 3}}, {{2, 5, 3}}, {{3, 4}}};

TAPEDECK_OP_TABLE(
    LinalgOps,
    (std::vector<OpRow>{
        row(
            "inv", [](const V& x) { return linalg::inv(spread(x)); }, kSquare),
        row(
            "det", [](const V& x) { return det(spread(x)); }, kSquare),
        row(
            "slogdet", [](const V& x) { return std::get<1>(slogdet(spread(x))); }, kSquare),
        row(
            "logdet", [](const V& x) { return logdet(spread(x)); }, kSquare),
        row("solve", [](const V& a, const V& b) { return linalg::solve(spread(a), b); },
            {{{3, 3}, {3, 2}}, {{2, 3, 3}, {3, 2}}, {{3, 3}, {2, 3, 5}}, {{3, 3}, {3}}}),
        row("solve_right",
            [](const V& a, const V& b) { return linalg::solve(spread(a), b, false); },
            {{{3, 3}, {2, 3}}}),
        row("solve_triangular",
            [](const V& a, const V& b) { return linalg::solve_triangular(spread(a), b, false); },
            {{{3, 3}, {3, 2}}, {{2, 3, 3}, {3, 2}}}),
        row("solve_unitriangular",
            [](const V& a, const V& b) { return linalg::solve_triangular(a, b, true, true, true); },
            {{{3, 3}, {3, 2}}}),
        row(
            "cholesky", [](const V& x) { return cholesky(definite(x)); }, kSquare),
        row("cholesky_upper", [](const V& x) { return cholesky(definite(x), true); }, {{{3, 3}}}),
        row("cholesky_solve",
            [](const V& b, const V& a) { return cholesky_solve(b, cholesky(definite(a))); },
            {{{3, 2}, {3, 3}}}),
        list_row(
            "qr",
            [](const List& x) {
              auto [q, r] = linalg::qr(spread(x[0]));
              return List{q, r};
            },
            kAny),
        // Signs of singular vectors are arbitrary: products of them are not.
        list_row(
            "svd",
            [](const List& x) {
              auto [u, s, vh] = linalg::svd(spread(x[0]), false);
              return List{u * u, s, vh * vh, matmul(u, vh)};
            },
            kAny),
        row(
            "eigvalsh", [](const V& x) { return linalg::eigvalsh(symmetric(x)); }, kSquare),
        row("vector_norm", [](const V& x) { return linalg::vector_norm(x, 3, {1}); },
            {{{2, 3}}, {{2, 5, 3}}}),
        row("chain_matmul",
            [](const V& a, const V& b) {
              return chain_matmul({a, b, a});
            },
            {{{2, 3}, {3, 2}}}),
        row("triangular_solve",
            [](const V& b, const V& a) { return std::get<0>(triangular_solve(b, spread(a))); },
            {{{3, 2}, {3, 3}}}),
        row(
            "svdvals", [](const V& x) { return linalg::svdvals(spread(x)); }, kAny),
        list_row("eigh",
                 [](const List& x) {
                   auto [w, v] = linalg::eigh(symmetric(x[0]));
                   return List{w, v * v};
                 },
                 {{{3, 3}}, {{2, 4, 4}}}),
        row(
            "pinv", [](const V& x) { return pinverse(spread(x)); }, kAny),
        row("lstsq",
            [](const V& a, const V& b) { return std::get<0>(linalg::lstsq(spread(a), b)); },
            {{{5, 3}, {5, 2}}, {{3, 5}, {3}}, {{2, 3, 3}, {2, 3}}, {{2, 4, 3}, {4, 1}}}),
        row("matrix_power", [](const V& x) { return matrix_power(spread(x), 5); }, {{{3, 3}}}),
        row("matrix_power_negative", [](const V& x) { return matrix_power(spread(x), -2); },
            {{{2, 3, 3}}}),
        row("matrix_exp", [](const V& x) { return matrix_exp(x); }, {{{3, 3}}, {{2, 4, 4}}}),
        row("multi_dot",
            [](const V& a, const V& b, const V& c) {
              return linalg::multi_dot({a, b, c});
            },
            {{{2, 3}, {3, 5}, {5, 2}}, {{3}, {3, 5}, {5}}}),
        row("kron", [](const V& a, const V& b) { return kron(a, b); },
            {{{2, 3}, {3, 2}}, {{2}, {3, 2}}}),
        row(
            "matrix_norm_fro", [](const V& x) { return linalg::matrix_norm(x); }, kAny),
        row(
            "matrix_norm_nuc", [](const V& x) { return linalg::matrix_norm(spread(x), "nuc"); },
            kAny),
        row("nuclear_norm", [](const V& x) { return nuclear_norm(spread(x)); }, {{{3, 4}}}),
        row("matrix_norm_1", [](const V& x) { return linalg::matrix_norm(x, 1); }, {{{3, 4}}},
            {{-2, 2, {0}}}),
        row("vecdot", [](const V& a, const V& b) { return linalg::vecdot(a, b); },
            {{{2, 3}, {2, 3}}}),
    }));

V random_matrix(std::int64_t m, std::int64_t n) {
  manual_seed(3);
  return randn({2, m, n}, kFloat64);
}

TEST(Linalg, LeastSquares) {
  const V A = random_matrix(5, 3), B = random_matrix(5, 2);
  const auto [X, residuals, rank, S] = linalg::lstsq(A, B, std::nullopt, "gelsd");
  EXPECT_TRUE(allclose(matmul(A.mT(), matmul(A, X)), matmul(A.mT(), B), 1e-9, 1e-9));
  EXPECT_TRUE(allclose(residuals, (matmul(A, X) - B).square().sum(-2)));
  EXPECT_TRUE(equal(rank, full({2}, 3, kInt64)));
  EXPECT_TRUE(allclose(S, linalg::svdvals(A)));
  // Of a wide matrix, the least of the solutions: a combination of its rows.
  const V wide = A.mT(), right = random_matrix(3, 2);
  const V least = std::get<0>(linalg::lstsq(wide, right));
  EXPECT_TRUE(allclose(matmul(wide, least), right));
  EXPECT_TRUE(allclose(matmul(pinverse(wide), matmul(wide, least)), least));
  // Rank 1: no residuals; the routine decides what else there is.
  EXPECT_EQ(std::get<1>(linalg::lstsq(A, B)).numel(), 0);
  const auto deficient = linalg::lstsq(ones({3, 2}), ones({3, 1}));
  EXPECT_TRUE(allclose(std::get<0>(deficient), full({2, 1}, 0.5)));
  EXPECT_EQ(std::get<1>(deficient).numel(), 0);
  EXPECT_EQ(std::get<2>(deficient).item<std::int64_t>(), 1);
  EXPECT_EQ(std::get<3>(deficient).numel(), 0);
  EXPECT_EQ(std::get<2>(linalg::lstsq(eye(2), ones({2, 1}), 0.1, "gels")).numel(), 0);
}

TEST(Linalg, DecompositionsMultiplyBackToTheMatrix) {
  for (const auto& [m, n] : {std::pair(4, 4), std::pair(5, 3), std::pair(3, 5)}) {
    const V A = random_matrix(m, n);
    for (const char* mode : {"reduced", "complete"}) {
      const auto [Q, R] = linalg::qr(A, mode);
      EXPECT_TRUE(allclose(matmul(Q, R), A)) << mode;
      EXPECT_TRUE(allclose(matmul(Q.mT(), Q), eye(Q.size(-1), kFloat64).expand({2, -1, -1})));
    }
    const auto [U, S, Vh] = linalg::svd(A, false);
    EXPECT_TRUE(allclose(matmul(U * S.unsqueeze(-2), Vh), A));
    EXPECT_EQ(std::get<0>(linalg::svd(A)).size(-1), m);
    EXPECT_TRUE(allclose(matmul(matmul(A, pinverse(A)), A), A));
  }
  const V A = random_matrix(4, 4);
  EXPECT_TRUE(allclose(matmul(A, inverse(A)), eye(4, kFloat64).expand({2, 4, 4}), 1e-9, 1e-9));
  const V P = definite(A), L = cholesky(P);
  EXPECT_TRUE(allclose(matmul(L, L.mT()), P));
  EXPECT_TRUE(allclose(cholesky_inverse(L[0]), inverse(P[0])));
  const auto [w, v] = linalg::eigh(P);
  EXPECT_TRUE(allclose(matmul(v * w.unsqueeze(-2), v.mT()), P));
}

TEST(Linalg, DeterminantOfASingularMatrixHasAGradient) {
  V A = tensor({{1.0, 2.0}, {2.0, 4.0}}, TensorOptions(kFloat64).requires_grad(true));
  const V y = det(A);
  EXPECT_EQ(y.item<double>(), 0);
  y.backward();
  EXPECT_TRUE(allclose(A.grad(), tensor({{4.0, -2.0}, {-2.0, 1.0}}, kFloat64)));
}

TEST(Linalg, Norms) {
  const V A = tensor({{1.0, -2.0}, {3.0, 4.0}}, kFloat64);
  EXPECT_NEAR(linalg::norm(A).item<double>(), std::sqrt(30.0), 1e-14);
  EXPECT_EQ(linalg::norm(A, 1).item<double>(), 6);
  EXPECT_EQ(linalg::norm(A, INFINITY).item<double>(), 7);
  EXPECT_EQ(linalg::norm(A, -1).item<double>(), 4);
  EXPECT_TRUE(allclose(linalg::norm(A, 2, IntArrayRef{1}), A.norm(2, {1})));
  EXPECT_NEAR(linalg::cond(A).item<double>() * linalg::svdvals(A)[1].item<double>(),
              linalg::norm(A, 2).item<double>(), 1e-13);
  EXPECT_EQ(linalg::matrix_rank(tensor({{1.0, 2.0}, {2.0, 4.0}})).item<std::int64_t>(), 1);
}

TEST(Linalg, Errors) {
  EXPECT_ERROR(inverse(zeros({2, 2})), "the input matrix is singular (input [2, 2])");
  EXPECT_ERROR(inverse(ones({2, 3})), "must be batches of square matrices, got shape [2, 3]");
  EXPECT_ERROR(cholesky(-eye(3)), "leading minor of order 1 is not positive-definite");
  EXPECT_ERROR(linalg::lstsq(ones({3, 2}), ones({2, 2})),
               "should have the same number of rows, got shapes [3, 2] and [2, 2]");
  EXPECT_ERROR(linalg::lstsq(ones({3, 2}), ones({3, 2}), 0.0, "gelss2"),
               "should be one of (gels, gelsy, gelsd, gelss), got gelss2");
  EXPECT_ERROR(linalg::lstsq(ones({3, 2}), ones({3, 2}, kFloat64)), "got Float and Double");
  EXPECT_ERROR(linalg::solve(eye(3), ones({2, 2})), "Incompatible shapes of A and B");
  EXPECT_ERROR(det(ones({2, 2}, kInt64)), "Expected a floating point tensor as input. Got");
}

}  // namespace
}  // namespace tapedeck
