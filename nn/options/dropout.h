#pragma once

#include <tapedeck/array/arg.h>

namespace tapedeck::nn {

/// Options of the dropouts: how probable it is that an element goes.
struct DropoutOptions {
  DropoutOptions(double p = 0.5) : p_(p) {}
  TAPEDECK_ARG(double, p) = 0.5;
  TAPEDECK_ARG(bool, inplace) = false;
};
using Dropout1dOptions = DropoutOptions;
using Dropout2dOptions = DropoutOptions;
using Dropout3dOptions = DropoutOptions;
using AlphaDropoutOptions = DropoutOptions;
using FeatureAlphaDropoutOptions = DropoutOptions;

namespace functional {

struct DropoutFuncOptions {
  TAPEDECK_ARG(double, p) = 0.5;
  TAPEDECK_ARG(bool, training) = true;
  TAPEDECK_ARG(bool, inplace) = false;
};
using Dropout1dFuncOptions = DropoutFuncOptions;
using Dropout2dFuncOptions = DropoutFuncOptions;
using Dropout3dFuncOptions = DropoutFuncOptions;

struct AlphaDropoutFuncOptions {
  TAPEDECK_ARG(double, p) = 0.5;
  TAPEDECK_ARG(bool, training) = false;
  TAPEDECK_ARG(bool, inplace) = false;
};
using FeatureAlphaDropoutFuncOptions = AlphaDropoutFuncOptions;

}  // namespace functional
}  // namespace tapedeck::nn
