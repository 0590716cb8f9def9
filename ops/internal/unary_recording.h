#pragma once

#include <utility>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/unary.h>
#include <tapedeck/ops/promotion.h>

// How functions of one tensor are recorded. Private to the ops.

namespace tapedeck::detail {

/// x in a floating dtype: itself, or converted to the default one.
inline Operand floating(const Variable& x) { return {x, floating_type(x.dtype())}; }

/// y = op(x), whose gradient is vjp(g, y).
template <typename Vjp>
Variable unary_of_output(kernels::UnaryOp op, const Variable& x, const char* node, Vjp vjp) {
  Variable y(kernels::unary(op, x.array()));
  if (should_record(x))
    record(y, node, edges(x), [y = save_output(y), vjp](const Variable& g, const VjpContext& ctx) {
      return vjp(g, y.get(ctx));
    });
  return y;
}

/// y = op(x), whose gradient is vjp(g, x).
template <typename Vjp>
Variable unary_of_input(kernels::UnaryOp op, const Variable& x, const char* node, Vjp vjp,
                        const kernels::OpParams& params = {}) {
  Variable y(kernels::unary(op, x.array(), params));
  if (should_record(x))
    record(y, node, edges(x), [x = save(x), vjp](const Variable& g, const VjpContext& ctx) {
      return vjp(g, x.get(ctx));
    });
  return y;
}

/// z = g f'(x), or g f'(x) as a function of y = f(x) in its place, by a fused kernel;  dg = gg
/// f'(x), dx = gg g f''(x), where second(x) computes f''.
template <typename Second>
Variable smooth_backward(kernels::BinaryOp op, const Variable& g, const Variable& x,
                         const char* node, Second second, const kernels::OpParams& params = {}) {
  Variable z(kernels::binary(op, g.array(), x.array(), params));
  if (should_record(g, x))
    record(z, node, edges(g, x),
           [op, node, params, second, g = save(g), x = save(x)](const Variable& gg,
                                                                const VjpContext& ctx) {
             const Variable in = x.get(ctx);
             return Gradients{
                 ctx.needs(0) ? smooth_backward(op, gg, in, node, second, params) : Variable(),
                 ctx.needs(1) ? gg * g.get(ctx) * second(in) : Variable()};
           });
  return z;
}

/// What the VJP of an in-place function reads: if its input, a copy is made before that is lost.
enum class Reads { Output, Input };

/// self = op(self): straight in its memory where nothing is recorded.
template <typename OutOfPlace>
Variable& unary_in_place(kernels::UnaryOp op, Reads reads, const Variable& self, const char* name,
                         OutOfPlace&& out_of_place, const kernels::OpParams& params = {}) {
  TAPEDECK_CHECK_DEFINED(name, self);
  if (!is_floating_point(self.dtype()) || should_record(self)) {
    const bool copies = reads == Reads::Input && should_record(self);
    const Variable y = out_of_place(copies ? self.clone() : self);
    check_can_cast(y.dtype(), self.dtype(), name);
    return assign_inplace(self, y, name);
  }
  check_inplace(self, name);
  Array out = self.array();
  kernels::unary_out(op, out, out, params);
  return finish_inplace(self);
}

}  // namespace tapedeck::detail
