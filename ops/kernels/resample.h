#pragma once

#include <optional>
#include <vector>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// How one axis is resampled, a sparse matrix: output o is the sum of weights[k] times input
/// indices[k] over k in [begins[o], begins[o + 1]).
struct AxisSamples {
  std::int64_t inputs = 0;
  std::vector<std::int32_t> begins{0};
  std::vector<std::int32_t> indices;
  std::vector<double> weights;

  std::int64_t outputs() const { return static_cast<std::int64_t>(begins.size()) - 1; }
  void add_term(std::int64_t index, double weight);
  void end_output();
};

/// The adjoint; terms whose weight is 0 are left out.
AxisSamples transposed(const AxisSamples& samples);

/// For each axis after the channels; none leaves the axis as it is.
using Resampling = std::vector<std::optional<AxisSamples>>;
Resampling transposed(const Resampling& resampling);

/// Resamples the axes of x [N, C, ...], one of `axes` each; float32 and float64. A fresh array.
Array resample(const Array& x, const Resampling& axes);

}  // namespace tapedeck::kernels
