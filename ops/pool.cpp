#include <tapedeck/ops/pool.h>

#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/kernels/pool.h>
#include <tapedeck/ops/spatial.h>

namespace tapedeck {

using detail::SpatialForm;
using kernels::AvgPoolDivisor;
using kernels::Pool2dGeometry;

namespace {

// Adds x to zeros at indices, and its adjoint, which reads there: each is the other's VJP.
Variable scatter_to_planes(const Variable& x, const Variable& indices, const DimVector& sizes);
Variable gather_from_planes(const Variable& x, const Variable& indices);

// y[indices] += x;  dx = g[indices]
Variable scatter_to_planes(const Variable& x, const Variable& indices, const DimVector& sizes) {
  Variable y(kernels::max_pool2d_backward(x.array(), indices.array(), sizes));
  if (should_record(x))
    record(y, "MaxPool2DBackwardBackward0", edges(x),
           [at = save(indices)](const Variable& g, const VjpContext& ctx) {
             return gather_from_planes(g, at.get(ctx));
           });
  return y;
}

// y = x[indices];  dx[indices] += g
Variable gather_from_planes(const Variable& x, const Variable& indices) {
  Variable y(kernels::max_pool2d_gather(x.array(), indices.array()));
  if (should_record(x))
    record(
        y, "MaxPool2DGatherBackward0", edges(x),
        [at = save(indices), sizes = x.array().sizes()](const Variable& g, const VjpContext& ctx) {
          return scatter_to_planes(g, at.get(ctx), sizes);
        });
  return y;
}

// y = largest of each window of x;  dx[indices] += g
std::tuple<Variable, Variable> largest(const Variable& x, const char* name,
                                       kernels::MaxPool found) {
  Variable y(std::move(found.values));
  Variable indices = found.indices.defined() ? Variable(std::move(found.indices)) : Variable();
  if (should_record(x))
    record(
        y, name, edges(x),
        [at = save(indices), sizes = x.array().sizes()](const Variable& g, const VjpContext& ctx) {
          return scatter_to_planes(g, at.get(ctx), sizes);
        });
  return {y, indices};
}

// y = zeros with x at indices;  dx = g[indices]
Variable unpool(const Variable& x, const Variable& indices, const DimVector& output_size) {
  Variable y(kernels::max_unpool2d(x.array(), indices.array(), output_size));
  if (should_record(x))
    record(y, "MaxUnpool2DBackward0", edges(x),
           [at = save(indices)](const Variable& g, const VjpContext& ctx) {
             return gather_from_planes(g, at.get(ctx));
           });
  return y;
}

Variable spread(const Variable& g, const DimVector& sizes, const Pool2dGeometry& geometry,
                AvgPoolDivisor divisor);

// y = means of windows of x;  dx = spread(g)
Variable averages(const Variable& x, const Pool2dGeometry& geometry, AvgPoolDivisor divisor) {
  Variable y(kernels::avg_pool2d(x.array(), geometry, divisor));
  if (should_record(x))
    record(y, "AvgPool2DBackward0", edges(x),
           [sizes = x.array().sizes(), geometry, divisor](const Variable& g) {
             return spread(g, sizes, geometry, divisor);
           });
  return y;
}

// The adjoint of averages, and the other way round.
Variable spread(const Variable& g, const DimVector& sizes, const Pool2dGeometry& geometry,
                AvgPoolDivisor divisor) {
  Variable dx(kernels::avg_pool2d_backward(g.array(), sizes, geometry, divisor));
  if (should_record(g))
    record(dx, "AvgPool2DBackwardBackward0", edges(g),
           [geometry, divisor](const Variable& gg) { return averages(gg, geometry, divisor); });
  return dx;
}

Variable adaptive_spread(const Variable& g, const DimVector& sizes);

// y = means of windows of x;  dx = adaptive_spread(g)
Variable adaptive_averages(const Variable& x, const DimVector& output_size) {
  Variable y(kernels::adaptive_avg_pool2d(x.array(), output_size));
  if (should_record(x))
    record(y, "AdaptiveAvgPool2DBackward0", edges(x),
           [sizes = x.array().sizes()](const Variable& g) { return adaptive_spread(g, sizes); });
  return y;
}

// The adjoint of adaptive_averages, and the other way round.
Variable adaptive_spread(const Variable& g, const DimVector& sizes) {
  Variable dx(kernels::adaptive_avg_pool2d_backward(g.array(), sizes));
  if (should_record(g))
    record(dx, "AdaptiveAvgPool2DBackwardBackward0", edges(g),
           [output_size = DimVector{g.size(2), g.size(3)}](const Variable& gg) {
             return adaptive_averages(gg, output_size);
           });
  return dx;
}

Pool2dGeometry read_geometry(const char* op, int dims, const Variable& self,
                             IntArrayRef kernel_size, IntArrayRef stride, IntArrayRef padding,
                             IntArrayRef dilation, bool ceil_mode) {
  Pool2dGeometry g;
  detail::read_pair(op, "kernel_size", dims, kernel_size, g.kernel);
  detail::read_pair(op, "stride", dims, stride.empty() ? kernel_size : stride, g.stride);
  detail::read_pair(op, "padding", dims, padding, g.padding);
  detail::read_pair(op, "dilation", dims, dilation, g.dilation);
  g.ceil_mode = ceil_mode;
  kernels::pool_output_sizes(op, dims, self.sizes(), g);
  return g;
}

// An output_size of one or two numbers, over an input of the right rank.
DimVector read_output_size(const char* op, int dims, const Variable& self,
                           IntArrayRef output_size) {
  TAPEDECK_CHECK(self.dim() == dims + 1 || self.dim() == dims + 2, op, ": expected a ", dims + 1,
                 "-D (unbatched) or ", dims + 2, "-D (batched) input, got ", self.sizes());
  DimVector pair{1, 1};
  detail::read_pair(op, "output_size", dims, output_size, pair.data());
  TAPEDECK_CHECK(pair[0] > 0 && pair[1] > 0, op, ": output_size must be positive, got ",
                 output_size);
  return pair;
}

std::tuple<Variable, Variable> max_pool(const char* op, int dims, const Variable& self,
                                        IntArrayRef kernel_size, IntArrayRef stride,
                                        IntArrayRef padding, IntArrayRef dilation, bool ceil_mode,
                                        bool want_indices) {
  const Pool2dGeometry geometry =
      read_geometry(op, dims, self, kernel_size, stride, padding, dilation, ceil_mode);
  const SpatialForm form(dims, self);
  const Variable x = form.lift(self);
  auto [y, indices] =
      largest(x, "MaxPool2DWithIndicesBackward0",
              kernels::max_pool2d(x.array(), geometry, want_indices || should_record(self)));
  return {form.lower(y), want_indices ? form.lower(indices) : Variable()};
}

Variable avg_pool(const char* op, int dims, const Variable& self, IntArrayRef kernel_size,
                  IntArrayRef stride, IntArrayRef padding, bool ceil_mode, AvgPoolDivisor divisor) {
  const Pool2dGeometry geometry =
      read_geometry(op, dims, self, kernel_size, stride, padding, 1, ceil_mode);
  const SpatialForm form(dims, self);
  return form.lower(averages(form.lift(self), geometry, divisor));
}

Variable adaptive_avg_pool(const char* op, int dims, const Variable& self,
                           IntArrayRef output_size) {
  const DimVector pair = read_output_size(op, dims, self, output_size);
  const SpatialForm form(dims, self);
  return form.lower(adaptive_averages(form.lift(self), pair));
}

std::tuple<Variable, Variable> adaptive_max_pool(const char* op, int dims, const Variable& self,
                                                 IntArrayRef output_size) {
  const DimVector pair = read_output_size(op, dims, self, output_size);
  const SpatialForm form(dims, self);
  const Variable x = form.lift(self);
  auto [y, indices] =
      largest(x, "AdaptiveMaxPool2DBackward0", kernels::adaptive_max_pool2d(x.array(), pair));
  return {form.lower(y), form.lower(indices)};
}

}  // namespace

Variable max_pool1d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride,
                    IntArrayRef padding, IntArrayRef dilation, bool ceil_mode) {
  TAPEDECK_CHECK_DEFINED("max_pool1d", self);
  const detail::OpScope scope("max_pool1d");
  return std::get<0>(
      max_pool("max_pool1d", 1, self, kernel_size, stride, padding, dilation, ceil_mode, false));
}

Variable max_pool2d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride,
                    IntArrayRef padding, IntArrayRef dilation, bool ceil_mode) {
  TAPEDECK_CHECK_DEFINED("max_pool2d", self);
  return std::get<0>(
      max_pool("max_pool2d", 2, self, kernel_size, stride, padding, dilation, ceil_mode, false));
}

std::tuple<Variable, Variable> max_pool1d_with_indices(const Variable& self,
                                                       IntArrayRef kernel_size, IntArrayRef stride,
                                                       IntArrayRef padding, IntArrayRef dilation,
                                                       bool ceil_mode) {
  TAPEDECK_CHECK_DEFINED("max_pool1d_with_indices", self);
  const detail::OpScope scope("max_pool1d_with_indices");
  return max_pool("max_pool1d", 1, self, kernel_size, stride, padding, dilation, ceil_mode, true);
}

std::tuple<Variable, Variable> max_pool2d_with_indices(const Variable& self,
                                                       IntArrayRef kernel_size, IntArrayRef stride,
                                                       IntArrayRef padding, IntArrayRef dilation,
                                                       bool ceil_mode) {
  TAPEDECK_CHECK_DEFINED("max_pool2d_with_indices", self);
  const detail::OpScope scope("max_pool2d_with_indices");
  return max_pool("max_pool2d", 2, self, kernel_size, stride, padding, dilation, ceil_mode, true);
}

Variable max_unpool2d(const Variable& self, const Variable& indices, IntArrayRef output_size) {
  TAPEDECK_CHECK_DEFINED("max_unpool2d", self, indices);
  constexpr const char* op = "max_unpool2d";
  const DimVector pair = read_output_size(op, 2, self, output_size);
  TAPEDECK_CHECK(indices.sizes().equals(self.sizes()), op, ": expected indices of shape ",
                 self.sizes(), ", got ", indices.sizes());
  const SpatialForm form(2, self);
  return form.lower(unpool(form.lift(self), form.lift(indices), pair));
}

Variable avg_pool1d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride,
                    IntArrayRef padding, bool ceil_mode, bool count_include_pad) {
  TAPEDECK_CHECK_DEFINED("avg_pool1d", self);
  const detail::OpScope scope("avg_pool1d");
  return avg_pool("avg_pool1d", 1, self, kernel_size, stride, padding, ceil_mode,
                  {count_include_pad, 0});
}

Variable avg_pool2d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride,
                    IntArrayRef padding, bool ceil_mode, bool count_include_pad,
                    std::optional<std::int64_t> divisor_override) {
  TAPEDECK_CHECK_DEFINED("avg_pool2d", self);
  TAPEDECK_CHECK(divisor_override.value_or(1) > 0,
                 "avg_pool2d: divisor_override must be positive, got ", *divisor_override);
  return avg_pool("avg_pool2d", 2, self, kernel_size, stride, padding, ceil_mode,
                  {count_include_pad, divisor_override.value_or(0)});
}

Variable adaptive_avg_pool1d(const Variable& self, IntArrayRef output_size) {
  TAPEDECK_CHECK_DEFINED("adaptive_avg_pool1d", self);
  const detail::OpScope scope("adaptive_avg_pool1d");
  return adaptive_avg_pool("adaptive_avg_pool1d", 1, self, output_size);
}

Variable adaptive_avg_pool2d(const Variable& self, IntArrayRef output_size) {
  TAPEDECK_CHECK_DEFINED("adaptive_avg_pool2d", self);
  return adaptive_avg_pool("adaptive_avg_pool2d", 2, self, output_size);
}

std::tuple<Variable, Variable> adaptive_max_pool1d(const Variable& self, IntArrayRef output_size) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool1d", self);
  const detail::OpScope scope("adaptive_max_pool1d");
  return adaptive_max_pool("adaptive_max_pool1d", 1, self, output_size);
}

std::tuple<Variable, Variable> adaptive_max_pool2d(const Variable& self, IntArrayRef output_size) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool2d", self);
  const detail::OpScope scope("adaptive_max_pool2d");
  return adaptive_max_pool("adaptive_max_pool2d", 2, self, output_size);
}

}  // namespace tapedeck
