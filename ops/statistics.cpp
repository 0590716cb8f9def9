#include <algorithm>
#include <cmath>
#include <limits>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
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
V var_backward(const V& g, const V& x, IntArrayRef dim, double divisor) {
  return (x - x.mean(dim, true)) * (g * (2 / divisor));
}

struct Moments {
  DimVector dim, kept;  ///< the axes, and the shape that keeps them
  std::int64_t correction;
  double divisor;
  bool keepdim;

  Moments(const V& x, const OptionalIntArrayRef& axes, std::optional<std::int64_t> c, bool keep)
      : dim(axes ? *axes : IntArrayRef()), correction(c.value_or(1)), keepdim(keep) {
    check_floating(x, "std and var");
    kept = kept_shape(x, dim, "std and var");
    divisor = std::max(0.0, count_of(x, kept) - static_cast<double>(correction));
  }
  Array variance(const V& x) const { return kernels::var(x.array(), dim, correction, keepdim); }
};

// y = sum (x - mean)^2 / (n - c);  dx = 2 g (x - mean) / (n - c)
V variance(const V& x, const Moments& m) {
  V y(m.variance(x));
  if (should_record(x))
    record(y, "VarBackward0", edges(x),
           [x = save(x), dim = m.dim, kept = m.kept, divisor = m.divisor](const V& g,
                                                                          const VjpContext& ctx) {
             return var_backward(g.reshape(kept), x.get(ctx), dim, divisor);
           });
  return y;
}

// y = sqrt(var);  dx = g (x - mean) / ((n - c) y), 0 where y is
V deviation(const V& x, const Moments& m) {
  Array value = m.variance(x);
  kernels::unary_out(kernels::UnaryOp::Sqrt, value, value);
  V y(value);
  if (should_record(x))
    record(y, "StdBackward0", edges(x),
           [x = save(x), y = save_output(y), dim = m.dim, kept = m.kept, divisor = m.divisor](
               const V& g, const VjpContext& ctx) {
             const V out = y.get(ctx), dvar = where(out == 0, 0, g / (out * 2));
             return var_backward(dvar.reshape(kept), x.get(ctx), dim, divisor);
           });
  return y;
}

}  // namespace

#define TAPEDECK_DEVIATION(name, function)                                                         \
  V name(const V& x, OptionalIntArrayRef dim, std::optional<std::int64_t> correction,              \
         bool keepdim) {                                                                           \
    const detail::OpScope scope(#name);                                                            \
    TAPEDECK_CHECK_DEFINED(#name, x);                                                              \
    return function(x, Moments(x, dim, correction, keepdim));                                      \
  }                                                                                                \
  V name(const V& x, OptionalIntArrayRef dim, bool unbiased, bool keepdim) {                       \
    return tapedeck::name(x, dim, std::optional<std::int64_t>(unbiased), keepdim);                 \
  }                                                                                                \
  V name(const V& x, bool unbiased) { return tapedeck::name(x, std::nullopt, unbiased, false); }   \
  std::tuple<V, V> name##_mean(const V& x, OptionalIntArrayRef dim,                                \
                               std::optional<std::int64_t> correction, bool keepdim) {             \
    const detail::OpScope scope(#name "_mean");                                                    \
    TAPEDECK_CHECK_DEFINED(#name "_mean", x);                                                      \
    return {tapedeck::name(x, dim, correction, keepdim), mean(x, dim, keepdim)};                   \
  }                                                                                                \
  std::tuple<V, V> name##_mean(const V& x, OptionalIntArrayRef dim, bool unbiased, bool keepdim) { \
    return name##_mean(x, dim, std::optional<std::int64_t>(unbiased), keepdim);                    \
  }                                                                                                \
  std::tuple<V, V> name##_mean(const V& x, bool unbiased) {                                        \
    return name##_mean(x, std::nullopt, unbiased, false);                                          \
  }                                                                                                \
  V Variable::name(bool unbiased) const { return tapedeck::name(*this, unbiased); }                \
  V Variable::name(OptionalIntArrayRef dim, bool unbiased, bool keepdim) const {                   \
    return tapedeck::name(*this, dim, unbiased, keepdim);                                          \
  }                                                                                                \
  V Variable::name(OptionalIntArrayRef dim, std::optional<std::int64_t> correction, bool keepdim)  \
      const {                                                                                      \
    return tapedeck::name(*this, dim, correction, keepdim);                                        \
  }
TAPEDECK_DEVIATION(var, variance)
TAPEDECK_DEVIATION(std, deviation)
#undef TAPEDECK_DEVIATION

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

V norm(const V& x, Scalar p) {
  TAPEDECK_CHECK_DEFINED("norm", x);
  const detail::OpScope scope("norm");
  return norm_over(x, p.toDouble(), {}, false);
}
V norm(const V& x, const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("norm", x);
  const detail::OpScope scope("norm");
  return norm_over(x, p.value_or(2).toDouble(), dim, keepdim);
}
V norm(const V& x, const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim,
       ScalarType dtype) {
  TAPEDECK_CHECK_DEFINED("norm", x);
  const detail::OpScope scope("norm");
  return norm(x.to(dtype), p, dim, keepdim);
}
V norm(const V& x, const std::optional<Scalar>& p, ScalarType dtype) {
  TAPEDECK_CHECK_DEFINED("norm", x);
  const detail::OpScope scope("norm");
  return norm(x, p, IntArrayRef(), false, dtype);
}

V frobenius_norm(const V& x, IntArrayRef dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("frobenius_norm", x);
  const detail::OpScope scope("frobenius_norm");
  TAPEDECK_CHECK(dim.size() <= 2, "frobenius_norm: Expected at most 2 dimensions, but got ",
                 dim.size(), " dimensions instead: ", dim);
  return norm_over(x, 2, dim, keepdim);
}

// y = log(sum(exp(x)));  dx = g exp(x - y)
V logsumexp(const V& self, IntArrayRef dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("logsumexp", self);
  const detail::OpScope scope("logsumexp");
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

V Variable::norm(Scalar p) const { return tapedeck::norm(*this, p); }
V Variable::norm(const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim) const {
  return tapedeck::norm(*this, p, dim, keepdim);
}
V Variable::norm(const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim,
                 ScalarType dtype) const {
  return tapedeck::norm(*this, p, dim, keepdim, dtype);
}
V Variable::norm(const std::optional<Scalar>& p, ScalarType dtype) const {
  return tapedeck::norm(*this, p, dtype);
}
V Variable::logsumexp(IntArrayRef dim, bool keepdim) const {
  return tapedeck::logsumexp(*this, dim, keepdim);
}

}  // namespace tapedeck
