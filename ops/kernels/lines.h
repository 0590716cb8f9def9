#pragma once

#include <array>
#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Calls line(offsets, steps) for every position of the other axes: offsets[n] is where arrays[n]'s
/// elements along `dim` begin, relative to its first element, and steps[n] is their distance. The
/// arrays agree in all sizes but that of `dim`; for scalars there is one line of one element.
/// Nothing is called where the other axes are empty.
template <std::size_t N, typename Line>
void for_each_line(const Array (&arrays)[N], std::int64_t dim, Line line) {
  std::array<std::int64_t, N> offsets{}, steps{};
  const DimVector& sizes = arrays[0].sizes();
  if (sizes.empty()) {
    line(offsets, steps);
    return;
  }
  for (std::size_t n = 0; n < N; ++n) steps[n] = arrays[n].strides()[dim];
  const auto dims = static_cast<std::int64_t>(sizes.size());
  for (std::int64_t axis = 0; axis < dims; ++axis)
    if (axis != dim && sizes[axis] == 0) return;
  DimVector index(sizes.size());
  for (;;) {
    line(offsets, steps);
    std::int64_t axis = dims - 1;
    for (; axis >= 0; --axis) {
      if (axis == dim) continue;
      for (std::size_t n = 0; n < N; ++n) offsets[n] += arrays[n].strides()[axis];
      if (++index[axis] < sizes[axis]) break;
      for (std::size_t n = 0; n < N; ++n) offsets[n] -= sizes[axis] * arrays[n].strides()[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/// The same over the last axis of arrays of one shape; count is its length. The usual loop over
/// strided arrays.
template <std::size_t N, typename Row>
void for_each_row(const Array (&arrays)[N], Row row) {
  if (arrays[0].numel() == 0) return;
  const std::int64_t dims = arrays[0].dim();
  const std::int64_t count = dims == 0 ? 1 : arrays[0].sizes()[dims - 1];
  for_each_line<N>(arrays, dims - 1,
                   [&](const auto& offsets, const auto& steps) { row(offsets, steps, count); });
}

}  // namespace tapedeck::kernels
