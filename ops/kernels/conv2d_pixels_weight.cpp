#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/conv2d_pixels.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 128 << 10;   // stays in the L2 cache
constexpr std::int64_t kPieces = 16;             // enough for several threads to end together
constexpr std::int64_t kPartialBytes = 4 << 20;  // for all partial sums

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Dot products over pixels, lane by lane: every filter's gradient is a vector of partial sums until
// the end. A run of images has its own; runs are added in order.
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
    const std::int64_t bytes =
        s_.K * filter_sums() * tiles_.lanes * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t runs =
        std::clamp<std::int64_t>(kPartialBytes / std::max<std::int64_t>(1, bytes), 1,
                                 std::max<std::int64_t>(1, ceil_div(kPieces, s_.groups)));
    run_ = ceil_div(s_.N, std::min(runs, s_.N));
    runs_ = ceil_div(s_.N, run_);
    // Few groups and one run: some filters each.
    const std::int64_t splits = std::clamp<std::int64_t>(
        ceil_div(kPieces, runs_ * s_.groups), 1, std::max<std::int64_t>(1, s_.group_filters() / 8));
    range_ = ceil_div(s_.group_filters(), splits);
    ranges_ = ceil_div(s_.group_filters(), range_);
  }

  void run(T* dw) const {
    const std::int64_t size = s_.K * filter_sums() * tiles_.lanes;
    const Scratch<T> sums(runs_ * size);
    const std::int64_t pieces = runs_ * s_.groups * ranges_;
    parallel_for(pieces, std::max<std::int64_t>(1, pieces / (4 * kPieces)),
                 [&](std::int64_t begin, std::int64_t end) {
                   const Scratch<T> slab(slab_.elements());
                   for (std::int64_t i = begin; i < end; ++i)
                     piece(i, sums.data() + i / ranges_ / s_.groups * size, slab.data());
                 });
    parallel_for(s_.K, std::max<std::int64_t>(1, 4096 / filter_sums()),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin * filter_sums(); i < end * filter_sums(); ++i) {
                     double sum = 0;
                     for (std::int64_t r = 0; r < runs_; ++r)
                       for (int lane = 0; lane < tiles_.lanes; ++lane)
                         sum +=
                             static_cast<double>(sums.data()[r * size + i * tiles_.lanes + lane]);
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

  void piece(std::int64_t index, T* sums, T* slab) const {
    const std::int64_t range = index % ranges_, group = index / ranges_ % s_.groups;
    const std::int64_t run = index / ranges_ / s_.groups;
    const std::int64_t first = group * s_.group_filters() + range * range_;
    const std::int64_t filters = std::min(range_, s_.group_filters() - range * range_);
    T* const target = sums + first * filter_sums() * tiles_.lanes;
    std::fill_n(target, filters * filter_sums() * tiles_.lanes, T{0});

    const std::int64_t last = std::min(s_.N, (run + 1) * run_);
    for (std::int64_t row = 0; row < s_.OH; row += rows_)
      for (std::int64_t column = 0; column < s_.OW; column += columns_) {
        slab_.clear_padding(row, column, slab);
        for (std::int64_t n = run * run_; n < last; ++n) {
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
  }

  const Conv2dShape s_;
  const ConvWindow window_;
  const PixelTiles<T>& tiles_;
  const T *x_, *dy_;
  const std::int64_t columns_, rows_;  // of grad_output in a slab
  const ConvSlab<T> slab_;
  std::int64_t run_, runs_;      // images in a run, and runs
  std::int64_t range_, ranges_;  // filters in a range, and ranges of a group
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
