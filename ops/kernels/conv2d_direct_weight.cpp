#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_direct.h>
#include <tapedeck/ops/kernels/conv_blocked.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/weight_pieces.h>

namespace tapedeck::kernels {

namespace {

// Pixels that sums stay in registers for: so many that three vectors of channels at each of them
// hardly leave the nearest cache between taps.
template <typename T>
std::int64_t visit_pixels(const ConvTiles<T>& tiles) {
  return 7 * std::max<std::int64_t>(32, tiles.vector_bytes());
}

// Pixels of grad_output: images x rows x columns.
struct Visit {
  std::int64_t images, rows, columns;
};

// Every filter's gradient is a sum of outer products over the pixels of grad_output: vectors over
// input channels, times broadcast elements of grad_output. For some pixels at a time, both are
// copied to blocks of channels (see ChannelBlocks), and each tap takes its sums through all of them
// in registers. The padding is never touched: every tap has its own range of rows and columns.
template <typename T>
class DirectWeight {
 public:
  DirectWeight(const Conv2dShape& shape, const T* x, const T* dy)
      : s_(shape), tiles_(conv_tiles<T>()), x_(x), dy_(dy) {
    // A pointwise convolution does not care where its pixels lie.
    if (s_.is_pointwise()) {
      s_.W = s_.OW = s_.H * s_.W;
      s_.H = s_.OH = 1;
    }
    channels_ = round_up(s_.group_channels(), tiles_.lanes);
    filters_ = round_up(s_.group_filters(), tiles_.lanes);
    const std::int64_t most = visit_pixels(tiles_);
    visit_.columns = std::min(s_.OW, most);
    visit_.columns = ceil_div(s_.OW, ceil_div(s_.OW, visit_.columns));
    visit_.rows = std::clamp<std::int64_t>(most / visit_.columns, 1, s_.OH);
    visit_.rows = ceil_div(s_.OH, ceil_div(s_.OH, visit_.rows));
    const std::int64_t pixels = visit_.columns * visit_.rows;
    visit_.images = s_.OW == visit_.columns && s_.OH == visit_.rows
                        ? std::clamp<std::int64_t>(most / pixels, 1, s_.N)
                        : 1;
    x_rows_ = (visit_.rows - 1) * s_.stride_h + (s_.KH - 1) * s_.dilation_h + 1;
    x_rows_ = std::min(x_rows_, s_.H);
    x_columns_ = (visit_.columns - 1) * s_.stride_w + (s_.KW - 1) * s_.dilation_w + 1;
    x_columns_ = std::min(x_columns_, s_.W);
    pieces_ = plan();
  }

  void run(T* dw) {
    const std::int64_t size = group_sums() * s_.groups;
    const std::int64_t runs = pieces_.runs, ranges = pieces_.ranges;
    const Scratch<T> sums(runs * size);
    parallel_for(runs * s_.groups * ranges, 1, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t x_elements = visit_.images * x_rows_ * x_columns_ * channels_;
      const std::int64_t dy_elements = visit_.images * visit_.rows * visit_.columns * pieces_.range;
      const Scratch<T> packed_x(x_elements), packed_dy(dy_elements);
      std::fill_n(packed_x.data(), x_elements, T{0});
      std::fill_n(packed_dy.data(), dy_elements, T{0});
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t range = i % ranges, group = i / ranges % s_.groups;
        const std::int64_t run = i / ranges / s_.groups;
        piece(run, group, range * pieces_.range, sums.data() + run * size + group * group_sums(),
              packed_x.data(), packed_dy.data());
      }
    });
    // Runs are added in order, then [tap][channel] becomes [channel][tap].
    const std::int64_t taps = s_.taps(), C = s_.group_channels();
    parallel_for(s_.K, std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(1, taps * C)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t k = begin; k < end; ++k) {
                     T* const filter = sums.data() + filter_offset(k);
                     for (std::int64_t r = 1; r < runs; ++r)
                       tiles_.add(filter + r * size, taps * channels_, filter);
                     tiles_.transpose(filter, channels_, taps, C, nullptr, dw + k * taps * C, taps);
                   }
                 });
  }

 private:
  WeightPieces plan() const {
    WeightWork work{};
    work.steps = visits();
    work.groups = s_.groups;
    work.filters = s_.group_filters();
    work.lanes = tiles_.lanes;
    const std::int64_t pixels = visit_.images * visit_.rows * visit_.columns;
    work.products = pixels * s_.taps() * channels_;
    work.moved = visit_.images * x_rows_ * x_columns_ * channels_;
    work.sums = work.kept = s_.taps() * channels_;
    work.element_bytes = sizeof(T);
    return WeightPieces(work);
  }

  std::int64_t visits() const {
    return ceil_div(s_.N, visit_.images) * ceil_div(s_.OH, visit_.rows) *
           ceil_div(s_.OW, visit_.columns);
  }

  // [filter][tap][channel]
  std::int64_t group_sums() const { return filters_ * s_.taps() * channels_; }
  std::int64_t filter_offset(std::int64_t k) const {
    return (k / s_.group_filters() * filters_ + k % s_.group_filters()) * s_.taps() * channels_;
  }

  // The sums of some filters over a run of visits.
  void piece(std::int64_t run, std::int64_t group, std::int64_t first_filter, T* sums, T* packed_x,
             T* packed_dy) const {
    const std::int64_t filters = std::min(pieces_.range, s_.group_filters() - first_filter);
    T* const target = sums + first_filter * s_.taps() * channels_;
    std::fill_n(target, round_up(filters, tiles_.lanes) * s_.taps() * channels_, T{0});
    const std::int64_t row_cuts = ceil_div(s_.OH, visit_.rows);
    const std::int64_t column_cuts = ceil_div(s_.OW, visit_.columns);
    const std::int64_t end = std::min(visits(), (run + 1) * pieces_.run);
    for (std::int64_t i = run * pieces_.run; i < end; ++i) {
      const std::int64_t n = i / column_cuts / row_cuts * visit_.images;
      visit(group, first_filter, filters, n, std::min(visit_.images, s_.N - n),
            i / column_cuts % row_cuts * visit_.rows, i % column_cuts * visit_.columns, packed_x,
            packed_dy, target);
    }
  }

  void visit(std::int64_t group, std::int64_t first_filter, std::int64_t filters, std::int64_t n,
             std::int64_t images, std::int64_t row, std::int64_t column, T* packed_x, T* packed_dy,
             T* sums) const {
    const std::int64_t lanes = tiles_.lanes;
    const std::int64_t rows = std::min(visit_.rows, s_.OH - row);
    const std::int64_t columns = std::min(visit_.columns, s_.OW - column);
    // The part of the input that these pixels read.
    const std::int64_t top = row * s_.stride_h - s_.pad_top;
    const std::int64_t left = column * s_.stride_w - s_.pad_left;
    const std::int64_t x_top = std::max<std::int64_t>(0, top);
    const std::int64_t x_left = std::max<std::int64_t>(0, left);
    const std::int64_t x_bottom =
        std::min(s_.H, top + (rows - 1) * s_.stride_h + (s_.KH - 1) * s_.dilation_h + 1);
    const std::int64_t x_right =
        std::min(s_.W, left + (columns - 1) * s_.stride_w + (s_.KW - 1) * s_.dilation_w + 1);
    const std::int64_t x_plane = x_rows_ * x_columns_ * lanes, x_block = visit_.images * x_plane;
    const std::int64_t dy_plane = visit_.rows * visit_.columns * lanes;
    const std::int64_t dy_block = visit_.images * dy_plane;
    for (std::int64_t i = 0; i < images; ++i) {
      const std::int64_t first_channel = ((n + i) * s_.groups + group) * s_.group_channels();
      ChannelBlocks<T>{x_ + (first_channel * s_.H + x_top) * s_.W + x_left,
                       s_.H * s_.W,
                       s_.W,
                       s_.group_channels(),
                       x_bottom - x_top,
                       x_right - x_left,
                       packed_x + i * x_plane,
                       x_block,
                       x_columns_ * lanes}
          .pack(tiles_);
      const std::int64_t filter = (n + i) * s_.K + group * s_.group_filters() + first_filter;
      ChannelBlocks<T>{dy_ + (filter * s_.OH + row) * s_.OW + column,
                       s_.OH * s_.OW,
                       s_.OW,
                       filters,
                       rows,
                       columns,
                       packed_dy + i * dy_plane,
                       dy_block,
                       visit_.columns * lanes}
          .pack(tiles_);
    }

    OuterRun<T> run{};
    run.vector_block_step = x_block;
    run.vector_step = s_.stride_w * lanes;
    run.vector_row_step = s_.stride_h * x_columns_ * lanes;
    run.vector_plane_step = x_plane;
    run.scalar_row_step = visit_.columns * lanes;
    run.scalar_plane_step = dy_plane;
    run.planes = images;
    run.sums_step = s_.taps() * channels_;
    run.add = true;
    const std::int64_t blocks = channels_ / lanes;
    for (std::int64_t block = 0, left_over = ceil_div(blocks, 3), vectors = 0; block < blocks;
         --left_over, block += vectors) {
      vectors = ceil_div(blocks - block, left_over);
      for (std::int64_t k = 0; k < filters; k += tiles_.scalars) {
        for (std::int64_t kh = 0; kh < s_.KH; ++kh) {
          const Conv2dShape::Range in_h = s_.valid_rows(kh);
          const std::int64_t first_row = std::max(in_h.begin, row);
          run.rows = std::min(in_h.end, row + rows) - first_row;
          if (run.rows <= 0) continue;
          for (std::int64_t kw = 0; kw < s_.KW; ++kw) {
            const Conv2dShape::Range in_w = s_.valid_columns(kw);
            const std::int64_t first_column = std::max(in_w.begin, column);
            run.pixels = std::min(in_w.end, column + columns) - first_column;
            if (run.pixels <= 0) continue;
            const std::int64_t h = first_row * s_.stride_h + kh * s_.dilation_h - s_.pad_top;
            const std::int64_t w = first_column * s_.stride_w + kw * s_.dilation_w - s_.pad_left;
            run.vectors =
                packed_x + block * x_block + ((h - x_top) * x_columns_ + w - x_left) * lanes;
            run.scalars = packed_dy + k / lanes * dy_block + k % lanes +
                          ((first_row - row) * visit_.columns + first_column - column) * lanes;
            run.sums = sums + (k * s_.taps() + kh * s_.KW + kw) * channels_ + block * lanes;
            tiles_.outer_run[vectors - 1](run);
          }
        }
      }
    }
  }

  Conv2dShape s_;
  const ConvTiles<T>& tiles_;
  const T *x_, *dy_;
  std::int64_t channels_, filters_;  // of a group, in whole vectors
  Visit visit_;
  std::int64_t x_rows_, x_columns_;  // that a visit reads at most
  WeightPieces pieces_;
};

}  // namespace

template <typename T>
void conv2d_grad_weight_direct(const Conv2dShape& shape, const T* x, const T* dy, T* dw) {
  if (shape.N == 0 || shape.group_channels() == 0)
    std::fill_n(dw, shape.K * shape.group_channels() * shape.taps(), T{0});
  else
    DirectWeight<T>(shape, x, dy).run(dw);
}

template void conv2d_grad_weight_direct(const Conv2dShape&, const float*, const float*, float*);
template void conv2d_grad_weight_direct(const Conv2dShape&, const double*, const double*, double*);

}  // namespace tapedeck::kernels
