#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// Sums over a few taps of a plane, with vectors over pixels: the inner loops of depthwise
/// convolutions. Rows of the plane lie one below the other, and every row may be read up to
/// kTapOverrun * column_step elements beyond the last pixel that counts.
template <typename T>
struct TapPlane {
  const T* plane;         ///< the first output pixel's first tap is at plane[offsets[0]]
  std::int64_t row_step;  ///< from an output row to the next
  const std::int64_t* offsets;
  std::int64_t taps;
  std::int64_t rows, columns;    ///< of output
  std::int64_t column_step = 1;  ///< from an output pixel to the next: 1 or 2
};

/// Elements: the widest vector of any instruction set.
inline constexpr std::int64_t kTapOverrun = 16;

/// out[r * out_row_step + c * out_column_step]
///   = init + sum over t of weights[t] * plane[r * row_step + c * column_step + offsets[t]]
template <typename T>
void tap_sums(const TapPlane<T>& in, const T* weights, T init, T* out, std::int64_t out_row_step,
              std::int64_t out_column_step);

/// sums[t] += sum over r, c of grad[r * grad_row_step + c]
///     * plane[r * row_step + c * column_step + offsets[t]].
template <typename T>
void tap_dots(const TapPlane<T>& in, const T* grad, std::int64_t grad_row_step, double* sums);

/// The taps of even output pixels and those of odd ones, which read the same plane: pixels 2 i and
/// 2 i + 1 of row r are at plane[r * row_step + i + offset].
template <typename T>
struct TapPair {
  const T* plane;
  std::int64_t row_step;
  const std::int64_t* offsets[2];
  const T* weights[2];
  std::int64_t taps[2];
  std::int64_t rows, columns;  ///< of output
};

/// out[r * out_row_step + c] = init + the sum over the taps of c's kind.
template <typename T>
void tap_pair_sums(const TapPair<T>& in, T init, T* out, std::int64_t out_row_step);

/// out[2 * i] = even[i], out[2 * i + 1] = odd[i] for i < n.
template <typename T>
void join_pairs(const T* even, const T* odd, std::int64_t n, T* out);

}  // namespace tapedeck::kernels
