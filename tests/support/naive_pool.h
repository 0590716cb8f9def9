#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/pool.h>

namespace tapedeck::testing_support {

// Poolings as the definition says, output by output. float64 and row-major only.

kernels::MaxPool naive_max_pool2d(const Array& input, const kernels::Pool2dGeometry& geometry);
Array naive_avg_pool2d(const Array& input, const kernels::Pool2dGeometry& geometry,
                       kernels::AvgPoolDivisor divisor);
/// The mean or, with indices, the largest of rows floor(o H / OH) to ceil((o + 1) H / OH), and
/// columns alike.
Array naive_adaptive_avg_pool2d(const Array& input, IntArrayRef output_size);
kernels::MaxPool naive_adaptive_max_pool2d(const Array& input, IntArrayRef output_size);

}  // namespace tapedeck::testing_support
