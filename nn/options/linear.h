#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <tapedeck/array/arg.h>

namespace tapedeck::nn {

/// Options of Linear: `LinearOptions(5, 2).bias(false)`.
struct LinearOptions {
  LinearOptions(std::int64_t in_features, std::int64_t out_features)
      : in_features_(in_features), out_features_(out_features) {}
  TAPEDECK_ARG(std::int64_t, in_features);
  TAPEDECK_ARG(std::int64_t, out_features);
  TAPEDECK_ARG(bool, bias) = true;
};

/// Options of Flatten: the first and the last of the axes that become one.
struct FlattenOptions {
  TAPEDECK_ARG(std::int64_t, start_dim) = 1;
  TAPEDECK_ARG(std::int64_t, end_dim) = -1;
};

/// Options of Unflatten: the axis, and what it becomes.
struct UnflattenOptions {
  UnflattenOptions(std::int64_t dim, std::vector<std::int64_t> sizes)
      : dim_(dim), sizes_(std::move(sizes)) {}
  TAPEDECK_ARG(std::int64_t, dim);
  TAPEDECK_ARG(std::vector<std::int64_t>, sizes);
};

/// Options of Bilinear.
struct BilinearOptions {
  BilinearOptions(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features)
      : in1_features_(in1_features), in2_features_(in2_features), out_features_(out_features) {}
  TAPEDECK_ARG(std::int64_t, in1_features);
  TAPEDECK_ARG(std::int64_t, in2_features);
  TAPEDECK_ARG(std::int64_t, out_features);
  TAPEDECK_ARG(bool, bias) = true;
};

}  // namespace tapedeck::nn
