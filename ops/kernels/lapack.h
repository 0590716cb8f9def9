#pragma once

#include <tuple>
#include <utility>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

// Solutions and decompositions of matrices, through LAPACK. Arrays of float32 or float64, of one
// dtype in a call: the last two axes are matrices, the ones before a batch, the same for all
// operands. Results are row-major. All \throw TypeError for another dtype.

/// X of A X = B: [..., N, N], [..., N, K] -> [..., N, K].
/// \throws Error that names `op` where a matrix is singular.
Array solve(const Array& a, const Array& b, const char* op);
/// X of A X = B for a triangular A, of which the other triangle is not read, and where `unit` the
/// diagonal neither: it counts as ones. A singular A gives infinities.
Array solve_triangular(const Array& a, const Array& b, bool upper, bool unit);
/// Determinants, and their signs and the logarithms of their sizes: [..., N, N] -> [...].
Array det(const Array& a);
std::pair<Array, Array> slogdet(const Array& a);
/// L of A = L L^T, or its transpose where `upper`; only one triangle of A is read, the same one.
/// \throws Error where a matrix is not positive-definite.
Array cholesky(const Array& a, bool upper);
/// Q, R of A = Q R: [..., M, K], [..., K, N] with K = min(M, N), or M where `complete`.
std::pair<Array, Array> qr(const Array& a, bool complete);
/// U, S, V^T of A = U diag(S) V^T, S in descending order: [..., M, K], [..., K], [..., K, N], or
/// square U and V^T where `full`. \throws Error where the iteration does not converge.
std::tuple<Array, Array, Array> svd(const Array& a, bool full);
/// Eigenvalues in ascending order [..., N] and eigenvectors, as columns, of symmetric matrices, of
/// which one triangle is read. \throws Error where the iteration does not converge.
std::pair<Array, Array> eigh(const Array& a, bool upper);

}  // namespace tapedeck::kernels
