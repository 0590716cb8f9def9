#include <tapedeck/ops/arithmetic.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/unary.h>
#include <tapedeck/ops/promotion.h>

namespace tapedeck {

using detail::Operand;
using kernels::BinaryOp;

namespace {

bool is_one(Scalar s) { return s.isFloatingPoint() ? s.toDouble() == 1 : s.toLong() == 1; }

void check_no_bool(bool one_is_bool) {
  TAPEDECK_CHECK_AS(TypeError, !one_is_bool,
                    "sub: subtraction with a bool tensor or number is not supported; use "
                    "bitwise_xor or logical_not instead");
}

void check_alpha(ScalarType dtype, Scalar alpha, const char* op) {
  TAPEDECK_CHECK(is_floating_point(dtype) || !alpha.isFloatingPoint(), op,
                 ": for integral input tensors, argument alpha must not be a floating point number "
                 "(dtype ",
                 dtype, ", alpha ", alpha, ")");
  TAPEDECK_CHECK(dtype == kBool || !alpha.isBoolean(), op,
                 ": Boolean alpha only supported for Boolean results, got dtype ", dtype);
}

Variable scaled(const Variable& x, Scalar alpha) { return is_one(alpha) ? x : mul(x, alpha); }

// x + alpha y; in one pass for floating dtypes.
Array add_scaled(const Array& x, const Array& y, Scalar alpha) {
  if (is_one(alpha)) return kernels::add(x, y);
  if (!is_floating_point(x.dtype()))
    return kernels::add(x, kernels::binary(BinaryOp::Mul, y, alpha));
  return kernels::binary(BinaryOp::AddScaled, x, y, {{alpha.toDouble()}});
}
Variable times(const Variable& g, Scalar alpha) { return is_one(alpha) ? g : g * alpha; }

// An in-place operation: straight into self's memory where nothing is recorded, else as the
// out-of-place one whose result is taken over.
template <typename Other, typename OutOfPlace>
Variable& apply_inplace(BinaryOp op, const char* name, const Variable& self, const Other& other,
                        ScalarType dtype, OutOfPlace&& out_of_place,
                        const kernels::OpParams& params = {}) {
  detail::check_can_cast(dtype, self.dtype(), name);
  bool recorded = should_record(self);
  if constexpr (std::is_same_v<Other, Variable>) recorded |= should_record(other);
  if (recorded) return assign_inplace(self, out_of_place(), name);
  check_inplace(self, name);
  Array out = self.array();
  const Array a = kernels::cast(self.array(), dtype);
  if constexpr (std::is_same_v<Other, Variable>) {
    TAPEDECK_CHECK(broadcast_shapes(self.sizes(), other.sizes(), name) == self.array().sizes(),
                   name, ": output with shape ", self.sizes(),
                   " doesn't match the broadcast shape ",
                   broadcast_shapes(self.sizes(), other.sizes(), name).ref());
    kernels::binary_out(op, out, a, kernels::cast(other.array(), dtype), params);
  } else {
    kernels::binary_out(op, out, a, other);
  }
  return finish_inplace(self);
}

}  // namespace

// z = x + alpha y;  dx = g, dy = alpha g
Variable add(const Variable& self, const Variable& other, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("add", self, other);
  const ScalarType dtype = result_type(self, other);
  check_alpha(dtype, alpha, "add");
  const Operand x(self, dtype), y(other, dtype);
  Variable z(add_scaled(x.array(), y.array(), alpha));
  if (should_record(x, y))
    record(z, "AddBackward0", edges(x, y), [alpha](const Variable& g, const VjpContext& ctx) {
      return Gradients{ctx.needs(0) ? g.sum_to_size(ctx.input_sizes(0)) : Variable(),
                       ctx.needs(1) ? times(g.sum_to_size(ctx.input_sizes(1)), alpha) : Variable()};
    });
  return z;
}

namespace {

// As in a tensor of int64.
Scalar wrapping_product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

// z = x + alpha s;  dx = g
Variable add_number(const Variable& self, Scalar other, Scalar alpha, const char* name,
                    const char* op) {
  const ScalarType dtype = result_type(self, other);
  check_alpha(dtype, alpha, op);
  const Scalar s = is_one(alpha) ? other
                   : other.isFloatingPoint() || alpha.isFloatingPoint()
                       ? Scalar(other.toDouble() * alpha.toDouble())
                       : wrapping_product(other.toLong(), alpha.toLong());
  const Operand x(self, dtype);
  Variable z(kernels::binary(BinaryOp::Add, x.array(), s));
  if (should_record(x)) record(z, name, edges(x), [](const Variable& g) { return g; });
  return z;
}

}  // namespace

Variable add(const Variable& self, Scalar other, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("add", self);
  return add_number(self, other, alpha, "AddBackward1", "add");
}

// z = x - alpha y;  dx = g, dy = -alpha g
Variable sub(const Variable& self, const Variable& other, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("sub", self, other);
  check_no_bool(self.dtype() == kBool || other.dtype() == kBool);
  const ScalarType dtype = result_type(self, other);
  check_alpha(dtype, alpha, "sub");
  const Operand x(self, dtype), unscaled(other, dtype);
  const Variable y = scaled(unscaled, alpha);
  Variable z(kernels::sub(x.array(), y.array()));
  if (should_record(x, y))
    record(z, "SubBackward0", edges(x, y), [](const Variable& g, const VjpContext& ctx) {
      return Gradients{ctx.needs(0) ? g.sum_to_size(ctx.input_sizes(0)) : Variable(),
                       ctx.needs(1) ? g.sum_to_size(ctx.input_sizes(1)).neg() : Variable()};
    });
  return z;
}

Variable sub(const Variable& self, Scalar other, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("sub", self);
  check_no_bool(self.dtype() == kBool || other.isBoolean());
  return add_number(self, -other, alpha, "SubBackward1", "sub");
}

// z = s - alpha x;  dx = -alpha g
Variable rsub(const Variable& self, Scalar other, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("rsub", self);
  check_no_bool(self.dtype() == kBool);
  const ScalarType dtype = result_type(self, other);
  check_alpha(dtype, alpha, "rsub");
  const Variable x = scaled(self.to(dtype), alpha);
  Variable z(kernels::binary(BinaryOp::Sub, other, x.array()));
  if (should_record(x))
    record(z, "RsubBackward1", edges(x), [](const Variable& g) { return g.neg(); });
  return z;
}

Variable rsub(const Variable& self, const Variable& other, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("rsub", self, other);
  return sub(other, self, alpha);
}

// z = x y;  dx = g y, dy = g x
Variable mul(const Variable& self, const Variable& other) {
  TAPEDECK_CHECK_DEFINED("mul", self, other);
  const ScalarType dtype = result_type(self, other);
  const Operand x(self, dtype), y(other, dtype);
  Variable z(kernels::mul(x.array(), y.array()));
  if (should_record(x, y))
    record(z, "MulBackward0", edges(x, y),
           [x = save(x, y.requires_grad()), y = save(y, x.requires_grad())](const Variable& g,
                                                                            const VjpContext& ctx) {
             return Gradients{
                 ctx.needs(0) ? (g * y.get(ctx)).sum_to_size(ctx.input_sizes(0)) : Variable(),
                 ctx.needs(1) ? (g * x.get(ctx)).sum_to_size(ctx.input_sizes(1)) : Variable()};
           });
  return z;
}

// z = x s;  dx = g s
Variable mul(const Variable& self, Scalar s) {
  TAPEDECK_CHECK_DEFINED("mul", self);
  const Operand x(self, result_type(self, s));
  Variable z(kernels::binary(BinaryOp::Mul, x.array(), s));
  if (should_record(x))
    record(z, "MulBackward1", edges(x), [s](const Variable& g) { return g * s; });
  return z;
}

// z = x / y;  dx = g / y, dy = -g (x / y) / y. Not of z, which may be changed in place.
Variable div(const Variable& self, const Variable& other) {
  TAPEDECK_CHECK_DEFINED("div", self, other);
  const ScalarType dtype = detail::floating_type(result_type(self, other));
  const Operand x(self, dtype), y(other, dtype);
  Variable z(kernels::div(x.array(), y.array()));
  if (should_record(x, y))
    record(z, "DivBackward0", edges(x, y),
           [x = y.requires_grad() ? save(x) : Saved(), y = save(y)](const Variable& g,
                                                                    const VjpContext& ctx) {
             const Variable divisor = y.get(ctx), dx = g / divisor;
             return Gradients{
                 ctx.needs(0) ? dx.sum_to_size(ctx.input_sizes(0)) : Variable(),
                 ctx.needs(1) ? (dx * (x.get(ctx) / divisor)).sum_to_size(ctx.input_sizes(1)).neg()
                              : Variable()};
           });
  return z;
}

// z = x / s;  dx = g / s
Variable div(const Variable& self, Scalar s) {
  TAPEDECK_CHECK_DEFINED("div", self);
  const Operand x(self, detail::floating_type(result_type(self, s)));
  Variable z(kernels::binary(BinaryOp::Div, x.array(), s));
  if (should_record(x))
    record(z, "DivBackward1", edges(x), [s](const Variable& g) { return g / s; });
  return z;
}

// z = s / y;  dy = -g (s / y) / y
Variable operator/(Scalar s, const Variable& other) {
  const Operand y(other, detail::floating_type(result_type(s, other)));
  Variable z(kernels::binary(BinaryOp::Div, s, y.array()));
  if (should_record(y))
    record(z, "DivBackward0", edges(y), [s, y = save(y)](const Variable& g, const VjpContext& ctx) {
      const Variable divisor = y.get(ctx);
      return (g * (s / divisor) / divisor).neg();
    });
  return z;
}

// z = -x;  dx = -g
Variable neg(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("neg", x);
  TAPEDECK_CHECK_AS(TypeError, x.dtype() != kBool,
                    "neg: negation of a bool tensor is not supported; use logical_not instead");
  Variable z(kernels::unary(kernels::UnaryOp::Neg, x.array()));
  if (should_record(x))
    record(z, "NegBackward0", edges(x), [](const Variable& g) { return g.neg(); });
  return z;
}

Variable Variable::add(const Variable& other, Scalar alpha) const {
  return tapedeck::add(*this, other, alpha);
}
Variable Variable::add(Scalar other, Scalar alpha) const {
  return tapedeck::add(*this, other, alpha);
}
Variable Variable::sub(const Variable& other, Scalar alpha) const {
  return tapedeck::sub(*this, other, alpha);
}
Variable Variable::sub(Scalar other, Scalar alpha) const {
  return tapedeck::sub(*this, other, alpha);
}
Variable Variable::mul(const Variable& other) const { return tapedeck::mul(*this, other); }
Variable Variable::mul(Scalar other) const { return tapedeck::mul(*this, other); }
Variable Variable::div(const Variable& other) const { return tapedeck::div(*this, other); }
Variable Variable::div(Scalar other) const { return tapedeck::div(*this, other); }
Variable Variable::neg() const { return tapedeck::neg(*this); }
Variable Variable::operator-() const { return tapedeck::neg(*this); }

Variable& Variable::add_(const Variable& other, Scalar alpha) const {
  TAPEDECK_CHECK_DEFINED("add_", *this, other);
  const ScalarType dtype = result_type(*this, other);
  check_alpha(dtype, alpha, "add_");
  const auto out_of_place = [&] { return add(other, alpha); };
  if (is_one(alpha)) return apply_inplace(BinaryOp::Add, "add_", *this, other, dtype, out_of_place);
  if (tapedeck::is_floating_point(dtype))
    return apply_inplace(BinaryOp::AddScaled, "add_", *this, other, dtype, out_of_place,
                         {{alpha.toDouble()}});
  return apply_inplace(BinaryOp::Add, "add_", *this, scaled(other.to(dtype), alpha), dtype,
                       out_of_place);
}
Variable& Variable::add_(Scalar other, Scalar alpha) const {
  TAPEDECK_CHECK_DEFINED("add_", *this);
  if (!is_one(alpha)) return add_(Variable(kernels::full({}, other, dtype())), alpha);
  return apply_inplace(BinaryOp::Add, "add_", *this, other, result_type(*this, other),
                       [&] { return add(other); });
}
Variable& Variable::sub_(const Variable& other, Scalar alpha) const {
  TAPEDECK_CHECK_DEFINED("sub_", *this, other);
  check_no_bool(dtype() == kBool || other.dtype() == kBool);
  const ScalarType dtype = result_type(*this, other);
  check_alpha(dtype, alpha, "sub_");
  if (!is_one(alpha) && tapedeck::is_floating_point(dtype)) return add_(other, -alpha);
  return apply_inplace(BinaryOp::Sub, "sub_", *this, scaled(other.to(dtype), alpha), dtype,
                       [&] { return sub(other, alpha); });
}
Variable& Variable::sub_(Scalar other, Scalar alpha) const {
  TAPEDECK_CHECK_DEFINED("sub_", *this);
  check_no_bool(dtype() == kBool || other.isBoolean());
  return add_(-other, alpha);
}
Variable& Variable::mul_(const Variable& other) const {
  TAPEDECK_CHECK_DEFINED("mul_", *this, other);
  // The gradient of `other` reads self as it was.
  return apply_inplace(BinaryOp::Mul, "mul_", *this, other, result_type(*this, other),
                       [&] { return (should_record(other) ? clone() : *this).mul(other); });
}
Variable& Variable::mul_(Scalar other) const {
  TAPEDECK_CHECK_DEFINED("mul_", *this);
  return apply_inplace(BinaryOp::Mul, "mul_", *this, other, result_type(*this, other),
                       [&] { return mul(other); });
}
Variable& Variable::div_(const Variable& other) const {
  TAPEDECK_CHECK_DEFINED("div_", *this, other);
  const detail::OpScope scope("div_");
  return apply_inplace(BinaryOp::Div, "div_", *this, other,
                       detail::floating_type(result_type(*this, other)),
                       [&] { return (should_record(other) ? clone() : *this).div(other); });
}
Variable& Variable::div_(Scalar other) const {
  TAPEDECK_CHECK_DEFINED("div_", *this);
  const detail::OpScope scope("div_");
  return apply_inplace(BinaryOp::Div, "div_", *this, other,
                       detail::floating_type(result_type(*this, other)),
                       [&] { return div(other); });
}
Variable& Variable::neg_() const {
  TAPEDECK_CHECK_DEFINED("neg_", *this);
  const detail::OpScope scope("neg_");
  return mul_(-1);
}

Variable& Variable::operator+=(const Variable& other) & { return add_(other); }
Variable& Variable::operator+=(Scalar other) & { return add_(other); }
Variable& Variable::operator-=(const Variable& other) & { return sub_(other); }
Variable& Variable::operator-=(Scalar other) & { return sub_(other); }
Variable& Variable::operator*=(const Variable& other) & { return mul_(other); }
Variable& Variable::operator*=(Scalar other) & { return mul_(other); }
Variable& Variable::operator/=(const Variable& other) & { return div_(other); }
Variable& Variable::operator/=(Scalar other) & { return div_(other); }

}  // namespace tapedeck
