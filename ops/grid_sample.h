#pragma once

#include <cstdint>

#include <tapedeck/autograd/variable.h>

// Sampling at places given by a tensor (Jaderberg et al., Spatial transformer networks, 2015).
// Places are in [-1, 1] along each axis, x before y: -1 and 1 are the centres of the first and the
// last pixel with align_corners, else their outer edges.

namespace tapedeck {

/// The places [N, H, W, 2] that affine matrices theta [N, 2, 3] send the pixels of a size
/// (N, C, H, W) to; [N, D, H, W, 3] for theta [N, 3, 4] and a size (N, C, D, H, W).
Variable affine_grid_generator(const Variable& theta, IntArrayRef size, bool align_corners);

/// The values [N, C, ...] of input [N, C, H, W] or [N, C, D, H, W] at the places grid [N, ..., 2 or
/// 3]. interpolation_mode is 0 (linear) or 1 (nearest); beyond the edges padding_mode 0 finds
/// zeros, 1 the border, 2 the reflection.
Variable grid_sampler(const Variable& input, const Variable& grid, std::int64_t interpolation_mode,
                      std::int64_t padding_mode, bool align_corners);

}  // namespace tapedeck
