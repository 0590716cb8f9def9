#include <tapedeck/ops/kernels/conv2d_direct_far.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/conv_weights.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kFewestColumns = 4;       // that are worth a register tile of their own
constexpr std::int64_t kFewestBlocks = 3;        // that several threads share
constexpr std::int64_t kManyBlocks = 6;          // enough for these to end together
constexpr std::int64_t kCopiedBytes = 16 << 20;  // of images
constexpr std::int64_t kWeightBytes = 16 << 10;  // that stay in the nearest cache beside the input
constexpr std::int64_t kPieces = 12;

// One column of taps after another, each with the outputs that it reaches from inside the image:
// padding is neither copied nor multiplied.
//
// A chunk of the channels meets many rows of the output, whose sums stay in the L2 cache meanwhile
// with what they read; its weights for a block of output channels stay in the nearest cache. Rows
// of a chunk's channels are copied side by side: taps read few pages then, and lines in the order
// in which they lie.
template <typename T>
class DirectFar {
 public:
  DirectFar(const ConvWindow& window, const T* weight)
      : window_(window), tiles_(conv_tiles<T>()), weights_(window, tiles_, weight, false) {
    const std::int64_t cache = tiles_.l2_bytes() / static_cast<std::int64_t>(sizeof(T));
    const std::int64_t row_sums = std::max<std::int64_t>(1, window.w.outputs * weights_.widest());
    strip_ = std::max<std::int64_t>(1, even_part(window.h.outputs, cache / 4 / row_sums));
    const std::int64_t read =
        std::min(window.h.in_size, window.h.inputs_of(strip_)) * window.w.in_size;
    const std::int64_t near =
        kWeightBytes / static_cast<std::int64_t>(sizeof(T)) / (window.taps() * weights_.widest());
    chunk_ = std::max<std::int64_t>(1, even_part(window.C, std::min(near, cache / 2 / read)));
    chunks_ = ceil_div(window.C, chunk_);
    for (const std::int64_t row : window.h.shifts)
      for (const std::int64_t column : window.w.shifts)
        offsets_.push_back(row * row_step() + column);
  }

  void run(const T* in, const T* bias, T* out) const {
    const std::int64_t image = window_.groups * chunks_ * chunk_elements();
    const std::int64_t bytes = image * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t images = even_part(window_.N, kCopiedBytes / bytes);
    const Scratch<T> copies(images * image);
    for (std::int64_t n = 0; n < window_.N; n += images)
      run(n, std::min(images, window_.N - n), in, copies.data(), bias, out);
  }

 private:
  struct Workspace {
    explicit Workspace(const DirectFar& far)
        : weights(far.weights_.block_elements()),
          sums(far.strip_ * far.window_.w.outputs * far.weights_.widest()) {}
    const Scratch<T> weights, sums;
  };

  void run(std::int64_t first, std::int64_t images, const T* in, T* copies, const T* bias,
           T* out) const {
    const std::int64_t copied = images * window_.groups * chunks_;
    parallel_for(copied, ceil_div(copied, kPieces), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        copy_chunk(in, first * window_.groups + i / chunks_, i % chunks_,
                   copies + i * chunk_elements());
    });
    const std::int64_t blocks = weights_.blocks(),
                       out_plane = window_.h.outputs * window_.w.outputs;
    parallel_for(window_.groups * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      const Workspace work(*this);
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t group = i / blocks, block = i % blocks;
        const std::int64_t channel = group * window_.K + weights_.first_channel(block);
        weights_.pack(group, block, work.weights.data());
        for (std::int64_t n = 0; n < images; ++n)
          sum_block(block, copies + (n * window_.groups + group) * chunks_ * chunk_elements(),
                    bias ? bias + channel : nullptr,
                    out + ((first + n) * window_.groups * window_.K + channel) * out_plane, work);
      }
    });
  }

  // [row][channel of the chunk][column]
  std::int64_t row_step() const { return chunk_ * window_.w.in_size; }
  std::int64_t chunk_elements() const { return window_.h.in_size * row_step(); }
  std::int64_t chunk_channels(std::int64_t chunk) const {
    return std::min(chunk_, window_.C - chunk * chunk_);
  }
  void copy_chunk(const T* in, std::int64_t image_group, std::int64_t chunk, T* to) const {
    const std::int64_t width = window_.w.in_size, plane = window_.h.in_size * width;
    const T* const from = in + (image_group * window_.C + chunk * chunk_) * plane;
    for (std::int64_t row = 0; row < window_.h.in_size; ++row)
      pixel_tiles<T>().gather_rows(from + row * width, plane, 1, chunk_channels(chunk), width,
                                   to + row * row_step(), width);
  }

  // The outputs of an image that belong to a block of channels.
  void sum_block(std::int64_t block, const T* in, const T* addend, T* out,
                 const Workspace& work) const {
    const std::int64_t width = weights_.width(block), columns = window_.w.outputs;
    for (std::int64_t first = 0; first < window_.h.outputs; first += strip_) {
      const std::int64_t last = std::min(window_.h.outputs, first + strip_);
      const std::int64_t pixels = (last - first) * columns;
      std::fill_n(work.sums.data(), pixels * width, T{0});
      for (std::int64_t chunk = 0; chunk < chunks_; ++chunk)
        for (std::int64_t row = first; row < last; ++row)
          sum_row(row, width, chunk_channels(chunk), in + chunk * chunk_elements(),
                  work.weights.data() + chunk * chunk_ * window_.taps() * width,
                  work.sums.data() + (row - first) * columns * width);
      tiles_.transpose(work.sums.data(), width, pixels, weights_.channels(block), addend,
                       out + first * columns, window_.h.outputs * columns);
    }
  }

  // What a chunk of channels adds to the sums of a row, one column of taps after another.
  void sum_row(std::int64_t row, std::int64_t width, std::int64_t channels, const T* in,
               const T* weights, T* sums) const {
    const WindowAxis& w = window_.w;
    const Conv2dShape::Range rows = window_.h.phases[0].inside(row, window_.h.in_size);
    ChannelRun<T> run{};
    run.in_step = w.in_size;
    run.taps = rows.end - rows.begin;
    run.tap_step = w.kernel;
    run.groups = channels;
    run.weight_step = window_.taps() * width;
    run.add = true;
    for (std::int64_t kw = 0; kw < w.kernel; ++kw) {
      const Conv2dShape::Range columns = w.phases[0].reached(kw, 1, w.in_size);
      const std::int64_t tap = rows.begin * w.kernel + kw;
      run.in = in + row * row_step() + columns.begin;
      run.offsets = offsets_.data() + tap;
      run.weights = weights + tap * width;
      run.sums = sums + columns.begin * width;
      run.pixels = columns.end - columns.begin;
      tiles_.channel_run[width / tiles_.lanes - 1](run);
    }
  }

  const ConvWindow& window_;
  const ConvTiles<T>& tiles_;
  const ConvWeights<T> weights_;
  std::vector<std::int64_t> offsets_;  // of the taps, from an output's place on
  std::int64_t strip_;                 // rows of the output
  std::int64_t chunk_, chunks_;        // input channels of a chunk, chunks
};

}  // namespace

template <typename T>
bool direct_far_pays(const ConvWindow& window) {
  const auto dense = [](const WindowAxis& axis) { return axis.step == 1 && axis.out_step == 1; };
  const std::vector<std::int64_t>& shifts = window.w.shifts;
  if (!dense(window.h) || !dense(window.w) || shifts.size() < 2 ||
      shifts[1] - shifts[0] < kFewestColumns)
    return false;
  const ConvTiles<T>& tiles = conv_tiles<T>();
  const std::int64_t blocks = window.groups * ceil_div(window.K, 2 * tiles.lanes);
  if (window.C == 0 || blocks < kFewestBlocks) return false;
  // What a row of the output reads of all channels, with its padding.
  const std::int64_t row = window.C * window.h.inputs_of(1) * (window.w.in_size + window.w.reach);
  if (row * static_cast<std::int64_t>(sizeof(T)) > tiles.l2_bytes() / 4) return true;
  return blocks >= kManyBlocks &&
         window.h.in_size * window.w.in_size <= 2 * window.K * window.taps();
}

template <typename T>
void conv2d_direct_far(const ConvWindow& window, const T* in, const T* weight, const T* bias,
                       T* out) {
  if (window.N > 0) DirectFar<T>(window, weight).run(in, bias, out);
}

template bool direct_far_pays<float>(const ConvWindow&);
template bool direct_far_pays<double>(const ConvWindow&);
template void conv2d_direct_far(const ConvWindow&, const float*, const float*, const float*,
                                float*);
template void conv2d_direct_far(const ConvWindow&, const double*, const double*, const double*,
                                double*);

}  // namespace tapedeck::kernels
