#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/pool_geometry.h>

namespace tapedeck::kernels {

// Rows of average pooling in vectors. T is float or double.

/// sums[i] += in[i] for i < n.
template <typename T>
void add_row(const T* in, std::int64_t n, T* sums);
/// sums[i] = in[i] + in[n + i] + ... of `rows` rows for i < n; up to kAvgPoolOverrun / 2 elements
/// behind the sums may become 0.
template <typename T>
void sum_columns(const T* in, std::int64_t n, std::int64_t rows, T* sums);
/// Adds a row of n elements to each of the first `added` rows of `out`, and copies it to as many
/// as `copied` behind them.
template <typename T>
void put_rows(const T* row, std::int64_t n, std::int64_t added, std::int64_t copied, T* out);
/// The sums of `count` rows of n elements, one after the other, each times the weight.
template <typename T>
void sum_rows(const T* in, std::int64_t n, std::int64_t count, T weight, T* out);
/// The adjoint: fills each row with its element of `in` times the weight.
template <typename T>
void fill_rows(const T* in, std::int64_t n, std::int64_t count, T weight, T* out);
/// out[o] = weights[o] * sum over k < taps of in[o * stride + k] for o < n; stride is 1 or 2, and
/// `in` may be read up to kAvgPoolOverrun elements beyond.
template <typename T>
void window_means(const T* in, std::int64_t taps, std::int64_t stride, const T* weights,
                  std::int64_t n, T* out);
/// The sum over one window of all channels of an image [H][width][C], times the weight.
template <typename T>
void sum_channels(const T* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                  const PoolWindow& column, T weight, T* out);
/// The adjoint of a row of such windows that have `weights`: writes a row [width][C] of their
/// shares of grad [windows][C].
template <typename T>
void spread_channels(const T* grad, std::int64_t C, const PoolWindow* columns, const T* weights,
                     std::int64_t windows, std::int64_t width, T* row);
/// out[i] = a[i] * b[i] for i < n.
template <typename T>
void multiply_row(const T* a, const T* b, std::int64_t n, T* out);

inline constexpr std::int64_t kAvgPoolOverrun = 32;

}  // namespace tapedeck::kernels
