#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tapedeck/array/arg.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck::io {

/// How images are laid out in a grid. torchvision's make_grid.
struct GridOptions {
  using Range = std::pair<double, double>;

  GridOptions() = default;
  GridOptions(std::int64_t nrow, std::int64_t padding = 2, bool normalize = false)
      : nrow_(nrow), padding_(padding), normalize_(normalize) {}

  /// Images in a row.
  TAPEDECK_ARG(std::int64_t, nrow) = 8;
  /// Pixels between images and around them.
  TAPEDECK_ARG(std::int64_t, padding) = 2;
  /// Maps the smallest value to 0 and the largest to 1.
  TAPEDECK_ARG(bool, normalize) = false;
  /// What normalize maps to 0 and 1; what lies outside is clamped.
  TAPEDECK_ARG(std::optional<Range>, value_range);
  /// Normalizes every image by its own values.
  TAPEDECK_ARG(bool, scale_each) = false;
  TAPEDECK_ARG(double, pad_value) = 0;
};

/// One image [C, H', W'] of many: [N, C, H, W], [C, H, W] or [H, W]. One channel becomes three, a
/// single image stays as it is. Floating point or uint8. \throws Error for other shapes.
Variable make_grid(const Variable& images, const GridOptions& options = {});
Variable make_grid(const std::vector<Variable>& images, const GridOptions& options = {});

/// Writes images as one PNG, in a grid if there are several. Floating-point values of [0, 1] become
/// bytes (rounded, clamped, NaN 0); bytes stay. 1, 2 (grey and alpha), 3 or 4 channels.
/// \throws Error that names the file; the old file, if any, then stays.
void save_image(const Variable& images, const std::string& path, const GridOptions& options = {});
void save_image(const std::vector<Variable>& images, const std::string& path,
                const GridOptions& options = {});

/// Reads a PNG: uint8 [C, H, W] with the channels of the file (grey 1, grey and alpha 2, RGB 3,
/// RGBA 4); palettes are resolved and 16 bits made 8. \throws Error that names the file and the
/// defect.
Variable read_image(const std::string& path);

}  // namespace tapedeck::io
