#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::testing_support {

// Convolutions as the definition says, one multiplication after the other, in double. They share
// nothing with the kernels but the geometry's numbers. float64 and row-major only.

Array naive_conv2d(const Array& input, const Array& weight, const Array& bias,
                   const kernels::Conv2dGeometry& geometry);
/// By its own definition, as a scatter of input pixels; weight [C_in, C_out / groups, KH, KW].
Array naive_conv_transpose2d(const Array& input, const Array& weight, const Array& bias,
                             const kernels::Conv2dGeometry& geometry);
Array naive_conv2d_grad_weight(const Array& input, const Array& grad_output,
                               IntArrayRef weight_sizes, const kernels::Conv2dGeometry& geometry);

}  // namespace tapedeck::testing_support
