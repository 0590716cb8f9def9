#pragma once

#include <cstdint>

namespace tapedeck::kernels::detail {

/// Turns 24-bit random integers into floats of [from, from + range).
void scale_uniform(const std::uint32_t* bits, float* out, std::int64_t count, float range,
                   float from);

/// Turns blocks of sixteen uniform numbers of [0, 1), eight radii and eight angles, into normal
/// ones, in place: Box and Muller's cosines, then the sines. `count` is a multiple of 16.
void box_muller_blocks(float* data, std::int64_t count, float mean, float std);
void box_muller_blocks(double* data, std::int64_t count, double mean, double std);

}  // namespace tapedeck::kernels::detail
