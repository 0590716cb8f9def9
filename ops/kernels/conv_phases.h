#pragma once

#include <algorithm>
#include <cstdint>

#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>

namespace tapedeck::kernels {

/// Puts the phases of a row of output together: element i of phase p, at from[p * phase_step + i],
/// belongs to column first + (first_column + i) * out_step of `row`.
template <typename T>
void store_phases(const PixelTiles<T>& tiles, const WindowAxis& axis, const T* from,
                  std::int64_t phase_step, std::int64_t first_column, std::int64_t columns,
                  T* row) {
  const auto count = [&](std::size_t p) {
    return std::clamp<std::int64_t>(axis.phases[p].outputs - first_column, 0, columns);
  };
  if (axis.out_step == 2 && axis.phases.size() == 2) {
    const std::int64_t pairs = count(1);
    T* const to = row + first_column * 2;
    tiles.interleave(from, from + phase_step, pairs, to);
    if (count(0) > pairs) to[2 * pairs] = from[pairs];
    return;
  }
  for (std::size_t p = 0; p < axis.phases.size(); ++p) {
    T* const to = row + axis.phases[p].first + first_column * axis.out_step;
    const T* const elements = from + static_cast<std::int64_t>(p) * phase_step;
    for (std::int64_t i = 0, n = count(p); i < n; ++i) to[i * axis.out_step] = elements[i];
  }
}

}  // namespace tapedeck::kernels
