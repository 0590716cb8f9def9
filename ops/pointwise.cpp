#include <tapedeck/ops/pointwise.h>

#include <cmath>
#include <cstdlib>
#include <numbers>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/internal/unary_recording.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck {

using detail::floating;
using detail::Reads;
using detail::smooth_backward;
using detail::unary_in_place;
using detail::unary_of_input;
using detail::unary_of_output;
using kernels::BinaryOp;
using kernels::UnaryOp;
using V = Variable;

// dx = g y
V exp(const V& self) {
  TAPEDECK_CHECK_DEFINED("exp", self);
  return unary_of_output(UnaryOp::Exp, floating(self), "ExpBackward0",
                         [](const V& g, const V& y) { return g * y; });
}
// dx = g y log 2
V exp2(const V& self) {
  TAPEDECK_CHECK_DEFINED("exp2", self);
  return unary_of_output(UnaryOp::Exp2, floating(self), "Exp2Backward0",
                         [](const V& g, const V& y) { return g * y * std::numbers::ln2; });
}
// dx = g (y + 1)
V expm1(const V& self) {
  TAPEDECK_CHECK_DEFINED("expm1", self);
  return unary_of_output(UnaryOp::Expm1, floating(self), "Expm1Backward0",
                         [](const V& g, const V& y) { return g * (y + 1); });
}
// dx = g / x
V log(const V& self) {
  TAPEDECK_CHECK_DEFINED("log", self);
  return unary_of_input(UnaryOp::Log, floating(self), "LogBackward0",
                        [](const V& g, const V& x) { return g / x; });
}
// dx = g / (1 + x)
V log1p(const V& self) {
  TAPEDECK_CHECK_DEFINED("log1p", self);
  return unary_of_input(UnaryOp::Log1p, floating(self), "Log1PBackward0",
                        [](const V& g, const V& x) { return g / (x + 1); });
}
// dx = g / (x log 2)
V log2(const V& self) {
  TAPEDECK_CHECK_DEFINED("log2", self);
  return unary_of_input(UnaryOp::Log2, floating(self), "Log2Backward0",
                        [](const V& g, const V& x) { return g / (x * std::numbers::ln2); });
}
// dx = g / (x log 10)
V log10(const V& self) {
  TAPEDECK_CHECK_DEFINED("log10", self);
  return unary_of_input(UnaryOp::Log10, floating(self), "Log10Backward0",
                        [](const V& g, const V& x) { return g / (x * std::numbers::ln10); });
}
// dx = g / 2y
V sqrt(const V& self) {
  TAPEDECK_CHECK_DEFINED("sqrt", self);
  return unary_of_output(UnaryOp::Sqrt, floating(self), "SqrtBackward0",
                         [](const V& g, const V& y) { return g / (y * 2); });
}
// dx = -g y^3 / 2, of which the derivative by y is -3 g y^2 / 2
V rsqrt(const V& self) {
  TAPEDECK_CHECK_DEFINED("rsqrt", self);
  return unary_of_output(
      UnaryOp::Rsqrt, floating(self), "RsqrtBackward0", [](const V& g, const V& y) {
        return smooth_backward(BinaryOp::RsqrtBackward, g, y, "RsqrtBackwardBackward0",
                               [](const V& out) { return out * out * -1.5; });
      });
}
// dx = -g y^2, of which the derivative by y is -2 g y
V reciprocal(const V& self) {
  TAPEDECK_CHECK_DEFINED("reciprocal", self);
  return unary_of_output(
      UnaryOp::Reciprocal, floating(self), "ReciprocalBackward0", [](const V& g, const V& y) {
        return smooth_backward(BinaryOp::ReciprocalBackward, g, y, "ReciprocalBackwardBackward0",
                               [](const V& out) { return out * -2; });
      });
}
// dx = 2 g x
V square(const V& self) {
  TAPEDECK_CHECK_DEFINED("square", self);
  if (self.dtype() == kBool) return square(self.to(kInt64));
  return unary_of_input(UnaryOp::Square, self, "PowBackward0",
                        [](const V& g, const V& x) { return g * x * 2; });
}
// dx = g sign(x)
V abs(const V& self) {
  TAPEDECK_CHECK_DEFINED("abs", self);
  return unary_of_input(UnaryOp::Abs, self, "AbsBackward0",
                        [](const V& g, const V& x) { return g * x.sign(); });
}
// dx = g cos(x)
V sin(const V& self) {
  TAPEDECK_CHECK_DEFINED("sin", self);
  return unary_of_input(UnaryOp::Sin, floating(self), "SinBackward0",
                        [](const V& g, const V& x) { return g * x.cos(); });
}
// dx = -g sin(x)
V cos(const V& self) {
  TAPEDECK_CHECK_DEFINED("cos", self);
  return unary_of_input(UnaryOp::Cos, floating(self), "CosBackward0",
                        [](const V& g, const V& x) { return -(g * x.sin()); });
}
// dx = g (1 + y^2)
V tan(const V& self) {
  TAPEDECK_CHECK_DEFINED("tan", self);
  return unary_of_output(UnaryOp::Tan, floating(self), "TanBackward0",
                         [](const V& g, const V& y) { return g * (y * y + 1); });
}
// dx = g / sqrt(1 - x^2)
V asin(const V& self) {
  TAPEDECK_CHECK_DEFINED("asin", self);
  return unary_of_input(UnaryOp::Asin, floating(self), "AsinBackward0",
                        [](const V& g, const V& x) { return g * rsqrt(1 - x * x); });
}
// dx = -g / sqrt(1 - x^2)
V acos(const V& self) {
  TAPEDECK_CHECK_DEFINED("acos", self);
  return unary_of_input(UnaryOp::Acos, floating(self), "AcosBackward0",
                        [](const V& g, const V& x) { return -(g * rsqrt(1 - x * x)); });
}
// dx = g / (1 + x^2)
V atan(const V& self) {
  TAPEDECK_CHECK_DEFINED("atan", self);
  return unary_of_input(UnaryOp::Atan, floating(self), "AtanBackward0",
                        [](const V& g, const V& x) { return g / (x * x + 1); });
}
// dx = g cosh(x)
V sinh(const V& self) {
  TAPEDECK_CHECK_DEFINED("sinh", self);
  return unary_of_input(UnaryOp::Sinh, floating(self), "SinhBackward0",
                        [](const V& g, const V& x) { return g * x.cosh(); });
}
// dx = g sinh(x)
V cosh(const V& self) {
  TAPEDECK_CHECK_DEFINED("cosh", self);
  return unary_of_input(UnaryOp::Cosh, floating(self), "CoshBackward0",
                        [](const V& g, const V& x) { return g * x.sinh(); });
}
// dx = g (1 - y^2)
V tanh(const V& self) {
  TAPEDECK_CHECK_DEFINED("tanh", self);
  return unary_of_output(UnaryOp::Tanh, floating(self), "TanhBackward0", tanh_backward);
}
// z = g (1 - y^2);  dg = gg (1 - y^2), dy = -2 gg g y
V tanh_backward(const V& g, const V& y) {
  TAPEDECK_CHECK_DEFINED("tanh_backward", g, y);
  V z(kernels::binary(BinaryOp::TanhBackward, g.array(), y.array()));
  if (should_record(g, y))
    record(z, "TanhBackwardBackward0", edges(g, y),
           [g = save(g), y = save(y)](const V& gg, const VjpContext& ctx) {
             const V out = y.get(ctx);
             return Gradients{ctx.needs(0) ? tanh_backward(gg, out) : V(),
                              ctx.needs(1) ? gg * g.get(ctx) * out * -2 : V()};
           });
  return z;
}
// dx = 2 g exp(-x^2) / sqrt(pi)
V erf(const V& self) {
  TAPEDECK_CHECK_DEFINED("erf", self);
  return unary_of_input(UnaryOp::Erf, floating(self), "ErfBackward0", [](const V& g, const V& x) {
    return g * exp(-(x * x)) * (2 * std::numbers::inv_sqrtpi);
  });
}
// dx = -2 g exp(-x^2) / sqrt(pi)
V erfc(const V& self) {
  TAPEDECK_CHECK_DEFINED("erfc", self);
  return unary_of_input(UnaryOp::Erfc, floating(self), "ErfcBackward0", [](const V& g, const V& x) {
    return g * exp(-(x * x)) * (-2 * std::numbers::inv_sqrtpi);
  });
}

namespace {

// y = op(x), constant between its steps;  dx = 0
V step_function(UnaryOp op, const V& x, const char* node) {
  V y(kernels::unary(op, x.array()));
  if (should_record(x))
    record(y, node, edges(x), [](const V& g) { return V(kernels::zeros(g.sizes(), g.dtype())); });
  return y;
}

V rounding(UnaryOp op, const V& x, const char* node) {
  if (is_integral(x.dtype(), false)) return x.clone();
  return step_function(op, x, node);
}

}  // namespace

V sign(const V& x) {
  TAPEDECK_CHECK_DEFINED("sign", x);
  if (x.dtype() == kBool) return x.clone();
  return step_function(UnaryOp::Sign, x, "SignBackward0");
}
V floor(const V& x) {
  TAPEDECK_CHECK_DEFINED("floor", x);
  return rounding(UnaryOp::Floor, x, "FloorBackward0");
}
V ceil(const V& x) {
  TAPEDECK_CHECK_DEFINED("ceil", x);
  return rounding(UnaryOp::Ceil, x, "CeilBackward0");
}
V round(const V& x) {
  TAPEDECK_CHECK_DEFINED("round", x);
  return rounding(UnaryOp::Round, x, "RoundBackward0");
}
V round(const V& x, std::int64_t decimals) {
  TAPEDECK_CHECK_DEFINED("round", x);
  if (decimals == 0 || !x.is_floating_point()) return round(x);
  const double scale = std::pow(10.0, std::abs(static_cast<double>(decimals)));
  return decimals > 0 ? round(x * scale) / scale : round(x / scale) * scale;
}
V trunc(const V& x) {
  TAPEDECK_CHECK_DEFINED("trunc", x);
  return rounding(UnaryOp::Trunc, x, "TruncBackward0");
}
// y = x - trunc(x);  dx = g
V frac(const V& x) {
  TAPEDECK_CHECK_DEFINED("frac", x);
  V y(kernels::unary(UnaryOp::Frac, x.array()));
  if (should_record(x)) record(y, "FracBackward0", edges(x), [](const V& g) { return g; });
  return y;
}

#define TAPEDECK_UNARY_METHODS(name, op, reads)                         \
  V Variable::name() const { return tapedeck::name(*this); }            \
  V& Variable::name##_() const {                                        \
    return unary_in_place(op, reads, *this, #name "_", tapedeck::name); \
  }
TAPEDECK_UNARY_METHODS(exp, UnaryOp::Exp, Reads::Output)
TAPEDECK_UNARY_METHODS(exp2, UnaryOp::Exp2, Reads::Output)
TAPEDECK_UNARY_METHODS(expm1, UnaryOp::Expm1, Reads::Output)
TAPEDECK_UNARY_METHODS(log, UnaryOp::Log, Reads::Input)
TAPEDECK_UNARY_METHODS(log1p, UnaryOp::Log1p, Reads::Input)
TAPEDECK_UNARY_METHODS(log2, UnaryOp::Log2, Reads::Input)
TAPEDECK_UNARY_METHODS(log10, UnaryOp::Log10, Reads::Input)
TAPEDECK_UNARY_METHODS(sqrt, UnaryOp::Sqrt, Reads::Output)
TAPEDECK_UNARY_METHODS(rsqrt, UnaryOp::Rsqrt, Reads::Output)
TAPEDECK_UNARY_METHODS(square, UnaryOp::Square, Reads::Input)
TAPEDECK_UNARY_METHODS(reciprocal, UnaryOp::Reciprocal, Reads::Output)
TAPEDECK_UNARY_METHODS(abs, UnaryOp::Abs, Reads::Input)
TAPEDECK_UNARY_METHODS(sign, UnaryOp::Sign, Reads::Output)
TAPEDECK_UNARY_METHODS(sin, UnaryOp::Sin, Reads::Input)
TAPEDECK_UNARY_METHODS(cos, UnaryOp::Cos, Reads::Input)
TAPEDECK_UNARY_METHODS(tan, UnaryOp::Tan, Reads::Output)
TAPEDECK_UNARY_METHODS(asin, UnaryOp::Asin, Reads::Input)
TAPEDECK_UNARY_METHODS(acos, UnaryOp::Acos, Reads::Input)
TAPEDECK_UNARY_METHODS(atan, UnaryOp::Atan, Reads::Input)
TAPEDECK_UNARY_METHODS(sinh, UnaryOp::Sinh, Reads::Input)
TAPEDECK_UNARY_METHODS(cosh, UnaryOp::Cosh, Reads::Input)
TAPEDECK_UNARY_METHODS(tanh, UnaryOp::Tanh, Reads::Output)
TAPEDECK_UNARY_METHODS(erf, UnaryOp::Erf, Reads::Input)
TAPEDECK_UNARY_METHODS(erfc, UnaryOp::Erfc, Reads::Input)
TAPEDECK_UNARY_METHODS(floor, UnaryOp::Floor, Reads::Output)
TAPEDECK_UNARY_METHODS(ceil, UnaryOp::Ceil, Reads::Output)
V Variable::round() const { return tapedeck::round(*this); }
V& Variable::round_() const {
  TAPEDECK_CHECK_DEFINED("round_", *this);
  return unary_in_place(UnaryOp::Round, Reads::Output, *this, "round_",
                        [](const V& x) { return tapedeck::round(x); });
}
V Variable::round(std::int64_t decimals) const { return tapedeck::round(*this, decimals); }
V& Variable::round_(std::int64_t decimals) const {
  TAPEDECK_CHECK_DEFINED("round_", *this);
  return assign_inplace(*this, round(decimals), "round_");
}
TAPEDECK_UNARY_METHODS(trunc, UnaryOp::Trunc, Reads::Output)
TAPEDECK_UNARY_METHODS(frac, UnaryOp::Frac, Reads::Output)
#undef TAPEDECK_UNARY_METHODS

}  // namespace tapedeck
