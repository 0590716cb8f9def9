#pragma once

#include <cstdint>

#include <tapedeck/array/arg.h>

namespace tapedeck::nn {

struct CosineSimilarityOptions {
  TAPEDECK_ARG(std::int64_t, dim) = 1;
  TAPEDECK_ARG(double, eps) = 1e-8;
};

struct PairwiseDistanceOptions {
  TAPEDECK_ARG(double, p) = 2.0;
  TAPEDECK_ARG(double, eps) = 1e-6;
  TAPEDECK_ARG(bool, keepdim) = false;
};

namespace functional {
using CosineSimilarityFuncOptions = CosineSimilarityOptions;
using PairwiseDistanceFuncOptions = PairwiseDistanceOptions;
}  // namespace functional
}  // namespace tapedeck::nn
