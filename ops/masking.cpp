// Masks of self's shape, or that broadcast with it.
#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/index.h>

namespace tapedeck {

namespace {

Variable number_of(const Variable& x, const Variable& value) {
  TAPEDECK_CHECK(value.dim() == 0,
                 "masked_fill: only supports a 0-dimensional value tensor, but got tensor with ",
                 value.dim(), " dimension(s)");
  detail::check_fits(value.item(), x.dtype(), "masked_fill");
  return value.to(x.dtype());
}

// y = x where not m, else v;  dx = g where not m;  dv = the sum of g where m
Variable filled(const Variable& x, const Variable& mask, const Variable& value) {
  Array out = kernels::clone(x.array());
  kernels::masked_fill(out, mask.array(), value.item());
  Variable y(std::move(out));
  if (should_record(x, value))
    record(y, "MaskedFillBackward0", edges(x, value),
           [mask = save(mask)](const Variable& g, const VjpContext& ctx) {
             const Variable m = mask.get(ctx);
             return Gradients{ctx.needs(0) ? masked_fill(g, m, 0) : Variable(),
                              ctx.needs(1) ? masked_select(g, m).sum() : Variable()};
           });
  return y;
}

}  // namespace

Variable masked_fill(const Variable& x, const Variable& mask, const Variable& value) {
  TAPEDECK_CHECK_DEFINED("masked_fill", x, mask, value);
  const DimVector sizes = broadcast_shapes(x.sizes(), mask.sizes(), "masked_fill");
  return filled(x.array().sizes() == sizes ? x : x.expand(sizes), mask, number_of(x, value));
}
Variable masked_fill(const Variable& x, const Variable& mask, Scalar value) {
  TAPEDECK_CHECK_DEFINED("masked_fill", x, mask);
  return masked_fill(x, mask, Variable(kernels::full({}, value, x.dtype())));
}
Variable Variable::masked_fill(const Variable& mask, Scalar value) const {
  return tapedeck::masked_fill(*this, mask, value);
}
Variable Variable::masked_fill(const Variable& mask, const Variable& value) const {
  return tapedeck::masked_fill(*this, mask, value);
}
Variable& Variable::masked_fill_(const Variable& mask, const Variable& value) const {
  TAPEDECK_CHECK_DEFINED("masked_fill_", *this, mask, value);
  const detail::OpScope scope("masked_fill_");
  const Variable number = number_of(*this, value);
  // The mask may be smaller, self may not.
  const Variable whole = mask.expand(sizes());
  if (should_record(*this, number))
    return assign_inplace(*this, filled(*this, whole, number), "masked_fill_");
  check_inplace(*this, "masked_fill_");
  Array target = array();
  const Array flags =
      kernels::may_overlap(target, whole.array()) ? kernels::clone(whole.array()) : whole.array();
  kernels::masked_fill(target, flags, number.item());
  return finish_inplace(*this);
}
Variable& Variable::masked_fill_(const Variable& mask, Scalar value) const {
  TAPEDECK_CHECK_DEFINED("masked_fill_", *this, mask);
  const detail::OpScope scope("masked_fill_");
  return masked_fill_(mask, Variable(kernels::full({}, value, dtype())));
}

// y = the elements of x where m;  dx = g's elements there, zeros elsewhere
Variable masked_select(const Variable& self, const Variable& mask) {
  TAPEDECK_CHECK_DEFINED("masked_select", self, mask);
  const DimVector sizes = broadcast_shapes(self.sizes(), mask.sizes(), "masked_select");
  const Variable x = self.array().sizes() == sizes ? self : self.expand(sizes);
  const Variable m = mask.array().sizes() == sizes ? mask : mask.expand(sizes);
  Variable y(kernels::masked_select(x.array(), m.array()));
  if (should_record(x))
    record(y, "MaskedSelectBackward0", edges(x),
           [m = save(m)](const Variable& g, const VjpContext& ctx) {
             const Variable zeros(kernels::zeros(ctx.input_sizes(0), g.dtype()));
             return masked_scatter(zeros, m.get(ctx), g);
           });
  return y;
}
Variable Variable::masked_select(const Variable& mask) const {
  return tapedeck::masked_select(*this, mask);
}

// y = x where not m, else s's elements in order;  dx = g where not m;  ds = g's elements where m
Variable masked_scatter(const Variable& self, const Variable& mask, const Variable& source) {
  TAPEDECK_CHECK_DEFINED("masked_scatter", self, mask, source);
  const DimVector sizes = broadcast_shapes(self.sizes(), mask.sizes(), "masked_scatter");
  const Variable x = self.array().sizes() == sizes ? self : self.expand(sizes);
  const Variable m = mask.array().sizes() == sizes ? mask : mask.expand(sizes);
  Array out = kernels::clone(x.array());
  kernels::masked_scatter(out, m.array(), source.array());
  Variable y(std::move(out));
  if (should_record(x, source))
    record(
        y, "MaskedScatterBackward0", edges(x, source),
        [m = save(m)](const Variable& g, const VjpContext& ctx) {
          const Variable where = m.get(ctx);
          Gradients grads(2);
          if (ctx.needs(0)) grads[0] = masked_fill(g, where, 0);
          if (ctx.needs(1)) {
            const Variable used = masked_select(g, where);
            // The rest of the source went nowhere.
            const DimVector& from = ctx.input_sizes(1);
            const autograd::StridedRegion head{{numel_of(from)}, {1}, used.array().sizes(), {1}, 0};
            grads[1] = autograd::scatter_region(used, head).reshape(from);
          }
          return grads;
        });
  return y;
}
Variable Variable::masked_scatter(const Variable& mask, const Variable& source) const {
  return tapedeck::masked_scatter(*this, mask, source);
}
Variable& Variable::masked_scatter_(const Variable& mask, const Variable& source) const {
  TAPEDECK_CHECK_DEFINED("masked_scatter_", *this, mask, source);
  const detail::OpScope scope("masked_scatter_");
  return assign_inplace(*this, tapedeck::masked_scatter(*this, mask.expand(sizes()), source),
                        "masked_scatter_");
}

Variable nonzero(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("nonzero", x);
  return Variable(kernels::nonzero(x.array()));
}
Variable Variable::nonzero() const { return tapedeck::nonzero(*this); }
Variable argwhere(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("argwhere", x);
  return nonzero(x);
}
std::vector<Variable> where(const Variable& condition) {
  TAPEDECK_CHECK_DEFINED("where", condition);
  const Variable c = condition.dim() == 0 ? condition.reshape({1}) : condition;
  return nonzero(c).unbind(1);
}

}  // namespace tapedeck
