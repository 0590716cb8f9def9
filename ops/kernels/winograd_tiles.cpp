#include <algorithm>

#include <tapedeck/ops/kernels/conv2d_winograd.h>
#include <tapedeck/ops/kernels/conv_blocked.h>

namespace tapedeck::kernels {

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

bool winograd_supports(WinogradVariant variant, const Conv2dShape& s) {
  const bool five = variant == WinogradVariant::F2x5 || variant == WinogradVariant::F2x3And2;
  const std::int64_t kernel = five ? 5 : 3;
  return s.KH == kernel && s.KW == kernel && s.stride_h == 1 && s.stride_w == 1 &&
         s.dilation_h == 1 && s.dilation_w == 1;
}

TileGrid::TileGrid(std::int64_t images_, std::int64_t height, std::int64_t width, int m,
                   std::int64_t tiles_wanted)
    : images(images_), rows(ceil_div(height, m)), columns(ceil_div(width, m)) {
  column_cuts = ceil_div(columns, tiles_wanted);
  block.columns = ceil_div(columns, column_cuts);
  column_cuts = ceil_div(columns, block.columns);
  row_cuts = ceil_div(rows, std::clamp<std::int64_t>(tiles_wanted / block.columns, 1, rows));
  block.rows = ceil_div(rows, row_cuts);
  row_cuts = ceil_div(rows, block.rows);
  const std::int64_t tiles = block.rows * block.columns;
  block.images =
      row_cuts * column_cuts == 1
          ? std::clamp<std::int64_t>(tiles_wanted / tiles, 1, std::max<std::int64_t>(1, images))
          : 1;
  image_cuts = ceil_div(images, block.images);
}

TileGrid::Place TileGrid::place(std::int64_t index) const {
  const std::int64_t column = index % column_cuts * block.columns;
  const std::int64_t row = index / column_cuts % row_cuts * block.rows;
  const std::int64_t image = index / column_cuts / row_cuts * block.images;
  return {image,
          row,
          column,
          {std::min(block.images, images - image), std::min(block.rows, rows - row),
           std::min(block.columns, columns - column)}};
}

template <typename T>
void TileSource<T>::load(const TileGrid::Place& place, T* slab, T* out,
                         std::int64_t position_step) const {
  const ConvTiles<T>& tiles = conv_tiles<T>();
  const std::int64_t lanes = tiles.lanes, count = place.size.tiles();
  const std::int64_t slab_rows = place.size.rows * step + reach - step;
  const std::int64_t row_step = (place.size.columns * step + reach - step) * lanes;
  // The part of the slab that lies inside the image.
  const std::int64_t first_row = top + place.row * step, first_column = left + place.column * step;
  const std::int64_t begin_row = std::max<std::int64_t>(0, first_row);
  const std::int64_t begin_column = std::max<std::int64_t>(0, first_column);
  const std::int64_t rows = std::min(read_height, first_row + slab_rows) - begin_row;
  const std::int64_t columns = std::min(read_width, first_column + row_step / lanes) - begin_column;
  T* const inside =
      slab + (begin_row - first_row) * row_step + (begin_column - first_column) * lanes;
  std::fill_n(slab, slab_rows * row_step, T{0});
  for (std::int64_t c = 0; c < channels; c += lanes)
    for (std::int64_t n = 0; n < place.size.images; ++n) {
      if (rows > 0 && columns > 0)
        ChannelBlocks<T>{from + (place.image + n) * image_step + c * height * width +
                             begin_row * width + begin_column,
                         end,
                         height * width,
                         width,
                         std::min(lanes, channels - c),
                         rows,
                         columns,
                         inside,
                         0,
                         row_step}
            .pack(tiles);
      T* to = out + (c * count + n * place.size.rows * place.size.columns * lanes);
      for (std::int64_t r = 0; r < place.size.rows; ++r, to += place.size.columns * lanes)
        transform(slab + r * step * row_step, row_step, place.size.columns, to, position_step);
    }
}

template struct TileSource<float>;
template struct TileSource<double>;

}  // namespace tapedeck::kernels
