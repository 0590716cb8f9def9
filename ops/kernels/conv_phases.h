#pragma once

#include <algorithm>
#include <cstdint>

#include <tapedeck/ops/kernels/conv_tiles.h>
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
  // All phases have the first columns: a transposition.
  const auto phases = static_cast<std::int64_t>(axis.phases.size());
  const std::int64_t common = phases > 2 ? count(axis.phases.size() - 1) : 0;
  T* const to = row + first_column * axis.out_step;
  if (common > 0)
    conv_tiles<T>().transpose(from, phase_step, phases, common, nullptr, to, axis.out_step);
  for (std::size_t p = 0; p < axis.phases.size(); ++p) {
    const T* const elements = from + static_cast<std::int64_t>(p) * phase_step;
    for (std::int64_t i = common, n = count(p); i < n; ++i)
      to[axis.phases[p].first + i * axis.out_step] = elements[i];
  }
}

}  // namespace tapedeck::kernels
