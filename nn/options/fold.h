#pragma once

#include <cstdint>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/expanding_array.h>

namespace tapedeck::nn {

/// Options of Fold: the size of the image, and the windows.
struct FoldOptions {
  FoldOptions(ExpandingArray<2> output_size, ExpandingArray<2> kernel_size)
      : output_size_(output_size), kernel_size_(kernel_size) {}
  TAPEDECK_ARG(ExpandingArray<2>, output_size);
  TAPEDECK_ARG(ExpandingArray<2>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<2>, dilation) = 1;
  TAPEDECK_ARG(ExpandingArray<2>, padding) = 0;
  TAPEDECK_ARG(ExpandingArray<2>, stride) = 1;
};

/// Options of Unfold.
struct UnfoldOptions {
  UnfoldOptions(ExpandingArray<2> kernel_size) : kernel_size_(kernel_size) {}
  TAPEDECK_ARG(ExpandingArray<2>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<2>, dilation) = 1;
  TAPEDECK_ARG(ExpandingArray<2>, padding) = 0;
  TAPEDECK_ARG(ExpandingArray<2>, stride) = 1;
};

struct PixelShuffleOptions {
  PixelShuffleOptions(std::int64_t upscale_factor) : upscale_factor_(upscale_factor) {}
  TAPEDECK_ARG(std::int64_t, upscale_factor);
};
struct PixelUnshuffleOptions {
  PixelUnshuffleOptions(std::int64_t downscale_factor) : downscale_factor_(downscale_factor) {}
  TAPEDECK_ARG(std::int64_t, downscale_factor);
};

namespace functional {
using FoldFuncOptions = FoldOptions;
using UnfoldFuncOptions = UnfoldOptions;
using PixelShuffleFuncOptions = PixelShuffleOptions;
using PixelUnshuffleFuncOptions = PixelUnshuffleOptions;
}  // namespace functional
}  // namespace tapedeck::nn
