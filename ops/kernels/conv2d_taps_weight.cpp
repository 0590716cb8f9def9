#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/conv2d_pixels.h>
#include <tapedeck/ops/kernels/conv_blocked.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 128 << 10;  // of the input, and of grad_output: in the L2 cache
constexpr std::int64_t kPieces = 16;            // enough for several threads to end together
constexpr std::int64_t kPartialBytes = 4 << 20;  // for all partial sums

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Outer products of the filters' gradients at a pixel with all that the taps read there: vectors
// over filters, the elements of channels and taps broadcast. A run of images has its own sums; runs
// are added in order.
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
        filters_(ceil_div(s_.group_filters(), tiles_.lanes) * tiles_.lanes) {
    for (std::int64_t c = 0; c < s_.group_channels(); ++c)
      for (std::int64_t t = 0; t < s_.taps(); ++t)
        offsets_.push_back(c * slab_.channel_step() + slab_.offsets(0, 0)[t]);
    const std::int64_t bytes = s_.groups * group_sums() * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t runs =
        std::clamp<std::int64_t>(kPartialBytes / std::max<std::int64_t>(1, bytes), 1,
                                 std::max<std::int64_t>(1, ceil_div(kPieces, s_.groups)));
    run_ = ceil_div(s_.N, std::min(runs, s_.N));
    runs_ = ceil_div(s_.N, run_);
  }

  void run(T* dw) const {
    const std::int64_t size = s_.groups * group_sums();
    const Scratch<T> sums(runs_ * size);
    parallel_for(runs_ * s_.groups, 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> slab(slab_.elements()), grads(rows_ * s_.OW * filters_);
      std::fill_n(grads.data(), rows_ * s_.OW * filters_, T{0});
      for (std::int64_t i = begin; i < end; ++i)
        piece(i / s_.groups, i % s_.groups,
              sums.data() + i / s_.groups * size + i % s_.groups * group_sums(), slab.data(),
              grads.data());
    });
    const std::int64_t elements = static_cast<std::int64_t>(offsets_.size());
    parallel_for(s_.groups, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t g = begin; g < end; ++g) {
        T* const sum = sums.data() + g * group_sums();
        for (std::int64_t r = 1; r < runs_; ++r) tiles_.add(sum + r * size, group_sums(), sum);
        tiles_.transpose(sum, filters_, elements, s_.group_filters(), nullptr,
                         dw + g * s_.group_filters() * elements, elements);
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

  void piece(std::int64_t run, std::int64_t group, T* sums, T* slab, T* grads) const {
    std::fill_n(sums, group_sums(), T{0});
    const std::int64_t lanes = tiles_.lanes, blocks = filters_ / lanes;
    TapRun<T> tap{};
    tap.vector_block_step = rows_ * s_.OW * lanes;
    tap.vector_row_step = s_.OW * lanes;
    tap.scalar_row_step = slab_.row_step();
    tap.offsets = offsets_.data();
    tap.taps = static_cast<std::int64_t>(offsets_.size());
    tap.scalars = slab;
    tap.pixels = s_.OW;
    tap.sums_step = filters_;
    for (std::int64_t row = 0; row < s_.OH; row += rows_) {
      slab_.clear_padding(row, 0, slab);
      tap.rows = std::min(rows_, s_.OH - row);
      for (std::int64_t n = run * run_; n < std::min(s_.N, (run + 1) * run_); ++n) {
        const std::int64_t image = n * s_.groups + group;
        slab_.load(x_ + image * s_.group_channels() * s_.H * s_.W, 0, 1, row, 0, slab);
        ChannelBlocks<T>{dy_ + (image * s_.group_filters() * s_.OH + row) * s_.OW,
                         s_.pixels(),
                         s_.OW,
                         s_.group_filters(),
                         tap.rows,
                         s_.OW,
                         grads,
                         tap.vector_block_step,
                         tap.vector_row_step}
            .pack(tiles_);
        for (std::int64_t block = 0, left = ceil_div(blocks, 3); block < blocks; --left) {
          const std::int64_t vectors = ceil_div(blocks - block, left);
          tap.vectors = grads + block * tap.vector_block_step;
          tap.sums = sums + block * lanes;
          tiles_.tap_run[vectors - 1](tap);
          block += vectors;
        }
      }
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
  std::int64_t run_, runs_;            // images in a run, and runs
};

}  // namespace

template <typename T>
void conv2d_grad_weight_taps(const Conv2dShape& shape, const T* x, const T* dy, T* dw) {
  if (shape.N == 0 || shape.group_channels() == 0)
    std::fill_n(dw, shape.K * shape.group_channels() * shape.taps(), T{0});
  else
    TapsWeight<T>(shape, x, dy).run(dw);
}

template void conv2d_grad_weight_taps(const Conv2dShape&, const float*, const float*, float*);
template void conv2d_grad_weight_taps(const Conv2dShape&, const double*, const double*, double*);

}  // namespace tapedeck::kernels
