#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>
#include <tapedeck/nn/expanding_array.h>

namespace tapedeck::nn {

// The paddings are {left, right} or {left, right, top, bottom}, or one number for all sides.

template <std::size_t D>
struct ReflectionPadOptions {
  ReflectionPadOptions(ExpandingArray<D * 2> padding) : padding_(padding) {}
  TAPEDECK_ARG(ExpandingArray<D * 2>, padding);
};
using ReflectionPad1dOptions = ReflectionPadOptions<1>;
using ReflectionPad2dOptions = ReflectionPadOptions<2>;
using ReflectionPad3dOptions = ReflectionPadOptions<3>;

template <std::size_t D>
struct ReplicationPadOptions {
  ReplicationPadOptions(ExpandingArray<D * 2> padding) : padding_(padding) {}
  TAPEDECK_ARG(ExpandingArray<D * 2>, padding);
};
using ReplicationPad1dOptions = ReplicationPadOptions<1>;
using ReplicationPad2dOptions = ReplicationPadOptions<2>;
using ReplicationPad3dOptions = ReplicationPadOptions<3>;

struct ZeroPad2dOptions {
  ZeroPad2dOptions(ExpandingArray<4> padding) : padding_(padding) {}
  TAPEDECK_ARG(ExpandingArray<4>, padding);
};

template <std::size_t D>
struct ConstantPadOptions {
  ConstantPadOptions(ExpandingArray<D * 2> padding, double value)
      : padding_(padding), value_(value) {}
  TAPEDECK_ARG(ExpandingArray<D * 2>, padding);
  TAPEDECK_ARG(double, value);
};
using ConstantPad1dOptions = ConstantPadOptions<1>;
using ConstantPad2dOptions = ConstantPadOptions<2>;
using ConstantPad3dOptions = ConstantPadOptions<3>;

namespace functional {

/// Options of functional::pad: {before, after} of the last axis, then of the one before it, ...
struct PadFuncOptions {
  using mode_t =
      OneOf<enumtype::kConstant, enumtype::kReflect, enumtype::kReplicate, enumtype::kCircular>;
  PadFuncOptions(std::vector<std::int64_t> pad) : pad_(std::move(pad)) {}
  TAPEDECK_ARG(std::vector<std::int64_t>, pad);
  TAPEDECK_ARG(mode_t, mode) = kConstant;
  TAPEDECK_ARG(double, value) = 0;
};

}  // namespace functional
}  // namespace tapedeck::nn
