#include <tapedeck/ops/resize.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

// How one axis is resampled: output o is the sum over k of weights[k][o] input[indices[k][o]].
struct Taps {
  Taps(std::int64_t count, std::int64_t outputs)
      : indices(static_cast<std::size_t>(count)), weights(static_cast<std::size_t>(count)) {
    for (auto& list : indices) list.resize(static_cast<std::size_t>(outputs));
    for (auto& list : weights) list.resize(static_cast<std::size_t>(outputs), 1.0);
  }
  std::vector<std::vector<std::int64_t>> indices;
  std::vector<std::vector<double>> weights;
};

Variable index_variable(const std::vector<std::int64_t>& list) {
  const Array indices = Array::empty(static_cast<std::int64_t>(list.size()), kInt64);
  std::copy(list.begin(), list.end(), indices.data<std::int64_t>());
  return Variable(indices);
}

// y = sum over k of weights[k] x[indices[k]] along `axis`; differentiable as it is written
Variable resample(const Variable& x, std::int64_t axis, const Taps& taps, bool weighted) {
  if (!weighted) return index_select(x, axis, index_variable(taps.indices[0]));
  DimVector broadcast(static_cast<std::size_t>(x.dim()), 1);
  broadcast[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(taps.weights[0].size());
  Variable y;
  for (std::size_t k = 0; k < taps.indices.size(); ++k) {
    const Array wide = Array::empty(broadcast, kFloat64);
    std::copy(taps.weights[k].begin(), taps.weights[k].end(), wide.data<double>());
    const Variable term = index_select(x, axis, index_variable(taps.indices[k])) *
                          Variable(kernels::cast(wide, x.dtype()));
    y = y.defined() ? y + term : term;
  }
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
}

double scale_of(std::int64_t in, std::int64_t out, std::optional<double> factor) {
  return factor && *factor > 0 ? 1.0 / *factor : static_cast<double>(in) / static_cast<double>(out);
}

Variable nearest_along(const Variable& x, std::int64_t axis, std::int64_t out,
                       std::optional<double> factor, double offset) {
  const std::int64_t in = x.size(axis);
  if (in == out && !factor) return x;
  // In single precision, as PyTorch does: it decides which pixel an edge falls on.
  const auto scale = static_cast<float>(scale_of(in, out, factor));
  Taps taps(1, out);
  for (std::int64_t o = 0; o < out; ++o) {
    const float place = (static_cast<float>(o) + static_cast<float>(offset)) * scale;
    taps.indices[0][static_cast<std::size_t>(o)] =
        std::min(static_cast<std::int64_t>(std::floor(place)), in - 1);
  }
  return resample(x, axis, taps, false);
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

Variable linear_along(const Variable& x, std::int64_t axis, std::int64_t out, bool align_corners,
                      std::optional<double> factor) {
  const std::int64_t in = x.size(axis);
  if (in == out) return x;
  Taps taps(2, out);
  for (std::int64_t o = 0; o < out; ++o) {
    const auto at = static_cast<std::size_t>(o);
    const double place = std::max(0.0, place_of(o, in, out, align_corners, factor));
    const auto left = std::min(static_cast<std::int64_t>(place), in - 1);
    const double part = std::min(1.0, place - static_cast<double>(left));
    taps.indices[0][at] = left;
    taps.indices[1][at] = std::min(left + 1, in - 1);
    taps.weights[0][at] = 1 - part;
    taps.weights[1][at] = part;
  }
  return resample(x, axis, taps, true);
}

// Keys' kernel with the parameter `a`, at distances up to 1 and from there to 2.
double cubic_near(double t, double a) { return ((a + 2) * t - (a + 3)) * t * t + 1; }
double cubic_far(double t, double a) { return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a; }

Variable cubic_along(const Variable& x, std::int64_t axis, std::int64_t out, bool align_corners,
                     std::optional<double> factor) {
  const auto near = [](double t) { return cubic_near(t, -0.75); };
  const auto far = [](double t) { return cubic_far(t, -0.75); };
  const std::int64_t in = x.size(axis);
  Taps taps(4, out);
  for (std::int64_t o = 0; o < out; ++o) {
    const auto at = static_cast<std::size_t>(o);
    const double place = place_of(o, in, out, align_corners, factor);
    const double left = std::floor(place), t = place - left;
    const double weights[4] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    for (std::size_t k = 0; k < 4; ++k) {
      taps.indices[k][at] = std::clamp<std::int64_t>(
          static_cast<std::int64_t>(left) - 1 + static_cast<std::int64_t>(k), 0, in - 1);
      taps.weights[k][at] = weights[k];
    }
  }
  return resample(x, axis, taps, true);
}

double triangle(double t) { return std::max(0.0, 1 - std::abs(t)); }
double cubic(double t) {
  t = std::abs(t);
  return t < 1 ? cubic_near(t, -0.5) : t < 2 ? cubic_far(t, -0.5) : 0.0;
}

// The filter, zero at `reach` and beyond, stretched to the pixels of the coarser of the two sides.
Variable antialiased_along(const Variable& x, std::int64_t axis, std::int64_t out,
                           bool align_corners, std::optional<double> factor,
                           double (*filter)(double), double reach) {
  const std::int64_t in = x.size(axis);
  double scale = scale_of(in, out, factor);
  if (align_corners)
    scale = out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
  const double stretch = std::max(1.0, scale), support = reach * stretch;
  const auto width =
      std::min(in, static_cast<std::int64_t>(std::ceil(support)) * 2 + 1);  // taps at most
  Taps taps(width, out);
  for (std::int64_t o = 0; o < out; ++o) {
    const auto at = static_cast<std::size_t>(o);
    const double center = scale * (static_cast<double>(o) + 0.5);
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(center - support + 0.5));
    const auto end = std::min(in, static_cast<std::int64_t>(center + support + 0.5));
    double total = 0;
    for (std::int64_t k = 0; k < width; ++k) {
      const std::int64_t i = first + k;
      const double weight =
          i < end ? filter((static_cast<double>(i) + 0.5 - center) / stretch) : 0.0;
      taps.indices[static_cast<std::size_t>(k)][at] = std::min(i, in - 1);
      taps.weights[static_cast<std::size_t>(k)][at] = weight;
      total += weight;
    }
    for (auto& weights : taps.weights)
      if (total != 0) weights[at] /= total;
  }
  return resample(x, axis, taps, true);
}

}  // namespace

Variable upsample_nearest1d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales) {
  check("upsample_nearest1d", self, output_size, 1);
  return nearest_along(self, 2, output_size[0], scales, 0);
}
Variable upsample_nearest2d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales_h, std::optional<double> scales_w) {
  check("upsample_nearest2d", self, output_size, 2);
  return nearest_along(nearest_along(self, 2, output_size[0], scales_h, 0), 3, output_size[1],
                       scales_w, 0);
}
Variable upsample_nearest3d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales_d, std::optional<double> scales_h,
                            std::optional<double> scales_w) {
  check("upsample_nearest3d", self, output_size, 3);
  const Variable planes = nearest_along(self, 2, output_size[0], scales_d, 0);
  return nearest_along(nearest_along(planes, 3, output_size[1], scales_h, 0), 4, output_size[2],
                       scales_w, 0);
}
Variable upsample_nearest_exact(const Variable& self, IntArrayRef output_size,
                                const std::vector<std::optional<double>>& scales) {
  check("upsample_nearest_exact", self, output_size, self.dim() - 2);
  TAPEDECK_CHECK(scales.empty() || scales.size() == output_size.size(),
                 "upsample_nearest_exact: expected ", output_size.size(), " scales, got ",
                 scales.size());
  Variable y = self;
  for (std::size_t d = 0; d < output_size.size(); ++d)
    y = nearest_along(y, static_cast<std::int64_t>(d) + 2, output_size[d],
                      scales.empty() ? std::nullopt : scales[d], 0.5);
  return y;
}
Variable upsample_linear1d(const Variable& self, IntArrayRef output_size, bool align_corners,
                           std::optional<double> scales) {
  check("upsample_linear1d", self, output_size, 1);
  return linear_along(self, 2, output_size[0], align_corners, scales);
}
Variable upsample_bilinear2d(const Variable& self, IntArrayRef output_size, bool align_corners,
                             std::optional<double> scales_h, std::optional<double> scales_w) {
  check("upsample_bilinear2d", self, output_size, 2);
  return linear_along(linear_along(self, 2, output_size[0], align_corners, scales_h), 3,
                      output_size[1], align_corners, scales_w);
}
Variable upsample_trilinear3d(const Variable& self, IntArrayRef output_size, bool align_corners,
                              std::optional<double> scales_d, std::optional<double> scales_h,
                              std::optional<double> scales_w) {
  check("upsample_trilinear3d", self, output_size, 3);
  const Variable planes = linear_along(self, 2, output_size[0], align_corners, scales_d);
  return linear_along(linear_along(planes, 3, output_size[1], align_corners, scales_h), 4,
                      output_size[2], align_corners, scales_w);
}
Variable upsample_bicubic2d(const Variable& self, IntArrayRef output_size, bool align_corners,
                            std::optional<double> scales_h, std::optional<double> scales_w) {
  check("upsample_bicubic2d", self, output_size, 2);
  return cubic_along(cubic_along(self, 2, output_size[0], align_corners, scales_h), 3,
                     output_size[1], align_corners, scales_w);
}
Variable _upsample_bilinear2d_aa(const Variable& self, IntArrayRef output_size, bool align_corners,
                                 std::optional<double> scales_h, std::optional<double> scales_w) {
  check("upsample_bilinear2d_aa", self, output_size, 2);
  const Variable rows =
      antialiased_along(self, 2, output_size[0], align_corners, scales_h, triangle, 1);
  return antialiased_along(rows, 3, output_size[1], align_corners, scales_w, triangle, 1);
}
Variable _upsample_bicubic2d_aa(const Variable& self, IntArrayRef output_size, bool align_corners,
                                std::optional<double> scales_h, std::optional<double> scales_w) {
  check("upsample_bicubic2d_aa", self, output_size, 2);
  const Variable rows =
      antialiased_along(self, 2, output_size[0], align_corners, scales_h, cubic, 2);
  return antialiased_along(rows, 3, output_size[1], align_corners, scales_w, cubic, 2);
}

}  // namespace tapedeck
