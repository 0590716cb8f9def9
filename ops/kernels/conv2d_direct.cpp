#include <tapedeck/ops/kernels/conv2d_direct.h>

#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/conv_phases.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/conv_weights.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 384 << 10;  // leaves room in the L2 cache for the weights
constexpr std::int64_t kPieces = 24;            // enough for several threads to end together
constexpr std::int64_t kChain = 256;  // products that are added up before the sum is set aside

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Images side by side in a row, where single rows would leave most of a register tile unused.
std::int64_t images_per_row(const ConvWindow& window, std::int64_t tile) {
  for (std::int64_t images = 1; images <= std::min<std::int64_t>(window.N, 16); ++images) {
    const std::int64_t pixels = images * window.w.outputs;
    if (pixels * 10 >= ceil_div(pixels, tile) * tile * 6) return images;
  }
  return 1;
}

// How the work is cut: a piece is some images, rows, columns and blocks of output channels of a
// group. Depends on sizes alone.
struct Pieces {
  std::int64_t images, rows, columns, blocks;                  // of a piece
  std::int64_t image_cuts, row_cuts, column_cuts, block_cuts;  // numbers of pieces

  template <typename T>
  static Pieces plan(const ConvWindow& window, const ConvTiles<T>& tiles,
                     std::int64_t channel_blocks) {
    Pieces p{};
    p.images = images_per_row(window, tiles.pixels);
    const std::int64_t limit =
        kSlabBytes / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(1, window.C);
    // Columns: as many as leave room for one row of output.
    const std::int64_t halo_rows = window.h.reach + 1;
    const std::int64_t widest = limit / halo_rows / p.images - window.w.reach;
    p.columns = std::clamp(widest / window.w.step, std::min<std::int64_t>(56, window.w.outputs),
                           window.w.outputs);
    p.column_cuts = ceil_div(window.w.outputs, p.columns);
    p.columns = ceil_div(window.w.outputs, p.column_cuts);
    const std::int64_t row = (p.columns * window.w.step + window.w.reach) * p.images;
    const std::int64_t fitting = (limit / row - window.h.reach) / window.h.step;
    p.rows = std::clamp<std::int64_t>(fitting, 1, std::max<std::int64_t>(1, window.h.outputs));
    p.row_cuts = ceil_div(window.h.outputs, p.rows);
    p.image_cuts = ceil_div(window.N, p.images);

    // Too few pieces: cut the output channels, which costs another copy of the rows, or the rows,
    // whose margins are copied twice.
    const std::int64_t pieces = window.groups * p.image_cuts * p.row_cuts * p.column_cuts;
    const std::int64_t more = ceil_div(kPieces, std::max<std::int64_t>(1, pieces));
    p.block_cuts = std::min(more, std::max<std::int64_t>(1, channel_blocks / 2));
    p.blocks = ceil_div(channel_blocks, p.block_cuts);
    p.block_cuts = ceil_div(channel_blocks, p.blocks);
    p.row_cuts = std::clamp<std::int64_t>(ceil_div(more, p.block_cuts) * p.row_cuts, p.row_cuts,
                                          std::max(p.row_cuts, window.h.outputs / 2));
    p.rows = ceil_div(window.h.outputs, std::max<std::int64_t>(1, p.row_cuts));
    p.row_cuts = ceil_div(window.h.outputs, std::max<std::int64_t>(1, p.rows));
    return p;
  }

  std::int64_t count(const ConvWindow& window) const {
    return window.groups * image_cuts * row_cuts * column_cuts * block_cuts;
  }
};

template <typename T>
class Direct {
 public:
  Direct(const ConvWindow& window, const T* weight)
      : window_(window),
        tiles_(conv_tiles<T>()),
        weights_(window, tiles_, weight),
        pieces_(Pieces::plan(window, tiles_, weights_.blocks())),
        slab_(window, pieces_.images, pieces_.rows, pieces_.columns) {}

  void run(const T* in, const T* bias, T* out) const {
    const std::int64_t count = pieces_.count(window_);
    const std::int64_t grain = std::max<std::int64_t>(1, count / kPieces);
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
      Workspace work(*this);
      for (std::int64_t i = begin; i < end; ++i) piece(i, in, bias, out, work);
    });
  }

 private:
  struct Workspace {
    explicit Workspace(const Direct& direct)
        : slab(direct.slab_.elements()),
          sums(direct.row_pixels() * direct.weights_.widest()),
          phases(direct.window_.w.out_step == 1
                     ? 0
                     : direct.pieces_.images * direct.weights_.widest() * direct.pieces_.columns *
                           static_cast<std::int64_t>(direct.window_.w.phases.size())) {}
    Scratch<T> slab, sums, phases;
    std::int64_t padded = -1;  // the place in the image whose padding the slab has
  };

  // Sums are transposed in whole vectors of pixels.
  std::int64_t row_pixels() const { return (pieces_.columns + tiles_.lanes) * pieces_.images; }

  void piece(std::int64_t index, const T* in, const T* bias, T* out, Workspace& work) const {
    const auto next = [&](std::int64_t size) {
      const std::int64_t i = index % size;
      index /= size;
      return i;
    };
    const std::int64_t first_block = next(pieces_.block_cuts) * pieces_.blocks;
    const std::int64_t first_column = next(pieces_.column_cuts) * pieces_.columns;
    const std::int64_t first_row = next(pieces_.row_cuts) * pieces_.rows;
    const std::int64_t first_image = next(pieces_.image_cuts) * pieces_.images;
    const std::int64_t group = index;

    const std::int64_t images = std::min(pieces_.images, window_.N - first_image);
    const std::int64_t in_plane = window_.h.in_size * window_.w.in_size;
    const std::int64_t place = first_row * window_.w.outputs + first_column;
    if (place != work.padded) slab_.clear_padding(first_row, first_column, work.slab.data());
    work.padded = place;
    slab_.load(in + (first_image * window_.groups + group) * window_.C * in_plane,
               window_.groups * window_.C * in_plane, images, first_row, first_column,
               work.slab.data());

    const std::int64_t out_plane = window_.h.out_size * window_.w.out_size;
    const std::int64_t last_block = std::min(first_block + pieces_.blocks, weights_.blocks());
    const std::int64_t last_row = std::min(first_row + pieces_.rows, window_.h.outputs);
    for (std::int64_t block = first_block; block < last_block; ++block) {
      const std::int64_t channel = group * window_.K + weights_.first_channel(block);
      T* const planes = out + (first_image * window_.groups * window_.K + channel) * out_plane;
      const T* const addend = bias ? bias + channel : nullptr;
      for (std::int64_t row = first_row; row < last_row; ++row)
        for (std::size_t ph = 0; ph < window_.h.phases.size(); ++ph)
          if (row < window_.h.phases[ph].outputs)
            output_row(group, block, ph, row, first_row, first_column, images, addend, planes,
                       work);
    }
  }

  // One row of output: all its column phases.
  void output_row(std::int64_t group, std::int64_t block, std::size_t ph, std::int64_t row,
                  std::int64_t first_row, std::int64_t first_column, std::int64_t images,
                  const T* addend, T* planes, Workspace& work) const {
    const WindowAxis &h = window_.h, &w = window_.w;
    const std::int64_t out_plane = h.out_size * w.out_size;
    T* const out = planes + (h.phases[ph].first + row * h.out_step) * w.out_size;
    T* const sums = work.sums.data();
    const std::int64_t image_step = window_.groups * window_.K * out_plane;
    const std::int64_t width = weights_.width(block), channels = weights_.channels(block);
    // Of the buffer for phases: [image][channel][phase][column].
    const std::int64_t phase_step = pieces_.columns;
    const std::int64_t channel_step = static_cast<std::int64_t>(w.phases.size()) * phase_step;
    for (std::size_t pw = 0; pw < w.phases.size(); ++pw) {
      const std::int64_t columns = std::min(pieces_.columns, w.phases[pw].outputs - first_column);
      if (columns <= 0) continue;
      sum_row(group, block, ph, pw, row, first_row, columns, work);
      for (std::int64_t n = 0; n < images; ++n)
        tiles_.transpose_sums(sums + n * width, pieces_.images * width, columns, channels, addend,
                              w.out_step == 1 ? out + n * image_step + first_column
                                              : work.phases.data() + n * channels * channel_step +
                                                    static_cast<std::int64_t>(pw) * phase_step,
                              w.out_step == 1 ? out_plane : channel_step);
    }
    if (w.out_step == 1) return;
    for (std::int64_t n = 0; n < images; ++n)
      for (std::int64_t k = 0; k < channels; ++k)
        store_phases(pixel_tiles<T>(), w, work.phases.data() + (n * channels + k) * channel_step,
                     phase_step, first_column, pieces_.columns,
                     out + n * image_step + k * out_plane);
  }

  // sums[pixel][channel of the block] for the pixels of one phase of a row.
  void sum_row(std::int64_t group, std::int64_t block, std::size_t ph, std::size_t pw,
               std::int64_t row, std::int64_t first_row, std::int64_t columns,
               Workspace& work) const {
    const WindowAxis &h = window_.h, &w = window_.w;
    const Conv2dShape::Range taps = h.phases[ph].inside(row * h.step, h.in_size);
    const std::int64_t row_taps = static_cast<std::int64_t>(w.phases[pw].taps.size());
    const std::int64_t width = weights_.width(block);
    ChannelRun<T> run{};
    run.in_step = slab_.channel_step();
    run.offsets = slab_.offsets(ph, pw) + taps.begin * row_taps;
    run.taps = (taps.end - taps.begin) * row_taps;
    run.weight_step = weights_.channel_step(ph, pw, block);
    run.sums = work.sums.data();
    run.pixels = columns * pieces_.images;
    // Short chains of additions, joined: the rounding errors of long ones grow with their length.
    const std::int64_t chain =
        std::max<std::int64_t>(1, kChain / std::max<std::int64_t>(1, run.taps));
    std::int64_t c = 0;
    do {
      run.in = work.slab.data() + (row - first_row) * slab_.row_step() + c * run.in_step;
      run.weights =
          weights_.data(ph, pw, group, block) + c * run.weight_step + taps.begin * row_taps * width;
      run.groups = std::min(chain, window_.C - c);
      run.add = c > 0;
      tiles_.channel_run[width / tiles_.lanes - 1](run);
      c += chain;
    } while (c < window_.C);
  }

  const ConvWindow& window_;
  const ConvTiles<T>& tiles_;
  const ConvWeights<T> weights_;
  const Pieces pieces_;
  const ConvSlab<T> slab_;
};

}  // namespace

template <typename T>
void conv2d_direct(const ConvWindow& window, const T* in, const T* weight, const T* bias, T* out) {
  Direct<T>(window, weight).run(in, bias, out);
}

template void conv2d_direct(const ConvWindow&, const float*, const float*, const float*, float*);
template void conv2d_direct(const ConvWindow&, const double*, const double*, const double*,
                            double*);

}  // namespace tapedeck::kernels
