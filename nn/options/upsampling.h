#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>

namespace tapedeck::nn {

/// Options of Upsample: a size or a factor, one of them.
struct UpsampleOptions {
  using mode_t = OneOf<enumtype::kNearest, enumtype::kLinear, enumtype::kBilinear,
                       enumtype::kBicubic, enumtype::kTrilinear>;
  TAPEDECK_ARG(std::optional<std::vector<std::int64_t>>, size) = std::nullopt;
  TAPEDECK_ARG(std::optional<std::vector<double>>, scale_factor) = std::nullopt;
  TAPEDECK_ARG(mode_t, mode) = kNearest;
  TAPEDECK_ARG(std::optional<bool>, align_corners) = std::nullopt;
};

namespace functional {

/// Options of functional::interpolate.
struct InterpolateFuncOptions {
  using mode_t =
      OneOf<enumtype::kNearest, enumtype::kLinear, enumtype::kBilinear, enumtype::kBicubic,
            enumtype::kTrilinear, enumtype::kArea, enumtype::kNearestExact>;
  TAPEDECK_ARG(std::optional<std::vector<std::int64_t>>, size) = std::nullopt;
  TAPEDECK_ARG(std::optional<std::vector<double>>, scale_factor) = std::nullopt;
  TAPEDECK_ARG(mode_t, mode) = kNearest;
  TAPEDECK_ARG(std::optional<bool>, align_corners) = std::nullopt;
  TAPEDECK_ARG(std::optional<bool>, recompute_scale_factor) = std::nullopt;
  TAPEDECK_ARG(bool, antialias) = false;
};

}  // namespace functional
}  // namespace tapedeck::nn
