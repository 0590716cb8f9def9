#include <tapedeck/ops/kernels/conv2d_winograd.h>

#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_winograd_rows.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/winograd_filters.h>

namespace tapedeck::kernels {

namespace {

// Tiles of a block, whose transformed input stays in the L2 cache where it can.
constexpr std::int64_t kFewestTiles = 64, kMostTiles = 112;
constexpr std::int64_t kPieces = 12;      // enough for several threads to end together
constexpr std::int64_t kEvenPieces = 16;  // of which threads wait for the last one hardly at all
constexpr std::int64_t kEvenTiles =
    48;  // of a block that is cut smaller, to have them end together

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
              std::clamp(tiles_.l2_bytes() / static_cast<std::int64_t>(sizeof(T)) /
                             (positions_ * channel_blocks_ * tiles_.lanes),
                         kFewestTiles, kMostTiles)),
        filters_(window, transforms_, weight),
        weights_(filters_.weights()) {
    // Few pieces of the operand that is transformed where it is used: the other one is cut as well.
    keeps_input_ = winograd_keeps_input(
        grid_.tiles(),
        positions_ * channel_blocks_ * tiles_.lanes * static_cast<std::int64_t>(sizeof(T)),
        window.K);
    if (!keeps_input_ && window.groups * grid_.blocks() < kEvenPieces)
      grid_ = grid_.evened(kEvenTiles);
    kept_blocks_ = keeps_input_ ? grid_.blocks() : weights_.blocks();
    used_blocks_ = keeps_input_ ? weights_.blocks() : grid_.blocks();
    const std::int64_t pieces = std::max<std::int64_t>(1, window.groups * used_blocks_);
    const std::int64_t most_cuts = keeps_input_ ? kept_blocks_ : kept_blocks_ / 2;
    cuts_ = std::clamp<std::int64_t>(ceil_div(kPieces, pieces), 1,
                                     std::max<std::int64_t>(1, most_cuts));
    cut_ = std::max<std::int64_t>(1, ceil_div(kept_blocks_, cuts_));
    cuts_ = ceil_div(kept_blocks_, cut_);
  }

  void run(const T* in, const T* bias, T* out) {
    if (keeps_input_)
      input_ = TransformedTiles<T>(grid_, positions_, window_.groups, source(in, 0));
    else
      filters_.transform_all();
    parallel_for(window_.groups * used_blocks_ * cuts_, 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   const Workspace work(*this);
                   for (std::int64_t i = begin; i < end; ++i) {
                     const std::int64_t first = i % cuts_ * cut_, group = i / cuts_ / used_blocks_;
                     const Output to{group, bias, out};
                     if (keeps_input_) {
                       block_of_filters(i / cuts_ % used_blocks_, first, to, work);
                       continue;
                     }
                     const std::int64_t tiles = i / cuts_ % used_blocks_;
                     const bool last = i + 1 == end || (i + 1) / cuts_ % used_blocks_ <= tiles;
                     block_of_tiles(tiles, first, in, to, last, work);
                   }
                 });
  }

 private:
  struct Workspace {
    explicit Workspace(const Winograd& w)
        : slab(w.keeps_input_ ? 0
                              : w.source(nullptr, 0).slab_elements(w.grid_.block, w.tiles_.lanes)),
          input(w.keeps_input_ ? 0 : w.positions_ * w.position_input(w.grid_.block.tiles())),
          packed(w.keeps_input_ ? w.weights_.block_elements() : 0),
          filters(w.keeps_input_ ? w.positions_ * w.filters_.position_step(w.weights_.widest())
                                 : 0),
          sums(w.positions_ * w.position_sums(w.grid_.block.tiles(), w.weights_.widest())),
          rows(w.transforms_.rows.outputs * w.grid_.block.columns * w.transforms_.columns.outputs *
               w.weights_.widest()) {}
    const Scratch<T> slab, input, packed, filters, sums, rows;
  };
  // Where the output channels of a group go.
  struct Output {
    std::int64_t group;
    const T* bias;
    T* out;
  };
  // One operand of the products.
  using Operand = typename WinogradFilters<T>::Block;

  std::int64_t position_input(std::int64_t tiles) const {
    return step_of_positions(channel_blocks_ * tiles, tiles_.lanes);
  }
  std::int64_t position_sums(std::int64_t tiles, std::int64_t width) const {
    return step_of_positions(tiles * (width / tiles_.lanes), tiles_.lanes);
  }

  TileSource<T> source(const T* in, std::int64_t group) const {
    const std::int64_t plane = window_.h.in_size * window_.w.in_size;
    return {in ? in + group * window_.C * plane : nullptr,
            window_.C,
            window_.N,
            window_.groups * window_.C * plane,
            TileAxis::of_input(h_, transforms_.rows, window_.h.in_size),
            TileAxis::of_input(w_, transforms_.columns, window_.w.in_size),
            transforms_.input};
  }

  void block_of_filters(std::int64_t block, std::int64_t first_tiles, const Output& to,
                        const Workspace& work) const {
    const Operand filters{work.filters.data(), filters_.position_step(weights_.width(block))};
    filters_.transform(to.group, block, work.packed.data(), work.filters.data(), filters.step);
    const std::int64_t last = std::min(first_tiles + cut_, grid_.blocks());
    for (std::int64_t tiles = first_tiles; tiles < last; ++tiles) {
      const TileGrid::Place place = grid_.place(tiles);
      LineRequests<false, T> none;
      multiply(place, block, {input_.block(to.group, tiles), position_input(place.size.tiles())},
               filters, to, none, work);
    }
  }
  // Unless this block of tiles is the last one, the first channels of the next one arrive while
  // products are formed.
  void block_of_tiles(std::int64_t tiles, std::int64_t first_block, const T* in, const Output& to,
                      bool last_tiles, const Workspace& work) const {
    const TileGrid::Place place = grid_.place(tiles);
    const Operand input{work.input.data(), position_input(place.size.tiles())};
    const TileSource<T> channels = source(in, to.group);
    channels.load(place, work.slab.data(), work.input.data(), input.step);
    LineRequests<false, T> next;
    if (!last_tiles) next = channels.lines(grid_.place(tiles + 1), 0, tiles_.lanes);
    const std::int64_t last = std::min(first_block + cut_, weights_.blocks());
    for (std::int64_t block = first_block; block < last; ++block)
      multiply(place, block, input, filters_.block(to.group, block), to, next, work);
  }

  // The lines of `next`, and those that store() will write, arrive while the products are formed.
  void multiply(const TileGrid::Place& place, std::int64_t block, const Operand& input,
                const Operand& filters, const Output& to, LineRequests<false, T>& next,
                const Workspace& work) const {
    const std::int64_t width = weights_.width(block), count = place.size.tiles();
    const std::int64_t channel = to.group * window_.K + weights_.first_channel(block);
    T* const planes = to.out + (place.image * window_.groups * window_.K + channel) * out_plane();
    LineRequests<true, T> outputs = output_lines(place, block, planes);
    for (std::int64_t position = 0; position < positions_; ++position) {
      outputs.request(positions_);
      next.request(positions_);
      product(input.data + position * input.step, filters.data + position * filters.step, width,
              count, work.sums.data() + position * position_sums(count, width));
    }
    store(place, block, to.bias ? to.bias + channel : nullptr, planes, work);
  }

  // [tiles, C] x [C, width]
  void product(const T* input, const T* filters, std::int64_t width, std::int64_t count,
               T* sums) const {
    const std::int64_t lanes = tiles_.lanes, full = window_.C / lanes, rest = window_.C % lanes;
    const auto multiply = tiles_.blocked_channel_run[width / lanes - 1];
    ChannelRun<T> run{input,   count * lanes, nullptr, lanes, full,
                      filters, lanes * width, sums,    count, false};
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

  LineRequests<true, T> output_lines(const TileGrid::Place& place, std::int64_t block,
                                     const T* planes) const {
    if (!is_beyond_cache<T>(window_.N * window_.groups * window_.K * out_plane())) return {};
    const int tile_rows = transforms_.rows.outputs, tile_columns = transforms_.columns.outputs;
    const Span rows(place.row * tile_rows - h_.lead, place.size.rows * tile_rows,
                    window_.h.out_size);
    const Span columns(place.column * tile_columns - w_.lead, place.size.columns * tile_columns,
                       window_.w.out_size);
    if (rows.count <= 0) return {};
    return {planes + rows.first * window_.w.out_size + columns.first,
            window_.groups * window_.K * out_plane(),
            place.size.images,
            out_plane(),
            weights_.channels(block),
            (rows.count - 1) * window_.w.out_size + columns.count};
  }

  // A^T s A of one block of output channels, row of tiles by row of tiles.
  void store(const TileGrid::Place& place, std::int64_t block, const T* addend, T* planes,
             const Workspace& work) const {
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
          tiles_.transpose(
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
  TileGrid grid_;
  WinogradFilters<T> filters_;
  const ConvWeights<T>& weights_;
  // One of the transformed operands is kept as a whole. What takes part of the other one is
  // transformed where it is used, and does not leave the cache.
  bool keeps_input_;
  std::int64_t kept_blocks_, used_blocks_;
  std::int64_t cut_, cuts_;  // blocks of the kept operand in a piece of work, and cuts of them
  TransformedTiles<T> input_;
};

// out = the convolution of `in` that the window is.
template <typename T>
void convolve(WinogradVariant variant, const ConvWindow& window, const T* in, const T* weight,
              const T* bias, T* out) {
  if (winograd_rows_pay<T>(variant, window))
    conv2d_winograd_rows(variant, window, in, weight, bias, out);
  else
    Winograd<T>(variant, window, weight).run(in, bias, out);
}

}  // namespace

template <typename T>
void conv2d_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* x, const T* weight,
                     const T* bias, T* y) {
  convolve(variant, ConvWindow::forward(shape), x, weight, bias, y);
}

template <typename T>
void conv2d_grad_input_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* dy,
                                const T* weight, const T* bias, T* dx) {
  convolve(variant, ConvWindow::grad_input_between(shape), dy, weight, bias, dx);
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
