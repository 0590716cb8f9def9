#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/winograd_transforms.h>

namespace tapedeck::kernels {

/// Rows of tiles of a plane, whose vectors lie over the tiles. As many rows as a tile steps by are
/// a group, padded with ones that do not exist: of `group` rows of the image, a vector of each has
/// so many columns of as many tiles, and is transposed in squares of these. Tile (row, column) has
/// the place row / group * group_step + column * group + row % group.
struct TileRows {
  const std::int64_t* rows;  ///< where the rows of each tile begin in the plane: -1 for zeros
  std::int64_t groups, columns, group_step;
  std::int64_t first, width;  ///< the first tile's first column in a row; columns that there are
};

/// The transforms of WinogradTransforms, with vectors over tiles: the elements of a transformed
/// tile lie position_step apart. A group's last vector may end beyond it: groups are stored in
/// order.
template <typename T>
struct WinogradRows {
  int group;
  void (*input)(const TileRows& rows, const T* plane, T* out, std::int64_t position_step);
  /// With `addend`; only the columns [0, width) are written.
  void (*output)(const T* sums, std::int64_t position_step, const TileRows& rows, T addend,
                 T* plane);
};

/// Null where there is none: there is for 3x3 kernels of stride 1, and vectors that have masks.
template <typename T>
const WinogradRows<T>* winograd_rows(WinogradVariant variant);

}  // namespace tapedeck::kernels
