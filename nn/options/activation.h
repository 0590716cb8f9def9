#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tapedeck/array/arg.h>
#include <tapedeck/array/dtype.h>

namespace tapedeck::nn {

struct ELUOptions {
  TAPEDECK_ARG(double, alpha) = 1.0;
  TAPEDECK_ARG(bool, inplace) = false;
};

struct SELUOptions {
  SELUOptions(bool inplace = false) : inplace_(inplace) {}
  TAPEDECK_ARG(bool, inplace);
};

struct CELUOptions {
  TAPEDECK_ARG(double, alpha) = 1.0;
  TAPEDECK_ARG(bool, inplace) = false;
};

struct GLUOptions {
  GLUOptions(std::int64_t dim = -1) : dim_(dim) {}
  TAPEDECK_ARG(std::int64_t, dim);
};

/// approximate is "none" (the error function) or "tanh".
struct GELUOptions {
  TAPEDECK_ARG(std::string, approximate) = "none";
};

struct HardshrinkOptions {
  HardshrinkOptions(double lambda = 0.5) : lambda_(lambda) {}
  TAPEDECK_ARG(double, lambda);
};

struct SoftshrinkOptions {
  SoftshrinkOptions(double lambda = 0.5) : lambda_(lambda) {}
  TAPEDECK_ARG(double, lambda);
};

struct HardtanhOptions {
  TAPEDECK_ARG(double, min_val) = -1.0;
  TAPEDECK_ARG(double, max_val) = 1.0;
  TAPEDECK_ARG(bool, inplace) = false;
};

struct LeakyReLUOptions {
  TAPEDECK_ARG(double, negative_slope) = 1e-2;
  TAPEDECK_ARG(bool, inplace) = false;
};

struct PReLUOptions {
  TAPEDECK_ARG(std::int64_t, num_parameters) = 1;
  TAPEDECK_ARG(double, init) = 0.25;
};

struct ReLUOptions {
  ReLUOptions(bool inplace = false) : inplace_(inplace) {}
  TAPEDECK_ARG(bool, inplace);
};

struct ReLU6Options {
  ReLU6Options(bool inplace = false) : inplace_(inplace) {}
  TAPEDECK_ARG(bool, inplace);
};

struct RReLUOptions {
  TAPEDECK_ARG(double, lower) = 1.0 / 8.0;
  TAPEDECK_ARG(double, upper) = 1.0 / 3.0;
  TAPEDECK_ARG(bool, inplace) = false;
};

struct SiLUOptions {
  SiLUOptions(bool inplace = false) : inplace_(inplace) {}
  TAPEDECK_ARG(bool, inplace);
};

struct HardswishOptions {
  HardswishOptions(bool inplace = false) : inplace_(inplace) {}
  TAPEDECK_ARG(bool, inplace);
};

struct SoftplusOptions {
  TAPEDECK_ARG(double, beta) = 1.0;
  TAPEDECK_ARG(double, threshold) = 20.0;
};

/// x where x > threshold, else value.
struct ThresholdOptions {
  ThresholdOptions(double threshold, double value) : threshold_(threshold), value_(value) {}
  TAPEDECK_ARG(double, threshold);
  TAPEDECK_ARG(double, value);
  TAPEDECK_ARG(bool, inplace) = false;
};

struct SoftmaxOptions {
  SoftmaxOptions(std::int64_t dim) : dim_(dim) {}
  TAPEDECK_ARG(std::int64_t, dim);
};
using SoftminOptions = SoftmaxOptions;
using LogSoftmaxOptions = SoftmaxOptions;

namespace functional {

using ELUFuncOptions = ELUOptions;
using SELUFuncOptions = SELUOptions;
using CELUFuncOptions = CELUOptions;
using GLUFuncOptions = GLUOptions;
using GELUFuncOptions = GELUOptions;
using HardshrinkFuncOptions = HardshrinkOptions;
using SoftshrinkFuncOptions = SoftshrinkOptions;
using HardtanhFuncOptions = HardtanhOptions;
using LeakyReLUFuncOptions = LeakyReLUOptions;
using ReLUFuncOptions = ReLUOptions;
using ReLU6FuncOptions = ReLU6Options;
using SoftplusFuncOptions = SoftplusOptions;
using ThresholdFuncOptions = ThresholdOptions;

struct RReLUFuncOptions {
  TAPEDECK_ARG(double, lower) = 1.0 / 8.0;
  TAPEDECK_ARG(double, upper) = 1.0 / 3.0;
  TAPEDECK_ARG(bool, training) = false;
  TAPEDECK_ARG(bool, inplace) = false;
};

/// The axis, and the dtype that the input is converted to first.
struct SoftmaxFuncOptions {
  SoftmaxFuncOptions(std::int64_t dim) : dim_(dim) {}
  TAPEDECK_ARG(std::int64_t, dim);
  TAPEDECK_ARG(std::optional<ScalarType>, dtype) = std::nullopt;
};
using SoftminFuncOptions = SoftmaxFuncOptions;
using LogSoftmaxFuncOptions = SoftmaxFuncOptions;

struct GumbelSoftmaxFuncOptions {
  TAPEDECK_ARG(double, tau) = 1.0;
  TAPEDECK_ARG(bool, hard) = false;
  TAPEDECK_ARG(int, dim) = -1;
};

}  // namespace functional
}  // namespace tapedeck::nn
