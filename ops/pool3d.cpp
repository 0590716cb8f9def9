#include <tapedeck/ops/pool3d.h>

#include <array>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/pool.h>
#include <tapedeck/ops/power.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

using Two = std::array<std::int64_t, 2>;

// A pooling number for each axis, as the two passes take it.
struct Passes {
  Passes(const char* op, const char* what, IntArrayRef values, std::int64_t rest) {
    TAPEDECK_CHECK(values.size() == 1 || values.size() == 3, op, ": expected ", what,
                   " of one number or three, got ", values);
    const auto of = [&](std::size_t i) { return values[values.size() == 1 ? 0 : i]; };
    planes = {of(1), of(2)};
    depth = {of(0), rest};
  }
  Two planes, depth;
};

void check_dims(const char* op, const Variable& x) {
  TAPEDECK_CHECK(x.dim() == 4 || x.dim() == 5, op,
                 ": expected an input of 4 (unbatched) or 5 dimensions, got ", x.sizes());
}

// [..., C, D, H, W] -> [..., C D, H, W], what a pool of the planes takes, and its result
// [..., C D, OH, OW] -> [..., C, D, OH OW], what one of the depth takes.
Variable as_planes(const Variable& x) { return x.flatten(-4, -3); }
Variable as_depth(const Variable& y, std::int64_t D) {
  return y.flatten(-2, -1).unflatten(-2, {y.size(-3) / D, D});
}
// [..., C, OD, OH OW] -> [..., C, OD, OH, OW]
Variable as_volume(const Variable& y, const Variable& planes) {
  return y.unflatten(-1, {planes.size(-2), planes.size(-1)});
}

// The places in the volume of maxima found in two passes.
Variable joined_indices(const Variable& in_planes, const Variable& in_depth, const Variable& x) {
  const Variable planes = as_depth(in_planes, x.size(-3));  // [..., C, D, P]
  const std::int64_t P = planes.size(-1), plane = x.size(-2) * x.size(-1);
  const Variable at = planes.flatten(-2).gather(-1, in_depth.flatten(-2)).view(in_depth.sizes());
  return in_depth.div(P, "floor") * plane + at;
}

}  // namespace

std::tuple<Variable, Variable> max_pool3d_with_indices(const Variable& self,
                                                       IntArrayRef kernel_size, IntArrayRef stride,
                                                       IntArrayRef padding, IntArrayRef dilation,
                                                       bool ceil_mode) {
  TAPEDECK_CHECK_DEFINED("max_pool3d_with_indices", self);
  const detail::OpScope scope("max_pool3d_with_indices");
  const char* const op = "max_pool3d";
  check_dims(op, self);
  const Passes k(op, "kernel_size", kernel_size, 1);
  const Passes s(op, "stride", stride.empty() ? kernel_size : stride, 1);
  const Passes p(op, "padding", padding, 0), d(op, "dilation", dilation, 1);
  const auto [planes, in_planes] =
      max_pool2d_with_indices(as_planes(self), k.planes, s.planes, p.planes, d.planes, ceil_mode);
  const auto [y, in_depth] = max_pool2d_with_indices(as_depth(planes, self.size(-3)), k.depth,
                                                     s.depth, p.depth, d.depth, ceil_mode);
  return {as_volume(y, planes), as_volume(joined_indices(in_planes, in_depth, self), planes)};
}
Variable max_pool3d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride,
                    IntArrayRef padding, IntArrayRef dilation, bool ceil_mode) {
  TAPEDECK_CHECK_DEFINED("max_pool3d", self);
  const detail::OpScope scope("max_pool3d");
  return std::get<0>(
      max_pool3d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode));
}

Variable avg_pool3d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride,
                    IntArrayRef padding, bool ceil_mode, bool count_include_pad,
                    std::optional<std::int64_t> divisor_override) {
  TAPEDECK_CHECK_DEFINED("avg_pool3d", self);
  const detail::OpScope scope("avg_pool3d");
  const char* const op = "avg_pool3d";
  check_dims(op, self);
  TAPEDECK_CHECK(divisor_override.value_or(1) > 0, op,
                 ": expected a divisor_override above zero, got ", divisor_override.value_or(1));
  const Passes k(op, "kernel_size", kernel_size, 1);
  const Passes s(op, "stride", stride.empty() ? kernel_size : stride, 1);
  const Passes p(op, "padding", padding, 0);
  // The number of elements is a product of those along the axes; a divisor given divides once.
  const auto divisor = divisor_override ? std::optional<std::int64_t>(1) : std::nullopt;
  const Variable planes = avg_pool2d(as_planes(self), k.planes, s.planes, p.planes, ceil_mode,
                                     count_include_pad, divisor_override);
  const Variable y = avg_pool2d(as_depth(planes, self.size(-3)), k.depth, s.depth, p.depth,
                                ceil_mode, count_include_pad, divisor);
  return as_volume(y, planes);
}

Variable adaptive_avg_pool3d(const Variable& self, IntArrayRef output_size) {
  TAPEDECK_CHECK_DEFINED("adaptive_avg_pool3d", self);
  const detail::OpScope scope("adaptive_avg_pool3d");
  check_dims("adaptive_avg_pool3d", self);
  const Passes size("adaptive_avg_pool3d", "output_size", output_size, 1);
  const Variable planes = adaptive_avg_pool2d(as_planes(self), size.planes);
  const Variable depth = as_depth(planes, self.size(-3));
  return as_volume(adaptive_avg_pool2d(depth, {size.depth[0], depth.size(-1)}), planes);
}

std::tuple<Variable, Variable> adaptive_max_pool3d(const Variable& self, IntArrayRef output_size) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool3d", self);
  const detail::OpScope scope("adaptive_max_pool3d");
  check_dims("adaptive_max_pool3d", self);
  const Passes size("adaptive_max_pool3d", "output_size", output_size, 1);
  const auto [planes, in_planes] = adaptive_max_pool2d(as_planes(self), size.planes);
  const Variable depth = as_depth(planes, self.size(-3));
  const auto [y, in_depth] = adaptive_max_pool2d(depth, {size.depth[0], depth.size(-1)});
  return {as_volume(y, planes), as_volume(joined_indices(in_planes, in_depth, self), planes)};
}

}  // namespace tapedeck
