#include <tapedeck/ops/special.h>

#include <cmath>
#include <limits>
#include <numbers>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/internal/unary_recording.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/scan.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/power.h>
#include <tapedeck/ops/ternary.h>

namespace tapedeck {

using detail::floating;
using detail::Operand;
using detail::unary_of_input;
using detail::unary_of_output;
using kernels::BinaryOp;
using kernels::UnaryOp;
using V = Variable;

// dx = g / sqrt(x^2 + 1)
V asinh(const V& self) {
  return unary_of_input(UnaryOp::Asinh, floating(self), "AsinhBackward0",
                        [](const V& g, const V& x) { return g * rsqrt(x * x + 1); });
}
// dx = g / sqrt(x^2 - 1)
V acosh(const V& self) {
  return unary_of_input(UnaryOp::Acosh, floating(self), "AcoshBackward0",
                        [](const V& g, const V& x) { return g * rsqrt(x * x - 1); });
}
// dx = g / (1 - x^2)
V atanh(const V& self) {
  return unary_of_input(UnaryOp::Atanh, floating(self), "AtanhBackward0",
                        [](const V& g, const V& x) { return g / (1 - x * x); });
}
// dx = g digamma(x)
V lgamma(const V& self) {
  return unary_of_input(UnaryOp::Lgamma, floating(self), "LgammaBackward0",
                        [](const V& g, const V& x) { return g * digamma(x); });
}
V digamma(const V& self) { return polygamma(0, self); }
// dx = g polygamma(n + 1, x)
V polygamma(std::int64_t n, const V& self) {
  TAPEDECK_CHECK(n >= 0, "polygamma(n, x) does not support negative n, got ", n);
  return unary_of_input(
      UnaryOp::Polygamma, floating(self), n == 0 ? "DigammaBackward0" : "PolygammaBackward0",
      [n](const V& g, const V& x) { return g * polygamma(n + 1, x); }, {static_cast<double>(n)});
}
V mvlgamma(const V& self, std::int64_t p) {
  TAPEDECK_CHECK(p >= 1, "mvlgamma: expected p of at least 1, got ", p);
  const V x = floating(self);
  TAPEDECK_CHECK((x > 0.5 * static_cast<double>(p - 1)).all().item<bool>(),
                 "mvlgamma: expected all elements to be greater than (p - 1) / 2 with p = ", p);
  V sum = lgamma(x);
  if (x.numel() == 0) return sum;  // where p may be any number
  for (std::int64_t k = 1; k < p; ++k) sum = sum + lgamma(x - 0.5 * static_cast<double>(k));
  const auto order = static_cast<double>(p);
  return sum + 0.25 * order * (order - 1) * std::log(std::numbers::pi);
}
// dx = g sqrt(pi) / 2 exp(erfinv(x)^2)
V erfinv(const V& self) {
  return unary_of_input(UnaryOp::Erfinv, floating(self), "ErfinvBackward0",
                        [](const V& g, const V& x) {
                          return g * exp(square(erfinv(x))) * (0.5 / std::numbers::inv_sqrtpi);
                        });
}
V logit(const V& self, std::optional<double> eps) {
  V x = floating(self);
  if (eps) x = clamp(x, *eps, 1 - *eps);
  return log(x / (1 - x));
}
V sinc(const V& self) {
  const V x = floating(self) * std::numbers::pi, is_zero = x.detach() == 0;
  const V safe = where(is_zero, 1, x);
  return where(is_zero, 1, sin(safe) / safe);
}
V deg2rad(const V& self) { return floating(self) * (std::numbers::pi / 180); }
V rad2deg(const V& self) { return floating(self) * (180 / std::numbers::pi); }
V nan_to_num(const V& self, std::optional<double> nan, std::optional<double> posinf,
             std::optional<double> neginf) {
  if (!self.is_floating_point()) return self.clone();
  const double largest = self.dtype() == kFloat32 ? std::numeric_limits<float>::max()
                                                  : std::numeric_limits<double>::max();
  V y = where(isnan(self), nan.value_or(0), self);
  if (!posinf && !neginf) return clamp(y, -largest, largest);
  y = where(isposinf(self), posinf.value_or(largest), y);
  return where(isneginf(self), neginf.value_or(-largest), y);
}
V positive(const V& self) {
  TAPEDECK_CHECK_AS(TypeError, self.dtype() != kBool,
                    "positive: the + operator is not supported for dtype Bool");
  return self;
}
V signbit(const V& self) { return V(kernels::unary(UnaryOp::SignBit, self.array())); }
V isposinf(const V& self) { return isinf(self) & logical_not(signbit(self)); }
V isneginf(const V& self) { return isinf(self) & signbit(self); }
V isreal(const V& self) { return V(kernels::full(self.sizes(), true, kBool)); }

// z = log(e^x + e^y);  dx = g e^(x - z), dy = g e^(y - z)
V logaddexp(const V& self, const V& other) {
  const ScalarType dtype = result_type(self, other);
  const Operand x(self, dtype), y(other, dtype);
  V z(kernels::binary(BinaryOp::LogAddExp, x.array(), y.array()));
  if (should_record(x, y))
    record(z, "LogaddexpBackward0", edges(x, y),
           [x = save(x), y = save(y)](const V& g, const VjpContext& ctx) {
             const V difference = y.get(ctx) - x.get(ctx);
             return Gradients{
                 ctx.needs(0) ? (g * (-difference).sigmoid()).sum_to_size(ctx.input_sizes(0)) : V(),
                 ctx.needs(1) ? (g * difference.sigmoid()).sum_to_size(ctx.input_sizes(1)) : V()};
           });
  return z;
}
namespace special {
V ndtr(const V& self) { return erfc(floating(self) * -std::numbers::sqrt2 / 2) / 2; }
V entr(const V& self) {
  const V x = floating(self);
  return where(x < 0, -std::numeric_limits<double>::infinity(), -xlogy(x, clamp_min(x, 0)));
}
V xlog1py(const V& self, const V& other) { return xlogy(self, floating(other) + 1); }
}  // namespace special

V logaddexp2(const V& self, const V& other) {
  const detail::OpScope scope("logaddexp2");
  const ScalarType dtype = result_type(self, other);
  TAPEDECK_CHECK_AS(TypeError, is_floating_point(dtype), "logaddexp2: not implemented for dtype ",
                    dtype);
  constexpr double kLn2 = std::numbers::ln2;
  return logaddexp(self.to(dtype) * kLn2, other.to(dtype) * kLn2) / kLn2;
}
// z = sqrt(x^2 + y^2);  dx = g x / z, dy = g y / z
V hypot(const V& self, const V& other) {
  const ScalarType dtype = result_type(self, other);
  const Operand x(self, dtype), y(other, dtype);
  V z(kernels::binary(BinaryOp::Hypot, x.array(), y.array()));
  if (should_record(x, y))
    record(z, "HypotBackward0", edges(x, y),
           [x = save(x), y = save(y), z = save_output(z)](const V& g, const VjpContext& ctx) {
             const V scaled = g / z.get(ctx);
             return Gradients{
                 ctx.needs(0) ? (scaled * x.get(ctx)).sum_to_size(ctx.input_sizes(0)) : V(),
                 ctx.needs(1) ? (scaled * y.get(ctx)).sum_to_size(ctx.input_sizes(1)) : V()};
           });
  return z;
}
// z = x log y;  dx = g log y (0 where x = 0 and y <= 0), dy = g x / y
V xlogy(const V& self, const V& other) {
  const ScalarType dtype = detail::floating_type(result_type(self, other));
  const Operand x(self, dtype), y(other, dtype);
  V z(kernels::binary(BinaryOp::Xlogy, x.array(), y.array()));
  if (should_record(x, y))
    record(z, "XlogyBackward0", edges(x, y),
           [x = save(x), y = save(y)](const V& g, const VjpContext& ctx) {
             const V a = x.get(ctx), b = y.get(ctx);
             V dx, dy;
             if (ctx.needs(0))
               dx = (g * log(where((a == 0) & (b <= 0), 1, b))).sum_to_size(ctx.input_sizes(0));
             if (ctx.needs(1)) dy = (g * a / b).sum_to_size(ctx.input_sizes(1));
             return Gradients{dx, dy};
           });
  return z;
}
V xlogy(const V& self, Scalar other) {
  return xlogy(self, V(kernels::full({}, other, detail::floating_type(self.dtype()))));
}
V xlogy(Scalar self, const V& other) {
  return xlogy(V(kernels::full({}, self, detail::floating_type(other.dtype()))), other);
}
V copysign(const V& self, const V& other) {
  const detail::OpScope scope("copysign");
  const ScalarType dtype = detail::floating_type(result_type(self, other));
  const V x = self.to(dtype);
  return where(logical_xor(signbit(x), signbit(other)), -x, x);
}
V copysign(const V& self, Scalar other) {
  return copysign(self, V(kernels::full({}, other, detail::floating_type(self.dtype()))));
}
V fmax(const V& x, const V& y) {
  const detail::OpScope scope("fmax");
  return where(isnan(x), y, where(isnan(y), x, maximum(x, y)));
}
V fmin(const V& x, const V& y) {
  const detail::OpScope scope("fmin");
  return where(isnan(x), y, where(isnan(y), x, minimum(x, y)));
}
V float_power(const V& self, const V& exponent) {
  const detail::OpScope scope("float_power");
  return pow(self.to(kFloat64), exponent.to(kFloat64));
}
V float_power(const V& self, Scalar exponent) { return pow(self.to(kFloat64), exponent); }
V float_power(Scalar self, const V& exponent) { return pow(self, exponent.to(kFloat64)); }
V heaviside(const V& self, const V& values) {
  TAPEDECK_CHECK(self.dtype() == values.dtype(),
                 "heaviside is not yet implemented for tensors with different dtypes, got ",
                 self.dtype(), " and ", values.dtype());
  const V x = self.detach();
  return where(x == 0, values.detach(), (x > 0).to(x.dtype()));
}
V ldexp(const V& self, const V& other) {
  const detail::OpScope scope("ldexp");
  return self * pow(2.0, other);
}

namespace {

// 2^exponent in the dtype of what is shifted by it.
V power_of_two(const V& self, const V& exponent, const char* op) {
  const ScalarType dtype = result_type(self, exponent);
  TAPEDECK_CHECK_AS(TypeError, is_integral(dtype, false), op, ": not implemented for dtype ",
                    dtype);
  return pow(Scalar(2), exponent.detach().to(dtype));
}
V like(Scalar value, const V& x) { return V(kernels::full({}, value, x.dtype())); }

// The samples a0 - a1 cos(t) + a2 cos(2t), with t over one turn.
V cosine_window(std::int64_t length, bool periodic, double a0, double a1, double a2,
                const TensorOptions& options, const char* op) {
  TAPEDECK_CHECK(length >= 0, op, ": expected a window length of at least 0, got ", length);
  const ScalarType dtype = options.dtype();
  TAPEDECK_CHECK(is_floating_point(dtype), op, ": expected a floating point dtype, got ", dtype);
  const Array window = Array::empty({length}, dtype);
  const auto turn = static_cast<double>(length == 1 ? 1 : periodic ? length : length - 1);
  dispatch_floating(dtype, op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < length; ++i) {
      const double t = 2 * std::numbers::pi * static_cast<double>(i) / turn;
      window.data<T>()[i] =
          static_cast<T>(length == 1 ? 1 : a0 - a1 * std::cos(t) + a2 * std::cos(2 * t));
    }
  });
  V result(window);
  return result.requires_grad_(options.requires_grad());
}

}  // namespace

V bitwise_left_shift(const V& self, const V& other) {
  return self.detach() * power_of_two(self, other, "bitwise_left_shift");
}
V bitwise_left_shift(const V& self, Scalar other) {
  return bitwise_left_shift(self, like(other, self));
}
V bitwise_right_shift(const V& self, const V& other) {
  return floor_divide(self, power_of_two(self, other, "bitwise_right_shift"));
}
V bitwise_right_shift(const V& self, Scalar other) {
  return bitwise_right_shift(self, like(other, self));
}

V hann_window(std::int64_t length, TensorOptions options) {
  return hann_window(length, true, options);
}
V hann_window(std::int64_t length, bool periodic, TensorOptions options) {
  return cosine_window(length, periodic, 0.5, 0.5, 0, options, "hann_window");
}
V hamming_window(std::int64_t length, TensorOptions options) {
  return hamming_window(length, true, options);
}
V hamming_window(std::int64_t length, bool periodic, TensorOptions options) {
  return hamming_window(length, periodic, 0.54, options);
}
V hamming_window(std::int64_t length, bool periodic, double alpha, TensorOptions options) {
  return hamming_window(length, periodic, alpha, 0.46, options);
}
V hamming_window(std::int64_t length, bool periodic, double alpha, double beta,
                 TensorOptions options) {
  return cosine_window(length, periodic, alpha, beta, 0, options, "hamming_window");
}
V blackman_window(std::int64_t length, TensorOptions options) {
  return blackman_window(length, true, options);
}
V blackman_window(std::int64_t length, bool periodic, TensorOptions options) {
  return cosine_window(length, periodic, 0.42, 0.5, 0.08, options, "blackman_window");
}
V bartlett_window(std::int64_t length, TensorOptions options) {
  return bartlett_window(length, true, options);
}
// 1 - |2 i / n - 1|
V bartlett_window(std::int64_t length, bool periodic, TensorOptions options) {
  if (length < 2) return hann_window(length, periodic, options);
  const V ramp = V(kernels::cumsum(kernels::ones({length}, options.dtype()), 0)) - 1;
  V window = 1 - abs(ramp * (2.0 / static_cast<double>(periodic ? length : length - 1)) - 1);
  return window.requires_grad_(options.requires_grad());
}

namespace {

// An in-place form: of a copy, which the derivative may read after self has changed.
template <typename F>
V& changed(const V& self, const char* name, F function) {
  const V value = function(should_record(self) ? self.clone() : self);
  detail::check_can_cast(value.dtype(), self.dtype(), name);
  return assign_inplace(self, value, name);
}

}  // namespace

#define TAPEDECK_METHODS(name)                                                       \
  V VariableMath::name() const { return tapedeck::name(self()); }                    \
  V& VariableMath::name##_() const {                                                 \
    return changed(self(), #name "_", [](const V& x) { return tapedeck::name(x); }); \
  }
TAPEDECK_METHODS(asinh)
TAPEDECK_METHODS(arcsinh)
TAPEDECK_METHODS(acosh)
TAPEDECK_METHODS(arccosh)
TAPEDECK_METHODS(atanh)
TAPEDECK_METHODS(arctanh)
TAPEDECK_METHODS(lgamma)
TAPEDECK_METHODS(digamma)
TAPEDECK_METHODS(erfinv)
TAPEDECK_METHODS(sinc)
TAPEDECK_METHODS(deg2rad)
TAPEDECK_METHODS(rad2deg)
#undef TAPEDECK_METHODS
V VariableMath::polygamma(std::int64_t n) const { return tapedeck::polygamma(n, self()); }
V& VariableMath::polygamma_(std::int64_t n) const {
  return changed(self(), "polygamma_", [n](const V& x) { return tapedeck::polygamma(n, x); });
}
V VariableMath::mvlgamma(std::int64_t p) const { return tapedeck::mvlgamma(self(), p); }
V& VariableMath::mvlgamma_(std::int64_t p) const {
  return changed(self(), "mvlgamma_", [p](const V& x) { return tapedeck::mvlgamma(x, p); });
}
V VariableMath::logit(std::optional<double> eps) const { return tapedeck::logit(self(), eps); }
V& VariableMath::logit_(std::optional<double> eps) const {
  return changed(self(), "logit_", [eps](const V& x) { return tapedeck::logit(x, eps); });
}
V VariableMath::nan_to_num(std::optional<double> nan, std::optional<double> posinf,
                           std::optional<double> neginf) const {
  return tapedeck::nan_to_num(self(), nan, posinf, neginf);
}
V& VariableMath::nan_to_num_(std::optional<double> nan, std::optional<double> posinf,
                             std::optional<double> neginf) const {
  return changed(self(), "nan_to_num_",
                 [=](const V& x) { return tapedeck::nan_to_num(x, nan, posinf, neginf); });
}
V VariableMath::positive() const { return tapedeck::positive(self()); }
V VariableMath::signbit() const { return tapedeck::signbit(self()); }
V VariableMath::isposinf() const { return tapedeck::isposinf(self()); }
V VariableMath::isneginf() const { return tapedeck::isneginf(self()); }
V VariableMath::isreal() const { return tapedeck::isreal(self()); }

#define TAPEDECK_METHOD(name, Other) \
  V VariableMath::name(Other other) const { return tapedeck::name(self(), other); }
#define TAPEDECK_METHODS(name, Other)                                                        \
  TAPEDECK_METHOD(name, Other)                                                               \
  V& VariableMath::name##_(Other other) const {                                              \
    return changed(self(), #name "_", [&](const V& x) { return tapedeck::name(x, other); }); \
  }
TAPEDECK_METHOD(logaddexp, const V&)
TAPEDECK_METHOD(logaddexp2, const V&)
TAPEDECK_METHOD(fmax, const V&)
TAPEDECK_METHOD(fmin, const V&)
TAPEDECK_METHOD(bitwise_left_shift, Scalar)
TAPEDECK_METHOD(bitwise_right_shift, Scalar)
TAPEDECK_METHODS(hypot, const V&)
TAPEDECK_METHODS(xlogy, const V&)
TAPEDECK_METHODS(xlogy, Scalar)
TAPEDECK_METHODS(copysign, const V&)
TAPEDECK_METHODS(copysign, Scalar)
TAPEDECK_METHODS(float_power, const V&)
TAPEDECK_METHODS(float_power, Scalar)
TAPEDECK_METHODS(heaviside, const V&)
TAPEDECK_METHODS(ldexp, const V&)
TAPEDECK_METHODS(bitwise_left_shift, const V&)
TAPEDECK_METHODS(bitwise_right_shift, const V&)
TAPEDECK_METHODS(gcd, const V&)
TAPEDECK_METHODS(lcm, const V&)
#undef TAPEDECK_METHODS
#undef TAPEDECK_METHOD

}  // namespace tapedeck
