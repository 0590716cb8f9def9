#include <tapedeck/ops/comparison.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/kernels/unary.h>
#include <tapedeck/ops/promotion.h>

namespace tapedeck {

using kernels::BinaryOp;
using kernels::UnaryOp;

namespace {

Variable compare(BinaryOp op, const Variable& self, const Variable& other) {
  TAPEDECK_CHECK_DEFINED(kernels::name_of(op), self, other);
  const ScalarType dtype = result_type(self, other);
  return Variable(
      kernels::binary(op, kernels::cast(self.array(), dtype), kernels::cast(other.array(), dtype)));
}
Variable compare(BinaryOp op, const Variable& self, Scalar other) {
  TAPEDECK_CHECK_DEFINED(kernels::name_of(op), self);
  return Variable(
      kernels::binary(op, kernels::cast(self.array(), result_type(self, other)), other));
}

bool all_of(const Array& a) { return *kernels::reduce(kernels::ReduceOp::All, a).data<bool>(); }

}  // namespace

#define TAPEDECK_COMPARISON(name, op)                                                             \
  Variable name(const Variable& self, const Variable& other) { return compare(op, self, other); } \
  Variable name(const Variable& self, Scalar other) { return compare(op, self, other); }          \
  Variable Variable::name(const Variable& other) const { return compare(op, *this, other); }      \
  Variable Variable::name(Scalar other) const { return compare(op, *this, other); }
TAPEDECK_COMPARISON(eq, BinaryOp::Eq)
TAPEDECK_COMPARISON(ne, BinaryOp::Ne)
TAPEDECK_COMPARISON(lt, BinaryOp::Lt)
TAPEDECK_COMPARISON(le, BinaryOp::Le)
TAPEDECK_COMPARISON(gt, BinaryOp::Gt)
TAPEDECK_COMPARISON(ge, BinaryOp::Ge)
TAPEDECK_COMPARISON(bitwise_and, BinaryOp::BitwiseAnd)
TAPEDECK_COMPARISON(bitwise_or, BinaryOp::BitwiseOr)
TAPEDECK_COMPARISON(bitwise_xor, BinaryOp::BitwiseXor)
#undef TAPEDECK_COMPARISON

Variable logical_and(const Variable& self, const Variable& other) {
  return compare(BinaryOp::LogicalAnd, self, other);
}
Variable logical_or(const Variable& self, const Variable& other) {
  return compare(BinaryOp::LogicalOr, self, other);
}
Variable logical_xor(const Variable& self, const Variable& other) {
  return compare(BinaryOp::LogicalXor, self, other);
}
Variable logical_not(const Variable& self) {
  TAPEDECK_CHECK_DEFINED("logical_not", self);
  return Variable(kernels::unary(UnaryOp::LogicalNot, self.array()));
}
Variable bitwise_not(const Variable& self) {
  TAPEDECK_CHECK_DEFINED("bitwise_not", self);
  return Variable(kernels::unary(UnaryOp::BitwiseNot, self.array()));
}
Variable isnan(const Variable& self) {
  TAPEDECK_CHECK_DEFINED("isnan", self);
  return Variable(kernels::unary(UnaryOp::IsNan, self.array()));
}
Variable isinf(const Variable& self) {
  TAPEDECK_CHECK_DEFINED("isinf", self);
  return Variable(kernels::unary(UnaryOp::IsInf, self.array()));
}
Variable isfinite(const Variable& self) {
  TAPEDECK_CHECK_DEFINED("isfinite", self);
  return Variable(kernels::unary(UnaryOp::IsFinite, self.array()));
}

Variable isclose(const Variable& self, const Variable& other, double rtol, double atol,
                 bool equal_nan) {
  TAPEDECK_CHECK_DEFINED("isclose", self, other);
  const detail::OpScope scope("isclose");
  TAPEDECK_CHECK(self.dtype() == other.dtype(), "isclose: expected tensors of one dtype, got ",
                 self.dtype(), " and ", other.dtype());
  TAPEDECK_CHECK_AS(ValueError, rtol >= 0 && atol >= 0,
                    "isclose: rtol and atol must not be negative, got ", rtol, " and ", atol);
  const Array a = self.array(), b = other.array();
  Array close = kernels::binary(BinaryOp::Eq, a, b);
  const auto add_those = [&](const Array& mask) {
    kernels::binary_out(BinaryOp::LogicalOr, close, close, mask);
  };
  const auto is = [](UnaryOp op, const Array& x) { return kernels::unary(op, x); };
  if (equal_nan && self.is_floating_point())
    add_those(kernels::binary(BinaryOp::LogicalAnd, is(UnaryOp::IsNan, a), is(UnaryOp::IsNan, b)));
  if (rtol == 0 && atol == 0) return Variable(close);
  // Integers are compared in float64: their distance and its bound need not be integers.
  const ScalarType dtype = self.is_floating_point() ? self.dtype() : kFloat64;
  const Array x = kernels::cast(a, dtype), y = kernels::cast(b, dtype);
  const Array distance = is(UnaryOp::Abs, kernels::sub(x, y));
  Array bound = kernels::binary(BinaryOp::Mul, is(UnaryOp::Abs, y), rtol);
  kernels::binary_out(BinaryOp::Add, bound, bound, atol);
  // An infinite bound would let anything finite pass.
  add_those(kernels::binary(BinaryOp::LogicalAnd, kernels::binary(BinaryOp::Le, distance, bound),
                            is(UnaryOp::IsFinite, distance)));
  return Variable(close);
}

bool allclose(const Variable& self, const Variable& other, double rtol, double atol,
              bool equal_nan) {
  TAPEDECK_CHECK_DEFINED("allclose", self, other);
  const detail::OpScope scope("allclose");
  return all_of(isclose(self, other, rtol, atol, equal_nan).array());
}

bool equal(const Variable& self, const Variable& other) {
  TAPEDECK_CHECK_DEFINED("equal", self, other);
  return self.sizes() == other.sizes() && all_of(eq(self, other).array());
}

bool is_nonzero(const Variable& self) {
  TAPEDECK_CHECK_DEFINED("is_nonzero", self);
  const detail::OpScope scope("is_nonzero");
  TAPEDECK_CHECK(self.numel() == 1, "Boolean value of Tensor with ",
                 self.numel() == 0 ? "no values" : "more than one value", " is ambiguous (shape ",
                 self.sizes(), ")");
  return self.item().toBool();
}

Variable Variable::logical_and(const Variable& other) const {
  return tapedeck::logical_and(*this, other);
}
Variable Variable::logical_or(const Variable& other) const {
  return tapedeck::logical_or(*this, other);
}
Variable Variable::logical_xor(const Variable& other) const {
  return tapedeck::logical_xor(*this, other);
}
Variable Variable::logical_not() const { return tapedeck::logical_not(*this); }
Variable Variable::bitwise_not() const { return tapedeck::bitwise_not(*this); }
Variable Variable::operator~() const { return tapedeck::bitwise_not(*this); }
Variable Variable::isnan() const { return tapedeck::isnan(*this); }
Variable Variable::isinf() const { return tapedeck::isinf(*this); }
Variable Variable::isfinite() const { return tapedeck::isfinite(*this); }
Variable Variable::isclose(const Variable& other, double rtol, double atol, bool equal_nan) const {
  return tapedeck::isclose(*this, other, rtol, atol, equal_nan);
}
bool Variable::allclose(const Variable& other, double rtol, double atol, bool equal_nan) const {
  return tapedeck::allclose(*this, other, rtol, atol, equal_nan);
}
bool Variable::equal(const Variable& other) const { return tapedeck::equal(*this, other); }
bool Variable::is_nonzero() const { return tapedeck::is_nonzero(*this); }

}  // namespace tapedeck
