#include <cmath>
#include <limits>

#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/kernels/axis.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/kernels/unary.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/power.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/ternary.h>

// Variance, norms and the like: reductions that are not sums of the elements themselves.

namespace tapedeck {

using kernels::ReduceOp;
using V = Variable;

namespace {

DimVector kept_shape(const V& x, IntArrayRef dim, const char* op) {
  return kernels::reduced_shape(x.sizes(), dim, true, op);
}

void check_floating(const V& x, const char* op) {
  TAPEDECK_CHECK_AS(TypeError, x.is_floating_point(), op,
                    " only support floating point dtypes, got ", x.dtype());
}

// Elements for each result.
double count_of(const V& x, IntArrayRef kept) {
  std::int64_t count = 1;
  for (std::size_t d = 0; d < kept.size(); ++d)
    if (kept[d] == 1) count *= x.sizes()[d];
  return static_cast<double>(count);
}

// 2 g (x - mean) / (n - correction), g in the shape that keeps the axes.
V var_backward(const V& g, const V& x, IntArrayRef dim, double correction, double count) {
  return (x - x.mean(dim, true)) * (g * (2 / (count - correction)));
}

}  // namespace

// y = sum (x - mean)^2 / (n - c);  dx = 2 g (x - mean) / (n - c)
V var(const V& x, IntArrayRef dim, bool unbiased, bool keepdim) {
  check_floating(x, "std and var");
  V y(kernels::var(x.array(), dim, unbiased, keepdim));
  if (should_record(x)) {
    const DimVector kept = kept_shape(x, dim, "var");
    record(y, "VarBackward0", edges(x),
           [x = save(x), dim = DimVector(dim), kept, unbiased, count = count_of(x, kept)](
               const V& g, const VjpContext& ctx) {
             return var_backward(g.reshape(kept), x.get(ctx), dim, unbiased, count);
           });
  }
  return y;
}
V var(const V& x, bool unbiased) { return var(x, IntArrayRef{}, unbiased, false); }

// y = sqrt(var);  dx = g (x - mean) / ((n - c) y), 0 where y is
V std(const V& x, IntArrayRef dim, bool unbiased, bool keepdim) {
  check_floating(x, "std and var");
  Array value = kernels::var(x.array(), dim, unbiased, keepdim);
  kernels::unary_out(kernels::UnaryOp::Sqrt, value, value);
  V y(value);
  if (should_record(x)) {
    const DimVector kept = kept_shape(x, dim, "std");
    record(y, "StdBackward0", edges(x),
           [x = save(x), y = save_output(y), dim = DimVector(dim), kept, unbiased,
            count = count_of(x, kept)](const V& g, const VjpContext& ctx) {
             const V out = y.get(ctx), dvar = where(out == 0, 0, g / (out * 2));
             return var_backward(dvar.reshape(kept), x.get(ctx), dim, unbiased, count);
           });
  }
  return y;
}
V std(const V& x, bool unbiased) { return tapedeck::std(x, IntArrayRef{}, unbiased, false); }

std::tuple<V, V> var_mean(const V& x, IntArrayRef dim, bool unbiased, bool keepdim) {
  return {var(x, dim, unbiased, keepdim), mean(x, dim, keepdim)};
}
std::tuple<V, V> std_mean(const V& x, IntArrayRef dim, bool unbiased, bool keepdim) {
  return {tapedeck::std(x, dim, unbiased, keepdim), mean(x, dim, keepdim)};
}

namespace {

Array norm_of(const Array& x, double p, IntArrayRef dim, bool keepdim) {
  using kernels::UnaryOp;
  if (p == 2) return kernels::reduce(ReduceOp::Norm2, x, dim, keepdim);
  if (p == 1) return kernels::reduce(ReduceOp::Norm1, x, dim, keepdim);
  if (p == std::numeric_limits<double>::infinity())
    return kernels::reduce(ReduceOp::NormInf, x, dim, keepdim);
  if (p == 0)
    return kernels::sum(kernels::cast(kernels::binary(kernels::BinaryOp::Ne, x, 0), x.dtype()), dim,
                        keepdim);
  const Array magnitude = kernels::unary(UnaryOp::Abs, x);
  if (std::isinf(p)) return kernels::reduce(ReduceOp::Min, magnitude, dim, keepdim);
  const Array powers = kernels::binary(kernels::BinaryOp::Pow, magnitude, p);
  return kernels::binary(kernels::BinaryOp::Pow, kernels::sum(powers, dim, keepdim), 1 / p);
}

// g times the norm's slope at x, with g and y in the shape that keeps the axes.
V norm_backward(const V& g, const V& x, const V& y, double p, IntArrayRef dim) {
  if (p == 0) return V(kernels::zeros(x.sizes(), x.dtype()));
  if (p == 1) return g * sign(x);
  if (p == 2) return where(y == 0, 0, g / y) * x;
  if (std::isinf(p)) {
    const V reached = (abs(x) == y).to(x.dtype());
    return sign(x) * reached * (g / sum(reached, dim, true));
  }
  // Where an element is 0 its power below may be infinite, and its slope is 0 (or undefined, p <
  // 1).
  const V ratio = where((x == 0) | (y == 0), 0, pow(abs(x) / y, p - 1));
  return sign(x) * ratio * g;
}

V norm_over(const V& x, double p, IntArrayRef dim, bool keepdim) {
  TAPEDECK_CHECK_AS(TypeError, x.is_floating_point(),
                    "norm(): the input must have a floating point dtype, got ", x.dtype());
  V y(norm_of(x.array(), p, dim, keepdim));
  if (should_record(x))
    record(y, "NormBackward1", edges(x),
           [x = save(x), y = save_output(y), p, dim = DimVector(dim),
            kept = kept_shape(x, dim, "norm")](const V& g, const VjpContext& ctx) {
             return norm_backward(g.reshape(kept), x.get(ctx), y.get(ctx).reshape(kept), p, dim);
           });
  return y;
}

}  // namespace

V norm(const V& x, Scalar p) { return norm_over(x, p.toDouble(), {}, false); }
V norm(const V& x, const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim) {
  return norm_over(x, p.value_or(2).toDouble(), dim, keepdim);
}
V norm(const V& x, const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim,
       ScalarType dtype) {
  return norm(x.to(dtype), p, dim, keepdim);
}

// y = log(sum(exp(x)));  dx = g exp(x - y)
V logsumexp(const V& self, IntArrayRef dim, bool keepdim) {
  const V x = self.is_floating_point() ? self : self.to(get_default_dtype());
  V y(kernels::logsumexp(x.array(), dim, keepdim));
  if (should_record(x))
    record(y, "LogsumexpBackward0", edges(x),
           [x = save(x), y = save_output(y), kept = kept_shape(x, dim, "logsumexp")](
               const V& g, const VjpContext& ctx) {
             return g.reshape(kept) * exp(x.get(ctx) - y.get(ctx).reshape(kept));
           });
  return y;
}

V Variable::var(bool unbiased) const { return tapedeck::var(*this, unbiased); }
V Variable::var(IntArrayRef dim, bool unbiased, bool keepdim) const {
  return tapedeck::var(*this, dim, unbiased, keepdim);
}
V Variable::std(bool unbiased) const { return tapedeck::std(*this, unbiased); }
V Variable::std(IntArrayRef dim, bool unbiased, bool keepdim) const {
  return tapedeck::std(*this, dim, unbiased, keepdim);
}
V Variable::norm(Scalar p) const { return tapedeck::norm(*this, p); }
V Variable::norm(const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim) const {
  return tapedeck::norm(*this, p, dim, keepdim);
}
V Variable::logsumexp(IntArrayRef dim, bool keepdim) const {
  return tapedeck::logsumexp(*this, dim, keepdim);
}

}  // namespace tapedeck
