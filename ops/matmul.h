#pragma once

#include <optional>

#include <tapedeck/autograd/variable.h>

// Products of matrices and vectors. Both operands have one dtype, any but bool. All throw Error,
// with the shapes, where these do not fit.

namespace tapedeck {

/// By dimensions: 1-D x 1-D is dot; a matrix x a vector is mv; a vector on the left counts as one
/// row, which is dropped again; matrices multiply; with more dimensions the last two are matrices
/// and the ones before broadcast.
Variable matmul(const Variable& self, const Variable& other);
/// [M, K] x [K, N] -> [M, N].
Variable mm(const Variable& self, const Variable& mat2);
/// [B, M, K] x [B, K, N] -> [B, M, N].
Variable bmm(const Variable& self, const Variable& mat2);
/// [M, K] x [K] -> [M].
Variable mv(const Variable& self, const Variable& vec);
/// [K] x [K] -> scalar.
Variable dot(const Variable& self, const Variable& other);
inline Variable vdot(const Variable& self, const Variable& other) { return dot(self, other); }
/// [M], [N] -> [M, N].
Variable outer(const Variable& self, const Variable& vec2);
/// The vector product along an axis of size 3; without `dim`, the first such axis.
Variable cross(const Variable& self, const Variable& other,
               std::optional<std::int64_t> dim = std::nullopt);
inline Variable ger(const Variable& self, const Variable& vec2) { return outer(self, vec2); }
/// Sums of products over the last axes: [..., K], [..., K] -> the axes before, of both.
Variable inner(const Variable& self, const Variable& other);

/// beta self + alpha mat1 x mat2, with self of any shape that expands to the product's. Where beta
/// is 0, self is not read.
Variable addmm(const Variable& self, const Variable& mat1, const Variable& mat2, Scalar beta = 1,
               Scalar alpha = 1);
/// beta self + alpha mat x vec.
Variable addmv(const Variable& self, const Variable& mat, const Variable& vec, Scalar beta = 1,
               Scalar alpha = 1);
/// beta self + alpha vec1 x vec2^T.
Variable addr(const Variable& self, const Variable& vec1, const Variable& vec2, Scalar beta = 1,
              Scalar alpha = 1);
/// beta self + alpha batch1 x batch2, matrix by matrix.
Variable baddbmm(const Variable& self, const Variable& batch1, const Variable& batch2,
                 Scalar beta = 1, Scalar alpha = 1);
/// beta self + alpha times the sum of batch1 x batch2 over the batch.
Variable addbmm(const Variable& self, const Variable& batch1, const Variable& batch2,
                Scalar beta = 1, Scalar alpha = 1);

}  // namespace tapedeck
