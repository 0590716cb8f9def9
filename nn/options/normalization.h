#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <tapedeck/array/arg.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck::nn {

/// Options of BatchNorm1d, 2d and 3d. Without a momentum the running statistics are plain
/// averages over all batches.
struct BatchNormOptions {
  BatchNormOptions(std::int64_t num_features) : num_features_(num_features) {}
  TAPEDECK_ARG(std::int64_t, num_features);
  TAPEDECK_ARG(double, eps) = 1e-5;
  TAPEDECK_ARG(std::optional<double>, momentum) = 0.1;
  TAPEDECK_ARG(bool, affine) = true;
  TAPEDECK_ARG(bool, track_running_stats) = true;
};
using BatchNorm1dOptions = BatchNormOptions;
using BatchNorm2dOptions = BatchNormOptions;
using BatchNorm3dOptions = BatchNormOptions;

/// Options of InstanceNorm1d, 2d and 3d.
struct InstanceNormOptions {
  InstanceNormOptions(std::int64_t num_features) : num_features_(num_features) {}
  TAPEDECK_ARG(std::int64_t, num_features);
  TAPEDECK_ARG(double, eps) = 1e-5;
  TAPEDECK_ARG(double, momentum) = 0.1;
  TAPEDECK_ARG(bool, affine) = false;
  TAPEDECK_ARG(bool, track_running_stats) = false;
};
using InstanceNorm1dOptions = InstanceNormOptions;
using InstanceNorm2dOptions = InstanceNormOptions;
using InstanceNorm3dOptions = InstanceNormOptions;

/// Options of LayerNorm: the sizes of the last axes, over which it normalises.
struct LayerNormOptions {
  LayerNormOptions(std::vector<std::int64_t> normalized_shape)
      : normalized_shape_(std::move(normalized_shape)) {}
  TAPEDECK_ARG(std::vector<std::int64_t>, normalized_shape);
  TAPEDECK_ARG(double, eps) = 1e-5;
  TAPEDECK_ARG(bool, elementwise_affine) = true;
};

/// Options of GroupNorm.
struct GroupNormOptions {
  GroupNormOptions(std::int64_t num_groups, std::int64_t num_channels)
      : num_groups_(num_groups), num_channels_(num_channels) {}
  TAPEDECK_ARG(std::int64_t, num_groups);
  TAPEDECK_ARG(std::int64_t, num_channels);
  TAPEDECK_ARG(double, eps) = 1e-5;
  TAPEDECK_ARG(bool, affine) = true;
};

/// Options of LocalResponseNorm: how many neighbouring channels take part, and the constants.
struct LocalResponseNormOptions {
  LocalResponseNormOptions(std::int64_t size) : size_(size) {}
  TAPEDECK_ARG(std::int64_t, size);
  TAPEDECK_ARG(double, alpha) = 1e-4;
  TAPEDECK_ARG(double, beta) = 0.75;
  TAPEDECK_ARG(double, k) = 1.;
};

/// Options of CrossMapLRN2d: those of LocalResponseNorm.
struct CrossMapLRN2dOptions {
  CrossMapLRN2dOptions(std::int64_t size) : size_(size) {}
  TAPEDECK_ARG(std::int64_t, size);
  TAPEDECK_ARG(double, alpha) = 1e-4;
  TAPEDECK_ARG(double, beta) = 0.75;
  TAPEDECK_ARG(std::int64_t, k) = 1;
};

namespace functional {

using LocalResponseNormFuncOptions = LocalResponseNormOptions;

struct BatchNormFuncOptions {
  TAPEDECK_ARG(Tensor, weight) = Tensor();
  TAPEDECK_ARG(Tensor, bias) = Tensor();
  TAPEDECK_ARG(bool, training) = false;
  TAPEDECK_ARG(std::optional<double>, momentum) = 0.1;
  TAPEDECK_ARG(double, eps) = 1e-5;
};

struct InstanceNormFuncOptions {
  TAPEDECK_ARG(Tensor, running_mean) = Tensor();
  TAPEDECK_ARG(Tensor, running_var) = Tensor();
  TAPEDECK_ARG(Tensor, weight) = Tensor();
  TAPEDECK_ARG(Tensor, bias) = Tensor();
  TAPEDECK_ARG(bool, use_input_stats) = true;
  TAPEDECK_ARG(double, momentum) = 0.1;
  TAPEDECK_ARG(double, eps) = 1e-5;
};

struct LayerNormFuncOptions {
  LayerNormFuncOptions(std::vector<std::int64_t> normalized_shape)
      : normalized_shape_(std::move(normalized_shape)) {}
  TAPEDECK_ARG(std::vector<std::int64_t>, normalized_shape);
  TAPEDECK_ARG(Tensor, weight) = {};
  TAPEDECK_ARG(Tensor, bias) = {};
  TAPEDECK_ARG(double, eps) = 1e-5;
};

struct GroupNormFuncOptions {
  GroupNormFuncOptions(std::int64_t num_groups) : num_groups_(num_groups) {}
  TAPEDECK_ARG(std::int64_t, num_groups);
  TAPEDECK_ARG(Tensor, weight) = {};
  TAPEDECK_ARG(Tensor, bias) = {};
  TAPEDECK_ARG(double, eps) = 1e-5;
};

/// Options of functional::normalize: x / max(||x||_p, eps) along an axis.
struct NormalizeFuncOptions {
  TAPEDECK_ARG(double, p) = 2.0;
  TAPEDECK_ARG(std::int64_t, dim) = 1;
  TAPEDECK_ARG(double, eps) = 1e-12;
  /// Takes the result, if given, which is not recorded then.
  TAPEDECK_ARG(std::optional<Tensor>, out) = std::nullopt;
};

}  // namespace functional
}  // namespace tapedeck::nn
