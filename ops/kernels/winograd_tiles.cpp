#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>
#include <tapedeck/ops/kernels/conv_blocked.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kKeptBytes = 6 << 20;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

// Which kernels of which stride a variant serves; spread ones an input gradient, strided ones the
// others.
struct Kernel {
  WinogradPoints points;
  std::int64_t height, width, stride;
  bool spread;
  WinogradVariant variant;
};
constexpr Kernel kKernels[] = {
    {WinogradPoints::Four, 2, 2, 1, false, WinogradVariant::Dense2},
    {WinogradPoints::Four, 3, 3, 1, false, WinogradVariant::Dense3},
    {WinogradPoints::Four, 4, 4, 1, false, WinogradVariant::Dense4},
    {WinogradPoints::Four, 5, 5, 1, false, WinogradVariant::Dense5},
    {WinogradPoints::Four, 7, 7, 1, false, WinogradVariant::Dense7},
    {WinogradPoints::Six, 3, 3, 1, false, WinogradVariant::Dense3Large},
    {WinogradPoints::Six, 5, 5, 1, false, WinogradVariant::Dense5Large},
    {WinogradPoints::Four, 3, 3, 2, false, WinogradVariant::Strided3},
    {WinogradPoints::Four, 4, 4, 2, false, WinogradVariant::Strided4},
    {WinogradPoints::Four, 5, 5, 2, false, WinogradVariant::Strided5},
    {WinogradPoints::Four, 3, 3, 2, true, WinogradVariant::Spread3},
    {WinogradPoints::Four, 4, 4, 2, true, WinogradVariant::Spread4},
    {WinogradPoints::Four, 5, 5, 2, true, WinogradVariant::Spread5},
    {WinogradPoints::Four, 1, 3, 1, false, WinogradVariant::Row3},
    {WinogradPoints::Four, 1, 5, 1, false, WinogradVariant::Row5},
    {WinogradPoints::Four, 1, 7, 1, false, WinogradVariant::Row7},
    {WinogradPoints::Four, 3, 1, 1, false, WinogradVariant::Column3},
    {WinogradPoints::Four, 5, 1, 1, false, WinogradVariant::Column5},
    {WinogradPoints::Four, 7, 1, 1, false, WinogradVariant::Column7},
};

}  // namespace

std::optional<WinogradVariant> winograd_variant(WinogradPoints points, const Conv2dShape& s,
                                                ConvDirection direction) {
  if (s.stride_h != s.stride_w || s.dilation_h != 1 || s.dilation_w != 1) return std::nullopt;
  const bool spread = s.stride_h > 1 && direction == ConvDirection::GradInput;
  for (const Kernel& k : kKernels)
    if (k.points == points && k.height == s.KH && k.width == s.KW && k.stride == s.stride_h &&
        k.spread == spread)
      return k.variant;
  return std::nullopt;
}

WinogradWork winograd_work(WinogradVariant variant, const Conv2dShape& s, ConvDirection direction) {
  const WinogradTransforms<float>& transforms = winograd_transforms<float>(variant);
  const ConvWindow window = direction == ConvDirection::GradInput
                                ? ConvWindow::grad_input_between(s)
                                : ConvWindow::forward(s);
  const WinogradTiling h(transforms.rows, window.h), w(transforms.columns, window.w);
  return {ceil_div(h.outputs, transforms.rows.outputs) *
              ceil_div(w.outputs, transforms.columns.outputs),
          transforms.positions()};
}

WinogradTiling::WinogradTiling(const WinogradAxis& axis, const WindowAxis& window) {
  const std::int64_t first = window.first_shift + axis.phase;  // in outputs, of a tile at the first
  first_input = floor_div(first, axis.spread);
  lead = first - first_input * axis.spread;
  outputs = window.out_size + lead;
  read_begin = std::max<std::int64_t>(0, ceil_div(window.first_shift, axis.spread));
  read_end = std::min(window.in_size, floor_div((window.out_size - 1) * window.step +
                                                    window.first_shift + window.reach,
                                                axis.spread) +
                                          1);
}

TileGrid::TileGrid(std::int64_t images_, std::int64_t height, std::int64_t width, int tile_height,
                   int tile_width, std::int64_t tiles_wanted, std::int64_t rows_together,
                   std::int64_t columns_together)
    : images(images_), rows(ceil_div(height, tile_height)), columns(ceil_div(width, tile_width)) {
  // Parts of `size` that are about equal, and at most `most` where a multiple of `together` can be.
  const auto part = [](std::int64_t size, std::int64_t most, std::int64_t together) {
    const std::int64_t whole = std::max(most / together, std::int64_t{1}) * together;
    return std::min(size, round_up(even_part(size, whole), together));
  };
  block.columns = part(columns, tiles_wanted / rows_together, columns_together);
  column_cuts = ceil_div(columns, block.columns);
  block.rows = part(rows, tiles_wanted / block.columns, rows_together);
  row_cuts = ceil_div(rows, block.rows);
  const std::int64_t tiles = block.rows * block.columns;
  block.images =
      row_cuts * column_cuts == 1
          ? std::clamp<std::int64_t>(tiles_wanted / tiles, 1, std::max<std::int64_t>(1, images))
          : 1;
  image_cuts = ceil_div(images, block.images);
}

namespace {

// What `size` rows or images in pieces of `piece` take two and four threads, the others waiting for
// the last one.
std::int64_t time_in_pieces(std::int64_t size, std::int64_t piece, std::int64_t others) {
  std::int64_t time = 0;
  for (const std::int64_t threads : {2, 4}) {
    const std::int64_t full = size / piece * others, rest = size % piece;
    const std::int64_t turns = ceil_div(full, threads);
    time += threads * (turns * piece + (full % threads == 0 ? rest : 0));
  }
  return time;
}

}  // namespace

TileGrid TileGrid::evened(std::int64_t fewest) const {
  const bool by_rows = row_cuts * column_cuts > 1;
  const std::int64_t size = by_rows ? rows : images, others = by_rows ? images * column_cuts : 1;
  const std::int64_t now = by_rows ? block.rows : block.images;
  std::int64_t best = now;
  for (std::int64_t piece = now; piece > 0 && piece * (block.tiles() / now) >= fewest; --piece)
    if (time_in_pieces(size, piece, others) < time_in_pieces(size, best, others)) best = piece;
  TileGrid grid = *this;
  (by_rows ? grid.block.rows : grid.block.images) = best;
  (by_rows ? grid.row_cuts : grid.image_cuts) = ceil_div(size, best);
  return grid;
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

bool winograd_keeps_input(std::int64_t tiles, std::int64_t tile_bytes, std::int64_t filters) {
  return tiles < filters && tiles * tile_bytes <= kKeptBytes;
}

template <typename T>
typename TileSource<T>::Inside TileSource<T>::inside(const TileGrid::Place& place) const {
  const std::int64_t first_row = h.first + place.row * h.step;
  const std::int64_t first_column = w.first + place.column * w.step;
  const std::int64_t begin_row = std::max(h.read_begin, first_row);
  const std::int64_t begin_column = std::max(w.read_begin, first_column);
  return {first_row,
          first_column,
          begin_row,
          begin_column,
          std::min(h.read_end, first_row + h.span(place.size.rows)) - begin_row,
          std::min(w.read_end, first_column + w.span(place.size.columns)) - begin_column};
}

template <typename T>
LineRequests<false, T> TileSource<T>::lines(const TileGrid::Place& place, std::int64_t channel,
                                            std::int64_t count) const {
  const Inside part = inside(place);
  if (part.empty() || channel >= channels || !is_beyond_cache<T>(images * image_step)) return {};
  const std::int64_t plane = h.size * w.size;
  return {from + place.image * image_step + channel * plane + part.begin_row * w.size +
              part.begin_column,
          image_step,
          place.size.images,
          plane,
          std::min(count, channels - channel),
          (part.rows - 1) * w.size + part.columns};
}

template <typename T>
void TileSource<T>::load(const TileGrid::Place& place, T* slab, T* out,
                         std::int64_t position_step) const {
  const ConvTiles<T>& tiles = conv_tiles<T>();
  const std::int64_t lanes = tiles.lanes, count = place.size.tiles();
  const std::int64_t slab_rows = h.span(place.size.rows);
  const std::int64_t row_step = w.span(place.size.columns) * lanes;
  const Inside part = inside(place);
  T* const to_inside = slab + (part.begin_row - part.first_row) * row_step +
                       (part.begin_column - part.first_column) * lanes;
  const std::int64_t plane = h.size * w.size;
  const T* const first = from + place.image * image_step + part.begin_row * w.size +
                         part.begin_column;  // of channel 0
  lines(place, 0, lanes).request(1);
  std::fill_n(slab, slab_rows * row_step, T{0});
  for (std::int64_t c = 0; c < channels; c += lanes) {
    lines(place, c + lanes, lanes).request(1);
    for (std::int64_t n = 0; n < place.size.images; ++n) {
      if (!part.empty())
        ChannelBlocks<T>{first + n * image_step + c * plane,
                         plane,
                         w.size,
                         std::min(lanes, channels - c),
                         part.rows,
                         part.columns,
                         to_inside,
                         0,
                         row_step}
            .pack(tiles);
      T* to = out + (c * count + n * place.size.rows * place.size.columns * lanes);
      for (std::int64_t r = 0; r < place.size.rows; ++r, to += place.size.columns * lanes)
        transform(slab + r * h.step * row_step, row_step, place.size.columns, to, position_step);
    }
  }
}

template <typename T>
TransformedTiles<T>::TransformedTiles(const TileGrid& grid, std::int64_t positions,
                                      std::int64_t groups, const TileSource<T>& source)
    : blocks_(grid.blocks()) {
  const std::int64_t lanes = conv_tiles<T>().lanes, plane = source.h.size * source.w.size;
  const std::int64_t channel_blocks = ceil_div(source.channels, lanes);
  block_elements_ = positions * step_of_positions(channel_blocks * grid.block.tiles(), lanes);
  data_ = Scratch<T>(groups * blocks_ * block_elements_);
  parallel_for(groups * blocks_ * channel_blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> slab(source.slab_elements(grid.block, lanes));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t c = i % channel_blocks * lanes, index = i / channel_blocks % blocks_;
      const std::int64_t group = i / channel_blocks / blocks_;
      const TileGrid::Place place = grid.place(index);
      const std::int64_t tiles = place.size.tiles();
      TileSource<T> channels = source;
      channels.from += (group * source.channels + c) * plane;
      channels.channels = std::min(lanes, source.channels - c);
      channels.load(place, slab.data(),
                    data_.data() + (group * blocks_ + index) * block_elements_ + c * tiles,
                    step_of_positions(channel_blocks * tiles, lanes));
    }
  });
}

template struct TileSource<float>;
template struct TileSource<double>;
template class TransformedTiles<float>;
template class TransformedTiles<double>;

}  // namespace tapedeck::kernels
