#pragma once

#include <optional>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>

namespace tapedeck::nn::functional {

/// Options of functional::grid_sample. align_corners is false unless given.
struct GridSampleFuncOptions {
  using mode_t = OneOf<enumtype::kBilinear, enumtype::kNearest>;
  using padding_mode_t = OneOf<enumtype::kZeros, enumtype::kBorder, enumtype::kReflection>;
  TAPEDECK_ARG(mode_t, mode) = kBilinear;
  TAPEDECK_ARG(padding_mode_t, padding_mode) = kZeros;
  TAPEDECK_ARG(std::optional<bool>, align_corners) = std::nullopt;
};

}  // namespace tapedeck::nn::functional
