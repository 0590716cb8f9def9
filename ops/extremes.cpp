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
#include <tapedeck/ops/power.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/sorting.h>

// Largest and smallest elements, where they are, and the middle one.

namespace tapedeck {

using kernels::BinaryOp;
using kernels::ReduceOp;
using V = Variable;

namespace {

// y = the extreme over axes;  dx = g shared among the elements that reach it
V extreme(ReduceOp op, const V& x, IntArrayRef dim, bool keepdim, const char* node) {
  V y(kernels::reduce(op, x.array(), dim, keepdim));
  if (should_record(x))
    record(y, node, edges(x),
           [x = save(x.detach()), y = save_output(y), dim = DimVector(dim),
            kept = kernels::reduced_shape(x.sizes(), dim, true, node)](const V& g,
                                                                       const VjpContext& ctx) {
             const V out = y.get(ctx).detach().reshape(kept);
             const V reached(kernels::binary(BinaryOp::Reaches, x.get(ctx).array(), out.array()));
             return reached * (g.reshape(kept) / sum(reached, dim, true));
           });
  return y;
}

V scatter_along(const V& x, const V& index, std::int64_t dim, std::int64_t size);

// The elements of x at the indices, one for each line along `dim`; the axis keeps a size of 1.
V pick_along(const V& x, const V& index, std::int64_t dim) {
  V y(kernels::pick_along(x.array(), index.array(), dim));
  if (should_record(x))
    record(y, "GatherBackward0", edges(x),
           [index = save(index), dim, size = x.size(dim)](const V& g, const VjpContext& ctx) {
             return scatter_along(g, index.get(ctx), dim, size);
           });
  return y;
}
// Its adjoint: zeros but for the elements at the indices.
V scatter_along(const V& x, const V& index, std::int64_t dim, std::int64_t size) {
  V y(kernels::scatter_along(x.array(), index.array(), dim, size));
  if (should_record(x))
    record(y, "ScatterBackward0", edges(x),
           [index = save(index), dim](const V& g, const VjpContext& ctx) {
             return pick_along(g, index.get(ctx), dim);
           });
  return y;
}

// (y, i) = an element of each line and where it is;  dx = g at the indices
std::tuple<V, V> selected(std::pair<Array, Array> found, const V& x, std::int64_t dim, bool keepdim,
                          const char* node) {
  const Array index = found.second;  // with the axis kept
  const DimVector shape = kernels::reduced_shape(x.sizes(), {dim}, keepdim, node);
  V y(found.first.view(shape));
  if (should_record(x))
    record(y, node, edges(x),
           [index = save(V(index)), dim, kept = index.sizes(),
            size = x.dim() > 0 ? x.size(dim) : 1](const V& g, const VjpContext& ctx) {
             const V at = index.get(ctx);
             // A scalar's only line has one element.
             return kept.empty() ? g : scatter_along(g.reshape(kept), at, dim, size);
           });
  return {y, V(index.view(shape))};
}

V position(std::pair<Array, Array> (*find)(const Array&, std::int64_t, bool), const V& x,
           std::optional<std::int64_t> dim, bool keepdim, const char* op) {
  if (dim) return V(find(x.array(), *dim, keepdim).second);
  TAPEDECK_CHECK(x.numel() > 0, op,
                 ": expected reduction dim to be specified for input.numel() == 0, got shape ",
                 x.sizes());
  const Array flat = kernels::contiguous(x.array()).view({x.numel()});
  const Array index = find(flat, 0, false).second;
  return V(index.view(kernels::reduced_shape(x.sizes(), {}, keepdim, op)));
}

}  // namespace

V amax(const V& x, IntArrayRef dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("amax", x);
  return extreme(ReduceOp::Max, x, dim, keepdim, "AmaxBackward0");
}
V amin(const V& x, IntArrayRef dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("amin", x);
  return extreme(ReduceOp::Min, x, dim, keepdim, "AminBackward0");
}
V max(const V& x) {
  TAPEDECK_CHECK_DEFINED("max", x);
  const detail::OpScope scope("max");
  return extreme(ReduceOp::Max, x, {}, false, "MaxBackward1");
}
V min(const V& x) {
  TAPEDECK_CHECK_DEFINED("min", x);
  const detail::OpScope scope("min");
  return extreme(ReduceOp::Min, x, {}, false, "MinBackward1");
}
std::tuple<V, V> aminmax(const V& x, std::optional<std::int64_t> dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("aminmax", x);
  const detail::OpScope scope("aminmax");
  const DimVector dims = dim ? DimVector{*dim} : DimVector();
  return {amin(x, dims, keepdim), amax(x, dims, keepdim)};
}

std::tuple<V, V> max(const V& x, std::int64_t dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("max", x);
  return selected(kernels::max_along(x.array(), dim, true), x, dim, keepdim, "MaxBackward0");
}
std::tuple<V, V> min(const V& x, std::int64_t dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("min", x);
  return selected(kernels::min_along(x.array(), dim, true), x, dim, keepdim, "MinBackward0");
}
std::tuple<V, V> median(const V& x, std::int64_t dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("median", x);
  return selected(kernels::median_along(x.array(), dim, true), x, dim, keepdim, "MedianBackward1");
}
V median(const V& x) {
  TAPEDECK_CHECK_DEFINED("median", x);
  if (x.numel() == 0 && x.is_floating_point())
    return V(kernels::full({}, std::numeric_limits<double>::quiet_NaN(), x.dtype()));
  return std::get<0>(median(x.reshape({-1}), 0));
}

std::tuple<V, V> nanmedian(const V& x, std::int64_t dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("nanmedian", x);
  const detail::OpScope scope("nanmedian");
  TAPEDECK_CHECK_AS(IndexError, x.dim() == 0 || x.size(dim) > 0, "nanmedian: expected dim ", dim,
                    " to have a non-zero size, got shape ", x.sizes());
  // NaN comes last in order.
  const auto [values, indices] = sort(x, dim);
  const V numbers = logical_not(isnan(x)).sum(dim, true);
  const V middle = floor_divide(numbers - 1, 2).clamp_min(0);
  const V value = values.gather(dim, middle), index = indices.gather(dim, middle);
  if (keepdim) return {value, index};
  return {value.squeeze(dim), index.squeeze(dim)};
}
V nanmedian(const V& x) {
  TAPEDECK_CHECK_DEFINED("nanmedian", x);
  return x.numel() == 0 ? median(x) : std::get<0>(nanmedian(x.reshape({-1}), 0));
}

V argmax(const V& x, std::optional<std::int64_t> dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("argmax", x);
  const detail::OpScope scope("argmax");
  return position(kernels::max_along, x, dim, keepdim, "argmax");
}
V argmin(const V& x, std::optional<std::int64_t> dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("argmin", x);
  const detail::OpScope scope("argmin");
  return position(kernels::min_along, x, dim, keepdim, "argmin");
}

V Variable::max() const { return tapedeck::max(*this); }
V Variable::min() const { return tapedeck::min(*this); }
std::tuple<V, V> Variable::max(std::int64_t dim, bool keepdim) const {
  return tapedeck::max(*this, dim, keepdim);
}
std::tuple<V, V> Variable::min(std::int64_t dim, bool keepdim) const {
  return tapedeck::min(*this, dim, keepdim);
}
V Variable::amax(IntArrayRef dim, bool keepdim) const {
  return tapedeck::amax(*this, dim, keepdim);
}
V Variable::amin(IntArrayRef dim, bool keepdim) const {
  return tapedeck::amin(*this, dim, keepdim);
}
V Variable::argmax(std::optional<std::int64_t> dim, bool keepdim) const {
  return tapedeck::argmax(*this, dim, keepdim);
}
V Variable::argmin(std::optional<std::int64_t> dim, bool keepdim) const {
  return tapedeck::argmin(*this, dim, keepdim);
}
std::tuple<V, V> Variable::median(std::int64_t dim, bool keepdim) const {
  return tapedeck::median(*this, dim, keepdim);
}
V Variable::median() const { return tapedeck::median(*this); }
std::tuple<V, V> VariableMath::nanmedian(std::int64_t dim, bool keepdim) const {
  return tapedeck::nanmedian(self(), dim, keepdim);
}
V VariableMath::nanmedian() const { return tapedeck::nanmedian(self()); }

}  // namespace tapedeck
