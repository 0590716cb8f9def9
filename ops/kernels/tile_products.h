#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// A product of filters and transformed tiles, with vectors over the tiles:
///
///   sums[k * sums_step + t] = sum over c < channels of
///                                 weights[c * weight_step + k] * in[c * in_step + t]
///
/// for k < filters, t < tiles. Whole vectors of tiles are read and written.
template <typename T>
struct TileProducts {
  const T* in;
  std::int64_t in_step, channels;
  const T* weights;
  std::int64_t weight_step, filters;
  T* sums;
  std::int64_t sums_step, tiles;
};

/// T is float or double.
template <typename T>
void tile_products(const TileProducts<T>& run);

}  // namespace tapedeck::kernels
