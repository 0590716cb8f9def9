#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/pool_geometry.h>

namespace tapedeck::kernels {

// Rows of average pooling in vectors. T is float or double.

/// sums[i] += in[i] for i < n.
template <typename T>
void add_row(const T* in, std::int64_t n, T* sums);
/// The sums of `count` rows of n elements, one after the other, each times the weight.
template <typename T>
void sum_rows(const T* in, std::int64_t n, std::int64_t count, T weight, T* out);
/// out[o] = weights[o] * sum over k < taps of in[o * stride + k] for o < n; stride is 1 or 2, and
/// `in` may be read up to kAvgPoolOverrun elements beyond.
template <typename T>
void window_means(const T* in, std::int64_t taps, std::int64_t stride, const T* weights,
                  std::int64_t n, T* out);
/// The sum over one window of all channels of an image [H][width][C], times the weight.
template <typename T>
void sum_channels(const T* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                  const PoolWindow& column, T weight, T* out);
/// out[i] = a[i] * b[i] for i < n.
template <typename T>
void multiply_row(const T* a, const T* b, std::int64_t n, T* out);

inline constexpr std::int64_t kAvgPoolOverrun = 32;

}  // namespace tapedeck::kernels
