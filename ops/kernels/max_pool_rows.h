#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/pool_geometry.h>

namespace tapedeck::kernels {

/// An integer as wide as T, for indices that travel in vectors beside values.
template <typename T>
struct IndexOfWidth {
  using type = std::int32_t;
};
template <>
struct IndexOfWidth<double> {
  using type = std::int64_t;
};
template <typename T>
using index_of_width = typename IndexOfWidth<T>::type;

/// Planes of a max-pooling, one after the other: vectors over neighbouring outputs of a row.
/// Rows of the input lie `pitch` elements apart and hold -infinity wherever a window reaches beyond
/// the input, so that every window has all its columns.
template <typename T>
struct MaxPoolPlane {
  const T* in;  ///< column 0 of the first output's window, in input row 0
  std::int64_t pitch;
  std::int64_t planes, apart;  ///< and the elements from one to the next
  const PoolWindow* rows;      ///< of each output row; none is empty
  std::int64_t output_rows;
  std::int64_t taps, dilation, stride;  ///< along the row
  std::int64_t outputs;                 ///< in a row
  std::int64_t width;                   ///< of the input's plane, in which indices count
  std::int64_t first_column;            ///< of the first window, negative in the padding
  /// For each output of a row, its window's first column inside.
  const index_of_width<T>* first_inside;
  T* values;              ///< [planes][output_rows][outputs]
  std::int64_t* indices;  ///< alike; may be null
};

/// Outputs are computed in vectors of this many lanes and its multiples; where a row has fewer,
/// that many windows are read nevertheless.
inline constexpr std::int64_t kMaxPoolLanes = 4;
inline constexpr std::int64_t kMaxPoolMostLanes = 16;
/// Elements of its row that the last of so many windows reads.
template <typename T>
std::int64_t max_pool_reach(const MaxPoolPlane<T>& plane, std::int64_t outputs) {
  const std::int64_t first = (outputs - 1) * plane.stride;
  // Taps are read with all that lies between them and those of the next output.
  const bool together = plane.stride > 1 && plane.stride <= 4;
  if (together && plane.dilation == 1)
    return first + (plane.taps + plane.stride - 1) / plane.stride * plane.stride;
  return first + (plane.taps - 1) * plane.dilation + (plane.stride == 2 ? 2 : 1);
}

/// A plane has less than 2^31 elements.
template <typename T>
void max_pool_planes(const MaxPoolPlane<T>& plane);

/// The greatest element of a window without gaps, and the first of them as an index in the plane of
/// less than 2^31 elements; `index` may be null. False, and nothing is written, where there is a
/// NaN or the window is too narrow for vectors.
template <typename T>
bool max_of_window(const T* plane, std::int64_t width, const PoolWindow& row,
                   const PoolWindow& column, T* value, std::int64_t* index);

/// One window of all channels, at least 8, of an image [H][width][C] of less than 2^31 pixels;
/// `indices` may be null.
template <typename T>
void max_of_channels(const T* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                     const PoolWindow& column, T* values, std::int64_t* indices);

/// The gradient of a 2x2 max-pooling with stride 2 and no padding, one output row: writes its two
/// input rows of 2 `outputs` elements. `index` is the plane's flat index of the first of them.
/// Returns whether every index was one of its window's.
template <typename T>
bool max_pool_pairs_backward(const T* grad, const std::int64_t* indices, std::int64_t outputs,
                             std::int64_t index, std::int64_t width, T* row0, T* row1);

}  // namespace tapedeck::kernels
