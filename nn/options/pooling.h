#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <tapedeck/array/arg.h>
#include <tapedeck/autograd/variable.h>
#include <tapedeck/nn/expanding_array.h>

namespace tapedeck::nn {

/// Options of the average pools; the stride is the kernel's size unless given.
template <std::size_t D>
struct AvgPoolOptions {
  AvgPoolOptions(ExpandingArray<D> kernel_size) : kernel_size_(kernel_size), stride_(kernel_size) {}
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<D>, stride);
  TAPEDECK_ARG(ExpandingArray<D>, padding) = 0;
  TAPEDECK_ARG(bool, ceil_mode) = false;
  TAPEDECK_ARG(bool, count_include_pad) = true;
  TAPEDECK_ARG(std::optional<std::int64_t>, divisor_override) = std::nullopt;
};
using AvgPool1dOptions = AvgPoolOptions<1>;
using AvgPool2dOptions = AvgPoolOptions<2>;
using AvgPool3dOptions = AvgPoolOptions<3>;

/// Options of the max pools; the stride is the kernel's size unless given.
template <std::size_t D>
struct MaxPoolOptions {
  MaxPoolOptions(ExpandingArray<D> kernel_size) : kernel_size_(kernel_size), stride_(kernel_size) {}
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<D>, stride);
  TAPEDECK_ARG(ExpandingArray<D>, padding) = 0;
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
  TAPEDECK_ARG(bool, ceil_mode) = false;
};
using MaxPool1dOptions = MaxPoolOptions<1>;
using MaxPool2dOptions = MaxPoolOptions<2>;
using MaxPool3dOptions = MaxPoolOptions<3>;

/// Options of the adaptive max pools: the size of the output, where nullopt keeps the input's.
template <typename output_size_t>
struct AdaptiveMaxPoolOptions {
  AdaptiveMaxPoolOptions(output_size_t output_size) : output_size_(output_size) {}
  TAPEDECK_ARG(output_size_t, output_size);
};
using AdaptiveMaxPool1dOptions = AdaptiveMaxPoolOptions<ExpandingArray<1>>;
using AdaptiveMaxPool2dOptions = AdaptiveMaxPoolOptions<ExpandingArrayWithOptionalElem<2>>;
using AdaptiveMaxPool3dOptions = AdaptiveMaxPoolOptions<ExpandingArrayWithOptionalElem<3>>;

/// Options of the adaptive average pools: the size of the output, where nullopt keeps the input's.
template <typename output_size_t>
struct AdaptiveAvgPoolOptions {
  AdaptiveAvgPoolOptions(output_size_t output_size) : output_size_(output_size) {}
  TAPEDECK_ARG(output_size_t, output_size);
};
using AdaptiveAvgPool1dOptions = AdaptiveAvgPoolOptions<ExpandingArray<1>>;
using AdaptiveAvgPool2dOptions = AdaptiveAvgPoolOptions<ExpandingArrayWithOptionalElem<2>>;
using AdaptiveAvgPool3dOptions = AdaptiveAvgPoolOptions<ExpandingArrayWithOptionalElem<3>>;

/// Options of MaxUnpool1d and MaxUnpool2d: those of the pool that is undone.
template <std::size_t D>
struct MaxUnpoolOptions {
  MaxUnpoolOptions(ExpandingArray<D> kernel_size)
      : kernel_size_(kernel_size), stride_(kernel_size) {}
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<D>, stride);
  TAPEDECK_ARG(ExpandingArray<D>, padding) = 0;
};
using MaxUnpool1dOptions = MaxUnpoolOptions<1>;
using MaxUnpool2dOptions = MaxUnpoolOptions<2>;
using MaxUnpool3dOptions = MaxUnpoolOptions<3>;

/// Options of FractionalMaxPool2d and 3d: the size of the output, or its part of the input's, one
/// of them. The random numbers are drawn at each call unless given.
template <std::size_t D>
struct FractionalMaxPoolOptions {
  using ExpandingArrayDouble = ExpandingArray<D, double>;
  FractionalMaxPoolOptions(ExpandingArray<D> kernel_size) : kernel_size_(kernel_size) {}
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(std::optional<ExpandingArray<D>>, output_size) = std::nullopt;
  TAPEDECK_ARG(std::optional<ExpandingArrayDouble>, output_ratio) = std::nullopt;
  TAPEDECK_ARG(Tensor, _random_samples) = Tensor();
};
using FractionalMaxPool2dOptions = FractionalMaxPoolOptions<2>;
using FractionalMaxPool3dOptions = FractionalMaxPoolOptions<3>;

/// Options of LPPool1d and LPPool2d.
template <std::size_t D>
struct LPPoolOptions {
  LPPoolOptions(double norm_type, ExpandingArray<D> kernel_size)
      : norm_type_(norm_type), kernel_size_(kernel_size), stride_(kernel_size) {}
  TAPEDECK_ARG(double, norm_type);
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<D>, stride);
  TAPEDECK_ARG(bool, ceil_mode) = false;
};
using LPPool1dOptions = LPPoolOptions<1>;
using LPPool2dOptions = LPPoolOptions<2>;

namespace functional {

using AvgPool1dFuncOptions = AvgPool1dOptions;
using AvgPool2dFuncOptions = AvgPool2dOptions;
using AvgPool3dFuncOptions = AvgPool3dOptions;
using MaxPool1dFuncOptions = MaxPool1dOptions;
using MaxPool2dFuncOptions = MaxPool2dOptions;
using MaxPool3dFuncOptions = MaxPool3dOptions;
using AdaptiveMaxPool1dFuncOptions = AdaptiveMaxPool1dOptions;
using AdaptiveMaxPool2dFuncOptions = AdaptiveMaxPool2dOptions;
using AdaptiveMaxPool3dFuncOptions = AdaptiveMaxPool3dOptions;
using AdaptiveAvgPool1dFuncOptions = AdaptiveAvgPool1dOptions;
using AdaptiveAvgPool2dFuncOptions = AdaptiveAvgPool2dOptions;
using AdaptiveAvgPool3dFuncOptions = AdaptiveAvgPool3dOptions;
using FractionalMaxPool2dFuncOptions = FractionalMaxPool2dOptions;
using FractionalMaxPool3dFuncOptions = FractionalMaxPool3dOptions;
using LPPool1dFuncOptions = LPPool1dOptions;
using LPPool2dFuncOptions = LPPool2dOptions;

/// Options of functional::max_unpool1d and max_unpool2d.
template <std::size_t D>
struct MaxUnpoolFuncOptions {
  MaxUnpoolFuncOptions(ExpandingArray<D> kernel_size)
      : kernel_size_(kernel_size), stride_(kernel_size) {}
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<D>, stride);
  TAPEDECK_ARG(ExpandingArray<D>, padding) = 0;
  TAPEDECK_ARG(std::optional<std::vector<std::int64_t>>, output_size) = std::nullopt;
};
using MaxUnpool1dFuncOptions = MaxUnpoolFuncOptions<1>;
using MaxUnpool2dFuncOptions = MaxUnpoolFuncOptions<2>;
using MaxUnpool3dFuncOptions = MaxUnpoolFuncOptions<3>;

}  // namespace functional
}  // namespace tapedeck::nn
