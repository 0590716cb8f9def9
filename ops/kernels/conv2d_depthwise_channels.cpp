#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/channel_taps.h>
#include <tapedeck/ops/kernels/conv2d_depthwise.h>
#include <tapedeck/ops/kernels/conv_blocked.h>
#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 64 << 10;     // of an input: a part of the L2 cache
constexpr std::int64_t kPieceProducts = 1 << 17;  // enough for a thread to be called
constexpr std::int64_t kPieceSums = 1 << 14;      // likewise, of sums that are only added
constexpr std::int64_t kChain = 256;              // products added up before the sum is set aside
constexpr std::int64_t kPieces = 16;              // enough for several threads to end together
constexpr std::int64_t kPartialBytes = 1 << 20;   // for all partial sums

// The groups of a depthwise convolution, `lanes` at a time: a vector holds one pixel of each.
template <typename T>
class GroupBlocks {
 public:
  explicit GroupBlocks(const ConvWindow& window)
      : window_(window),
        tiles_(conv_tiles<T>()),
        taps_(channel_taps<T>()),
        lanes_(taps_.lanes),
        blocks_(ceil_div(window.groups, lanes_)),
        row_width_((std::max<std::int64_t>(1, window.w.outputs) - 1) * window.w.step +
                   window.w.reach + 1) {
    const std::int64_t row = row_width_ * lanes_ * window.C;
    const std::int64_t limit = kSlabBytes / static_cast<std::int64_t>(sizeof(T));
    const std::int64_t outputs = std::max<std::int64_t>(1, window.h.outputs);
    rows_ = std::clamp<std::int64_t>((limit / row - window.h.reach) / window.h.step, 1, outputs);
    row_cuts_ = ceil_div(window.h.outputs, rows_);
    rows_ = ceil_div(outputs, std::max<std::int64_t>(1, row_cuts_));
    slab_rows_ = (rows_ - 1) * window.h.step + window.h.reach + 1;
    for (const AxisPhase& row_phase : window.h.phases) {
      std::vector<Conv2dShape::Range> rows;
      for (std::int64_t o = 0; o < row_phase.outputs; ++o)
        rows.push_back(row_phase.inside(o * window.h.step, window.h.in_size));
      rows_inside_.push_back(std::move(rows));
      for (const AxisPhase& column_phase : window.w.phases) {
        std::vector<std::int64_t> offsets, places;
        for (std::size_t i = 0; i < row_phase.taps.size(); ++i)
          for (std::size_t j = 0; j < column_phase.taps.size(); ++j) {
            offsets.push_back(((row_phase.shifts[i] - window.h.first_shift) * row_width_ +
                               column_phase.shifts[j] - window.w.first_shift) *
                              lanes_);
            places.push_back((row_phase.taps[i] * window.w.kernel + column_phase.taps[j]) * lanes_);
          }
        offsets_.push_back(std::move(offsets));
        places_.push_back(std::move(places));
      }
    }
  }

  std::int64_t lanes() const { return lanes_; }
  std::int64_t blocks() const { return blocks_; }
  std::int64_t rows() const { return rows_; }  // of output positions in a piece
  std::int64_t row_cuts() const { return row_cuts_; }
  std::int64_t channel_step() const { return slab_rows_ * row_width_ * lanes_; }
  std::int64_t row_step() const { return window_.h.step * row_width_ * lanes_; }
  std::int64_t column_step() const { return window_.w.step * lanes_; }
  const ConvTiles<T>& tiles() const { return tiles_; }
  const ChannelTaps<T>& taps() const { return taps_; }
  std::int64_t groups_of(std::int64_t block) const {
    return std::min(lanes_, window_.groups - block * lanes_);
  }
  const std::vector<std::int64_t>& offsets(std::size_t row_phase, std::size_t column_phase) const {
    return offsets_[row_phase * window_.w.phases.size() + column_phase];
  }
  const std::vector<std::int64_t>& places(std::size_t row_phase, std::size_t column_phase) const {
    return places_[row_phase * window_.w.phases.size() + column_phase];
  }

  // The rows of taps that lie inside the image at output position `at`, and how many positions from
  // there on, before `end`, have the same ones.
  struct RowsAlike {
    Conv2dShape::Range taps;
    std::int64_t rows;
  };
  RowsAlike rows_alike(std::size_t row_phase, std::int64_t at, std::int64_t end) const {
    const Conv2dShape::Range* const inside = rows_inside_[row_phase].data();
    std::int64_t last = at + 1;
    while (last < end && inside[last].begin == inside[at].begin &&
           inside[last].end == inside[at].end)
      ++last;
    return {inside[at], last - at};
  }

  // [channel of a group][row][column][lane]. Padding columns are zero, and so are the lanes of
  // groups that do not exist; padding rows are never read.
  Scratch<T> empty_slab() const { return zeros(window_.C * channel_step()); }

  // What the output positions from `row` on read.
  void load(const T* in, std::int64_t image, std::int64_t block, std::int64_t row, T* slab) const {
    const WindowAxis &h = window_.h, &w = window_.w;
    const std::int64_t top = row * h.step + h.first_shift;
    const std::int64_t begin = std::max<std::int64_t>(0, top);
    const std::int64_t end = std::min(h.in_size, top + slab_rows_);
    const std::int64_t left = std::max<std::int64_t>(0, w.first_shift);
    const std::int64_t right = std::min(w.in_size, w.first_shift + row_width_);
    if (begin >= end || left >= right) return;
    const std::int64_t plane = h.in_size * w.in_size, step = window_.C * plane;
    const std::int64_t elements = window_.N * window_.groups * step;
    const T* const rows = in + (image * window_.groups + block * lanes_) * step + begin * w.in_size;
    if (is_beyond_cache<T>(elements))
      request_lines<false>(rows, plane, groups_of(block) * window_.C, (end - begin) * w.in_size);
    for (std::int64_t c = 0; c < window_.C; ++c)
      ChannelBlocks<T>{
          rows + c * plane + left,
          step,
          w.in_size,
          groups_of(block),
          end - begin,
          right - left,
          slab + c * channel_step() + ((begin - top) * row_width_ + left - w.first_shift) * lanes_,
          0,
          row_width_ * lanes_}
          .pack(tiles_);
  }

  static Scratch<T> zeros(std::int64_t elements) {
    Scratch<T> scratch(elements);
    std::fill_n(scratch.data(), elements, T{0});
    return scratch;
  }

 private:
  const ConvWindow& window_;
  const ConvTiles<T>& tiles_;
  const ChannelTaps<T>& taps_;
  const std::int64_t lanes_, blocks_, row_width_;
  std::int64_t rows_, row_cuts_, slab_rows_;
  std::vector<std::vector<std::int64_t>> offsets_, places_;  // of the taps of a pair of phases
  std::vector<std::vector<Conv2dShape::Range>> rows_inside_;
};

// What a block of groups writes at a time: rows of one plane of each.
template <typename T>
struct OutputRows {
  T* first;
  std::int64_t plane_step, planes, elements;
};

// Outputs of a convolution or, with the window of its adjoint, of the input gradient.
template <typename T>
class DepthwiseSums {
 public:
  DepthwiseSums(const ConvWindow& window, const T* in, const T* weight, const T* bias, T* out)
      : window_(window), blocks_(window), in_(in), weight_(weight), bias_(bias), out_(out) {}

  void run() const {
    const std::int64_t cuts = blocks_.row_cuts(), blocks = blocks_.blocks();
    const std::int64_t products = blocks_.rows() * window_.w.outputs * filter_elements();
    const std::int64_t grain =
        std::max<std::int64_t>(1, kPieceProducts / std::max<std::int64_t>(1, products * window_.K));
    const Scratch<T> weights(blocks * block_elements());
    parallel_for(blocks, std::max<std::int64_t>(1, kPieceProducts / block_elements()),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t block = begin; block < end; ++block)
                     pack(block, weights.data() + block * block_elements());
                 });
    const bool far = is_beyond_cache<T>(window_.N * window_.groups * window_.K *
                                        window_.h.out_size * window_.w.out_size);
    // Neighbouring blocks after each other: they lie so in the memory.
    parallel_for(window_.N * blocks * cuts, grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> slab = blocks_.empty_slab();
      const Scratch<T> sums(blocks_.rows() * window_.h.out_step * window_.w.out_size *
                            blocks_.lanes());
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = i / cuts / blocks, block = i / cuts % blocks;
        const std::int64_t row = i % cuts * blocks_.rows();
        blocks_.load(in_, image, block, row, slab.data());
        for (std::int64_t k = 0; k < window_.K; ++k) {
          const OutputRows<T> rows = output_rows(k, image, block, row);
          if (far) request_lines<true>(rows.first, rows.plane_step, rows.planes, rows.elements);
          sum_rows(k, row, weights.data() + block * block_elements(), slab.data(), sums.data());
          blocks_.tiles().transpose(sums.data(), blocks_.lanes(), rows.elements, rows.planes,
                                    nullptr, rows.first, rows.plane_step);
        }
      }
    });
  }

 private:
  std::int64_t filter_elements() const { return window_.C * window_.taps() * blocks_.lanes(); }
  std::int64_t block_elements() const { return window_.K * (filter_elements() + blocks_.lanes()); }

  // [filter of a group][channel][tap][lane], and after all of them the biases [filter][lane].
  void pack(std::int64_t block, T* weights) const {
    const std::int64_t first = block * blocks_.lanes(), groups = blocks_.groups_of(block);
    T* const init = weights + window_.K * filter_elements();
    if (groups < blocks_.lanes()) std::fill_n(weights, window_.K * filter_elements(), T{0});
    std::fill_n(init, window_.K * blocks_.lanes(), T{0});
    for (std::int64_t k = 0; k < window_.K; ++k) {
      for (std::int64_t c = 0; c < window_.C; ++c)
        blocks_.tiles().transpose(
            weight_ + first * window_.weight_group_stride + k * window_.weight_k_stride +
                c * window_.weight_c_stride,
            window_.weight_group_stride, groups, window_.taps(), nullptr,
            weights + k * filter_elements() + c * window_.taps() * blocks_.lanes(),
            blocks_.lanes());
      if (bias_)
        for (std::int64_t g = 0; g < groups; ++g)
          init[k * blocks_.lanes() + g] = bias_[(first + g) * window_.K + k];
    }
  }

  void sum_rows(std::int64_t k, std::int64_t row, const T* weights, const T* slab, T* sums) const {
    const WindowAxis &h = window_.h, &w = window_.w;
    const std::int64_t lanes = blocks_.lanes();
    for (std::size_t ph = 0; ph < h.phases.size(); ++ph)
      for (std::size_t pw = 0; pw < w.phases.size(); ++pw) {
        const AxisPhase &row_phase = h.phases[ph], &column_phase = w.phases[pw];
        const auto row_taps = static_cast<std::int64_t>(column_phase.taps.size());
        ChannelSums<T> run{};
        run.in_step = blocks_.channel_step();
        run.pixel_step = blocks_.column_step();
        run.channels = window_.C;
        run.weights = weights + k * filter_elements();
        run.weight_step = window_.taps() * lanes;
        run.init = weights + window_.K * filter_elements() + k * lanes;
        run.out_step = w.out_step * lanes;
        run.pixels = column_phase.outputs;
        run.in_row_step = blocks_.row_step();
        run.out_row_step = h.out_step * w.out_size * lanes;
        const std::int64_t end = std::min(row + blocks_.rows(), row_phase.outputs);
        for (std::int64_t o = row; o < end; o += run.rows) {
          const auto [taps, rows] = blocks_.rows_alike(ph, o, end);
          run.rows = rows;
          run.taps = (taps.end - taps.begin) * row_taps;
          run.offsets = blocks_.offsets(ph, pw).data() + taps.begin * row_taps;
          run.places = blocks_.places(ph, pw).data() + taps.begin * row_taps;
          run.in = slab + (o - row) * run.in_row_step;
          run.out = sums + (o - row) * run.out_row_step +
                    (row_phase.first * w.out_size + column_phase.first) * lanes;
          blocks_.taps().sums(run);
        }
      }
  }

  OutputRows<T> output_rows(std::int64_t k, std::int64_t image, std::int64_t block,
                            std::int64_t row) const {
    const WindowAxis &h = window_.h, &w = window_.w;
    const std::int64_t first = row * h.out_step, plane = h.out_size * w.out_size;
    const std::int64_t rows = std::min(blocks_.rows() * h.out_step, h.out_size - first);
    const std::int64_t group = image * window_.groups + block * blocks_.lanes();
    return {out_ + (group * window_.K + k) * plane + first * w.out_size, window_.K * plane,
            blocks_.groups_of(block), rows * w.out_size};
  }

  const ConvWindow& window_;
  const GroupBlocks<T> blocks_;
  const T *in_, *weight_, *bias_;
  T* const out_;
};

// A run of images has its own sums; runs are added in order.
template <typename T>
class DepthwiseWeight {
 public:
  DepthwiseWeight(const Conv2dShape& shape, const T* x, const T* dy, bool with_bias)
      : s_(shape),
        window_(ConvWindow::forward(shape)),
        blocks_(window_),
        with_bias_(with_bias),
        filter_sums_(s_.taps() + (with_bias ? 1 : 0)),
        size_(window_.K * filter_sums_ * blocks_.lanes()),
        x_(x),
        dy_(dy) {
    const std::int64_t bytes = blocks_.blocks() * size_ * static_cast<std::int64_t>(sizeof(double));
    runs_ = std::clamp<std::int64_t>(kPartialBytes / bytes, 1, std::min(kPieces, s_.N));
    run_ = ceil_div(s_.N, runs_);
    range_ = ceil_div(blocks_.blocks(), ceil_div(kPieces, runs_));
  }

  void run(T* dw, T* db) const {
    const std::int64_t ranges = ceil_div(blocks_.blocks(), range_);
    const std::int64_t lanes = blocks_.lanes(), all = blocks_.blocks() * size_;
    const Scratch<double> totals(runs_ * all);
    parallel_for(runs_ * ranges, 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> slab = blocks_.empty_slab(), sums(range_ * size_);
      const Scratch<T> grads = blocks_.zeros(blocks_.rows() * s_.OW * lanes);
      for (std::int64_t i = begin; i < end; ++i)
        piece(i / ranges, i % ranges * range_, slab.data(), grads.data(), sums.data(),
              totals.data() + i / ranges * all);
    });
    parallel_for(blocks_.blocks(), std::max<std::int64_t>(1, kPieceSums / (runs_ * size_)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t block = begin; block < end; ++block)
                     add_runs(block, totals.data() + block * size_, all, dw, db);
                 });
  }

 private:
  // Some blocks of a run of images, image by image: its planes lie side by side in the memory.
  void piece(std::int64_t run, std::int64_t first_block, T* slab, T* grads, T* sums,
             double* totals) const {
    const std::int64_t end_block = std::min(first_block + range_, blocks_.blocks());
    const std::int64_t size = (end_block - first_block) * size_;
    totals += first_block * size_;
    std::fill_n(totals, size, 0.0);
    std::fill_n(sums, size, T{0});
    std::int64_t chain = 0;
    const std::int64_t last = std::min(s_.N, (run + 1) * run_);
    for (std::int64_t n = run * run_; n < last; ++n) {
      for (std::int64_t block = first_block; block < end_block; ++block)
        image_dots(n, block, slab, grads, sums + (block - first_block) * size_);
      chain += s_.pixels();
      if (chain < kChain && n < last - 1) continue;
      for (std::int64_t i = 0; i < size; ++i) {
        totals[i] += static_cast<double>(sums[i]);
        sums[i] = T{0};
      }
      chain = 0;
    }
  }

  // The gradients of a block: its sums of all runs, which lie `run_step` apart.
  void add_runs(std::int64_t block, double* totals, std::int64_t run_step, T* dw, T* db) const {
    const std::int64_t lanes = blocks_.lanes();
    for (std::int64_t i = 0; i < window_.K * filter_sums_; ++i) {
      double* const sum = totals + i * lanes;
      for (std::int64_t r = 1; r < runs_; ++r)
        for (std::int64_t lane = 0; lane < lanes; ++lane) sum[lane] += sum[r * run_step + lane];
      const std::int64_t k = i / filter_sums_, tap = i % filter_sums_;
      for (std::int64_t lane = 0; lane < blocks_.groups_of(block); ++lane) {
        const std::int64_t filter = (block * lanes + lane) * window_.K + k;
        (tap < s_.taps() ? dw[filter * s_.taps() + tap] : db[filter]) = static_cast<T>(sum[lane]);
      }
    }
  }

  void image_dots(std::int64_t n, std::int64_t block, T* slab, T* grads, T* sums) const {
    const std::int64_t lanes = blocks_.lanes();
    for (std::int64_t row = 0; row < s_.OH; row += blocks_.rows()) {
      const std::int64_t rows = std::min(blocks_.rows(), s_.OH - row);
      blocks_.load(x_, n, block, row, slab);
      for (std::int64_t k = 0; k < window_.K; ++k) {
        const std::int64_t filter = block * lanes * window_.K + k;
        const std::int64_t elements = s_.N * s_.K * s_.pixels(), step = window_.K * s_.pixels();
        const T* const from = dy_ + (n * s_.K + filter) * s_.pixels() + row * s_.OW;
        if (is_beyond_cache<T>(elements))
          request_lines<false>(from, step, blocks_.groups_of(block), rows * s_.OW);
        ChannelBlocks<T>{from, step, 0, blocks_.groups_of(block), 1, rows * s_.OW, grads, 0, 0}
            .pack(blocks_.tiles());
        T* const filter_sums = sums + k * filter_sums_ * lanes;
        dot_rows(row, rows, slab, grads, filter_sums);
        if (!with_bias_) continue;
        add_up_pixels(blocks_.tiles(), rows * s_.OW, grads);
        blocks_.tiles().add(grads, lanes, filter_sums + s_.taps() * lanes);
      }
    }
  }

  // Rows that the same taps reach at once: those that lie in the padding take no part.
  void dot_rows(std::int64_t row, std::int64_t rows, const T* slab, const T* grads, T* sums) const {
    ChannelDots<T> run{};
    run.in_row_step = blocks_.row_step();
    run.pixel_step = blocks_.column_step();
    run.grad_row_step = s_.OW * blocks_.lanes();
    run.pixels = s_.OW;
    for (std::int64_t first = 0; first < rows; first += run.rows) {
      const auto [taps, alike] = blocks_.rows_alike(0, row + first, row + rows);
      run.rows = alike;
      run.offsets = blocks_.offsets(0, 0).data() + taps.begin * s_.KW;
      run.taps = (taps.end - taps.begin) * s_.KW;
      run.in = slab + first * run.in_row_step;
      run.grad = grads + first * run.grad_row_step;
      run.sums = sums + taps.begin * s_.KW * blocks_.lanes();
      blocks_.taps().dots(run);
    }
  }

  const Conv2dShape s_;
  const ConvWindow window_;
  const GroupBlocks<T> blocks_;
  const bool with_bias_;
  const std::int64_t filter_sums_;  // of the taps, and one of grad_output
  const std::int64_t size_;         // sums of a block: [filter of a group][tap][lane]
  const T *x_, *dy_;
  std::int64_t runs_, run_;  // runs, and images in one
  std::int64_t range_;       // blocks in a piece
};

}  // namespace

template <typename T>
void conv2d_depthwise_channels(const ConvWindow& window, const T* in, const T* weight,
                               const T* bias, T* out) {
  DepthwiseSums<T>(window, in, weight, bias, out).run();
}

template <typename T>
void conv2d_grad_weight_depthwise_channels(const Conv2dShape& s, const T* x, const T* dy, T* dw,
                                           T* db) {
  if (s.N > 0) return DepthwiseWeight<T>(s, x, dy, db != nullptr).run(dw, db);
  std::fill_n(dw, s.K * s.taps(), T{0});
  if (db) std::fill_n(db, s.K, T{0});
}

#define TAPEDECK_INSTANTIATE(T)                                                                   \
  template void conv2d_depthwise_channels(const ConvWindow&, const T*, const T*, const T*, T*);   \
  template void conv2d_grad_weight_depthwise_channels(const Conv2dShape&, const T*, const T*, T*, \
                                                      T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
