#include <tapedeck/ops/kernels/conv2d_winograd.h>

#include <algorithm>
#include <numeric>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/conv_weights.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kTransformedBytes = 1 << 20;  // of a block's input: stays in the L2 cache
constexpr std::int64_t kFewestTiles = 64, kMostTiles = 112;
constexpr std::int64_t kPieces = 12;  // enough for several threads to end together

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

template <typename T>
class Winograd {
 public:
  Winograd(WinogradVariant variant, const ConvWindow& window, const T* weight)
      : window_(window),
        transforms_(winograd_transforms<T>(variant)),
        tiles_(conv_tiles<T>()),
        h_(transforms_.rows, window.h),
        w_(transforms_.columns, window.w),
        positions_(transforms_.positions()),
        channel_blocks_(ceil_div(window.C, tiles_.lanes)),
        grid_(window.N, h_.outputs, w_.outputs, transforms_.rows.outputs,
              transforms_.columns.outputs,
              std::clamp(kTransformedBytes / static_cast<std::int64_t>(sizeof(T)) /
                             (positions_ * channel_blocks_ * tiles_.lanes),
                         kFewestTiles, kMostTiles)),
        weights_(window, tiles_, weight, false),
        offsets_(static_cast<std::size_t>(tiles_.lanes)) {
    std::iota(offsets_.begin(), offsets_.end(), std::int64_t{0});
    // Too few blocks of tiles: cut the output channels, which repeats the input's transform.
    const std::int64_t pieces = std::max<std::int64_t>(1, window.groups * grid_.blocks());
    block_cuts_ = std::clamp<std::int64_t>(ceil_div(kPieces, pieces), 1,
                                           std::max<std::int64_t>(1, weights_.blocks() / 2));
    cut_blocks_ = ceil_div(weights_.blocks(), block_cuts_);
    block_cuts_ = ceil_div(weights_.blocks(), cut_blocks_);
    transform_filters();
  }

  void run(const T* in, const T* bias, T* out) const {
    parallel_for(window_.groups * grid_.blocks() * block_cuts_, 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   Workspace work(*this);
                   for (std::int64_t i = begin; i < end; ++i) piece(i, in, bias, out, work);
                 });
  }

 private:
  struct Workspace {
    explicit Workspace(const Winograd& w)
        : slab(w.source(nullptr, 0).slab_elements(w.grid_.block, w.tiles_.lanes)),
          input(w.positions_ * w.position_input(w.grid_.block.tiles())),
          sums(w.positions_ * w.position_sums(w.grid_.block.tiles(), w.weights_.widest())),
          rows(w.transforms_.rows.outputs *
               (w.grid_.block.columns * w.transforms_.columns.outputs + w.tiles_.lanes) *
               w.weights_.widest()) {}
    Scratch<T> slab, input, sums, rows;
  };

  // From a position to the next: an odd number of vectors, since a power of two would put all
  // positions of a tile into the same few sets of the cache.
  std::int64_t position_input(std::int64_t tiles) const {
    return (channel_blocks_ * tiles | 1) * tiles_.lanes;
  }
  std::int64_t position_sums(std::int64_t tiles, std::int64_t width) const {
    return (tiles * (width / tiles_.lanes) | 1) * tiles_.lanes;
  }

  TileAxis axis(const WinogradTiling& tiling, const WinogradAxis& tile, std::int64_t size) const {
    return {size, tiling.first_input, tiling.read_begin, tiling.read_end, tile.step, tile.reach};
  }
  TileSource<T> source(const T* in, std::int64_t group) const {
    const std::int64_t plane = window_.h.in_size * window_.w.in_size;
    return {in ? in + group * window_.C * plane : nullptr,
            in ? in + window_.N * window_.groups * window_.C * plane : nullptr,
            window_.C,
            window_.groups * window_.C * plane,
            axis(h_, transforms_.rows, window_.h.in_size),
            axis(w_, transforms_.columns, window_.w.in_size),
            transforms_.input};
  }

  // filters_: [group][position][block][input channel][channel of the block]
  std::int64_t position_filters() const {
    return (weights_.group_width() / tiles_.lanes * window_.C | 1) * tiles_.lanes;
  }
  void transform_filters() {
    filters_ = Scratch<T>(window_.groups * positions_ * position_filters());
    parallel_for(window_.groups * weights_.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> packed(weights_.block_elements());
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t group = i / weights_.blocks(), block = i % weights_.blocks();
        const std::int64_t width = weights_.width(block);
        weights_.pack(group, block, packed.data());
        const T* taps = packed.data();
        T* out = filters_.data() + group * positions_ * position_filters() +
                 weights_.first_channel(block) * window_.C;
        for (std::int64_t c = 0; c < window_.C; ++c, out += width) {
          transforms_.filter(taps, width, width / tiles_.lanes, out, position_filters());
          taps += window_.taps() * width;
        }
      }
    });
  }

  void piece(std::int64_t index, const T* in, const T* bias, T* out, Workspace& work) const {
    const std::int64_t first_block = index % block_cuts_ * cut_blocks_;
    index /= block_cuts_;
    const TileGrid::Place place = grid_.place(index % grid_.blocks());
    const std::int64_t group = index / grid_.blocks(), count = place.size.tiles();
    const std::int64_t position_step = position_input(count);
    source(in, group).load(place, work.slab.data(), work.input.data(), position_step);

    const std::int64_t last_block = std::min(first_block + cut_blocks_, weights_.blocks());
    for (std::int64_t block = first_block; block < last_block; ++block) {
      const std::int64_t width = weights_.width(block);
      for (std::int64_t position = 0; position < positions_; ++position)
        product(work.input.data() + position * position_step,
                filters_.data() + (group * positions_ + position) * position_filters() +
                    weights_.first_channel(block) * window_.C,
                width, count, work.sums.data() + position * position_sums(count, width));
      const std::int64_t channel = group * window_.K + weights_.first_channel(block);
      store(place, block, bias ? bias + channel : nullptr,
            out + (place.image * window_.groups * window_.K + channel) * out_plane(), work);
    }
  }

  // [tiles, C] x [C, width]
  void product(const T* input, const T* filters, std::int64_t width, std::int64_t count,
               T* sums) const {
    const std::int64_t lanes = tiles_.lanes, full = window_.C / lanes, rest = window_.C % lanes;
    const auto multiply = tiles_.blocked_channel_run[width / lanes - 1];
    ChannelRun<T> run{input,         count * lanes, offsets_.data(), lanes, full, filters,
                      lanes * width, sums,          count,           false};
    if (full > 0) multiply(run);
    if (rest == 0) return;
    run.in += full * run.in_step;
    run.weights += full * run.weight_step;
    run.taps = rest;
    run.groups = 1;
    run.add = full > 0;
    multiply(run);
  }

  std::int64_t out_plane() const { return window_.h.out_size * window_.w.out_size; }

  // The outputs of tiles from position `begin` on that there are.
  struct Span {
    std::int64_t skipped, first, count;
    Span(std::int64_t begin, std::int64_t outputs, std::int64_t size)
        : skipped(std::max<std::int64_t>(0, -begin)),
          first(begin + skipped),
          count(std::min(size, begin + outputs) - first) {}
  };

  // A^T s A of one block of output channels, row of tiles by row of tiles.
  void store(const TileGrid::Place& place, std::int64_t block, const T* addend, T* planes,
             Workspace& work) const {
    const int tile_rows = transforms_.rows.outputs, tile_columns = transforms_.columns.outputs;
    const std::int64_t count = place.size.tiles(), width = weights_.width(block);
    const std::int64_t row_step = place.size.columns * tile_columns * width;
    const Span columns(place.column * tile_columns - w_.lead, place.size.columns * tile_columns,
                       window_.w.out_size);
    const T* sums = work.sums.data();
    for (std::int64_t n = 0; n < place.size.images; ++n)
      for (std::int64_t r = 0; r < place.size.rows; ++r) {
        transforms_.output(sums, position_sums(count, width), place.size.columns, width,
                           work.rows.data(), row_step);
        sums += place.size.columns * width;
        const Span rows((place.row + r) * tile_rows - h_.lead, tile_rows, window_.h.out_size);
        T* const image = planes + n * window_.groups * window_.K * out_plane();
        for (std::int64_t i = 0; i < rows.count; ++i)
          tiles_.transpose_sums(
              work.rows.data() + (rows.skipped + i) * row_step + columns.skipped * width, width,
              columns.count, weights_.channels(block), addend,
              image + (rows.first + i) * window_.w.out_size + columns.first, out_plane());
      }
  }

  const ConvWindow& window_;
  const WinogradTransforms<T>& transforms_;
  const ConvTiles<T>& tiles_;
  const WinogradTiling h_, w_;
  std::int64_t positions_, channel_blocks_;
  const TileGrid grid_;
  const ConvWeights<T> weights_;
  std::vector<std::int64_t> offsets_;     // 0, 1, ...: neighbouring channels
  std::int64_t block_cuts_, cut_blocks_;  // cuts of the output channels, and blocks in each
  Scratch<T> filters_;
};

}  // namespace

template <typename T>
void conv2d_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* x, const T* weight,
                     const T* bias, T* y) {
  Winograd<T>(variant, ConvWindow::forward(shape), weight).run(x, bias, y);
}

template <typename T>
void conv2d_grad_input_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* dy,
                                const T* weight, const T* bias, T* dx) {
  Winograd<T>(variant, ConvWindow::grad_input_between(shape), weight).run(dy, bias, dx);
}

#define TAPEDECK_INSTANTIATE(T)                                                                    \
  template void conv2d_winograd(WinogradVariant, const Conv2dShape&, const T*, const T*, const T*, \
                                T*);                                                               \
  template void conv2d_grad_input_winograd(WinogradVariant, const Conv2dShape&, const T*,          \
                                           const T*, const T*, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
