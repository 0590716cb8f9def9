#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/bias_sums.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_direct.h>
#include <tapedeck/ops/kernels/conv_blocked.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/weight_pieces.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kBlockVectors = 3;        // of channels that an outer product has
constexpr std::int64_t kSteps = 16;              // enough to be shared out between several threads
constexpr std::int64_t kPartialBytes = 1 << 24;  // of all sums, where these are shared out

// Pixels that sums stay in registers for: so many that the vectors of a block of channels at each
// of them hardly leave the nearest cache while all filters meet them.
template <typename T>
std::int64_t strip_pixels(const ConvTiles<T>& tiles) {
  return 7 * std::max<std::int64_t>(32, tiles.vector_bytes());
}

// Every filter's gradient is a sum of outer products over the pixels of grad_output: vectors over
// input channels, times broadcast elements of grad_output. For some rows at a time, a step, both
// are copied to blocks of channels (see ChannelBlocks), and for a strip of these each tap takes its
// sums through all pixels in registers. The padding is never touched: every tap has its own range
// of rows and columns.
//
// A block of input channels meets several steps in turn, a batch, whose grad_output was copied
// before: its sums stay in the L2 cache meanwhile, which those of all blocks may outgrow.
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
    const std::int64_t vectors = channels_ / tiles_.lanes;
    for (std::int64_t first = 0, left = ceil_div(vectors, kBlockVectors); left > 0; --left) {
      blocks_.push_back({first, ceil_div(vectors - first, left)});
      first += blocks_.back().vectors;
    }
    const std::int64_t most = strip_pixels(tiles_);
    columns_ = even_part(s_.OW, most);
    strip_rows_ = even_part(s_.OH, most / columns_);
    const bool whole = s_.OW == columns_ && s_.OH == strip_rows_;
    images_ = whole ? std::clamp<std::int64_t>(most / (columns_ * strip_rows_), 1, s_.N) : 1;
    x_columns_ = std::min(s_.W, (columns_ - 1) * s_.stride_w + (s_.KW - 1) * s_.dilation_w + 1);
    rows_ = rows_of_step();
    x_rows_ = x_rows(rows_);
    pieces_ = plan();
    batch_ = steps_of_batch();
  }

  void run(T* dw, T* db) {
    const std::int64_t size = group_sums() * s_.groups;
    const std::int64_t runs = pieces_.runs, ranges = pieces_.ranges;
    const Scratch<T> sums(runs * size);
    const BiasSums<T> bias(db, runs, s_.K);
    parallel_for(runs * s_.groups * ranges, 1, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t x_elements = most_vectors() * x_block(), dy_elements = batch_ * dy_step();
      const Scratch<T> packed_x(x_elements), packed_dy(dy_elements);
      std::fill_n(packed_x.data(), x_elements, T{0});
      std::fill_n(packed_dy.data(), dy_elements, T{0});
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t range = i % ranges, group = i / ranges % s_.groups;
        const std::int64_t run = i / ranges / s_.groups;
        const std::int64_t first = range * pieces_.range;
        piece(run, group, first, sums.data() + run * size + group * group_sums(),
              bias.of(run, group * s_.group_filters() + first), packed_x.data(), packed_dy.data());
      }
    });
    bias.finish();
    // Runs are added in order, then [tap][channel] becomes [channel][tap].
    const std::int64_t taps = s_.taps(), C = s_.group_channels();
    parallel_for(s_.K, std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(1, taps * C)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t k = begin; k < end; ++k)
                     for (const Block& block : blocks_) {
                       T* const filter = sums.data() + k / s_.group_filters() * group_sums() +
                                         place(block, k % s_.group_filters());
                       const std::int64_t width = this->width(block), c = first_channel(block);
                       for (std::int64_t r = 1; r < runs; ++r)
                         tiles_.add(filter + r * size, taps * width, filter);
                       tiles_.transpose(filter, width, taps, std::min(width, C - c), nullptr,
                                        dw + (k * C + c) * taps, taps);
                     }
                 });
  }

 private:
  // Some vectors of input channels.
  struct Block {
    std::int64_t first, vectors;
  };
  std::int64_t first_channel(const Block& block) const { return block.first * tiles_.lanes; }
  std::int64_t width(const Block& block) const { return block.vectors * tiles_.lanes; }
  std::int64_t most_vectors() const { return std::min(kBlockVectors, channels_ / tiles_.lanes); }

  // A step's part of grad_output, and what its taps read of the input.
  struct Place {
    std::int64_t image, images, row, rows, column, columns;
    Conv2dShape::Range x_rows, x_columns;
  };
  Place place(std::int64_t step) const {
    const std::int64_t row_cuts = ceil_div(s_.OH, rows_), column_cuts = ceil_div(s_.OW, columns_);
    Place p{};
    p.image = step / column_cuts / row_cuts * images_;
    p.images = std::min(images_, s_.N - p.image);
    p.row = step / column_cuts % row_cuts * rows_;
    p.rows = std::min(rows_, s_.OH - p.row);
    p.column = step % column_cuts * columns_;
    p.columns = std::min(columns_, s_.OW - p.column);
    const auto read = [](std::int64_t first, std::int64_t count, std::int64_t stride,
                         std::int64_t reach, std::int64_t pad, std::int64_t size) {
      const std::int64_t begin = first * stride - pad;
      return Conv2dShape::Range{std::max<std::int64_t>(0, begin),
                                std::min(size, begin + (count - 1) * stride + reach + 1)};
    };
    p.x_rows = read(p.row, p.rows, s_.stride_h, (s_.KH - 1) * s_.dilation_h, s_.pad_top, s_.H);
    p.x_columns =
        read(p.column, p.columns, s_.stride_w, (s_.KW - 1) * s_.dilation_w, s_.pad_left, s_.W);
    return p;
  }

  std::int64_t x_rows(std::int64_t rows) const {
    return std::min(s_.H, (rows - 1) * s_.stride_h + (s_.KH - 1) * s_.dilation_h + 1);
  }
  // Several strips, which share the rows of the input that the taps of two of them read: as many as
  // the L2 cache holds beside the sums, and as leave enough steps where sums can be shared out.
  std::int64_t rows_of_step() const {
    const std::int64_t strips =
        ceil_div(s_.N, images_) * ceil_div(s_.OH, strip_rows_) * ceil_div(s_.OW, columns_);
    const std::int64_t wanted = std::clamp<std::int64_t>(
        kPartialBytes / std::max<std::int64_t>(1, s_.groups * group_sums() * element_bytes()), 1,
        kSteps);
    const std::int64_t pixels = tiles_.l2_bytes() / 4 / (most_vectors() * tiles_.vector_bytes());
    std::int64_t rows = strip_rows_;
    for (std::int64_t n = 2; n <= strips / wanted && rows < s_.OH; ++n) {
      const std::int64_t more = std::min(s_.OH, rows + strip_rows_);
      if (x_rows(more) * x_columns_ > pixels) break;
      rows = more;
    }
    return rows;
  }
  std::int64_t steps() const {
    return ceil_div(s_.N, images_) * ceil_div(s_.OH, rows_) * ceil_div(s_.OW, columns_);
  }

  WeightPieces plan() const {
    WeightWork work{};
    work.steps = steps();
    work.groups = s_.groups;
    work.filters = s_.group_filters();
    work.lanes = tiles_.lanes;
    work.products = images_ * rows_ * columns_ * s_.taps() * channels_;
    work.moved = images_ * x_rows_ * x_columns_ * channels_;
    work.sums = s_.taps() * most_vectors() * tiles_.lanes;
    work.kept = s_.taps() * channels_;
    work.element_bytes = element_bytes();
    return WeightPieces(work);
  }
  // As many as have their grad_output in a small part of the cache that cores share.
  std::int64_t steps_of_batch() const {
    const std::int64_t sums = pieces_.range * s_.taps() * channels_ * element_bytes();
    if (sums <= tiles_.l2_bytes() / 2) return 1;
    return std::clamp<std::int64_t>(2 * tiles_.l2_bytes() / (dy_step() * element_bytes()), 1,
                                    pieces_.run);
  }

  static constexpr std::int64_t element_bytes() { return sizeof(T); }
  // Of a vector of channels, and of a step's grad_output.
  std::int64_t x_plane() const { return x_rows_ * x_columns_ * tiles_.lanes; }
  std::int64_t x_block() const { return images_ * x_plane(); }
  std::int64_t dy_plane() const { return rows_ * columns_ * tiles_.lanes; }
  std::int64_t dy_block() const { return images_ * dy_plane(); }
  std::int64_t dy_step() const { return images_ * rows_ * columns_ * pieces_.range; }

  // [block][filter][tap][channel of the block]
  std::int64_t group_sums() const { return filters_ * s_.taps() * channels_; }
  std::int64_t place(const Block& block, std::int64_t filter) const {
    return s_.taps() * (filters_ * first_channel(block) + filter * width(block));
  }

  // The sums of some filters over a run of steps, and those of grad_output itself unless `bias` is
  // null.
  void piece(std::int64_t run, std::int64_t group, std::int64_t first_filter, T* sums, double* bias,
             T* packed_x, T* packed_dy) const {
    const std::int64_t filters = std::min(pieces_.range, s_.group_filters() - first_filter);
    for (const Block& block : blocks_)
      std::fill_n(sums + place(block, first_filter),
                  round_up(filters, tiles_.lanes) * s_.taps() * width(block), T{0});
    const std::int64_t end = std::min(steps(), (run + 1) * pieces_.run);
    for (std::int64_t first = run * pieces_.run; first < end; first += batch_) {
      const std::int64_t last = std::min(end, first + batch_);
      for (std::int64_t i = first; i < last; ++i)
        pack_grads(place(i), group, first_filter, filters, packed_dy + (i - first) * dy_step());
      for (const Block& block : blocks_)
        for (std::int64_t i = first; i < last; ++i) {
          const Place at = place(i);
          pack_input(at, group, block, packed_x);
          for (std::int64_t row = at.row; row < at.row + at.rows; row += strip_rows_)
            strip(at, row, std::min(at.row + at.rows, row + strip_rows_), block, filters, packed_x,
                  packed_dy + (i - first) * dy_step(), sums + place(block, first_filter));
        }
      for (std::int64_t i = first; bias && i < last; ++i)
        add_up_grads(place(i), filters, packed_dy + (i - first) * dy_step(), bias);
    }
  }

  // Of a step whose products are done.
  void add_up_grads(const Place& at, std::int64_t filters, T* packed_dy, double* bias) const {
    // Beyond narrower rows are pixels of other steps.
    const std::int64_t rows = at.columns == columns_ ? at.rows : 1;
    for (std::int64_t i = 0; i < at.images; ++i)
      for (std::int64_t row = 0; row < at.rows; row += rows)
        add_up_filters(tiles_, filters, rows * at.columns, dy_block(),
                       packed_dy + i * dy_plane() + row * columns_ * tiles_.lanes, bias);
  }

  void pack_grads(const Place& at, std::int64_t group, std::int64_t first_filter,
                  std::int64_t filters, T* to) const {
    for (std::int64_t i = 0; i < at.images; ++i) {
      const std::int64_t filter = (at.image + i) * s_.K + group * s_.group_filters() + first_filter;
      ChannelBlocks<T>{dy_ + (filter * s_.OH + at.row) * s_.OW + at.column,
                       s_.OH * s_.OW,
                       s_.OW,
                       filters,
                       at.rows,
                       at.columns,
                       to + i * dy_plane(),
                       dy_block(),
                       columns_ * tiles_.lanes}
          .pack(tiles_);
    }
  }

  void pack_input(const Place& at, std::int64_t group, const Block& block, T* to) const {
    for (std::int64_t i = 0; i < at.images; ++i) {
      const std::int64_t channel =
          ((at.image + i) * s_.groups + group) * s_.group_channels() + first_channel(block);
      ChannelBlocks<T>{x_ + (channel * s_.H + at.x_rows.begin) * s_.W + at.x_columns.begin,
                       s_.H * s_.W,
                       s_.W,
                       std::min(width(block), s_.group_channels() - first_channel(block)),
                       at.x_rows.end - at.x_rows.begin,
                       at.x_columns.end - at.x_columns.begin,
                       to + i * x_plane(),
                       x_block(),
                       x_columns_ * tiles_.lanes}
          .pack(tiles_);
    }
  }

  // The products of some rows of a step.
  void strip(const Place& at, std::int64_t first_row, std::int64_t last_row, const Block& block,
             std::int64_t filters, const T* packed_x, const T* packed_dy, T* sums) const {
    const std::int64_t lanes = tiles_.lanes;
    OuterRun<T> run{};
    run.vector_block_step = x_block();
    run.vector_step = s_.stride_w * lanes;
    run.vector_row_step = s_.stride_h * x_columns_ * lanes;
    run.vector_plane_step = x_plane();
    run.scalar_row_step = columns_ * lanes;
    run.scalar_plane_step = dy_plane();
    run.planes = at.images;
    run.sums_step = s_.taps() * width(block);
    run.add = true;
    for (std::int64_t kh = 0; kh < s_.KH; ++kh) {
      const Conv2dShape::Range in_h = s_.valid_rows(kh);
      const std::int64_t row = std::max(in_h.begin, first_row);
      run.rows = std::min(in_h.end, last_row) - row;
      if (run.rows <= 0) continue;
      for (std::int64_t kw = 0; kw < s_.KW; ++kw) {
        const Conv2dShape::Range in_w = s_.valid_columns(kw);
        const std::int64_t column = std::max(in_w.begin, at.column);
        run.pixels = std::min(in_w.end, at.column + at.columns) - column;
        if (run.pixels <= 0) continue;
        const std::int64_t h = row * s_.stride_h + kh * s_.dilation_h - s_.pad_top;
        const std::int64_t w = column * s_.stride_w + kw * s_.dilation_w - s_.pad_left;
        run.vectors =
            packed_x + ((h - at.x_rows.begin) * x_columns_ + w - at.x_columns.begin) * lanes;
        const T* const grads = packed_dy + ((row - at.row) * columns_ + column - at.column) * lanes;
        for (std::int64_t k = 0; k < filters; k += tiles_.scalars) {
          run.scalars = grads + k / lanes * dy_block() + k % lanes;
          run.sums = sums + k * run.sums_step + (kh * s_.KW + kw) * width(block);
          tiles_.outer_run[block.vectors - 1](run);
        }
      }
    }
  }

  Conv2dShape s_;
  const ConvTiles<T>& tiles_;
  const T *x_, *dy_;
  std::int64_t channels_, filters_;  // of a group, in whole vectors
  std::vector<Block> blocks_;
  std::int64_t images_, rows_, columns_;  // of a step
  std::int64_t strip_rows_;
  std::int64_t x_rows_, x_columns_;  // that a step reads at most
  WeightPieces pieces_;
  std::int64_t batch_;  // steps
};

}  // namespace

template <typename T>
void conv2d_grad_weight_direct(const Conv2dShape& shape, const T* x, const T* dy, T* dw, T* db) {
  if (shape.N > 0 && shape.group_channels() > 0) return DirectWeight<T>(shape, x, dy).run(dw, db);
  std::fill_n(dw, shape.K * shape.group_channels() * shape.taps(), T{0});
  if (db) std::fill_n(db, shape.K, T{0});
}

template void conv2d_grad_weight_direct(const Conv2dShape&, const float*, const float*, float*,
                                        float*);
template void conv2d_grad_weight_direct(const Conv2dShape&, const double*, const double*, double*,
                                        double*);

}  // namespace tapedeck::kernels
