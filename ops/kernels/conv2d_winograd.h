#pragma once

#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/winograd_transforms.h>

namespace tapedeck::kernels {

// Convolutions of stride 1 by Winograd's minimal filtering: tiles of the input and the filters are
// transformed, and for each of the n^2 elements of a transformed tile there is one matrix product
// over channels. 2.25 (F(2, 3)), 4 (F(4, 3)) or 2.8 (F(2, 5)) times fewer multiplications than the
// definition has. The weight gradient is the same form the other way round. T is float or double,
// bias may be null.

/// Whether the kernel is that of the variant and steps by one.
bool winograd_supports(WinogradVariant variant, const Conv2dShape& shape);

template <typename T>
void conv2d_winograd(WinogradVariant variant, const ConvWindow& window, const T* in,
                     const T* weight, const T* bias, T* out);
template <typename T>
void conv2d_grad_weight_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* x,
                                 const T* dy, T* dw);

/// Tiles of a piece of work: some images, some rows and columns of tiles of each.
struct TileBlock {
  std::int64_t images, rows, columns;
  std::int64_t tiles() const { return images * rows * columns; }
};

/// The tiles of an output, cut into blocks whose transformed inputs stay in the L2 cache.
struct TileGrid {
  std::int64_t images, rows, columns;  ///< tile rows and columns of an image
  TileBlock block;
  std::int64_t image_cuts, row_cuts, column_cuts;

  TileGrid(std::int64_t images, std::int64_t height, std::int64_t width, int m,
           std::int64_t tiles_wanted);
  std::int64_t blocks() const { return image_cuts * row_cuts * column_cuts; }

  /// Where block `index` begins, and its size.
  struct Place {
    std::int64_t image, row, column;
    TileBlock size;
  };
  Place place(std::int64_t index) const;
};

/// Transforms tiles of some channels of an NCHW array: blocks of `lanes` channels, one after the
/// other.
template <typename T>
struct TileSource {
  const T* from;  ///< channel 0 of image 0 of the group
  const T* end;   ///< of the array
  std::int64_t channels, height, width;
  std::int64_t read_height, read_width;  ///< what lies beyond counts as zero
  std::int64_t image_step;
  std::int64_t top, left;  ///< the first tile's position in the image: minus the padding
  int step, reach;         ///< from tile to tile; rows or columns that a tile has
  void (*transform)(const T* x, std::int64_t row_step, std::int64_t tiles, T* out,
                    std::int64_t position_step);

  /// Elements of the zero-padded rows and columns that one block of channels needs.
  std::int64_t slab_elements(const TileBlock& block, std::int64_t lanes) const {
    return (block.rows * step + reach - step) * (block.columns * step + reach - step) * lanes;
  }
  /// out[position * position_step + (block of channels * tiles + tile) * lanes + channel]
  void load(const TileGrid::Place& place, T* slab, T* out, std::int64_t position_step) const;
};

}  // namespace tapedeck::kernels
