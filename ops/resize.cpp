#include <tapedeck/ops/resize.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/kernels/resample.h>

namespace tapedeck {

namespace {

using kernels::AxisSamples;
using kernels::Resampling;
using Axis = std::optional<AxisSamples>;

// y = A x, with a matrix for each axis;  dx = transposed(A) g
Variable resample(const char* name, const Variable& x, Resampling axes) {
  if (std::none_of(axes.begin(), axes.end(), [](const Axis& axis) { return axis.has_value(); }))
    return x;
  Variable y(kernels::resample(x.array(), axes));
  if (should_record(x))
    record(y, name, edges(x), [name, axes = std::move(axes)](const Variable& g) {
      return resample(name, g, transposed(axes));
    });
  return y;
}

void check(const char* op, const Variable& x, IntArrayRef output_size, std::int64_t dims) {
  TAPEDECK_CHECK(x.dim() == dims + 2, op, ": expected an input of ", dims + 2, " dimensions, got ",
                 x.sizes());
  TAPEDECK_CHECK(static_cast<std::int64_t>(output_size.size()) == dims, op,
                 ": expected an output size of ", dims, " numbers, got ", output_size);
  for (std::int64_t d = 0; d < dims; ++d)
    TAPEDECK_CHECK(output_size[static_cast<std::size_t>(d)] > 0 && x.size(2 + d) > 0, op,
                   ": input and output sizes should be greater than 0, got input ", x.sizes(),
                   " and output size ", output_size);
  TAPEDECK_CHECK_AS(TypeError, x.is_floating_point(), op, ": not implemented for dtype ",
                    x.dtype());
  // A size that the memory does not hold fails here, before tables of that length are filled; the
  // result gets these bytes afterwards.
  DimVector result{x.size(0), x.size(1)};
  for (const std::int64_t size : output_size) result.push_back(size);
  const detail::OpScope scope(op);
  Array::empty(result, x.dtype());
}

double scale_of(std::int64_t in, std::int64_t out, std::optional<double> factor) {
  return factor && *factor > 0 ? 1.0 / *factor : static_cast<double>(in) / static_cast<double>(out);
}

// The pixel of an axis at a place, or the one at its end: a scale factor may lead anywhere.
std::int64_t pixel_at(double place, std::int64_t pixels) {
  const auto last = static_cast<double>(pixels - 1);
  return place < last ? static_cast<std::int64_t>(std::max(0.0, place)) : pixels - 1;
}

Axis nearest(std::int64_t in, std::int64_t out, std::optional<double> factor, double offset) {
  if (in == out && !factor) return std::nullopt;
  // In single precision, as PyTorch does: it decides which pixel an edge falls on.
  const auto scale = static_cast<float>(scale_of(in, out, factor));
  AxisSamples axis;
  axis.inputs = in;
  for (std::int64_t o = 0; o < out; ++o) {
    const float place = (static_cast<float>(o) + static_cast<float>(offset)) * scale;
    axis.add_term(place > 0 ? pixel_at(std::floor(place), in) : 0, 1);
    axis.end_output();
  }
  return axis;
}

// The place of output o in the input.
double place_of(std::int64_t o, std::int64_t in, std::int64_t out, bool align_corners,
                std::optional<double> factor) {
  if (align_corners)
    return out > 1
               ? static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1)
               : 0.0;
  return (static_cast<double>(o) + 0.5) * scale_of(in, out, factor) - 0.5;
}

Axis linear(std::int64_t in, std::int64_t out, bool align_corners, std::optional<double> factor) {
  if (in == out) return std::nullopt;
  AxisSamples axis;
  axis.inputs = in;
  for (std::int64_t o = 0; o < out; ++o) {
    const double place = std::max(0.0, place_of(o, in, out, align_corners, factor));
    const std::int64_t left = pixel_at(place, in);
    const double part = std::min(1.0, place - static_cast<double>(left));
    axis.add_term(left, 1 - part);
    axis.add_term(std::min(left + 1, in - 1), part);
    axis.end_output();
  }
  return axis;
}

// Keys' kernel with the parameter `a`, at distances up to 1 and from there to 2.
double cubic_near(double t, double a) { return ((a + 2) * t - (a + 3)) * t * t + 1; }
double cubic_far(double t, double a) { return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a; }

Axis cubic(std::int64_t in, std::int64_t out, bool align_corners, std::optional<double> factor) {
  const auto near = [](double t) { return cubic_near(t, -0.75); };
  const auto far = [](double t) { return cubic_far(t, -0.75); };
  AxisSamples axis;
  axis.inputs = in;
  for (std::int64_t o = 0; o < out; ++o) {
    const double place = place_of(o, in, out, align_corners, factor);
    const double left = std::floor(place), t = place - left;
    const double weights[4] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    for (std::int64_t k = 0; k < 4; ++k)
      axis.add_term(pixel_at(left - 1 + static_cast<double>(k), in), weights[k]);
    axis.end_output();
  }
  return axis;
}

double triangle_filter(double t) { return std::max(0.0, 1 - std::abs(t)); }
double cubic_filter(double t) {
  t = std::abs(t);
  return t < 1 ? cubic_near(t, -0.5) : t < 2 ? cubic_far(t, -0.5) : 0.0;
}

// The filter, zero at `reach` and beyond, stretched to the pixels of the coarser of the two sides.
Axis antialiased(std::int64_t in, std::int64_t out, bool align_corners,
                 std::optional<double> factor, double (*filter)(double), double reach) {
  double scale = scale_of(in, out, factor);
  if (align_corners)
    scale = out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
  const double stretch = std::max(1.0, scale), support = reach * stretch;
  AxisSamples axis;
  axis.inputs = in;
  for (std::int64_t o = 0; o < out; ++o) {
    const double center = scale * (static_cast<double>(o) + 0.5);
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(center - support + 0.5));
    const auto end = std::min(in, static_cast<std::int64_t>(center + support + 0.5));
    const auto weight = [&](std::int64_t i) {
      return filter((static_cast<double>(i) + 0.5 - center) / stretch);
    };
    double total = 0;
    for (std::int64_t i = first; i < end; ++i) total += weight(i);
    for (std::int64_t i = first; i < end; ++i)
      axis.add_term(i, total != 0 ? weight(i) / total : weight(i));
    axis.end_output();
  }
  return axis;
}

}  // namespace

Variable upsample_nearest1d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales) {
  TAPEDECK_CHECK_DEFINED("upsample_nearest1d", self);
  check("upsample_nearest1d", self, output_size, 1);
  return resample("UpsampleNearest1DBackward0", self,
                  {nearest(self.size(2), output_size[0], scales, 0)});
}
Variable upsample_nearest2d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales_h, std::optional<double> scales_w) {
  TAPEDECK_CHECK_DEFINED("upsample_nearest2d", self);
  check("upsample_nearest2d", self, output_size, 2);
  return resample("UpsampleNearest2DBackward0", self,
                  {nearest(self.size(2), output_size[0], scales_h, 0),
                   nearest(self.size(3), output_size[1], scales_w, 0)});
}
Variable upsample_nearest3d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales_d, std::optional<double> scales_h,
                            std::optional<double> scales_w) {
  TAPEDECK_CHECK_DEFINED("upsample_nearest3d", self);
  check("upsample_nearest3d", self, output_size, 3);
  return resample("UpsampleNearest3DBackward0", self,
                  {nearest(self.size(2), output_size[0], scales_d, 0),
                   nearest(self.size(3), output_size[1], scales_h, 0),
                   nearest(self.size(4), output_size[2], scales_w, 0)});
}
Variable upsample_nearest_exact(const Variable& self, IntArrayRef output_size,
                                const std::vector<std::optional<double>>& scales) {
  TAPEDECK_CHECK_DEFINED("upsample_nearest_exact", self);
  check("upsample_nearest_exact", self, output_size, self.dim() - 2);
  TAPEDECK_CHECK(scales.empty() || scales.size() == output_size.size(),
                 "upsample_nearest_exact: expected ", output_size.size(), " scales, got ",
                 scales.size());
  Resampling axes;
  for (std::size_t d = 0; d < output_size.size(); ++d)
    axes.push_back(nearest(self.size(static_cast<std::int64_t>(d) + 2), output_size[d],
                           scales.empty() ? std::nullopt : scales[d], 0.5));
  return resample("UpsampleNearestExactBackward0", self, std::move(axes));
}
Variable upsample_linear1d(const Variable& self, IntArrayRef output_size, bool align_corners,
                           std::optional<double> scales) {
  TAPEDECK_CHECK_DEFINED("upsample_linear1d", self);
  check("upsample_linear1d", self, output_size, 1);
  return resample("UpsampleLinear1DBackward0", self,
                  {linear(self.size(2), output_size[0], align_corners, scales)});
}
Variable upsample_bilinear2d(const Variable& self, IntArrayRef output_size, bool align_corners,
                             std::optional<double> scales_h, std::optional<double> scales_w) {
  TAPEDECK_CHECK_DEFINED("upsample_bilinear2d", self);
  check("upsample_bilinear2d", self, output_size, 2);
  return resample("UpsampleBilinear2DBackward0", self,
                  {linear(self.size(2), output_size[0], align_corners, scales_h),
                   linear(self.size(3), output_size[1], align_corners, scales_w)});
}
Variable upsample_trilinear3d(const Variable& self, IntArrayRef output_size, bool align_corners,
                              std::optional<double> scales_d, std::optional<double> scales_h,
                              std::optional<double> scales_w) {
  TAPEDECK_CHECK_DEFINED("upsample_trilinear3d", self);
  check("upsample_trilinear3d", self, output_size, 3);
  return resample("UpsampleTrilinear3DBackward0", self,
                  {linear(self.size(2), output_size[0], align_corners, scales_d),
                   linear(self.size(3), output_size[1], align_corners, scales_h),
                   linear(self.size(4), output_size[2], align_corners, scales_w)});
}
Variable upsample_bicubic2d(const Variable& self, IntArrayRef output_size, bool align_corners,
                            std::optional<double> scales_h, std::optional<double> scales_w) {
  TAPEDECK_CHECK_DEFINED("upsample_bicubic2d", self);
  check("upsample_bicubic2d", self, output_size, 2);
  return resample("UpsampleBicubic2DBackward0", self,
                  {cubic(self.size(2), output_size[0], align_corners, scales_h),
                   cubic(self.size(3), output_size[1], align_corners, scales_w)});
}

Variable _upsample_bilinear2d_aa(const Variable& self, IntArrayRef output_size, bool align_corners,
                                 std::optional<double> scales_h, std::optional<double> scales_w) {
  TAPEDECK_CHECK_DEFINED("_upsample_bilinear2d_aa", self);
  const detail::OpScope scope("_upsample_bilinear2d_aa");
  check("upsample_bilinear2d_aa", self, output_size, 2);
  return resample(
      "UpsampleBilinear2DAaBackward0", self,
      {antialiased(self.size(2), output_size[0], align_corners, scales_h, triangle_filter, 1),
       antialiased(self.size(3), output_size[1], align_corners, scales_w, triangle_filter, 1)});
}
Variable _upsample_bicubic2d_aa(const Variable& self, IntArrayRef output_size, bool align_corners,
                                std::optional<double> scales_h, std::optional<double> scales_w) {
  TAPEDECK_CHECK_DEFINED("_upsample_bicubic2d_aa", self);
  const detail::OpScope scope("_upsample_bicubic2d_aa");
  check("upsample_bicubic2d_aa", self, output_size, 2);
  return resample(
      "UpsampleBicubic2DAaBackward0", self,
      {antialiased(self.size(2), output_size[0], align_corners, scales_h, cubic_filter, 2),
       antialiased(self.size(3), output_size[1], align_corners, scales_w, cubic_filter, 2)});
}

}  // namespace tapedeck
