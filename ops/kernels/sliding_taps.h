#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// Square kernels that slide over a plane by one pixel: the inner loops of depthwise convolutions.
/// Tap (i, j) of output pixel (r, c) lies at plane[(r + i * dilation_h) * row_step + c + j *
/// dilation_w]; a row may be read a whole vector far.
///
/// A row of input is loaded once and takes part in all the output rows that it reaches.
template <typename T>
struct SlidingTaps {
  const T* plane;
  std::int64_t row_step, dilation_h, dilation_w;
  std::int64_t rows, columns;  ///< of output
};

/// T is float or double.
template <typename T>
struct SlidingKernel {
  /// out[r * out_row_step + c] = init + sum of weights[i * kernel + j] * tap (i, j)
  void (*sums)(const SlidingTaps<T>&, const T* weights, T init, T* out, std::int64_t out_row_step);
  /// sums[i * kernel + j] += sum of grad[r * grad_row_step + c] * tap (i, j)
  void (*dots)(const SlidingTaps<T>&, const T* grad, std::int64_t grad_row_step, double* sums);
};

/// Of kernel x kernel taps; null where there is none: there is one for 3 and for 5.
template <typename T>
const SlidingKernel<T>* sliding_kernel(std::int64_t kernel);

}  // namespace tapedeck::kernels
