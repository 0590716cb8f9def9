#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// One output row of a max-pooling with stride 1 or 2 along the row, whose windows lie inside the
/// row: vectors over neighbouring outputs.
template <typename T>
struct MaxPoolRow {
  const T* plane;
  std::int64_t width;                           ///< of the plane
  std::int64_t row_begin, row_end, row_step;    ///< rows of the windows; at least one
  std::int64_t column, taps, dilation, stride;  ///< of the first output's window
  std::int64_t outputs;
  T* values;
  std::int64_t* indices;  ///< may be null
};

/// Fewer outputs than this are not for max_pool_row.
inline constexpr std::int64_t kMaxPoolRowOutputs = 4;
/// Elements beyond its last tap that a window reads.
template <typename T>
std::int64_t max_pool_row_overrun(const MaxPoolRow<T>& row) {
  return row.stride == 2 && (row.dilation != 1 || row.taps % 2 != 0) ? 1 : 0;
}

/// The plane has less than 2^31 elements.
template <typename T>
void max_pool_row(const MaxPoolRow<T>& row);

/// The gradient of a 2x2 max-pooling with stride 2 and no padding, one output row: writes its two
/// input rows of 2 `outputs` elements. `index` is the plane's flat index of the first of them.
template <typename T>
void max_pool_pairs_backward(const T* grad, const std::int64_t* indices, std::int64_t outputs,
                             std::int64_t index, std::int64_t width, T* row0, T* row1);

}  // namespace tapedeck::kernels
