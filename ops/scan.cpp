#include <vector>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/kernels/scan.h>
#include <tapedeck/ops/reduction.h>

// Running sums and products, and products, whose derivative is made of them.

namespace tapedeck {

using kernels::Direction;
using kernels::ReduceOp;
using V = Variable;

namespace {

V wide(const V& x, std::optional<ScalarType> dtype) {
  return x.to(dtype.value_or(x.is_floating_point() ? x.dtype() : kInt64));
}

Direction opposite(Direction d) {
  return d == Direction::Forward ? Direction::Backward : Direction::Forward;
}

// y_i = x_0 + ... + x_i, or from the other end;  dx = the same of g from the opposite end
V running_sum(const V& x, std::int64_t dim, Direction direction) {
  V y(kernels::cumsum(x.array(), dim, direction));
  if (should_record(x))
    record(y, "CumsumBackward0", edges(x),
           [dim, direction](const V& g) { return running_sum(g, dim, opposite(direction)); });
  return y;
}

bool has_zero(const V& x) { return !*kernels::reduce(ReduceOp::All, x.array()).data<bool>(); }

V ones_along(const V& x, std::int64_t dim) {
  DimVector shape(x.sizes());
  shape[wrap_dim(dim, x.dim(), "cumprod")] = 1;
  return V(kernels::ones(shape, x.dtype()));
}

// dx_k = sum over j >= k of g_j times the product of x_0 ... x_j without x_k
V cumprod_backward(const V& g, const V& x, const V& y, std::int64_t dim) {
  if (!has_zero(x)) return running_sum(g * y, dim, Direction::Backward) / x;
  const std::int64_t n = x.size(dim);
  std::vector<V> parts;
  const V one = ones_along(x, dim);
  for (std::int64_t k = 0; k < n; ++k) {
    const V before = k == 0 ? one : y.narrow(dim, k - 1, 1);
    const V after =
        k + 1 == n ? one : cat({one, cumprod(x.narrow(dim, k + 1, n - k - 1), dim)}, dim);
    parts.push_back(sum(g.narrow(dim, k, n - k) * before * after, dim, true));
  }
  return cat(parts, dim);
}

// The product of the elements before each along `dim`.
V product_before(const V& x, std::int64_t dim) {
  const V first = x.narrow(dim, 0, x.size(dim) - 1);
  return cat({ones_along(x, dim), cumprod(first, dim)}, dim);
}

// g times the product of the other elements of each line along `dim`, by running products from
// both ends where an element is zero.
V prod_backward(const V& g, const V& x, const V& y, std::int64_t dim) {
  if (!has_zero(x)) return g * y / x;
  const V after = product_before(x.flip({dim}), dim).flip({dim});
  return g * (product_before(x, dim) * after);
}

}  // namespace

V cumsum(const V& self, std::int64_t dim, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("cumsum", self);
  return running_sum(wide(self, dtype), dim, Direction::Forward);
}

// y_i = x_0 ... x_i
V cumprod(const V& self, std::int64_t dim, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("cumprod", self);
  const V x = wide(self, dtype);
  V y(kernels::cumprod(x.array(), dim));
  if (should_record(x))
    record(y, "CumprodBackward0", edges(x),
           [x = save(x), y = save_output(y), dim](const V& g, const VjpContext& ctx) {
             const V in = x.get(ctx);
             if (in.dim() == 0 || in.numel() == 0) return g;
             return cumprod_backward(g, in, y.get(ctx), dim);
           });
  return y;
}

// y = product along an axis;  dx = g times the product of the others
V prod(const V& self, std::int64_t dim, bool keepdim, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("prod", self);
  const V x = wide(self, dtype);
  V y(kernels::reduce(ReduceOp::Prod, x.array(), {dim}, keepdim));
  if (should_record(x))
    record(y, "ProdBackward1", edges(x),
           [x = save(x), y = save_output(y), dim,
            kept = kernels::reduced_shape(x.sizes(), {dim}, true, "prod")](const V& g,
                                                                           const VjpContext& ctx) {
             const V in = x.get(ctx);
             if (in.dim() == 0) return g;
             if (in.numel() == 0) return V(kernels::zeros(in.sizes(), in.dtype()));
             return prod_backward(g.reshape(kept), in, y.get(ctx).reshape(kept), dim);
           });
  return dtype && y.dtype() != *dtype ? y.to(*dtype) : y;
}
V prod(const V& self, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("prod", self);
  const V x = wide(self, dtype);
  V y(kernels::reduce(ReduceOp::Prod, x.array()));
  if (should_record(x))
    record(y, "ProdBackward0", edges(x),
           [x = save(x), y = save_output(y)](const V& g, const VjpContext& ctx) {
             const V in = x.get(ctx);
             if (in.numel() == 0) return V(kernels::zeros(in.sizes(), in.dtype()));
             return prod_backward(g.reshape({1}), in.reshape({-1}), y.get(ctx).reshape({1}), 0)
                 .reshape(in.sizes());
           });
  return dtype && y.dtype() != *dtype ? y.to(*dtype) : y;
}

V Variable::cumsum(std::int64_t dim, std::optional<ScalarType> dtype) const {
  return tapedeck::cumsum(*this, dim, dtype);
}
V Variable::cumprod(std::int64_t dim, std::optional<ScalarType> dtype) const {
  return tapedeck::cumprod(*this, dim, dtype);
}
V Variable::prod(std::optional<ScalarType> dtype) const { return tapedeck::prod(*this, dtype); }
V Variable::prod(std::int64_t dim, bool keepdim, std::optional<ScalarType> dtype) const {
  return tapedeck::prod(*this, dim, keepdim, dtype);
}

}  // namespace tapedeck
