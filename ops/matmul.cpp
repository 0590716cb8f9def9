#include <tapedeck/ops/matmul.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/kernels/gemm.h>
#include <tapedeck/ops/rearrange.h>

namespace tapedeck {

namespace {

// Whether the transpose of a matrix is row-major.
bool is_column_major(const Variable& m) {
  const DimVector &sizes = m.array().sizes(), &strides = m.array().strides();
  return strides[0] == 1 && strides[1] >= sizes[0] && sizes[1] > 1;
}

// a^T g or g b^T, in the layout of the operand that it is the gradient of: the gradient of a weight
// that was multiplied as w.t() is row-major again once it is transposed back.
Variable grad_left(const Variable& g, const Variable& b, bool column_major) {
  // [K, N] x [N, M] or [M, N] x [N, K]
  return column_major ? mm(b, g.t()).t() : mm(g, b.t());
}
Variable grad_right(const Variable& g, const Variable& a, bool column_major) {
  // [N, M] x [M, K] or [K, M] x [M, N]
  return column_major ? mm(g.t(), a).t() : mm(a.t(), g);
}

// c = a b;  da = g b^T, db = a^T g
Variable product(const Variable& a, const Variable& b, const char* op) {
  Variable c(kernels::gemm(a.array(), b.array(), op));
  if (should_record(a, b))
    record(c, "MmBackward0", edges(a, b),
           [a = save(a, b.requires_grad()), b = save(b, a.requires_grad()),
            a_transposed = is_column_major(a),
            b_transposed = is_column_major(b)](const Variable& g, const VjpContext& ctx) {
             return Gradients{ctx.needs(0) ? grad_left(g, b.get(ctx), a_transposed) : Variable(),
                              ctx.needs(1) ? grad_right(g, a.get(ctx), b_transposed) : Variable()};
           });
  return c;
}

// c[i] = a[i] b[i];  da = g b^T, db = a^T g
Variable batched_product(const Variable& a, const Variable& b, const char* op) {
  Variable c(kernels::batched_gemm(a.array(), b.array(), op));
  if (should_record(a, b))
    record(c, "BmmBackward0", edges(a, b),
           [a = save(a, b.requires_grad()), b = save(b, a.requires_grad())](const Variable& g,
                                                                            const VjpContext& ctx) {
             return Gradients{ctx.needs(0) ? bmm(g, b.get(ctx).transpose(1, 2)) : Variable(),
                              ctx.needs(1) ? bmm(a.get(ctx).transpose(1, 2), g) : Variable()};
           });
  return c;
}

// y = a x;  da = g x^T, dx = a^T g
Variable matrix_vector(const Variable& a, const Variable& x, const char* op) {
  Variable y(kernels::gemv(a.array(), x.array(), op));
  if (should_record(a, x))
    record(y, "MvBackward0", edges(a, x),
           [a = save(a, x.requires_grad()), x = save(x, a.requires_grad())](const Variable& g,
                                                                            const VjpContext& ctx) {
             return Gradients{ctx.needs(0) ? outer(g, x.get(ctx)) : Variable(),
                              ctx.needs(1) ? mv(a.get(ctx).t(), g) : Variable()};
           });
  return y;
}

// s = sum of x y;  dx = g y, dy = g x
Variable vector_vector(const Variable& x, const Variable& y, const char* op) {
  Variable s(kernels::dot(x.array(), y.array(), op));
  if (should_record(x, y))
    record(s, "DotBackward0", edges(x, y),
           [x = save(x, y.requires_grad()), y = save(y, x.requires_grad())](const Variable& g,
                                                                            const VjpContext& ctx) {
             return Gradients{ctx.needs(0) ? g * y.get(ctx) : Variable(),
                              ctx.needs(1) ? g * x.get(ctx) : Variable()};
           });
  return s;
}

DimVector leading(const Variable& x) { return DimVector(x.sizes().slice(0, x.sizes().size() - 2)); }

// The last two axes as matrices, the ones before broadcast to `batch` and merged.
Variable batch_of(const Variable& x, const DimVector& batch, std::int64_t count) {
  DimVector sizes = batch;
  sizes.push_back(x.size(-2));
  sizes.push_back(x.size(-1));
  return x.expand(sizes).reshape({count, x.size(-2), x.size(-1)});
}

Variable broadcast_matmul(const Variable& a, const Variable& b) {
  TAPEDECK_CHECK(a.size(-1) == b.size(-2), "matmul: the shapes ", a.sizes(), " and ", b.sizes(),
                 " cannot be multiplied: ", a.size(-1), " columns against ", b.size(-2), " rows");
  DimVector sizes = broadcast_shapes(leading(a), leading(b), "matmul");
  const std::int64_t count = numel_of(sizes);
  const Variable c =
      batched_product(batch_of(a, sizes, count), batch_of(b, sizes, count), "matmul");
  sizes.push_back(a.size(-2));
  sizes.push_back(b.size(-1));
  return c.reshape(sizes);
}

// All but the last axis as rows of one product.
Variable matmul_of_rows(const Variable& a, const Variable& b) {
  DimVector sizes(a.sizes());
  TAPEDECK_CHECK(sizes.back() == b.size(0), "matmul: the shapes ", a.sizes(), " and ", b.sizes(),
                 " cannot be multiplied: ", sizes.back(), " columns against ", b.size(0), " rows");
  sizes.pop_back();
  const Variable rows = a.reshape({numel_of(sizes), a.size(-1)});
  if (b.dim() == 1) return matrix_vector(rows, b, "matmul").reshape(sizes);
  sizes.push_back(b.size(1));
  return product(rows, b, "matmul").reshape(sizes);
}

void check_factors(const char* op, ScalarType dtype, Scalar beta, Scalar alpha) {
  TAPEDECK_CHECK(is_floating_point(dtype) || !(beta.isFloatingPoint() || alpha.isFloatingPoint()),
                 op, ": beta and alpha must be integers for a result of dtype ", dtype, ", got ",
                 beta, " and ", alpha);
}

bool is_one(Scalar s) { return s.toDouble() == 1; }
Variable scaled(const Variable& x, Scalar factor) { return is_one(factor) ? x : x * factor; }

// beta self + alpha product; self is expanded to the product's shape
Variable combine(const char* op, const Variable& self, const Variable& product, Scalar beta,
                 Scalar alpha) {
  check_factors(op, product.dtype(), beta, alpha);
  if (beta.toDouble() == 0) return scaled(product, alpha);
  TAPEDECK_CHECK_AS(TypeError, self.dtype() == product.dtype(), op,
                    ": expected self to have the dtype ", product.dtype(), " of the product, got ",
                    self.dtype());
  return scaled(self.expand(product.sizes()), beta).add(product, alpha);
}

}  // namespace

Variable mm(const Variable& self, const Variable& mat2) {
  TAPEDECK_CHECK_DEFINED("mm", self, mat2);
  return product(self, mat2, "mm");
}
Variable bmm(const Variable& self, const Variable& mat2) {
  TAPEDECK_CHECK_DEFINED("bmm", self, mat2);
  return batched_product(self, mat2, "bmm");
}
Variable mv(const Variable& self, const Variable& vec) {
  TAPEDECK_CHECK_DEFINED("mv", self, vec);
  return matrix_vector(self, vec, "mv");
}
Variable dot(const Variable& self, const Variable& other) {
  TAPEDECK_CHECK_DEFINED("dot", self, other);
  return vector_vector(self, other, "dot");
}

Variable outer(const Variable& self, const Variable& vec2) {
  TAPEDECK_CHECK_DEFINED("outer", self, vec2);
  TAPEDECK_CHECK(self.dim() == 1 && vec2.dim() == 1, "outer: expected 1-D operands, got ",
                 self.sizes(), " and ", vec2.sizes());
  return self.unsqueeze(1) * vec2;
}

// c_i = a_{i+1} b_{i+2} - a_{i+2} b_{i+1}, indices modulo 3
Variable cross(const Variable& self, const Variable& other, std::optional<std::int64_t> dim) {
  TAPEDECK_CHECK_DEFINED("cross", self, other);
  TAPEDECK_CHECK(self.dim() == other.dim(), "cross: expected operands of one rank, got ",
                 self.sizes(), " and ", other.sizes());
  std::int64_t axis = 0;
  if (dim)
    axis = wrap_dim(*dim, self.dim(), "cross");
  else
    while (axis < self.dim() && self.size(axis) != 3) ++axis;
  TAPEDECK_CHECK(axis < self.dim() && self.size(axis) == 3 && other.size(axis) == 3,
                 "cross: expected an axis of size 3 in both, got ", self.sizes(), " and ",
                 other.sizes());
  return self.roll(-1, axis) * other.roll(-2, axis) - self.roll(-2, axis) * other.roll(-1, axis);
}

Variable inner(const Variable& self, const Variable& other) {
  TAPEDECK_CHECK_DEFINED("inner", self, other);
  if (self.dim() == 0 || other.dim() == 0) return self * other;
  TAPEDECK_CHECK(self.size(-1) == other.size(-1),
                 "inner: expected the last axes to have one size, got ", self.sizes(), " and ",
                 other.sizes());
  DimVector sizes(self.sizes().slice(0, self.sizes().size() - 1));
  for (const std::int64_t size : other.sizes().slice(0, other.sizes().size() - 1))
    sizes.push_back(size);
  const std::int64_t K = self.size(-1);
  const std::int64_t M = numel_of(self.sizes().slice(0, self.sizes().size() - 1));
  const std::int64_t N = numel_of(other.sizes().slice(0, other.sizes().size() - 1));
  // [M, K] x [K, N]
  return product(self.reshape({M, K}), other.reshape({N, K}).t(), "inner").reshape(sizes);
}

Variable matmul(const Variable& self, const Variable& other) {
  TAPEDECK_CHECK_DEFINED("matmul", self, other);
  const std::int64_t a = self.dim(), b = other.dim();
  TAPEDECK_CHECK(a > 0 && b > 0, "matmul: both operands need at least one dimension, got ",
                 self.sizes(), " and ", other.sizes());
  if (a == 1 && b == 1) return vector_vector(self, other, "matmul");
  if (a == 2 && b == 1) return matrix_vector(self, other, "matmul");
  if (a == 1 && b == 2) return product(self.unsqueeze(0), other, "matmul").squeeze(0);
  if (a == 2 && b == 2) return product(self, other, "matmul");
  if (b <= 2) return matmul_of_rows(self, other);
  // Many vectors by one matrix are the rows of one product.
  if (a == 2 && other.size(-1) == 1 && self.size(1) == other.size(-2))
    return matmul_of_rows(other.squeeze(-1), self.t()).unsqueeze(-1);
  if (a == 1) return broadcast_matmul(self.unsqueeze(0), other).squeeze(-2);
  return broadcast_matmul(self, other);
}

// y = beta x + alpha a b;  dx = beta g, da = alpha g b^T, db = alpha a^T g
Variable addmm(const Variable& self, const Variable& mat1, const Variable& mat2, Scalar beta,
               Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("addmm", self, mat1, mat2);
  const detail::OpScope scope("addmm");
  check_factors("addmm", self.dtype(), beta, alpha);
  Variable y(kernels::addmm(self.array(), mat1.array(), mat2.array(), beta, alpha));
  if (should_record(self, mat1, mat2))
    record(y, "AddmmBackward0", edges(self, mat1, mat2),
           [a = save(mat1, mat2.requires_grad()), b = save(mat2, mat1.requires_grad()),
            a_transposed = is_column_major(mat1), b_transposed = is_column_major(mat2),
            sizes = self.array().sizes(), beta, alpha](const Variable& g, const VjpContext& ctx) {
             Gradients grads(3);
             if (ctx.needs(0)) grads[0] = scaled(g.sum_to_size(sizes), beta);
             if (ctx.needs(1)) grads[1] = scaled(grad_left(g, b.get(ctx), a_transposed), alpha);
             if (ctx.needs(2)) grads[2] = scaled(grad_right(g, a.get(ctx), b_transposed), alpha);
             return grads;
           });
  return y;
}

Variable addmv(const Variable& self, const Variable& mat, const Variable& vec, Scalar beta,
               Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("addmv", self, mat, vec);
  const detail::OpScope scope("addmv");
  return combine("addmv", self, matrix_vector(mat, vec, "addmv"), beta, alpha);
}

Variable addr(const Variable& self, const Variable& vec1, const Variable& vec2, Scalar beta,
              Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("addr", self, vec1, vec2);
  const detail::OpScope scope("addr");
  return combine("addr", self, outer(vec1, vec2), beta, alpha);
}

Variable baddbmm(const Variable& self, const Variable& batch1, const Variable& batch2, Scalar beta,
                 Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("baddbmm", self, batch1, batch2);
  return combine("baddbmm", self, batched_product(batch1, batch2, "baddbmm"), beta, alpha);
}

Variable addbmm(const Variable& self, const Variable& batch1, const Variable& batch2, Scalar beta,
                Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("addbmm", self, batch1, batch2);
  const detail::OpScope scope("addbmm");
  return combine("addbmm", self, batched_product(batch1, batch2, "addbmm").sum(0), beta, alpha);
}

Variable Variable::matmul(const Variable& other) const { return tapedeck::matmul(*this, other); }
Variable Variable::mm(const Variable& mat2) const { return tapedeck::mm(*this, mat2); }
Variable Variable::bmm(const Variable& mat2) const { return tapedeck::bmm(*this, mat2); }
Variable Variable::mv(const Variable& vec) const { return tapedeck::mv(*this, vec); }
Variable Variable::dot(const Variable& other) const { return tapedeck::dot(*this, other); }
Variable Variable::outer(const Variable& vec2) const { return tapedeck::outer(*this, vec2); }
Variable Variable::addmm(const Variable& mat1, const Variable& mat2, Scalar beta,
                         Scalar alpha) const {
  return tapedeck::addmm(*this, mat1, mat2, beta, alpha);
}
Variable& Variable::addmm_(const Variable& mat1, const Variable& mat2, Scalar beta,
                           Scalar alpha) const {
  TAPEDECK_CHECK_DEFINED("addmm_", *this, mat1, mat2);
  return assign_inplace(*this, addmm(mat1, mat2, beta, alpha), "addmm_");
}
Variable Variable::addmv(const Variable& mat, const Variable& vec, Scalar beta,
                         Scalar alpha) const {
  return tapedeck::addmv(*this, mat, vec, beta, alpha);
}
Variable Variable::baddbmm(const Variable& batch1, const Variable& batch2, Scalar beta,
                           Scalar alpha) const {
  return tapedeck::baddbmm(*this, batch1, batch2, beta, alpha);
}

}  // namespace tapedeck
