#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <tapedeck/array/arg.h>

namespace tapedeck::nn {

/// Options of AdaptiveLogSoftmaxWithLoss. `cutoffs` are the first classes of the clusters,
/// ascending; a cluster's scores pass through in_features / div_value^i features.
struct AdaptiveLogSoftmaxWithLossOptions {
  AdaptiveLogSoftmaxWithLossOptions(std::int64_t in_features, std::int64_t n_classes,
                                    std::vector<std::int64_t> cutoffs)
      : in_features_(in_features), n_classes_(n_classes), cutoffs_(std::move(cutoffs)) {}
  TAPEDECK_ARG(std::int64_t, in_features);
  TAPEDECK_ARG(std::int64_t, n_classes);
  TAPEDECK_ARG(std::vector<std::int64_t>, cutoffs);
  TAPEDECK_ARG(double, div_value) = 4.;
  TAPEDECK_ARG(bool, head_bias) = false;
};

}  // namespace tapedeck::nn
