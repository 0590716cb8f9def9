#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Resampling of the axes after the channels of [N, C, L], [N, C, H, W] or [N, C, D, H, W] to
// `output_size`, by PyTorch's rules. A pixel's place in the input is (o + 1/2) scale - 1/2, where
// scale is input / output, or 1 / scales where given; with align_corners, the corners fall on each
// other. float32 or float64.

/// The pixel at floor(o scale).
Variable upsample_nearest1d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales = std::nullopt);
Variable upsample_nearest2d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales_h = std::nullopt,
                            std::optional<double> scales_w = std::nullopt);
Variable upsample_nearest3d(const Variable& self, IntArrayRef output_size,
                            std::optional<double> scales_d = std::nullopt,
                            std::optional<double> scales_h = std::nullopt,
                            std::optional<double> scales_w = std::nullopt);
/// The pixel nearest to the centre: floor((o + 1/2) scale).
/// `scales`: none, or one for each axis.
Variable upsample_nearest_exact(const Variable& self, IntArrayRef output_size,
                                const std::vector<std::optional<double>>& scales = {});
/// Linear between neighbouring pixels.
Variable upsample_linear1d(const Variable& self, IntArrayRef output_size, bool align_corners,
                           std::optional<double> scales = std::nullopt);
Variable upsample_bilinear2d(const Variable& self, IntArrayRef output_size, bool align_corners,
                             std::optional<double> scales_h = std::nullopt,
                             std::optional<double> scales_w = std::nullopt);
Variable upsample_trilinear3d(const Variable& self, IntArrayRef output_size, bool align_corners,
                              std::optional<double> scales_d = std::nullopt,
                              std::optional<double> scales_h = std::nullopt,
                              std::optional<double> scales_w = std::nullopt);
/// Cubic convolution with a = -3/4 (Keys, 1981).
Variable upsample_bicubic2d(const Variable& self, IntArrayRef output_size, bool align_corners,
                            std::optional<double> scales_h = std::nullopt,
                            std::optional<double> scales_w = std::nullopt);

// Antialiased: where the image shrinks, the filter widens by as much and averages over all that a
// pixel of the output covers, as PIL does. The cubic one has a = -1/2.
Variable _upsample_bilinear2d_aa(const Variable& self, IntArrayRef output_size, bool align_corners,
                                 std::optional<double> scales_h = std::nullopt,
                                 std::optional<double> scales_w = std::nullopt);
Variable _upsample_bicubic2d_aa(const Variable& self, IntArrayRef output_size, bool align_corners,
                                std::optional<double> scales_h = std::nullopt,
                                std::optional<double> scales_w = std::nullopt);

}  // namespace tapedeck
