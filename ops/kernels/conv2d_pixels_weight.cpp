#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_pixels.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/plane_taps.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/weight_pieces.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 128 << 10;    // stays in the L2 cache
constexpr std::int64_t kMostChunks = 64;          // of pieces, where there are many groups
constexpr std::int64_t kAddedSums = 1 << 14;      // of a piece of the last phase
constexpr std::int64_t kRange = 8;                // filters that a part of the input is loaded for
constexpr std::int64_t kPlanesBytes = 128 << 10;  // of input planes that meet every filter in turn
constexpr std::int64_t kImagesBytes = 256 << 10;  // of a group's planes, likewise
constexpr std::int64_t kPieces = 16;              // enough for several threads to end together
constexpr std::int64_t kChain = 256;              // products in a lane before the sum is set aside

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

// The same of planes where they lie, without a slab. A piece is a run of images of a group, whose
// sums are added in order, and some of its filters.
template <typename T>
class PlanesWeight {
 public:
  PlanesWeight(const Conv2dShape& shape, const PlaneDots<T>& dots, const T* x, const T* dy)
      : s_(shape), planes_(dots), x_(x), dy_(dy) {
    const std::int64_t filters = s_.group_filters();
    const std::int64_t cuts =
        std::clamp<std::int64_t>(ceil_div(kPieces, s_.groups), 1, ceil_div(filters, kRange));
    range_ = ceil_div(filters, cuts);
    ranges_ = ceil_div(filters, range_);
    run_ = ceil_div(s_.N, std::clamp<std::int64_t>(kPieces / (s_.groups * ranges_), 1, s_.N));
    const std::int64_t bytes = (s_.group_channels() * s_.H * s_.W + range_ * s_.pixels()) *
                               static_cast<std::int64_t>(sizeof(T));
    const std::int64_t rows = s_.OH * ceil_div(s_.OW, pixel_tiles<T>().lanes);
    images_ = std::clamp<std::int64_t>(std::min(kImagesBytes / bytes, kChain / rows), 1, run_);
  }

  void run(T* dw) const {
    const std::int64_t runs = ceil_div(s_.N, run_), size = s_.K * filter_sums();
    const Scratch<double> sums(runs * size);
    parallel_for(runs * s_.groups * ranges_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        piece(i / ranges_ / s_.groups, i / ranges_ % s_.groups, i % ranges_ * range_, sums.data());
    });
    for (std::int64_t r = 1; r < runs; ++r)
      for (std::int64_t i = 0; i < size; ++i) sums.data()[i] += sums.data()[r * size + i];
    std::copy_n(sums.data(), size, dw);
  }

 private:
  std::int64_t filter_sums() const { return s_.group_channels() * s_.taps(); }

  void piece(std::int64_t run, std::int64_t group, std::int64_t first, double* sums) const {
    const std::int64_t channels = s_.group_channels(), plane = s_.H * s_.W, pixels = s_.pixels();
    const std::int64_t filters = std::min(range_, s_.group_filters() - first);
    const std::int64_t filter = group * s_.group_filters() + first;
    double* const to = sums + (run * s_.K + filter) * filter_sums();
    std::fill_n(to, filters * filter_sums(), 0.0);
    const T* const x = x_ + group * channels * plane;
    const T* const dy = dy_ + filter * pixels;
    const bool far = is_beyond_cache<T>(s_.N * (s_.C * plane + s_.K * pixels));
    const PlaneWindow window{s_.H, s_.W, s_.OH, s_.OW, s_.pad_top, far};
    GroupDots<T> dots{};
    dots.channels = channels;
    dots.filters = filters;
    dots.in_image_step = s_.C * plane;
    dots.grad_image_step = s_.K * pixels;
    dots.sums = to;
    const std::int64_t begin = run * run_, last = std::min(s_.N, begin + run_);
    for (std::int64_t n = begin; n < last; n += images_) {
      dots.images = std::min(images_, last - n);
      dots.in = x + n * s_.C * plane;
      dots.grad = dy + n * s_.K * pixels;
      // The next images or, after the last ones, the first ones of the next filters.
      const bool ends = n + images_ >= last;
      dots.next_in =
          ends ? x + begin * s_.C * plane + channels * plane : dots.in + images_ * s_.C * plane;
      dots.next_grad = ends ? dy + begin * s_.K * pixels + filters * pixels
                            : dots.grad + images_ * s_.K * pixels;
      planes_.group(window, dots);
    }
  }

  const Conv2dShape s_;
  const PlaneDots<T>& planes_;
  const T *x_, *dy_;
  std::int64_t range_, ranges_;  // filters of a piece, pieces of a group
  std::int64_t run_, images_;    // images of a piece, and of those that are in the cache at once
};

}  // namespace

template <typename T>
bool pixels_weight_reads_in_place(const Conv2dShape& s) {
  const std::int64_t bytes = s.group_channels() * s.H * s.W * static_cast<std::int64_t>(sizeof(T));
  if (2 * s.OW <= pixel_tiles<T>().lanes || s.taps() > 25 || bytes > kPlanesBytes ||
      !is_plane_window(s))
    return false;
  const PlaneDots<T>* const dots = plane_dots<T>(s.KH, s.stride_h);
  return dots != nullptr && dots->group != nullptr;
}

template <typename T>
void conv2d_grad_weight_pixels(const Conv2dShape& shape, const T* x, const T* dy, T* dw) {
  if (shape.N == 0 || shape.group_channels() == 0)
    std::fill_n(dw, shape.K * shape.group_channels() * shape.taps(), T{0});
  else if (pixels_weight_reads_in_place<T>(shape))
    PlanesWeight<T>(shape, *plane_dots<T>(shape.KH, shape.stride_h), x, dy).run(dw);
  else
    PixelsWeight<T>(shape, x, dy).run(dw);
}

template bool pixels_weight_reads_in_place<float>(const Conv2dShape&);
template bool pixels_weight_reads_in_place<double>(const Conv2dShape&);
template void conv2d_grad_weight_pixels(const Conv2dShape&, const float*, const float*, float*);
template void conv2d_grad_weight_pixels(const Conv2dShape&, const double*, const double*, double*);

}  // namespace tapedeck::kernels
