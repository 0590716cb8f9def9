#pragma once

#include <optional>
#include <string_view>
#include <tuple>

#include <tapedeck/autograd/variable.h>

// Linear algebra, with the names of torch.linalg. Of float32 or float64: the last two axes are
// matrices, the ones before a batch. All \throw Error that shows the shapes where they do not fit,
// TypeError for another dtype.

namespace tapedeck {
namespace linalg {

/// A^-1. \throws Error for a singular matrix.
Variable inv(const Variable& A);
/// X of A X = B (X A = B unless `left`); B a batch of matrices, or of vectors where it has one axis
/// fewer than A (or one axis). The batches broadcast for matrices.
Variable solve(const Variable& A, const Variable& B, bool left = true);
/// The same for a triangular A: only that triangle is read, and with `unitriangular` its diagonal
/// counts as ones.
Variable solve_triangular(const Variable& A, const Variable& B, bool upper, bool left = true,
                          bool unitriangular = false);
Variable det(const Variable& A);
/// The determinant's sign, and the logarithm of its size: -infinity for a singular matrix.
std::tuple<Variable, Variable> slogdet(const Variable& A);
/// L with A = L L^T, or L^T where `upper`. \throws Error unless A is positive-definite.
Variable cholesky(const Variable& A, bool upper = false);
/// Q, R with A = Q R; `mode` "reduced", "complete" (a square Q; no gradient unless A is no taller
/// than wide) or "r" (an empty Q, no gradient).
std::tuple<Variable, Variable> qr(const Variable& A, std::string_view mode = "reduced");
/// U, S, V^T with A = U diag(S) V^T and S in descending order. Gradients are those of the reduced
/// form, and finite only where the singular values differ; U and V^T have signs of their own.
std::tuple<Variable, Variable, Variable> svd(const Variable& A, bool full_matrices = true);
Variable svdvals(const Variable& A);
/// Eigenvalues in ascending order and eigenvectors, as columns, of symmetric matrices, of which the
/// lower ("L") or upper ("U") triangle is read.
std::tuple<Variable, Variable> eigh(const Variable& A, std::string_view UPLO = "L");
Variable eigvalsh(const Variable& A, std::string_view UPLO = "L");
/// The Moore-Penrose inverse: singular values of at most rcond times the largest count as zero
/// (without rcond, max(M, N) times the dtype's epsilon).
Variable pinv(const Variable& A, std::optional<double> rcond = std::nullopt);
/// X that minimises |A X - B|, of those the one of least size; |A X - B|^2 of each column where A
/// is taller than wide and of full rank, else empty; the rank and the singular values of A. B is as
/// in solve. Singular values of at most rcond times the largest count as zero (without rcond,
/// max(M, N) times the dtype's epsilon). `driver` is the name of a routine of LAPACK, by which
/// PyTorch leaves results empty: "gelsy", the default, gives X and the rank, "gels" X and the
/// residuals, "gelsd" and "gelss" all. Gradients flow through X alone.
std::tuple<Variable, Variable, Variable, Variable> lstsq(
    const Variable& A, const Variable& B, std::optional<double> rcond = std::nullopt,
    const std::optional<std::string_view>& driver = std::nullopt);
/// How many singular values are above the tolerance, max(M, N) eps times the largest unless given.
Variable matrix_rank(const Variable& A, std::optional<double> tol = std::nullopt,
                     bool hermitian = false);
/// A to the power n, for negative n of its inverse.
Variable matrix_power(const Variable& A, std::int64_t n);
/// exp(A) = 1 + A + A^2 / 2 + ..., by scaling and squaring.
Variable matrix_exp(const Variable& A);
/// The product of two or more matrices; the first and last may be vectors.
Variable multi_dot(TensorList tensors);
/// (sum |x|^ord)^(1/ord) over the axes, all of them without `dim`.
Variable vector_norm(const Variable& x, Scalar ord = 2, OptionalIntArrayRef dim = std::nullopt,
                     bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt);
/// A norm of matrices: "fro", "nuc", or 1, -1 (column sums), inf, -inf (row sums), 2, -2 (singular
/// values).
Variable matrix_norm(const Variable& A, std::string_view ord = "fro", IntArrayRef dim = {-2, -1},
                     bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt);
Variable matrix_norm(const Variable& A, Scalar ord, IntArrayRef dim = {-2, -1},
                     bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt);
/// vector_norm, or matrix_norm where two axes, or a matrix and an order, are given.
Variable norm(const Variable& A, const std::optional<Scalar>& ord = std::nullopt,
              OptionalIntArrayRef dim = std::nullopt, bool keepdim = false,
              std::optional<ScalarType> dtype = std::nullopt);
Variable norm(const Variable& A, std::string_view ord, OptionalIntArrayRef dim = std::nullopt,
              bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt);
/// The ratio of the largest to the smallest singular value, or by another norm |A| |A^-1|.
Variable cond(const Variable& A, const std::optional<Scalar>& p = std::nullopt);
/// sum of products along an axis; the vector product; the diagonals of matrices.
Variable vecdot(const Variable& x, const Variable& y, std::int64_t dim = -1);
Variable cross(const Variable& self, const Variable& other, std::int64_t dim = -1);
Variable diagonal(const Variable& A, std::int64_t offset = 0, std::int64_t dim1 = -2,
                  std::int64_t dim2 = -1);

}  // namespace linalg

inline Variable inverse(const Variable& self) { return linalg::inv(self); }
inline Variable pinverse(const Variable& self, double rcond = 1e-15) {
  return linalg::pinv(self, rcond);
}
inline Variable det(const Variable& self) { return linalg::det(self); }
/// log(det(A)): NaN where that is negative.
Variable logdet(const Variable& self);
inline std::tuple<Variable, Variable> slogdet(const Variable& self) {
  return linalg::slogdet(self);
}
inline Variable cholesky(const Variable& self, bool upper = false) {
  return linalg::cholesky(self, upper);
}
/// X of A X = self, and A^-1, with A = L L^T of the factor L (L^T where `upper`).
Variable cholesky_solve(const Variable& self, const Variable& factor, bool upper = false);
Variable cholesky_inverse(const Variable& self, bool upper = false);
/// X of A X = self (A^T where `transpose`), and A.
std::tuple<Variable, Variable> triangular_solve(const Variable& self, const Variable& A,
                                                bool upper = true, bool transpose = false,
                                                bool unitriangular = false);
/// The sum of the singular values.
inline Variable nuclear_norm(const Variable& self, bool keepdim = false) {
  return linalg::matrix_norm(self, "nuc", {0, 1}, keepdim);
}
inline Variable nuclear_norm(const Variable& self, IntArrayRef dim, bool keepdim = false) {
  return linalg::matrix_norm(self, "nuc", dim, keepdim);
}
inline std::tuple<Variable, Variable> qr(const Variable& self, bool some = true) {
  return linalg::qr(self, some ? "reduced" : "complete");
}
/// U, S, V (not transposed); reduced where `some`.
std::tuple<Variable, Variable, Variable> svd(const Variable& self, bool some = true,
                                             bool compute_uv = true);
inline Variable matrix_power(const Variable& self, std::int64_t n) {
  return linalg::matrix_power(self, n);
}
inline Variable matrix_exp(const Variable& self) { return linalg::matrix_exp(self); }
inline Variable chain_matmul(TensorList matrices) { return linalg::multi_dot(matrices); }
/// The matrix of all products of elements, blocks of `other` in the order of self.
Variable kron(const Variable& self, const Variable& other);

}  // namespace tapedeck
