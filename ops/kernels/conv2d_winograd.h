#pragma once

#include <optional>

#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/winograd_transforms.h>

namespace tapedeck::kernels {

// Convolutions by Winograd's minimal filtering: tiles of the input and the filters are transformed,
// and for each element of a transformed tile there is one matrix product over channels. That takes
// 1.4 to 4 times fewer multiplications than the definition has. The weight gradient is the same
// form the other way round. T is float or double, bias may be null.

/// Where transforms are interpolated: at 0, 1, -1 and infinity, or also at 2 and -2, which saves
/// more products and is less exact.
enum class WinogradPoints : std::uint8_t { Four, Six };

/// The variant for the kernel and stride of a convolution, if there is one.
std::optional<WinogradVariant> winograd_variant(WinogradPoints points, const Conv2dShape& shape,
                                                ConvDirection direction);
/// The tiles that a variant computes for an image, and the elements of each.
struct WinogradWork {
  std::int64_t tiles, elements;
};
WinogradWork winograd_work(WinogradVariant variant, const Conv2dShape& shape,
                           ConvDirection direction);

template <typename T>
void conv2d_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* x, const T* weight,
                     const T* bias, T* y);
template <typename T>
void conv2d_grad_input_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* dy,
                                const T* weight, const T* bias, T* dx);
/// With the sums of dy in `db`, if that is not null.
template <typename T>
void conv2d_grad_weight_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* x,
                                 const T* dy, T* dw, T* db = nullptr);

/// The tiles of a variant on one axis of a convolution or an input gradient.
struct WinogradTiling {
  std::int64_t lead;         ///< outputs of the first tile that come before the first one of all
  std::int64_t outputs;      ///< with these
  std::int64_t first_input;  ///< of the first tile: negative in the padding
  std::int64_t read_begin, read_end;  ///< the inputs that some product reads

  /// `window` has a spread variant's shifts in outputs, as if its inputs were dense.
  WinogradTiling(const WinogradAxis& axis, const WindowAxis& window);
};

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

  /// Of images of height x width in tiles of tile_height x tile_width. Where images and their rows
  /// are cut, blocks have a multiple of `rows_together` x `columns_together` tiles, but for the
  /// last ones.
  TileGrid(std::int64_t images, std::int64_t height, std::int64_t width, int tile_height,
           int tile_width, std::int64_t tiles_wanted, std::int64_t rows_together = 1,
           std::int64_t columns_together = 1);
  /// The same tiles in blocks that are smaller, down to `fewest` tiles, where these are shared out
  /// more evenly between a few threads.
  TileGrid evened(std::int64_t fewest) const;
  std::int64_t blocks() const { return image_cuts * row_cuts * column_cuts; }
  std::int64_t tiles() const { return images * rows * columns; }

  /// Where block `index` begins, and its size.
  struct Place {
    std::int64_t image, row, column;
    TileBlock size;
  };
  Place place(std::int64_t index) const;
};

/// Whether all transformed tiles, tile_bytes each, are less than the transformed filters and stay
/// in the cache that cores share. Then they are kept, and filters are transformed where they are
/// used; otherwise the other way round.
bool winograd_keeps_input(std::int64_t tiles, std::int64_t tile_bytes, std::int64_t filters);

/// One axis of the tiles that are cut from an array.
struct TileAxis {
  std::int64_t size;                  ///< of the array
  std::int64_t first;                 ///< where the first tile begins
  std::int64_t read_begin, read_end;  ///< what lies outside counts as zero
  int step, reach;                    ///< from tile to tile; what a tile has

  /// Of a convolution's input, which has `size` elements.
  static TileAxis of_input(const WinogradTiling& tiling, const WinogradAxis& tile,
                           std::int64_t size) {
    return {size, tiling.first_input, tiling.read_begin, tiling.read_end, tile.step, tile.reach};
  }
  /// Elements that `tiles` of them have.
  std::int64_t span(std::int64_t tiles) const { return tiles * step + reach - step; }
};

/// Transforms tiles of some channels of an NCHW array: blocks of `lanes` channels, one after the
/// other.
template <typename T>
struct TileSource {
  const T* from;  ///< channel 0 of image 0 of the group
  std::int64_t channels, images, image_step;
  TileAxis h, w;
  void (*transform)(const T* x, std::int64_t row_step, std::int64_t tiles, T* out,
                    std::int64_t position_step);
  /// Elements of the zero-padded rows and columns that one block of channels needs.
  std::int64_t slab_elements(const TileBlock& block, std::int64_t lanes) const {
    return h.span(block.rows) * w.span(block.columns) * lanes;
  }
  /// out[position * position_step + (block of channels * tiles + tile) * lanes + channel]
  void load(const TileGrid::Place& place, T* slab, T* out, std::int64_t position_step) const;
  /// The lines of `count` channels from `channel` on, as far as they exist, that load() will read;
  /// none where the cache holds the array.
  LineRequests<false, T> lines(const TileGrid::Place& place, std::int64_t channel,
                               std::int64_t count) const;

 private:
  // What of the rows and columns of some tiles lies inside the image.
  struct Inside {
    std::int64_t first_row, first_column;  // of the tiles
    std::int64_t begin_row, begin_column;
    std::int64_t rows, columns;
    bool empty() const { return rows <= 0 || columns <= 0; }
  };
  Inside inside(const TileGrid::Place& place) const;
};

/// From a position of transformed tiles to the next, where each has `vectors` of them: an odd
/// number of vectors, since a power of two would put all positions of a tile into the same few sets
/// of the cache.
inline std::int64_t step_of_positions(std::int64_t vectors, std::int64_t lanes) {
  return (vectors | 1) * lanes;
}

/// All tiles of an array, transformed.
template <typename T>
class TransformedTiles {
 public:
  TransformedTiles() = default;
  /// `source` has the first of `groups` equal groups of channels.
  TransformedTiles(const TileGrid& grid, std::int64_t positions, std::int64_t groups,
                   const TileSource<T>& source);

  /// What TileSource::load has for block `index` of the grid.
  const T* block(std::int64_t group, std::int64_t index) const {
    return data_.data() + (group * blocks_ + index) * block_elements_;
  }

 private:
  std::int64_t blocks_ = 0, block_elements_ = 0;
  Scratch<T> data_;
};

}  // namespace tapedeck::kernels
