#include <algorithm>
#include <cmath>
#include <limits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/distance.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/axis.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/scan.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/sorting.h>
#include <tapedeck/ops/special.h>
#include <tapedeck/ops/statistics.h>
#include <tapedeck/ops/ternary.h>

// Order statistics and what else is made of other reductions, as compositions: where elements are
// chosen, their indices are found first, and gathering them has the derivative.

namespace tapedeck {

using V = Variable;

V nansum(const V& self, OptionalIntArrayRef dim, bool keepdim, std::optional<ScalarType> dtype) {
  return sum(where(isnan(self), Scalar(0), self), dim, keepdim, dtype);
}
V nanmean(const V& self, OptionalIntArrayRef dim, bool keepdim, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_AS(TypeError, self.is_floating_point(),
                    "nanmean(): expected input to have floating point dtype but got ",
                    self.dtype());
  return nansum(self, dim, keepdim, dtype) / logical_not(isnan(self)).sum(dim, keepdim);
}

namespace {

// y_i = the best of x_0 ... x_i, which is x at index_i;  dx[index_i] += g_i
std::tuple<V, V> running_best(const V& x, std::int64_t dim, bool largest, const char* op,
                              const char* name) {
  const auto [values, indices] = kernels::running_best(x.array(), dim, largest, op);
  V y(values), index(indices);
  if (should_record(x))
    record(y, name, edges(x), [index = save(index), dim](const V& g, const VjpContext& ctx) {
      V dx(kernels::zeros(ctx.input_sizes(0), g.dtype()));
      return dx.scatter_add_(dim, index.get(ctx), g);
    });
  return {y, index};
}

}  // namespace

std::tuple<V, V> cummax(const V& self, std::int64_t dim) {
  return running_best(self, dim, true, "cummax", "CummaxBackward0");
}
std::tuple<V, V> cummin(const V& self, std::int64_t dim) {
  return running_best(self, dim, false, "cummin", "CumminBackward0");
}

namespace {

// The gradient of logcumsumexp slice by slice, which is differentiable itself: dx_i = exp(x_i -
// y_i) s_i with s_i = g_i + exp(y_i - y_(i + 1)) s_(i + 1).
V logcumsumexp_slopes(const V& g, const V& x, std::int64_t dim) {
  std::vector<V> y;
  const std::vector<V> xs = unbind(x, dim), gs = unbind(g, dim);
  for (const V& slice : xs) y.push_back(y.empty() ? slice : logaddexp(y.back(), slice));
  std::vector<V> dx(xs.size());
  V sum;
  for (std::size_t i = xs.size(); i-- > 0;) {
    sum = sum.defined() ? gs[i] + exp(y[i] - y[i + 1]) * sum : gs[i];
    dx[i] = exp(xs[i] - y[i]) * sum;
  }
  return stack(dx, dim);
}

}  // namespace

// y_i = log(exp(x_0) + ... + exp(x_i));  dx: see above
V logcumsumexp(const V& self, std::int64_t dim) {
  if (self.dim() == 0 || self.numel() == 0) return self.clone();
  dim = wrap_dim(dim, self.dim(), "logcumsumexp");
  V y(kernels::logcumsumexp(self.array(), dim));
  if (should_record(self))
    record(y, "LogcumsumexpBackward0", edges(self),
           [x = save(self), y = save_output(y), dim](const V& g, const VjpContext& ctx) {
             const V xv = x.get(ctx);
             if (GradMode::is_enabled()) return logcumsumexp_slopes(g, xv, dim);
             return V(kernels::logcumsumexp_grad(g.array(), xv.array(), y.get(ctx).array(), dim));
           });
  return y;
}

std::tuple<V, V> mode(const V& self, std::int64_t dim, bool keepdim) {
  if (self.dim() == 0) return {self.clone(), V(kernels::zeros({}, kInt64))};
  TAPEDECK_CHECK(self.size(dim) > 0, "mode: expected an axis with elements, got shape ",
                 self.sizes(), " and dim ", dim);
  const auto [sorted, order] = sort(self.detach(), dim, false);
  const kernels::AxisView at(self.sizes(), dim, "mode");
  const Array x = kernels::contiguous(sorted.array()), from = kernels::contiguous(order.array());
  DimVector shape(self.sizes());
  shape[wrap_dim(dim, self.dim(), "mode")] = 1;
  const Array index = Array::empty(shape, kInt64);
  dispatch_all(x.dtype(), "mode", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t line = 0; line < at.outer * at.inner; ++line) {
      const std::int64_t start = line / at.inner * at.axis * at.inner + line % at.inner;
      std::int64_t longest = 0, run = 0, end = 0;
      for (std::int64_t i = 0; i < at.axis; ++i) {
        const T* const value = x.data<T>() + start + i * at.inner;
        run = i > 0 && value[0] == value[-at.inner] ? run + 1 : 1;
        if (run > longest) longest = run, end = i;
      }
      std::int64_t last = 0;
      for (std::int64_t i = end + 1 - longest; i <= end; ++i)
        last = std::max(last, from.data<std::int64_t>()[start + i * at.inner]);
      index.data<std::int64_t>()[line] = last;
    }
  });
  const V values = gather(self, dim, V(index));
  return {keepdim ? values : values.squeeze(dim), keepdim ? V(index) : V(index).squeeze(dim)};
}

V quantile(const V& self, double q, std::optional<std::int64_t> dim, bool keepdim,
           std::string_view interpolation) {
  TAPEDECK_CHECK(q >= 0 && q <= 1, "quantile() q must be in the range [0, 1] but got ", q);
  return quantile(self, V(kernels::full({}, q, self.dtype())), dim, keepdim, interpolation);
}

V quantile(const V& self, const V& q, std::optional<std::int64_t> dim, bool keepdim,
           std::string_view interpolation) {
  TAPEDECK_CHECK_AS(TypeError, self.is_floating_point(),
                    "quantile() input tensor must be either float or double dtype, got ",
                    self.dtype());
  TAPEDECK_CHECK(self.numel() > 0, "quantile() input tensor must be non-empty, got shape ",
                 self.sizes());
  TAPEDECK_CHECK(q.dim() <= 1 && q.dtype() == self.dtype(),
                 "quantile() q must be a scalar or 1D tensor of the input's dtype ", self.dtype(),
                 ", got ", q.sizes(), " of ", q.dtype());
  TAPEDECK_CHECK(interpolation == "linear" || interpolation == "lower" ||
                     interpolation == "higher" || interpolation == "midpoint" ||
                     interpolation == "nearest",
                 "quantile() interpolation must be one of linear, lower, higher, midpoint or "
                 "nearest, but got ",
                 interpolation);
  TAPEDECK_CHECK(((q >= 0) & (q <= 1)).all().item<bool>(),
                 "quantile() q values must be in the range [0, 1]");
  const V lines =
      dim ? self.dim() == 0 ? self.unsqueeze(0) : self.movedim(*dim, -1) : self.reshape({-1});
  const std::int64_t n = lines.size(-1);
  const V sorted = std::get<0>(sort(lines, -1, false));
  const V has_nan = isnan(lines.detach()).any(-1, true);
  // [..., q]
  const V place = q.detach().reshape({-1}) * static_cast<double>(n - 1);
  V lower = floor(place), upper = ceil(place), share = place - lower;
  if (interpolation == "lower") share = zeros_like(share);
  if (interpolation == "higher") share = ones_like(share);
  if (interpolation == "midpoint") share = where(upper > lower, 0.5, zeros_like(share));
  if (interpolation == "nearest") share = round(place) - lower;
  V y = lerp(index_select(sorted, -1, lower.to(kInt64)), index_select(sorted, -1, upper.to(kInt64)),
             share);
  y = where(has_nan, std::numeric_limits<double>::quiet_NaN(), y);
  // The axis of q leads, and goes away for a scalar.
  y = y.movedim(-1, 0);
  if (keepdim) {
    DimVector kept{q.numel()};
    const std::int64_t at = dim && self.dim() > 0 ? wrap_dim(*dim, self.dim(), "quantile") : -1;
    for (std::int64_t d = 0; d < self.dim(); ++d)
      kept.push_back(!dim || d == at ? 1 : self.size(d));
    y = y.reshape(kept);
  }
  if (dim && self.dim() == 0) y = y.reshape({q.numel()});
  return q.dim() == 0 ? y.squeeze(0) : y;
}

V histc(const V& self, std::int64_t bins, Scalar min, Scalar max) {
  TAPEDECK_CHECK(bins > 0, "histc: bins must be > 0, got ", bins);
  double low = min.toDouble(), high = max.toDouble();
  if (low == high && self.numel() > 0) {
    low = self.min().item<double>();
    high = self.max().item<double>();
  }
  if (low == high) low -= 1, high += 1;
  TAPEDECK_CHECK(std::isfinite(low) && std::isfinite(high), "histc: range of [", low, ", ", high,
                 "] is not finite");
  TAPEDECK_CHECK(low < high, "histc: max must be larger than min, got ", low, " and ", high);
  const Array x = kernels::contiguous(self.array()), counts = kernels::zeros({bins}, self.dtype());
  dispatch_floating(x.dtype(), "histc", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T from = static_cast<T>(low), to = static_cast<T>(high);
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const T value = x.data<T>()[i];
      if (!(value >= from && value <= to)) continue;
      const auto bin =
          static_cast<std::int64_t>((value - from) / (to - from) * static_cast<T>(bins));
      counts.data<T>()[std::min(bin, bins - 1)] += 1;
    }
  });
  return V(counts);
}

V diff(const V& self, std::int64_t n, std::int64_t dim) {
  TAPEDECK_CHECK(n >= 0 && self.dim() > 0,
                 "diff: expected a non-negative order and at least one dimension, got n = ", n,
                 " and shape ", self.sizes());
  V y = self;
  for (; n > 0 && y.size(dim) > 0; --n) {
    const std::int64_t length = y.size(dim) - 1;
    const V upper = y.narrow(dim, 1, length), lower = y.narrow(dim, 0, length);
    y = self.dtype() == kBool ? logical_xor(upper, lower) : upper - lower;
  }
  return y;
}

namespace {

V neighbours_sum(const V& y, std::int64_t dim) {
  const std::int64_t length = std::max<std::int64_t>(y.size(dim) - 1, 0);
  return y.narrow(dim, std::min<std::int64_t>(1, y.size(dim)), length) + y.narrow(dim, 0, length);
}

}  // namespace

V trapezoid(const V& y, Scalar dx, std::int64_t dim) {
  return neighbours_sum(y, dim).sum(dim) * (dx.toDouble() / 2);
}
V trapezoid(const V& y, const V& x, std::int64_t dim) {
  V widths = diff(x, 1, x.dim() == 1 ? 0 : dim);
  if (x.dim() == 1 && y.dim() > 1) {
    DimVector shape;
    for (std::int64_t d = 0; d < y.dim(); ++d) shape.push_back(1);
    shape[wrap_dim(dim, y.dim(), "trapezoid")] = widths.numel();
    widths = widths.reshape(shape);
  }
  return (neighbours_sum(y, dim) * widths).sum(dim) / 2;
}

V cov(const V& self, std::int64_t correction) {
  const detail::OpScope scope("cov");
  TAPEDECK_CHECK(self.dim() <= 2, "cov(): expected input to have two or fewer dimensions, got ",
                 self.sizes());
  const V rows = self.dim() < 2 ? self.reshape({1, -1}) : self;
  const V centered = rows - rows.mean(1, true);
  const double divisor = std::max(0.0, static_cast<double>(rows.size(1) - correction));
  const V c = mm(centered, centered.t()) / divisor;
  return rows.size(0) == 1 ? c.reshape({}) : c;
}
V corrcoef(const V& self) {
  const detail::OpScope scope("corrcoef");
  const V c = cov(self);
  if (c.dim() == 0) return c / c;
  const V deviation = sqrt(diagonal(c));
  return clamp(c / deviation.unsqueeze(1) / deviation.unsqueeze(0), -1, 1);
}

V renorm(const V& self, Scalar p, std::int64_t dim, Scalar maxnorm) {
  TAPEDECK_CHECK(self.dim() >= 2, "renorm: input needs at least 2 dimensions, got ", self.sizes());
  const std::int64_t at = wrap_dim(dim, self.dim(), "renorm");
  DimVector others;
  for (std::int64_t d = 0; d < self.dim(); ++d)
    if (d != at) others.push_back(d);
  const V size = norm(self, p, others, true);
  return self *
         where(size > maxnorm, maxnorm.toDouble() / (size + 1e-7), Scalar(1.0)).to(self.dtype());
}

V VariableMath::nansum(OptionalIntArrayRef dim, bool keepdim,
                       std::optional<ScalarType> dtype) const {
  return tapedeck::nansum(self(), dim, keepdim, dtype);
}
V VariableMath::nanmean(OptionalIntArrayRef dim, bool keepdim,
                        std::optional<ScalarType> dtype) const {
  return tapedeck::nanmean(self(), dim, keepdim, dtype);
}
V VariableMath::count_nonzero(IntArrayRef dim) const {
  return tapedeck::count_nonzero(self(), dim);
}
V VariableMath::count_nonzero(std::optional<std::int64_t> dim) const {
  return tapedeck::count_nonzero(self(), dim);
}
std::tuple<V, V> VariableMath::aminmax(std::optional<std::int64_t> dim, bool keepdim) const {
  return tapedeck::aminmax(self(), dim, keepdim);
}
std::tuple<V, V> VariableMath::cummax(std::int64_t dim) const {
  return tapedeck::cummax(self(), dim);
}
std::tuple<V, V> VariableMath::cummin(std::int64_t dim) const {
  return tapedeck::cummin(self(), dim);
}
V VariableMath::logcumsumexp(std::int64_t dim) const { return tapedeck::logcumsumexp(self(), dim); }
std::tuple<V, V> VariableMath::mode(std::int64_t dim, bool keepdim) const {
  return tapedeck::mode(self(), dim, keepdim);
}
V VariableMath::quantile(double q, std::optional<std::int64_t> dim, bool keepdim,
                         std::string_view interpolation) const {
  return tapedeck::quantile(self(), q, dim, keepdim, interpolation);
}
V VariableMath::quantile(const V& q, std::optional<std::int64_t> dim, bool keepdim,
                         std::string_view interpolation) const {
  return tapedeck::quantile(self(), q, dim, keepdim, interpolation);
}
V VariableMath::histc(std::int64_t bins, Scalar min, Scalar max) const {
  return tapedeck::histc(self(), bins, min, max);
}
V VariableMath::diff(std::int64_t n, std::int64_t dim) const {
  return tapedeck::diff(self(), n, dim);
}
V VariableMath::dist(const V& other, Scalar p) const { return tapedeck::dist(self(), other, p); }
V VariableMath::cov(std::int64_t correction) const { return tapedeck::cov(self(), correction); }
V VariableMath::corrcoef() const { return tapedeck::corrcoef(self()); }
V VariableMath::renorm(Scalar p, std::int64_t dim, Scalar maxnorm) const {
  return tapedeck::renorm(self(), p, dim, maxnorm);
}
V& VariableMath::renorm_(Scalar p, std::int64_t dim, Scalar maxnorm) const {
  // Of a copy: the derivative reads self, which has changed by then.
  return autograd::assign_inplace(self(), self().clone().renorm(p, dim, maxnorm), "renorm_");
}

}  // namespace tapedeck
