#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/conv_tiles.h>

namespace tapedeck::kernels {

/// Copies a part of some channel planes to blocks of `lanes` channels each:
/// to[block * block_step + column * lanes + channel of the block] for every row, rows being
/// to_row_step apart. Where the last block is not full, the rest of its channels is left as it is.
template <typename T>
struct ChannelBlocks {
  const T* from;                      ///< the first channel's first element
  std::int64_t plane_step, row_step;  ///< from a channel to the next, from a row to the next
  std::int64_t channels, rows, columns;
  T* to;
  std::int64_t block_step, to_row_step;

  void pack(const ConvTiles<T>& tiles) const;
};

/// Adds the other ones of `pixels` vectors of channels, at least one, to the first, in pairs. They
/// are not what they were afterwards.
template <typename T>
void add_up_pixels(const ConvTiles<T>& tiles, std::int64_t pixels, T* vectors);

}  // namespace tapedeck::kernels
