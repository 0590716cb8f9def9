#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_pixels.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/weight_pieces.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 128 << 10;  // stays in the L2 cache
constexpr std::int64_t kMostChunks = 64;        // of pieces, where there are many groups
constexpr std::int64_t kAddedSums = 1 << 14;    // of a piece of the last phase
constexpr std::int64_t kRange = 8;              // filters that a part of the input is loaded for

// Dot products over pixels, lane by lane: every filter's gradient is a vector of partial sums until
// the end.
template <typename T>
class PixelsWeight {
 public:
  PixelsWeight(const Conv2dShape& shape, const T* x, const T* dy)
      : s_(shape),
        window_(ConvWindow::forward(shape)),
        tiles_(pixel_tiles<T>()),
        x_(x),
        dy_(dy),
        columns_(std::min<std::int64_t>(s_.OW, 1024)),
        rows_(rows_of_slab()),
        slab_(window_, 1, rows_, columns_) {
    WeightWork work{};
    work.steps = steps();
    work.groups = s_.groups;
    work.filters = s_.group_filters();
    work.lanes = kRange;
    work.products = rows_ * columns_ * filter_sums();
    work.moved = slab_.elements();
    work.sums = work.kept = filter_sums() * tiles_.lanes;
    work.element_bytes = sizeof(T);
    pieces_ = WeightPieces(work);
  }

  void run(T* dw) const {
    const std::int64_t size = s_.K * filter_sums() * tiles_.lanes;
    const std::int64_t runs = pieces_.runs, ranges = pieces_.ranges;
    const Scratch<T> sums(runs * size);
    const std::int64_t pieces = runs * s_.groups * ranges;
    parallel_for(pieces, std::max<std::int64_t>(1, pieces / kMostChunks),
                 [&](std::int64_t begin, std::int64_t end) {
                   const Scratch<T> slab(slab_.elements());
                   for (std::int64_t i = begin; i < end; ++i)
                     piece(i, sums.data() + i / ranges / s_.groups * size, slab.data());
                 });
    parallel_for(
        s_.K, std::max<std::int64_t>(1, kAddedSums / (runs * filter_sums() * tiles_.lanes)),
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin * filter_sums(); i < end * filter_sums(); ++i) {
            double sum = 0;
            for (std::int64_t r = 0; r < runs; ++r)
              for (int lane = 0; lane < tiles_.lanes; ++lane)
                sum += static_cast<double>(sums.data()[r * size + i * tiles_.lanes + lane]);
            dw[i] = static_cast<T>(sum);
          }
        });
  }

 private:
  std::int64_t filter_sums() const { return s_.group_channels() * s_.taps(); }

  std::int64_t rows_of_slab() const {
    const std::int64_t row = columns_ * s_.stride_w + window_.w.reach;
    const std::int64_t limit =
        kSlabBytes / static_cast<std::int64_t>(sizeof(T)) / s_.group_channels();
    return std::clamp<std::int64_t>(window_.h.outputs_within(limit / row), 1, s_.OH);
  }

  // Parts of grad_output, image by image: the padding of a part is the same in all images.
  std::int64_t steps() const { return ceil_div(s_.OH, rows_) * ceil_div(s_.OW, columns_) * s_.N; }

  void piece(std::int64_t index, T* sums, T* slab) const {
    const std::int64_t range = index % pieces_.ranges, group = index / pieces_.ranges % s_.groups;
    const std::int64_t run = index / pieces_.ranges / s_.groups;
    const std::int64_t first = group * s_.group_filters() + range * pieces_.range;
    const std::int64_t filters =
        std::min(pieces_.range, s_.group_filters() - range * pieces_.range);
    T* const target = sums + first * filter_sums() * tiles_.lanes;
    std::fill_n(target, filters * filter_sums() * tiles_.lanes, T{0});

    const std::int64_t column_cuts = ceil_div(s_.OW, columns_);
    const std::int64_t last = std::min(steps(), (run + 1) * pieces_.run);
    for (std::int64_t i = run * pieces_.run; i < last; ++i) {
      const std::int64_t n = i % s_.N, part = i / s_.N;
      const std::int64_t row = part / column_cuts * rows_, column = part % column_cuts * columns_;
      if (n == 0 || i == run * pieces_.run) slab_.clear_padding(row, column, slab);
      slab_.load(x_ + (n * s_.groups + group) * s_.group_channels() * s_.H * s_.W, 0, 1, row,
                 column, slab);
      DotRun<T> dots{};
      dots.in_row_step = slab_.row_step();
      dots.offsets = slab_.offsets(0, 0);
      dots.taps = s_.taps();
      dots.grad = dy_ + ((n * s_.K + first) * s_.OH + row) * s_.OW + column;
      dots.grad_step = s_.OH * s_.OW;
      dots.grad_row_step = s_.OW;
      dots.filters = filters;
      dots.columns = std::min(columns_, s_.OW - column);
      dots.rows = std::min(rows_, s_.OH - row);
      dots.planes = 1;
      dots.sums_step = filter_sums() * tiles_.lanes;
      for (std::int64_t c = 0; c < s_.group_channels(); ++c) {
        dots.in = slab + c * slab_.channel_step();
        dots.sums = target + c * s_.taps() * tiles_.lanes;
        tiles_.dot_run(dots);
      }
    }
  }

  const Conv2dShape s_;
  const ConvWindow window_;
  const PixelTiles<T>& tiles_;
  const T *x_, *dy_;
  const std::int64_t columns_, rows_;  // of grad_output in a slab
  const ConvSlab<T> slab_;
  WeightPieces pieces_;
};

}  // namespace

template <typename T>
void conv2d_grad_weight_pixels(const Conv2dShape& shape, const T* x, const T* dy, T* dw) {
  if (shape.N == 0 || shape.group_channels() == 0)
    std::fill_n(dw, shape.K * shape.group_channels() * shape.taps(), T{0});
  else
    PixelsWeight<T>(shape, x, dy).run(dw);
}

template void conv2d_grad_weight_pixels(const Conv2dShape&, const float*, const float*, float*);
template void conv2d_grad_weight_pixels(const Conv2dShape&, const double*, const double*, double*);

}  // namespace tapedeck::kernels
