#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/pool_geometry.h>

namespace tapedeck::kernels {

// Pooling over the last two axes of [N, C, H, W]; float32 and float64.

/// The largest of each window, and where it is.
struct MaxPool {
  Array values;  ///< [N, C, OH, OW]
  Array
      indices;  ///< [N, C, OH, OW], int64: h * W + w in the input's plane; undefined if not wanted
};

/// Of equal elements the first counts; a NaN is larger than everything (and of several the last
/// counts, as in PyTorch). Padding never does. \throws Error where pool_output_sizes() does.
MaxPool max_pool2d(const Array& input, const Pool2dGeometry& geometry, bool want_indices = true);
/// Windows as adaptive_windows() has them; output_size is {OH, OW}, both positive.
MaxPool adaptive_max_pool2d(const Array& input, IntArrayRef output_size, bool want_indices = true);

/// The gradient of both: adds values [N, C, OH, OW] to zeros of `input_sizes` [N, C, H, W] at
/// indices. \throws IndexError for an index outside the plane.
Array max_pool2d_backward(const Array& grad_output, const Array& indices, IntArrayRef input_sizes);
/// Its adjoint: the elements of input [N, C, H, W] at indices [N, C, OH, OW].
Array max_pool2d_gather(const Array& input, const Array& indices, const char* op = "max_pool2d");
/// Puts input [N, C, OH, OW] at indices into zeros of [N, C, output_size]; of several at one place
/// the last counts. \throws IndexError for an index outside the plane.
Array max_unpool2d(const Array& input, const Array& indices, IntArrayRef output_size);

/// The mean of each window. \throws Error where pool_output_sizes() does.
Array avg_pool2d(const Array& input, const Pool2dGeometry& geometry, AvgPoolDivisor divisor);
/// Its adjoint, of grad_output [N, C, OH, OW]; input_sizes is [N, C, H, W].
Array avg_pool2d_backward(const Array& grad_output, IntArrayRef input_sizes,
                          const Pool2dGeometry& geometry, AvgPoolDivisor divisor);
/// The mean of each of the adaptive_windows(); output_size is {OH, OW}, both positive.
Array adaptive_avg_pool2d(const Array& input, IntArrayRef output_size);
/// Its adjoint.
Array adaptive_avg_pool2d_backward(const Array& grad_output, IntArrayRef input_sizes);

}  // namespace tapedeck::kernels
