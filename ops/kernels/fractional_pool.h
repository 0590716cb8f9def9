#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Where the largest element of each window is, in a volume in row-major order: int64
/// [P, OD OH OW] for contiguous input [P, D, H, W]. The windows of an axis of plane p are
/// `kernel_size` long; their starts are spread by its number in samples [P, 3], in [0, 1)
/// (Graham, 2014). Of equal elements the first counts; a NaN is larger than everything.
Array fractional_max_pool_indices(const Array& input, IntArrayRef kernel_size,
                                  IntArrayRef output_size, const Array& samples);

}  // namespace tapedeck::kernels
