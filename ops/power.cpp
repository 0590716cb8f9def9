#include <tapedeck/ops/power.h>

#include <cmath>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/unary.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/promotion.h>
#include <tapedeck/ops/ternary.h>

namespace tapedeck {

using detail::Operand;
using kernels::BinaryOp;
using V = Variable;

namespace {

Variable zeros_like(const Variable& x) { return V(kernels::zeros(x.sizes(), x.dtype())); }

double number(Scalar s) { return s.toDouble(); }

// x to a power for which there is something cheaper than the general function.
Array power_of(const Array& x, Scalar exponent) {
  const double e = number(exponent);
  if (e == 1) return kernels::clone(x);
  if (e == 2 && x.dtype() != kBool) return kernels::unary(kernels::UnaryOp::Square, x);
  if (is_floating_point(x.dtype())) {
    if (e == 3) return kernels::unary(kernels::UnaryOp::Cube, x);
    if (e == 0.5) return kernels::unary(kernels::UnaryOp::Sqrt, x);
    if (e == -0.5) return kernels::unary(kernels::UnaryOp::Rsqrt, x);
    if (e == -1) return kernels::unary(kernels::UnaryOp::Reciprocal, x);
    if (e == -2) {
      Array square = kernels::unary(kernels::UnaryOp::Square, x);
      kernels::unary_out(kernels::UnaryOp::Reciprocal, square, square);
      return square;
    }
  }
  return kernels::binary(BinaryOp::Pow, x, exponent);
}

// The value is computed from a copy of self, which its VJP may read after self has changed.
Variable& assign(const Variable& self, const Variable& value, const char* name) {
  detail::check_can_cast(value.dtype(), self.dtype(), name);
  return assign_inplace(self, value, name);
}

}  // namespace

// z = x^e;  dx = g e x^(e-1)
V pow(const V& self, Scalar e) {
  TAPEDECK_CHECK_DEFINED("pow", self);
  const ScalarType dtype = result_type(self, e);
  TAPEDECK_CHECK(is_floating_point(dtype) || number(e) >= 0,
                 "pow: integers to negative integer powers are not allowed (exponent ", e, ")");
  const Operand x(self, dtype);
  V z(power_of(x.array(), e));
  if (should_record(x))
    record(z, "PowBackward0", edges(x), [x = save(x), e](const V& g, const VjpContext& ctx) {
      if (number(e) == 0) return zeros_like(g);
      if (number(e) == 1) return g;
      return g * (pow(x.get(ctx), number(e) - 1) * e);
    });
  return z;
}

// z = x^y;  dx = g y x^(y-1), dy = g z log x
V pow(const V& self, const V& exponent) {
  TAPEDECK_CHECK_DEFINED("pow", self, exponent);
  const ScalarType dtype = result_type(self, exponent);
  const Operand x(self, dtype), y(exponent, dtype);
  V z(kernels::binary(BinaryOp::Pow, x.array(), y.array()));
  if (should_record(x, y))
    record(z, "PowBackward1", edges(x, y),
           [x = save(x), y = save(y), z = y.requires_grad() ? save_output(z) : Saved()](
               const V& g, const VjpContext& ctx) {
             const V base = x.get(ctx), e = y.get(ctx);
             V dx, dy;
             if (ctx.needs(0))
               dx = where(e == 0, 0, g * (e * pow(base, e - 1))).sum_to_size(ctx.input_sizes(0));
             if (ctx.needs(1))
               dy = (g * where((base == 0) & (e >= 0), 0, z.get(ctx) * base.log()))
                        .sum_to_size(ctx.input_sizes(1));
             return Gradients{dx, dy};
           });
  return z;
}

// z = s^y;  dy = g z log s
V pow(Scalar s, const V& exponent) {
  TAPEDECK_CHECK_DEFINED("pow", exponent);
  const V y = exponent.to(result_type(s, exponent));
  V z(kernels::binary(BinaryOp::Pow, s, y.array()));
  if (should_record(y))
    record(z, "PowBackward1", edges(y),
           [s, y = save(y, number(s) == 0), z = save_output(z)](const V& g, const VjpContext& ctx) {
             const V slope = z.get(ctx) * std::log(number(s));
             return g * (number(s) == 0 ? where(y.get(ctx) >= 0, 0, slope) : slope);
           });
  return z;
}

namespace {

// z = the greater (or lesser) of x and y;  the winner gets g, equal ones half of it
V extreme(BinaryOp op, const V& self, const V& other, const char* node) {
  const ScalarType dtype = result_type(self, other);
  const Operand x(self, dtype), y(other, dtype);
  V z(kernels::binary(op, x.array(), y.array()));
  if (should_record(x, y))
    record(z, node, edges(x, y), [op, x = save(x), y = save(y)](const V& g, const VjpContext& ctx) {
      const V a = x.get(ctx), b = y.get(ctx), shared = where(a == b, g / 2, g);
      const V a_loses = op == BinaryOp::Maximum ? a < b : a > b;
      const V b_loses = op == BinaryOp::Maximum ? a > b : a < b;
      return Gradients{
          ctx.needs(0) ? where(a_loses, 0, shared).sum_to_size(ctx.input_sizes(0)) : V(),
          ctx.needs(1) ? where(b_loses, 0, shared).sum_to_size(ctx.input_sizes(1)) : V()};
    });
  return z;
}

}  // namespace

V maximum(const V& x, const V& y) {
  TAPEDECK_CHECK_DEFINED("maximum", x, y);
  return extreme(BinaryOp::Maximum, x, y, "MaximumBackward0");
}
V minimum(const V& x, const V& y) {
  TAPEDECK_CHECK_DEFINED("minimum", x, y);
  return extreme(BinaryOp::Minimum, x, y, "MinimumBackward0");
}
V max(const V& x, const V& y) {
  const detail::OpScope scope("max");
  return maximum(x, y);
}
V min(const V& x, const V& y) {
  const detail::OpScope scope("min");
  return minimum(x, y);
}

// z = angle of (x, y), y up;  dy = g x / (x^2 + y^2), dx = -g y / (x^2 + y^2)
V atan2(const V& self, const V& other) {
  TAPEDECK_CHECK_DEFINED("atan2", self, other);
  const ScalarType dtype = detail::floating_type(result_type(self, other));
  const Operand y(self, dtype), x(other, dtype);
  V z(kernels::binary(BinaryOp::Atan2, y.array(), x.array()));
  if (should_record(y, x))
    record(z, "Atan2Backward0", edges(y, x),
           [y = save(y), x = save(x)](const V& g, const VjpContext& ctx) {
             const V up = y.get(ctx), right = x.get(ctx);
             const V scaled = g / (right * right + up * up);
             return Gradients{
                 ctx.needs(0) ? (scaled * right).sum_to_size(ctx.input_sizes(0)) : V(),
                 ctx.needs(1) ? (scaled * up).sum_to_size(ctx.input_sizes(1)).neg() : V()};
           });
  return z;
}

namespace {

// z = x - y q with the rounded quotient q;  dx = g, dy = -g q
V remainder_of(BinaryOp op, const V& self, const V& other, const char* node) {
  const ScalarType dtype = result_type(self, other);
  const Operand x(self, dtype), y(other, dtype);
  V z(kernels::binary(op, x.array(), y.array()));
  if (should_record(x, y))
    record(z, node, edges(x, y),
           [op, x = save(x, y.requires_grad()), y = save(y, y.requires_grad())](
               const V& g, const VjpContext& ctx) {
             V dy;
             if (ctx.needs(1))
               dy = (g * div(x.get(ctx), y.get(ctx), op == BinaryOp::Fmod ? "trunc" : "floor"))
                        .sum_to_size(ctx.input_sizes(1))
                        .neg();
             return Gradients{ctx.needs(0) ? g.sum_to_size(ctx.input_sizes(0)) : V(), dy};
           });
  return z;
}

V remainder_of(BinaryOp op, const V& self, Scalar other, const char* node) {
  const Operand x(self, result_type(self, other));
  V z(kernels::binary(op, x.array(), other));
  if (should_record(x)) record(z, node, edges(x), [](const V& g) { return g; });
  return z;
}

// trunc or floor of x / y, which has no gradient.
Array rounded_quotient(const Array& x, const Array& y, std::string_view mode) {
  TAPEDECK_CHECK(mode == "trunc" || mode == "floor",
                 "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '",
                 mode, "'");
  if (mode == "floor") return kernels::binary(BinaryOp::FloorDivide, x, y);
  if (is_floating_point(x.dtype()))
    return kernels::unary(kernels::UnaryOp::Trunc, kernels::div(x, y));
  return kernels::binary(BinaryOp::TruncDivide, x, y);
}

V rounded_quotient(const V& self, const V& other, std::string_view mode) {
  const ScalarType dtype = result_type(self, other);
  V z(rounded_quotient(kernels::cast(self.array(), dtype), kernels::cast(other.array(), dtype),
                       mode));
  if (should_record(self, other))
    record(z, "DivBackward2", edges(self, other),
           [xt = self.dtype(), yt = other.dtype()](const V&, const VjpContext& ctx) {
             return Gradients{ctx.needs(0) ? V(kernels::zeros(ctx.input_sizes(0), xt)) : V(),
                              ctx.needs(1) ? V(kernels::zeros(ctx.input_sizes(1), yt)) : V()};
           });
  return z;
}

V rounded_quotient(const V& self, Scalar other, std::string_view mode) {
  const ScalarType dtype = result_type(self, other);
  return rounded_quotient(self.to(dtype), V(kernels::full({}, other, dtype)), mode);
}

}  // namespace

V fmod(const V& x, const V& y) {
  TAPEDECK_CHECK_DEFINED("fmod", x, y);
  return remainder_of(BinaryOp::Fmod, x, y, "FmodBackward1");
}
V fmod(const V& x, Scalar s) {
  TAPEDECK_CHECK_DEFINED("fmod", x);
  return remainder_of(BinaryOp::Fmod, x, s, "FmodBackward0");
}
V remainder(const V& x, const V& y) {
  TAPEDECK_CHECK_DEFINED("remainder", x, y);
  return remainder_of(BinaryOp::Remainder, x, y, "RemainderBackward1");
}
V remainder(const V& x, Scalar s) {
  TAPEDECK_CHECK_DEFINED("remainder", x);
  return remainder_of(BinaryOp::Remainder, x, s, "RemainderBackward0");
}
V remainder(Scalar s, const V& y) {
  TAPEDECK_CHECK_DEFINED("remainder", y);
  return remainder(V(kernels::full({}, s, result_type(s, y))), y);
}
V floor_divide(const V& x, const V& y) {
  TAPEDECK_CHECK_DEFINED("floor_divide", x, y);
  return rounded_quotient(x.detach(), y.detach(), "floor");
}
V floor_divide(const V& x, Scalar s) {
  TAPEDECK_CHECK_DEFINED("floor_divide", x);
  return rounded_quotient(x.detach(), s, "floor");
}
V div(const V& x, const V& y, std::optional<std::string_view> mode) {
  TAPEDECK_CHECK_DEFINED("div", x, y);
  return mode ? rounded_quotient(x, y, *mode) : div(x, y);
}
V div(const V& x, Scalar s, std::optional<std::string_view> mode) {
  TAPEDECK_CHECK_DEFINED("div", x);
  return mode ? rounded_quotient(x, s, *mode) : div(x, s);
}

V Variable::pow(const V& exponent) const { return tapedeck::pow(*this, exponent); }
V Variable::pow(Scalar exponent) const { return tapedeck::pow(*this, exponent); }
V& Variable::pow_(const V& exponent) const {
  TAPEDECK_CHECK_DEFINED("pow_", *this, exponent);
  return assign(*this, clone().pow(exponent), "pow_");
}
V& Variable::pow_(Scalar exponent) const {
  TAPEDECK_CHECK_DEFINED("pow_", *this);
  return assign(*this, clone().pow(exponent), "pow_");
}
V Variable::maximum(const V& other) const { return tapedeck::maximum(*this, other); }
V Variable::minimum(const V& other) const { return tapedeck::minimum(*this, other); }
V Variable::max(const V& other) const { return tapedeck::maximum(*this, other); }
V Variable::min(const V& other) const { return tapedeck::minimum(*this, other); }
V Variable::atan2(const V& other) const { return tapedeck::atan2(*this, other); }
V Variable::fmod(const V& other) const { return tapedeck::fmod(*this, other); }
V Variable::fmod(Scalar other) const { return tapedeck::fmod(*this, other); }
V& Variable::fmod_(const V& other) const {
  TAPEDECK_CHECK_DEFINED("fmod_", *this, other);
  return assign(*this, clone().fmod(other), "fmod_");
}
V& Variable::fmod_(Scalar other) const {
  TAPEDECK_CHECK_DEFINED("fmod_", *this);
  return assign(*this, clone().fmod(other), "fmod_");
}
V Variable::remainder(const V& other) const { return tapedeck::remainder(*this, other); }
V Variable::remainder(Scalar other) const { return tapedeck::remainder(*this, other); }
V& Variable::remainder_(const V& other) const {
  TAPEDECK_CHECK_DEFINED("remainder_", *this, other);
  return assign(*this, clone().remainder(other), "remainder_");
}
V& Variable::remainder_(Scalar other) const {
  TAPEDECK_CHECK_DEFINED("remainder_", *this);
  return assign(*this, clone().remainder(other), "remainder_");
}
V Variable::floor_divide(const V& other) const { return tapedeck::floor_divide(*this, other); }
V Variable::floor_divide(Scalar other) const { return tapedeck::floor_divide(*this, other); }
V Variable::div(const V& other, std::optional<std::string_view> mode) const {
  return tapedeck::div(*this, other, mode);
}
V Variable::div(Scalar other, std::optional<std::string_view> mode) const {
  return tapedeck::div(*this, other, mode);
}
V& Variable::div_(const V& other, std::optional<std::string_view> mode) const {
  TAPEDECK_CHECK_DEFINED("div_", *this, other);
  const detail::OpScope scope("div_");
  return mode ? assign(*this, div(other, mode), "div_") : div_(other);
}
V& Variable::div_(Scalar other, std::optional<std::string_view> mode) const {
  TAPEDECK_CHECK_DEFINED("div_", *this);
  const detail::OpScope scope("div_");
  return mode ? assign(*this, div(other, mode), "div_") : div_(other);
}

}  // namespace tapedeck
