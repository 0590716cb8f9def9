#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// Rows of depthwise sums with vectors over channels: every element is a vector of `lanes`
/// channels.
///
///   out[r * out_row_step + p * out_step] = init + sum over c < channels, t < taps of
///       in[r * in_row_step + p * pixel_step + c * in_step + offsets[t]]
///       * weights[c * weight_step + places[t]]
///
/// for r < rows, p < pixels; all distances count elements, not vectors.
template <typename T>
struct ChannelSums {
  const T* in;
  std::int64_t in_step, in_row_step, pixel_step;
  const std::int64_t *offsets, *places;
  std::int64_t taps, channels;
  const T* weights;
  std::int64_t weight_step;
  const T* init;  ///< a vector
  T* out;
  std::int64_t out_row_step, out_step, rows, pixels;
};

/// The weights' side of the same form:
///
///   sums[t * lanes] += sum over r < rows, p < pixels of
///       in[r * in_row_step + p * pixel_step + offsets[t]] * grad[r * grad_row_step + p * lanes]
template <typename T>
struct ChannelDots {
  const T* in;
  std::int64_t in_row_step, pixel_step;
  const std::int64_t* offsets;
  std::int64_t taps;
  const T* grad;
  std::int64_t grad_row_step, rows, pixels;
  T* sums;
};

/// T is float or double.
template <typename T>
struct ChannelTaps {
  std::int64_t lanes;
  void (*sums)(const ChannelSums<T>&);
  void (*dots)(const ChannelDots<T>&);
};

template <typename T>
const ChannelTaps<T>& channel_taps();

}  // namespace tapedeck::kernels
