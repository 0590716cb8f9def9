#include <tapedeck/ops/ternary.h>

#include <limits>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/ternary.h>
#include <tapedeck/ops/kernels/unary.h>
#include <tapedeck/ops/promotion.h>

namespace tapedeck {

using detail::Operand;
using kernels::BinaryOp;
using kernels::TernaryOp;
using V = Variable;

namespace {

V number(Scalar s, ScalarType dtype) { return V(kernels::full({}, s, dtype)); }

V& assign(const V& self, const V& value, const char* name) {
  detail::check_can_cast(value.dtype(), self.dtype(), name);
  return assign_inplace(self, value, name);
}

}  // namespace

// z = c ? x : y;  dx = c ? g : 0, dy = c ? 0 : g
V where(const V& condition, const V& self, const V& other) {
  TAPEDECK_CHECK_DEFINED("where", condition, self, other);
  const ScalarType dtype = result_type(self, other);
  const Operand x(self, dtype), y(other, dtype);
  V z(kernels::where(condition.array(), x.array(), y.array()));
  if (should_record(x, y))
    record(z, "WhereBackward0", edges(x, y),
           [c = save(condition)](const V& g, const VjpContext& ctx) {
             const V chosen = c.get(ctx);
             return Gradients{
                 ctx.needs(0) ? where(chosen, g, 0).sum_to_size(ctx.input_sizes(0)) : V(),
                 ctx.needs(1) ? where(chosen, 0, g).sum_to_size(ctx.input_sizes(1)) : V()};
           });
  return z;
}
V where(const V& condition, Scalar self, const V& other) {
  TAPEDECK_CHECK_DEFINED("where", condition, other);
  return where(condition, number(self, result_type(self, other)), other);
}
V where(const V& condition, const V& self, Scalar other) {
  TAPEDECK_CHECK_DEFINED("where", condition, self);
  return where(condition, self, number(other, result_type(self, other)));
}
V where(const V& condition, Scalar self, Scalar other) {
  TAPEDECK_CHECK_DEFINED("where", condition);
  const auto dtype = [](Scalar s) { return s.isFloatingPoint() ? get_default_dtype() : s.type(); };
  return where(condition, number(self, dtype(self)), number(other, dtype(other)));
}

namespace {

// A bound of the elements' type: an integer array is never compared with a fraction.
Array clamp_array(const Array& x, const std::optional<Scalar>& min,
                  const std::optional<Scalar>& max) {
  if (!is_floating_point(x.dtype())) {
    if (!min) return kernels::binary(BinaryOp::Minimum, x, *max);
    Array raised = kernels::binary(BinaryOp::Maximum, x, *min);
    if (max) kernels::binary_out(BinaryOp::Minimum, raised, raised, *max);
    return raised;
  }
  constexpr double kInf = std::numeric_limits<double>::infinity();
  return kernels::unary(kernels::UnaryOp::Clamp, x,
                        {{min ? min->toDouble() : -kInf, max ? max->toDouble() : kInf}});
}

ScalarType clamp_type(const V& x, const std::optional<Scalar>& min,
                      const std::optional<Scalar>& max) {
  TAPEDECK_CHECK(min || max, "clamp: at least one of min or max must not be None");
  ScalarType dtype = x.dtype();
  if (min) dtype = promote_types(dtype, result_type(x, *min));
  if (max) dtype = promote_types(dtype, result_type(x, *max));
  TAPEDECK_CHECK_AS(TypeError, dtype != kBool, "clamp: not implemented for dtype Bool");
  return dtype;
}

// z = g where low <= x <= high, else 0;  dg = gg there
V clamp_backward(const V& g, const V& x, double low, double high) {
  V z(kernels::binary(BinaryOp::ClampBackward, g.array(), x.array(), {{low, high}}));
  if (should_record(g))
    record(z, "ClampBackwardBackward0", edges(g),
           [x = save(x.detach()), low, high](const V& gg, const VjpContext& ctx) {
             return clamp_backward(gg, x.get(ctx), low, high);
           });
  return z;
}

}  // namespace

// z = min(max(x, low), high);  dx = g where low <= x <= high
V clamp(const V& self, const std::optional<Scalar>& min, const std::optional<Scalar>& max) {
  TAPEDECK_CHECK_DEFINED("clamp", self);
  const detail::OpScope scope("clamp");
  const V x = self.to(clamp_type(self, min, max));
  V z(clamp_array(x.array(), min, max));
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (should_record(x))
    record(z, "ClampBackward1", edges(x),
           [x = save(x), low = min ? min->toDouble() : -kInf, high = max ? max->toDouble() : kInf](
               const V& g, const VjpContext& ctx) {
             return clamp_backward(g, x.get(ctx), low, high);
           });
  return z;
}
V clamp_min(const V& self, Scalar min) {
  TAPEDECK_CHECK_DEFINED("clamp_min", self);
  const detail::OpScope scope("clamp_min");
  return clamp(self, std::optional<Scalar>(min));
}
V clamp_max(const V& self, Scalar max) {
  TAPEDECK_CHECK_DEFINED("clamp_max", self);
  const detail::OpScope scope("clamp_max");
  return clamp(self, std::optional<Scalar>(), max);
}
V clamp_min(const V& self, const V& min) {
  TAPEDECK_CHECK_DEFINED("clamp_min", self, min);
  const detail::OpScope scope("clamp_min");
  return clamp(self, std::optional<V>(min));
}
V clamp_max(const V& self, const V& max) {
  TAPEDECK_CHECK_DEFINED("clamp_max", self, max);
  const detail::OpScope scope("clamp_max");
  return clamp(self, std::optional<V>(), std::optional<V>(max));
}

// The same with tensors;  g goes to x within the bounds, else to the bound that won
V clamp(const V& self, const std::optional<V>& min, const std::optional<V>& max) {
  TAPEDECK_CHECK_DEFINED("clamp", self);
  const detail::OpScope scope("clamp");
  TAPEDECK_CHECK(min || max, "clamp: at least one of min or max must not be None");
  const ScalarType dtype = result_type(self, min ? *min : *max, max ? *max : *min);
  const V x = self.to(dtype), low = min ? min->to(dtype) : V(), high = max ? max->to(dtype) : V();
  Array value = x.array();
  if (min) value = kernels::binary(BinaryOp::Maximum, value, low.array());
  if (max) value = kernels::binary(BinaryOp::Minimum, value, high.array());
  V z(value.shares_storage(x.array()) ? kernels::clone(value) : value);
  const auto recorded = [](const V& v) { return v.defined() && should_record(v); };
  if (!should_record(x) && !recorded(low) && !recorded(high)) return z;
  autograd::EdgeList list = edges(x);
  list.push_back(min ? autograd::gradient_edge(low) : autograd::Edge());
  list.push_back(max ? autograd::gradient_edge(high) : autograd::Edge());
  record(
      z, "ClampBackward0", std::move(list),
      [x = save(x), low = min ? save(low) : Saved(), high = max ? save(high) : Saved(),
       has_low = min.has_value(), has_high = max.has_value()](const V& g, const VjpContext& ctx) {
        const V v = x.get(ctx), lo = has_low ? low.get(ctx) : V(),
                hi = has_high ? high.get(ctx) : V();
        V above, below;  // where x is above the upper bound, and below the lower one
        if (has_high) above = has_low ? (v > hi) | (lo > hi) : v > hi;
        if (has_low) below = has_high ? (v < lo) & (lo <= hi) : v < lo;
        const V outside = !has_high ? below : !has_low ? above : above | below;
        return Gradients{
            ctx.needs(0) ? where(outside, 0, g).sum_to_size(ctx.input_sizes(0)) : V(),
            has_low && ctx.needs(1) ? where(below, g, 0).sum_to_size(ctx.input_sizes(1)) : V(),
            has_high && ctx.needs(2) ? where(above, g, 0).sum_to_size(ctx.input_sizes(2)) : V()};
      });
  return z;
}

// z = x + w (y - x);  dx = (1 - w) g, dy = w g
V lerp(const V& self, const V& end, Scalar weight) {
  TAPEDECK_CHECK_DEFINED("lerp", self, end);
  const detail::OpScope scope("lerp");
  TAPEDECK_CHECK(self.dtype() == end.dtype(), "lerp: expected dtype ", self.dtype(),
                 " for `end` but got dtype ", end.dtype());
  const double w = weight.toDouble();
  V z(kernels::binary(BinaryOp::Lerp, self.array(), end.array(), {{w, w - 1}}));
  if (should_record(self, end))
    record(z, "LerpBackward0", edges(self, end), [w](const V& g, const VjpContext& ctx) {
      return Gradients{ctx.needs(0) ? (g * (1 - w)).sum_to_size(ctx.input_sizes(0)) : V(),
                       ctx.needs(1) ? (g * w).sum_to_size(ctx.input_sizes(1)) : V()};
    });
  return z;
}
V lerp(const V& self, const V& end, const V& weight) {
  TAPEDECK_CHECK_DEFINED("lerp", self, end, weight);
  const detail::OpScope scope("lerp");
  TAPEDECK_CHECK(self.dtype() == end.dtype() && self.dtype() == weight.dtype(),
                 "lerp: expected one dtype, got ", self.dtype(), ", ", end.dtype(), " and ",
                 weight.dtype());
  return self + weight * (end - self);
}

namespace {

// The shape of x + s a b, or x + s a / b; `product` names the second of the two operations.
DimVector fused_shape(const Array& x, const Array& a, const Array& b, const char* product) {
  return broadcast_shapes(x.sizes(), broadcast_shapes(a.sizes(), b.sizes(), product), "add");
}

}  // namespace

// z = x + s a b;  dx = g, da = s g b, db = s g a
V addcmul(const V& self, const V& tensor1, const V& tensor2, Scalar value) {
  TAPEDECK_CHECK_DEFINED("addcmul", self, tensor1, tensor2);
  const detail::OpScope scope("addcmul");
  const ScalarType dtype = result_type(self, tensor1, tensor2);
  const Operand x(self, dtype), a(tensor1, dtype), b(tensor2, dtype);
  if (!is_floating_point(dtype))
    return add(x, mul(a, b), value.isBoolean() ? Scalar(value.toLong()) : value);
  const double s = value.toDouble();
  V z(kernels::ternary(TernaryOp::AddProduct, fused_shape(x.array(), a.array(), b.array(), "mul"),
                       x.array(), a.array(), b.array(), {{s}}));
  if (should_record(x, a, b))
    record(z, "AddcmulBackward0", edges(x, a, b),
           [s, a = save(a, b.requires_grad()), b = save(b, a.requires_grad())](
               const V& g, const VjpContext& ctx) {
             return Gradients{
                 ctx.needs(0) ? g.sum_to_size(ctx.input_sizes(0)) : V(),
                 ctx.needs(1) ? (g * b.get(ctx) * s).sum_to_size(ctx.input_sizes(1)) : V(),
                 ctx.needs(2) ? (g * a.get(ctx) * s).sum_to_size(ctx.input_sizes(2)) : V()};
           });
  return z;
}

// z = x + s a / b;  dx = g, da = s g / b, db = -s g a / b^2
V addcdiv(const V& self, const V& tensor1, const V& tensor2, Scalar value) {
  TAPEDECK_CHECK_DEFINED("addcdiv", self, tensor1, tensor2);
  const detail::OpScope scope("addcdiv");
  const ScalarType dtype = result_type(self, tensor1, tensor2);
  TAPEDECK_CHECK_AS(TypeError,
                    is_floating_point(tensor1.dtype()) || is_floating_point(tensor2.dtype()),
                    "addcdiv: integer division is not supported, got ", self.dtype(), ", ",
                    tensor1.dtype(), " and ", tensor2.dtype());
  const Operand x(self, dtype), a(tensor1, dtype), b(tensor2, dtype);
  const double s = value.toDouble();
  V z(kernels::ternary(TernaryOp::AddQuotient, fused_shape(x.array(), a.array(), b.array(), "div"),
                       x.array(), a.array(), b.array(), {{s}}));
  if (should_record(x, a, b))
    record(
        z, "AddcdivBackward0", edges(x, a, b),
        [s, a = save(a, b.requires_grad()), b = save(b)](const V& g, const VjpContext& ctx) {
          if (!ctx.needs(1) && !ctx.needs(2))
            return Gradients{g.sum_to_size(ctx.input_sizes(0)), V(), V()};
          const V divisor = b.get(ctx), nothing(kernels::zeros({}, g.dtype()));
          const V da = addcdiv(nothing, g, divisor, s);
          return Gradients{
              ctx.needs(0) ? g.sum_to_size(ctx.input_sizes(0)) : V(),
              ctx.needs(1) ? da.sum_to_size(ctx.input_sizes(1)) : V(),
              ctx.needs(2)
                  ? addcmul(nothing, da, a.get(ctx) / divisor, -1).sum_to_size(ctx.input_sizes(2))
                  : V()};
        });
  return z;
}

namespace {

// self += s product, straight in its memory where nothing is recorded.
template <typename OutOfPlace>
V& add_scaled_(const V& self, const V& a, const V& b, Scalar s, TernaryOp op, const char* name,
               OutOfPlace&& out_of_place) {
  if (should_record(self, a, b) || !self.is_floating_point() || a.dtype() != self.dtype() ||
      b.dtype() != self.dtype())
    return assign(self, out_of_place(), name);
  check_inplace(self, name);
  Array out = self.array();
  const char* const product = op == TernaryOp::AddProduct ? "mul" : "div";
  const DimVector shape = fused_shape(out, a.array(), b.array(), product);
  kernels::check_destination("add", out, shape);
  kernels::ternary_out(op, out, out, a.array(), b.array(), {{s.toDouble()}});
  return finish_inplace(self);
}

}  // namespace

V Variable::where(const V& condition, const V& other) const {
  return tapedeck::where(condition, *this, other);
}
V Variable::clamp(const std::optional<Scalar>& min, const std::optional<Scalar>& max) const {
  return tapedeck::clamp(*this, min, max);
}
V Variable::clamp(const std::optional<V>& min, const std::optional<V>& max) const {
  return tapedeck::clamp(*this, min, max);
}
V& Variable::clamp_(const std::optional<Scalar>& min, const std::optional<Scalar>& max) const {
  TAPEDECK_CHECK_DEFINED("clamp_", *this);
  const detail::OpScope scope("clamp_");
  detail::check_can_cast(clamp_type(*this, min, max), dtype(), "clamp_");
  if (should_record(*this) || !is_floating_point())
    return assign_inplace(*this, clone().clamp(min, max), "clamp_");
  check_inplace(*this, "clamp_");
  constexpr double kInf = std::numeric_limits<double>::infinity();
  Array out = array();
  kernels::unary_out(kernels::UnaryOp::Clamp, out, out,
                     {{min ? min->toDouble() : -kInf, max ? max->toDouble() : kInf}});
  return finish_inplace(*this);
}
V& Variable::clamp_(const std::optional<V>& min, const std::optional<V>& max) const {
  TAPEDECK_CHECK_DEFINED("clamp_", *this);
  const detail::OpScope scope("clamp_");
  // Of a copy where the derivative reads self, which has changed by then.
  const auto recorded = [](const std::optional<V>& v) { return v && should_record(*v); };
  const bool copies = should_record(*this) || recorded(min) || recorded(max);
  return assign(*this, copies ? clone().clamp(min, max) : clamp(min, max), "clamp_");
}
V Variable::clamp_min(Scalar min) const { return tapedeck::clamp_min(*this, min); }
V Variable::clamp_min(const V& min) const { return tapedeck::clamp_min(*this, min); }
V& Variable::clamp_min_(Scalar min) const {
  TAPEDECK_CHECK_DEFINED("clamp_min_", *this);
  const detail::OpScope scope("clamp_min_");
  return clamp_(std::optional<Scalar>(min));
}
V& Variable::clamp_min_(const V& min) const {
  TAPEDECK_CHECK_DEFINED("clamp_min_", *this, min);
  const detail::OpScope scope("clamp_min_");
  return clamp_(std::optional<V>(min));
}
V Variable::clamp_max(Scalar max) const { return tapedeck::clamp_max(*this, max); }
V Variable::clamp_max(const V& max) const { return tapedeck::clamp_max(*this, max); }
V& Variable::clamp_max_(Scalar max) const {
  TAPEDECK_CHECK_DEFINED("clamp_max_", *this);
  const detail::OpScope scope("clamp_max_");
  return clamp_(std::optional<Scalar>(), max);
}
V& Variable::clamp_max_(const V& max) const {
  TAPEDECK_CHECK_DEFINED("clamp_max_", *this, max);
  const detail::OpScope scope("clamp_max_");
  return clamp_(std::optional<V>(), std::optional<V>(max));
}
V Variable::lerp(const V& end, Scalar weight) const { return tapedeck::lerp(*this, end, weight); }
V Variable::lerp(const V& end, const V& weight) const { return tapedeck::lerp(*this, end, weight); }
V& Variable::lerp_(const V& end, Scalar weight) const {
  TAPEDECK_CHECK_DEFINED("lerp_", *this, end);
  const detail::OpScope scope("lerp_");
  return assign(*this, lerp(end, weight), "lerp_");
}
V& Variable::lerp_(const V& end, const V& weight) const {
  TAPEDECK_CHECK_DEFINED("lerp_", *this, end, weight);
  const detail::OpScope scope("lerp_");
  return assign(*this, lerp(end, weight), "lerp_");
}
V Variable::addcmul(const V& tensor1, const V& tensor2, Scalar value) const {
  return tapedeck::addcmul(*this, tensor1, tensor2, value);
}
V& Variable::addcmul_(const V& tensor1, const V& tensor2, Scalar value) const {
  TAPEDECK_CHECK_DEFINED("addcmul_", *this, tensor1, tensor2);
  const detail::OpScope scope("addcmul_");
  return add_scaled_(*this, tensor1, tensor2, value, TernaryOp::AddProduct, "addcmul_",
                     [&] { return addcmul(tensor1, tensor2, value); });
}
V Variable::addcdiv(const V& tensor1, const V& tensor2, Scalar value) const {
  return tapedeck::addcdiv(*this, tensor1, tensor2, value);
}
V& Variable::addcdiv_(const V& tensor1, const V& tensor2, Scalar value) const {
  TAPEDECK_CHECK_DEFINED("addcdiv_", *this, tensor1, tensor2);
  const detail::OpScope scope("addcdiv_");
  return add_scaled_(*this, tensor1, tensor2, value, TernaryOp::AddQuotient, "addcdiv_",
                     [&] { return addcdiv(tensor1, tensor2, value); });
}

}  // namespace tapedeck
