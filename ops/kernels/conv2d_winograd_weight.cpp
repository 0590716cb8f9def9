#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/bias_sums.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>
#include <tapedeck/ops/kernels/conv_blocked.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/weight_pieces.h>

namespace tapedeck::kernels {

namespace {

// Tiles of a block, whose transformed input stays in the L2 cache where it can.
constexpr std::int64_t kFewestTiles = 64, kMostTiles = 224;

template <typename T>
class WinogradWeight {
 public:
  WinogradWeight(WinogradVariant variant, const Conv2dShape& shape, const T* x, const T* dy)
      : s_(shape),
        transforms_(winograd_transforms<T>(variant)),
        tiles_(conv_tiles<T>()),
        x_(x),
        dy_(dy),
        window_(ConvWindow::forward(shape)),
        positions_(transforms_.positions()),
        channels_(round_up(s_.group_channels(), tiles_.lanes)),
        grid_(s_.N, s_.OH, s_.OW, transforms_.rows.outputs, transforms_.columns.outputs,
              std::clamp(tiles_.l2_bytes() / static_cast<std::int64_t>(sizeof(T)) /
                             (positions_ * channels_),
                         kFewestTiles, kMostTiles)) {
    plan();
  }

  void run(T* dw, T* db) {
    if (keeps_input_) kept_ = TransformedTiles<T>(grid_, positions_, s_.groups, input(0));
    const std::int64_t filter_size = s_.taps() * s_.group_channels(), size = s_.K * filter_size;
    // Transformed back, the sums of a run are as small as the weights.
    const Scratch<T> partial(pieces_.runs > 1 ? pieces_.runs * size : 0);
    const BiasSums<T> bias(db, pieces_.runs, s_.K);
    parallel_for(
        pieces_.runs * s_.groups * pieces_.ranges, 1, [&](std::int64_t begin, std::int64_t end) {
          const Workspace work(*this);
          const Sums sums{work.sums.data(), step(channels_, pieces_.range)};
          for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t range = i % pieces_.ranges, group = i / pieces_.ranges % s_.groups;
            const std::int64_t run = i / pieces_.ranges / s_.groups, first = range * pieces_.range;
            const std::int64_t filter = group * s_.group_filters() + first;
            piece(run, group, first, sums, bias.of(run, filter), work);
            T* const to =
                (pieces_.runs > 1 ? partial.data() + run * size : dw) + filter * filter_size;
            for (std::int64_t k = 0; k < std::min(pieces_.range, s_.group_filters() - first); ++k)
              finish({sums.data + k * channels_, sums.position_step}, work.taps.data(),
                     to + k * filter_size);
          }
        });
    bias.finish();
    if (pieces_.runs == 1) return;
    parallel_for(s_.K, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin * filter_size; i < end * filter_size; i += filter_size) {
        std::copy_n(partial.data() + i, filter_size, dw + i);
        for (std::int64_t r = 1; r < pieces_.runs; ++r)
          tiles_.add(partial.data() + r * size + i, filter_size, dw + i);
      }
    });
  }

 private:
  // [position][filter][channel]
  struct Sums {
    T* data;
    std::int64_t position_step;
  };
  struct Workspace {
    explicit Workspace(const WinogradWeight& w)
        : slab(std::max(w.input(0).slab_elements(w.grid_.block, w.tiles_.lanes),
                        w.grad_output(0, 0).slab_elements(w.grid_.block, w.tiles_.lanes))),
          x(w.keeps_input_ ? 0 : w.positions_ * w.step(w.channels_, w.grid_.block.tiles())),
          dy(w.positions_ * w.step(w.pieces_.range, w.grid_.block.tiles())),
          sums(w.positions_ * w.step(w.channels_, w.pieces_.range)),
          taps(w.s_.taps() * w.channels_) {}
    const Scratch<T> slab, x, dy, sums, taps;
  };

  void plan() {
    keeps_input_ = winograd_keeps_input(
        grid_.tiles(), positions_ * channels_ * static_cast<std::int64_t>(sizeof(T)),
        s_.group_filters());
    WeightWork work{};
    work.steps = grid_.blocks();
    work.groups = s_.groups;
    work.filters = s_.group_filters();
    work.lanes = tiles_.lanes;
    work.products = positions_ * channels_ * grid_.block.tiles();
    work.moved = keeps_input_ ? 0 : work.products;
    work.sums = positions_ * channels_;
    work.kept = s_.taps() * s_.group_channels();
    work.element_bytes = sizeof(T);
    pieces_ = WeightPieces(work);
    keeps_input_ = keeps_input_ && pieces_.ranges > 1;
  }

  std::int64_t step(std::int64_t channels, std::int64_t tiles) const {
    return step_of_positions(channels / tiles_.lanes * tiles, tiles_.lanes);
  }

  TileAxis input_axis(const WinogradAxis& tile, const WindowAxis& window) const {
    const WinogradTiling tiling(tile, window);
    return {window.in_size,  tiling.first_input, tiling.read_begin,
            tiling.read_end, tile.step,          tile.reach};
  }
  TileSource<T> input(std::int64_t group) const {
    return {x_ + group * s_.group_channels() * s_.H * s_.W,
            s_.group_channels(),
            s_.N,
            s_.C * s_.H * s_.W,
            input_axis(transforms_.rows, window_.h),
            input_axis(transforms_.columns, window_.w),
            transforms_.input};
  }
  TileSource<T> grad_output(std::int64_t group, std::int64_t first_filter) const {
    const int rows = transforms_.rows.outputs, columns = transforms_.columns.outputs;
    return {dy_ + (group * s_.group_filters() + first_filter) * s_.OH * s_.OW,
            std::min(pieces_.range, s_.group_filters() - first_filter),
            s_.N,
            s_.K * s_.OH * s_.OW,
            {s_.OH, 0, 0, s_.OH, rows, rows},
            {s_.OW, 0, 0, s_.OW, columns, columns},
            transforms_.grad_output};
  }

  // The sums of some filters over a run of blocks of tiles, and those of grad_output itself unless
  // `bias` is null.
  void piece(std::int64_t run, std::int64_t group, std::int64_t first_filter, const Sums& sums,
             double* bias, const Workspace& work) const {
    const std::int64_t lanes = tiles_.lanes;
    const TileSource<T> inputs = input(group), grads = grad_output(group, first_filter);
    T* const dy = work.dy.data();
    OuterRun<T> outer{};
    outer.vector_step = lanes;
    outer.rows = outer.planes = 1;
    outer.sums_step = channels_;
    outer.add = false;
    const std::int64_t last = std::min(grid_.blocks(), (run + 1) * pieces_.run);
    for (std::int64_t b = run * pieces_.run; b < last; ++b, outer.add = true) {
      const TileGrid::Place place = grid_.place(b);
      const std::int64_t count = place.size.tiles();
      const std::int64_t x_step = step(channels_, count), dy_step = step(pieces_.range, count);
      const T* const x = keeps_input_ ? kept_.block(group, b) : work.x.data();
      if (!keeps_input_) inputs.load(place, work.slab.data(), work.x.data(), x_step);
      grads.load(place, work.slab.data(), dy, dy_step);
      // The first channels of the next block arrive while products are formed.
      LineRequests<false, T> next_x, next_dy;
      if (b + 1 < last) {
        if (!keeps_input_) next_x = inputs.lines(grid_.place(b + 1), 0, lanes);
        next_dy = grads.lines(grid_.place(b + 1), 0, lanes);
      }
      outer.vector_block_step = count * lanes;
      outer.pixels = count;
      for (std::int64_t position = 0; position < positions_; ++position) {
        next_x.request(positions_);
        next_dy.request(positions_);
        // Vectors of some channels stay in the nearest cache while all filters meet them.
        const std::int64_t blocks = channels_ / lanes;
        for (std::int64_t c = 0, visits = ceil_div(blocks, 3); c < blocks; --visits) {
          const std::int64_t vectors = ceil_div(blocks - c, visits);
          outer.vectors = x + position * x_step + c * count * lanes;
          for (std::int64_t k = 0; k < grads.channels; k += tiles_.scalars) {
            outer.scalars = dy + position * dy_step + k / lanes * count * lanes + k % lanes;
            outer.sums = sums.data + position * sums.position_step + k * channels_ + c * lanes;
            tiles_.outer_run[vectors - 1](outer);
          }
          c += vectors;
        }
      }
      if (bias)  // the products are done
        add_up_filters(tiles_, grads.channels, count, count * lanes,
                       dy + transforms_.sum_position() * dy_step, bias);
    }
  }

  // G^T s G of one filter; [tap][channel] becomes [channel][tap].
  void finish(const Sums& sums, T* taps, T* dw) const {
    transforms_.grad_filter(sums.data, sums.position_step, channels_ / tiles_.lanes, taps,
                            channels_);
    tiles_.transpose(taps, channels_, s_.taps(), s_.group_channels(), nullptr, dw, s_.taps());
  }

  const Conv2dShape s_;
  const WinogradTransforms<T>& transforms_;
  const ConvTiles<T>& tiles_;
  const T *x_, *dy_;
  const ConvWindow window_;
  std::int64_t positions_;
  std::int64_t channels_;  // of a group, in whole vectors
  const TileGrid grid_;
  WeightPieces pieces_;  // steps are blocks of tiles
  bool keeps_input_;     // transformed, instead of transforming it for each range
  TransformedTiles<T> kept_;
};

}  // namespace

template <typename T>
void conv2d_grad_weight_winograd(WinogradVariant variant, const Conv2dShape& shape, const T* x,
                                 const T* dy, T* dw, T* db) {
  if (shape.N > 0 && shape.group_channels() > 0)
    return WinogradWeight<T>(variant, shape, x, dy).run(dw, db);
  std::fill_n(dw, shape.K * shape.group_channels() * shape.taps(), T{0});
  if (db) std::fill_n(db, shape.K, T{0});
}

template void conv2d_grad_weight_winograd(WinogradVariant, const Conv2dShape&, const float*,
                                          const float*, float*, float*);
template void conv2d_grad_weight_winograd(WinogradVariant, const Conv2dShape&, const double*,
                                          const double*, double*, double*);

}  // namespace tapedeck::kernels
