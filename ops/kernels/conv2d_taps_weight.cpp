#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/bias_sums.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_pixels.h>
#include <tapedeck/ops/kernels/conv_blocked.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/weight_pieces.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 128 << 10;  // of the input, and of grad_output: in the L2 cache
constexpr std::int64_t kAddedSums = 4096;       // of a piece of the last phase

// Outer products of the filters' gradients at a pixel with all that the taps read there: vectors
// over filters, the elements of channels and taps broadcast.
template <typename T>
class TapsWeight {
 public:
  TapsWeight(const Conv2dShape& shape, const T* x, const T* dy)
      : s_(shape),
        window_(ConvWindow::forward(shape)),
        tiles_(conv_tiles<T>()),
        x_(x),
        dy_(dy),
        rows_(rows_of_visit()),
        slab_(window_, 1, rows_, s_.OW),
        filters_(round_up(s_.group_filters(), tiles_.lanes)) {
    for (std::int64_t c = 0; c < s_.group_channels(); ++c)
      for (std::int64_t t = 0; t < s_.taps(); ++t)
        offsets_.push_back(c * slab_.channel_step() + slab_.offsets(0, 0)[t]);
    WeightWork work{};
    work.steps = steps();
    work.groups = s_.groups;
    work.filters = s_.group_filters();
    work.lanes = tiles_.lanes;
    work.products = rows_ * s_.OW * static_cast<std::int64_t>(offsets_.size());
    work.moved = slab_.elements();
    work.sums = work.kept = static_cast<std::int64_t>(offsets_.size());
    work.element_bytes = sizeof(T);
    pieces_ = WeightPieces(work);
  }

  void run(T* dw, T* db) const {
    const std::int64_t size = s_.groups * group_sums();
    const std::int64_t runs = pieces_.runs, ranges = pieces_.ranges;
    const Scratch<T> sums(runs * size);
    const BiasSums<T> bias(db, runs, s_.K);
    parallel_for(runs * s_.groups * ranges, 1, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t grad_elements = rows_ * s_.OW * std::min(pieces_.range, filters_);
      const Scratch<T> slab(slab_.elements()), grads(grad_elements);
      std::fill_n(grads.data(), grad_elements, T{0});
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t group = i / ranges % s_.groups, run = i / ranges / s_.groups;
        const std::int64_t first = i % ranges * pieces_.range;
        piece(run, group, first, sums.data() + run * size + group * group_sums(),
              bias.of(run, group * s_.group_filters() + first), slab.data(), grads.data());
      }
    });
    bias.finish();
    const std::int64_t elements = static_cast<std::int64_t>(offsets_.size());
    // Runs are added in order, then [channel][tap][filter] becomes [filter][channel][tap].
    const std::int64_t block = ceil_div(kAddedSums, filters_), blocks = ceil_div(elements, block);
    parallel_for(s_.groups * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t group = i / blocks, first = i % blocks * block;
        const std::int64_t count = std::min(block, elements - first);
        T* const sum = sums.data() + group * group_sums() + first * filters_;
        for (std::int64_t r = 1; r < runs; ++r) tiles_.add(sum + r * size, count * filters_, sum);
        tiles_.transpose(sum, filters_, count, s_.group_filters(), nullptr,
                         dw + group * s_.group_filters() * elements + first, elements);
      }
    });
  }

 private:
  // [channel][tap][filter]
  std::int64_t group_sums() const { return s_.group_channels() * s_.taps() * filters_; }

  std::int64_t rows_of_visit() const {
    const std::int64_t limit = kSlabBytes / static_cast<std::int64_t>(sizeof(T));
    const std::int64_t row = (s_.OW * s_.stride_w + window_.w.reach) * s_.group_channels();
    const std::int64_t fitting = window_.h.outputs_within(limit / row);
    const std::int64_t grads = limit / (s_.OW * std::max<std::int64_t>(1, s_.group_filters()));
    return std::clamp<std::int64_t>(std::min(fitting, grads), 1, s_.OH);
  }

  // Rows of grad_output, image by image: the padding of rows is the same in all images.
  std::int64_t steps() const { return ceil_div(s_.OH, rows_) * s_.N; }

  // The sums of some filters over a run of steps, and those of grad_output itself unless `bias` is
  // null.
  void piece(std::int64_t run, std::int64_t group, std::int64_t first_filter, T* sums, double* bias,
             T* slab, T* grads) const {
    const std::int64_t lanes = tiles_.lanes;
    const std::int64_t filters = std::min(pieces_.range, s_.group_filters() - first_filter);
    const std::int64_t blocks = ceil_div(filters, lanes);
    TapRun<T> tap{};
    tap.vector_block_step = rows_ * s_.OW * lanes;
    tap.vector_row_step = s_.OW * lanes;
    tap.scalar_row_step = slab_.row_step();
    tap.offsets = offsets_.data();
    tap.taps = static_cast<std::int64_t>(offsets_.size());
    tap.scalars = slab;
    tap.pixels = s_.OW;
    tap.sums_step = filters_;
    for (std::int64_t e = 0; e < tap.taps; ++e)
      std::fill_n(sums + e * filters_ + first_filter, blocks * lanes, T{0});
    const std::int64_t end = std::min(steps(), (run + 1) * pieces_.run);
    for (std::int64_t i = run * pieces_.run; i < end; ++i) {
      const std::int64_t row = i / s_.N * rows_, image = i % s_.N * s_.groups + group;
      if (i == run * pieces_.run || i % s_.N == 0) slab_.clear_padding(row, 0, slab);
      tap.rows = std::min(rows_, s_.OH - row);
      slab_.load(x_ + image * s_.group_channels() * s_.H * s_.W, 0, 1, row, 0, slab);
      const std::int64_t filter = image * s_.group_filters() + first_filter;
      ChannelBlocks<T>{dy_ + (filter * s_.OH + row) * s_.OW,
                       s_.pixels(),
                       s_.OW,
                       filters,
                       tap.rows,
                       s_.OW,
                       grads,
                       tap.vector_block_step,
                       tap.vector_row_step}
          .pack(tiles_);
      for (std::int64_t block = 0, left = ceil_div(blocks, 3); block < blocks; --left) {
        const std::int64_t vectors = ceil_div(blocks - block, left);
        tap.vectors = grads + block * tap.vector_block_step;
        tap.sums = sums + first_filter + block * lanes;
        tiles_.tap_run[vectors - 1](tap);
        block += vectors;
      }
      if (bias)
        add_up_filters(tiles_, filters, tap.rows * s_.OW, tap.vector_block_step, grads, bias);
    }
  }

  const Conv2dShape s_;
  const ConvWindow window_;
  const ConvTiles<T>& tiles_;
  const T *x_, *dy_;
  const std::int64_t rows_;  // of grad_output at a time
  const ConvSlab<T> slab_;
  const std::int64_t filters_;         // of a group, in whole vectors
  std::vector<std::int64_t> offsets_;  // [channel][tap], in the slab
  WeightPieces pieces_;
};

}  // namespace

template <typename T>
void conv2d_grad_weight_taps(const Conv2dShape& shape, const T* x, const T* dy, T* dw, T* db) {
  if (shape.N > 0 && shape.group_channels() > 0) return TapsWeight<T>(shape, x, dy).run(dw, db);
  std::fill_n(dw, shape.K * shape.group_channels() * shape.taps(), T{0});
  if (db) std::fill_n(db, shape.K, T{0});
}

template void conv2d_grad_weight_taps(const Conv2dShape&, const float*, const float*, float*,
                                      float*);
template void conv2d_grad_weight_taps(const Conv2dShape&, const double*, const double*, double*,
                                      double*);

}  // namespace tapedeck::kernels
