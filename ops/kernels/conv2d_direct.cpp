#include <tapedeck/ops/kernels/conv2d_direct.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_direct_far.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/conv_weights.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabsBytes = 16 << 20;  // of all slabs together
constexpr std::int64_t kNearBytes = 1 << 20;    // of slabs that stay in the L2 cache
constexpr std::int64_t kRowPixels = 14;         // of several images that are one row
constexpr std::int64_t kFewRowCuts = 4;         // of two images that are one row of small tiles
constexpr std::int64_t kCutRowPixels = 32;      // likewise, if padding is not multiplied
constexpr double kTilePixels = 2;               // what a tile's product with a tap costs besides
constexpr double kBeginPixels = 4;              // and a channel of a tile
constexpr double kSumPixels = 8;                // and adding to the sum of a pixel that is there
constexpr double kFewSumPixels = 4;             // likewise, in tiles of few sums
constexpr double kWorthCutting = 0.97;          // where tiles have many
constexpr std::int64_t kPieces = 12;            // enough for several threads to end together
constexpr std::int64_t kFewestBlocks = 6;       // likewise
constexpr std::int64_t kManyPixels = 128;       // of an image, for a block of weights
constexpr std::int64_t kChain = 256;     // products that are added up before the sum is set aside
constexpr std::int64_t kNearTaps = 512;  // whose weights and inputs stay in the nearest cache

// How the columns of a row become pixels of register tiles: those of some images side by side, and
// all taps at once or, so that padding is not multiplied, one after another, each with the columns
// that it reaches from inside the image.
struct RowPlan {
  struct Part {
    Conv2dShape::Range outputs, taps;
  };
  // Of every phase, what is added up. The first part has all columns.
  using Parts = std::vector<std::vector<Part>>;

  std::int64_t images;
  Parts parts;
  bool reads_padding;

  RowPlan(const ConvWindow& window, std::int64_t slab_elements, std::int64_t tile)
      : parts(with_all_taps(window.w)), reads_padding(true) {
    const std::int64_t outputs = std::max<std::int64_t>(1, window.w.outputs);
    const Choice whole = best(window, parts, most_images(window, slab_elements, tile), tile);
    images = whole.images;
    // One row of the output has to have room in the slab.
    const std::int64_t fitting =
        slab_elements / std::max<std::int64_t>(1, window.C) / window.h.inside_of(1) /
        std::min(window.w.in_size, outputs * window.w.step + window.w.reach);
    Parts single = tap_by_tap(window.w);
    const Choice cut = best(window, single, std::min(kCutRowPixels / outputs, fitting), tile);
    if (cut.cost < (has_few_sums(tile) ? 1 : kWorthCutting) * whole.cost) {
      images = cut.images;
      parts = std::move(single);
      reads_padding = false;
    }
    if (window.N > 0) images = ceil_div(window.N, ceil_div(window.N, images));
  }

  // Input channels whose products with so many taps are a chain of additions. What one reads stays
  // in the nearest cache until its parts are through.
  static std::int64_t chain_channels(const ConvWindow& window, const std::vector<Part>& parts,
                                     std::int64_t taps) {
    const std::int64_t most = parts.size() > 1 ? kNearTaps : kChain;
    return std::max<std::int64_t>(1, even_part(window.C, most / std::max<std::int64_t>(1, taps)));
  }
  // Columns that so many outputs of a row read.
  std::int64_t inputs_of(const WindowAxis& w, std::int64_t columns) const {
    const std::int64_t all = columns * w.step + w.reach;
    return reads_padding ? all : std::min(all, w.in_size);
  }

 private:
  static Parts with_all_taps(const WindowAxis& w) {
    Parts parts;
    for (const AxisPhase& phase : w.phases)
      parts.push_back({{{0, phase.outputs}, {0, static_cast<std::int64_t>(phase.taps.size())}}});
    return parts;
  }
  static Parts tap_by_tap(const WindowAxis& w) {
    const auto length = [](const Part& part) { return part.outputs.end - part.outputs.begin; };
    Parts parts;
    for (const AxisPhase& phase : w.phases) {
      std::vector<Part>& taps = parts.emplace_back();
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(phase.taps.size()); ++i)
        taps.push_back({phase.reached(i, w.step, w.in_size), {i, i + 1}});
      std::stable_sort(taps.begin(), taps.end(),
                       [&](const Part& a, const Part& b) { return length(a) > length(b); });
      if (taps.empty() || length(taps.front()) < phase.outputs)
        taps.insert(taps.begin(), Part{{0, phase.outputs}, {0, 0}});
    }
    return parts;
  }

  static bool has_few_sums(std::int64_t tile) { return tile < kRowPixels; }
  // Whose padding is multiplied. Where tiles have few sums, which wait for each other, a row of two
  // images fills them better; but every cut between its rows meets all weights anew.
  static std::int64_t most_images(const ConvWindow& window, std::int64_t slab_elements,
                                  std::int64_t tile) {
    const std::int64_t outputs = std::max<std::int64_t>(1, window.w.outputs);
    const std::int64_t most = std::max(tile, kRowPixels) / outputs;
    if (most != 1 || !has_few_sums(tile)) return most;
    const std::int64_t fitting = slab_elements / std::max<std::int64_t>(1, window.C) /
                                 (2 * (outputs * window.w.step + window.w.reach));
    const std::int64_t rows = window.h.inside_of(window.h.outputs) <= fitting
                                  ? window.h.outputs
                                  : window.h.outputs_within(fitting);
    return kFewRowCuts * rows >= window.h.outputs ? 2 : 1;
  }

  struct Choice {
    std::int64_t images;
    double cost;
  };
  static Choice best(const ConvWindow& window, const Parts& parts, std::int64_t most_images,
                     std::int64_t tile) {
    Choice best{1, cost(window, parts, 1, tile)};
    for (std::int64_t n = 2; n <= std::min(window.N, most_images); ++n)
      if (const double time = cost(window, parts, n, tile); time < best.cost) best = {n, time};
    return best;
  }
  // In products of a pixel, of one input channel. Tiles take longer than their pixels: their sums,
  // if they are few, wait for each other and meet every vector of weights, which comes from the L2
  // cache; every channel begins anew, and every chain of additions is joined to the one before.
  static double cost(const ConvWindow& window, const Parts& parts, std::int64_t images,
                     std::int64_t tile) {
    const std::int64_t rows = ceil_div(window.h.kernel, window.h.out_step);
    const double joining = has_few_sums(tile) ? kFewSumPixels : kSumPixels;
    double sum = 0;
    for (std::size_t pw = 0; pw < parts.size(); ++pw) {
      const double chain = static_cast<double>(chain_channels(
          window, parts[pw], rows * static_cast<std::int64_t>(window.w.phases[pw].taps.size())));
      for (const Part& part : parts[pw]) {
        const std::int64_t taps = rows * (part.taps.end - part.taps.begin);
        if (taps == 0) continue;
        const std::int64_t pixels = images * (part.outputs.end - part.outputs.begin);
        const auto tiles = static_cast<double>(ceil_div(pixels, tile));
        sum += static_cast<double>(pixels) * (static_cast<double>(taps) + joining / chain) +
               tiles * (kTilePixels * static_cast<double>(taps) + kBeginPixels);
      }
    }
    return sum / static_cast<double>(images);
  }
};

// Whether every block of weights is packed by itself, once, and meets all pixels in turn, whose
// slabs were loaded before: where that moves less than packing all the weights and loading a slab
// for some of them at a time, and there are blocks for several threads.
template <typename T>
bool weights_stay(const ConvWindow& window, const RowPlan& row, std::int64_t channel_blocks) {
  const std::int64_t weights = window.K * window.C * window.taps();
  const std::int64_t inputs = window.N * window.C * window.h.inside_of(window.h.outputs) *
                              row.inputs_of(window.w, window.w.outputs);
  const std::int64_t bytes = inputs * static_cast<std::int64_t>(sizeof(T));
  // In the cache beside few registers a block of weights that meets many pixels of one image after
  // another leaves room for the image, whose slab would come from afar for every block otherwise.
  const ConvTiles<T>& tiles = conv_tiles<T>();
  const std::int64_t block_bytes = 2 * tiles.vector_bytes() * window.C * window.taps();
  if (tiles.has_few_registers() && block_bytes <= tiles.l2_bytes() / 2 &&
      window.h.outputs * window.w.outputs >= kManyPixels)
    return false;
  // Slabs come from another core's cache or the memory, for a product with each tap and channel.
  return window.groups * channel_blocks >= kFewestBlocks && inputs <= 2 * weights &&
         bytes <= (window.taps() >= 4 ? kSlabsBytes : kNearBytes);
}

// Leaves room in the L2 cache for the weights.
template <typename T>
std::int64_t slab_elements(const ConvTiles<T>& tiles) {
  return tiles.l2_bytes() / 8 * 3 / static_cast<std::int64_t>(sizeof(T));
}

// How the work is cut: a piece is some images, rows, columns and blocks of output channels of a
// group. Depends on sizes alone.
struct Pieces {
  std::int64_t images, rows, columns, blocks;                  // of a piece
  std::int64_t image_cuts, row_cuts, column_cuts, block_cuts;  // numbers of pieces

  template <typename T>
  static Pieces plan(const ConvWindow& window, const ConvTiles<T>& tiles, const RowPlan& plan,
                     std::int64_t channel_blocks, bool weights_stay) {
    Pieces p{};
    p.images = plan.images;
    const std::int64_t limit = slab_elements(tiles) / std::max<std::int64_t>(1, window.C);
    // Columns: as many as leave room for one row of output.
    const std::int64_t wide = limit / window.h.inside_of(1) / p.images;
    const std::int64_t fitting_columns = plan.inputs_of(window.w, window.w.outputs) <= wide
                                             ? window.w.outputs
                                             : (wide - window.w.reach) / window.w.step;
    p.columns =
        std::clamp(fitting_columns, std::min<std::int64_t>(56, window.w.outputs), window.w.outputs);
    p.column_cuts = ceil_div(window.w.outputs, p.columns);
    p.columns = ceil_div(window.w.outputs, p.column_cuts);
    const std::int64_t rows = limit / (plan.inputs_of(window.w, p.columns) * p.images);
    const std::int64_t fitting = window.h.inside_of(window.h.outputs) <= rows
                                     ? window.h.outputs
                                     : window.h.outputs_within(rows);
    p.rows = std::clamp<std::int64_t>(fitting, 1, std::max<std::int64_t>(1, window.h.outputs));
    p.row_cuts = ceil_div(window.h.outputs, p.rows);
    p.image_cuts = ceil_div(window.N, p.images);
    p.block_cuts = 1;
    p.blocks = channel_blocks;
    if (weights_stay) return p;

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
        row_(window, slab_elements(tiles_), tiles_.pixels),
        weights_stay_(weights_stay<T>(window, row_, ceil_div(window.K, 2 * tiles_.lanes))),
        weights_(window, tiles_, weight, !weights_stay_),
        pieces_(Pieces::plan(window, tiles_, row_, weights_.blocks(), weights_stay_)),
        slab_(window, pieces_.images, pieces_.rows, pieces_.columns) {}

  void run(const T* in, const T* bias, T* out) const {
    if (weights_stay_) return run_blocks(in, bias, out);
    const std::int64_t count = pieces_.count(window_);
    const std::int64_t grain = std::max<std::int64_t>(1, count / (2 * kPieces));
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> slab(slab_.elements());
      const Workspace work(*this);
      std::int64_t padded = -1;  // the place in the image whose padding the slab has
      for (std::int64_t i = begin; i < end; ++i) {
        const Place place = this->place(i / pieces_.block_cuts);
        load(place, in, slab.data(), padded);
        const std::int64_t first = i % pieces_.block_cuts * pieces_.blocks;
        for (std::int64_t block = first;
             block < std::min(first + pieces_.blocks, weights_.blocks()); ++block)
          sum_block(place, block, weights_.data(place.group, block), slab.data(), bias, out, work);
      }
    });
  }

 private:
  // A piece without its block of channels, and the images that it has.
  struct Place {
    std::int64_t group, image, images, row, column;
  };
  Place place(std::int64_t index) const {
    const auto next = [&](std::int64_t size) {
      const std::int64_t i = index % size;
      index /= size;
      return i;
    };
    Place p{};
    p.column = next(pieces_.column_cuts) * pieces_.columns;
    p.row = next(pieces_.row_cuts) * pieces_.rows;
    p.image = next(pieces_.image_cuts) * pieces_.images;
    p.images = std::min(pieces_.images, window_.N - p.image);
    p.group = index;
    return p;
  }

  struct Workspace {
    explicit Workspace(const Direct& direct)
        : sums(direct.row_pixels() * direct.weights_.widest()),
          phases(direct.window_.w.out_step == 1 || direct.pieces_.images == 1
                     ? 0
                     : direct.pieces_.images * direct.weights_.widest() * direct.pieces_.columns *
                           direct.window_.w.out_step) {}
    Scratch<T> sums, phases;
  };

  std::int64_t row_pixels() const {
    return pieces_.columns * (pieces_.images == 1 ? window_.w.out_step : pieces_.images);
  }

  void load(const Place& at, const T* in, T* slab, std::int64_t& padded) const {
    const std::int64_t in_plane = window_.h.in_size * window_.w.in_size;
    const std::int64_t place = at.row * window_.w.outputs + at.column;
    if (place != padded && row_.reads_padding) slab_.clear_padding(at.row, at.column, slab);
    padded = place;
    slab_.load(in + (at.image * window_.groups + at.group) * window_.C * in_plane,
               window_.groups * window_.C * in_plane, at.images, at.row, at.column, slab);
  }

  void run_blocks(const T* in, const T* bias, T* out) const {
    const std::int64_t count = pieces_.count(window_), places = count / window_.groups;
    const Scratch<T> slabs(count * slab_.elements());
    parallel_for(count, std::max<std::int64_t>(1, count / kPieces),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) {
                     std::int64_t padded = -1;
                     load(place(i), in, slabs.data() + i * slab_.elements(), padded);
                   }
                 });
    const std::int64_t blocks = weights_.blocks();
    parallel_for(window_.groups * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> weights(weights_.block_elements());
      const Workspace work(*this);
      for (std::int64_t i = begin; i < end; ++i) {
        weights_.pack(i / blocks, i % blocks, weights.data());
        for (std::int64_t p = i / blocks * places; p < (i / blocks + 1) * places; ++p)
          sum_block(place(p), i % blocks, weights.data(), slabs.data() + p * slab_.elements(), bias,
                    out, work);
      }
    });
  }

  // All outputs of a place that belong to a block of channels.
  void sum_block(const Place& at, std::int64_t block, const T* weights, const T* slab,
                 const T* bias, T* out, const Workspace& work) const {
    const std::int64_t channel = at.group * window_.K + weights_.first_channel(block);
    T* const planes = out + (at.image * window_.groups * window_.K + channel) * window_.h.out_size *
                                window_.w.out_size;
    const T* const addend = bias ? bias + channel : nullptr;
    for (std::int64_t row = at.row; row < std::min(at.row + pieces_.rows, window_.h.outputs); ++row)
      for (std::size_t ph = 0; ph < window_.h.phases.size(); ++ph)
        if (row < window_.h.phases[ph].outputs)
          output_row(at, block, ph, row, weights, slab, addend, planes, work);
  }

  // One row of output: all its column phases.
  void output_row(const Place& at, std::int64_t block, std::size_t ph, std::int64_t row_index,
                  const T* weights, const T* slab, const T* addend, T* planes,
                  const Workspace& work) const {
    const WindowAxis &h = window_.h, &w = window_.w;
    const std::int64_t out_plane = h.out_size * w.out_size;
    T* const out = planes + (h.phases[ph].first + row_index * h.out_step) * w.out_size;
    T* const sums = work.sums.data();
    const std::int64_t image_step = window_.groups * window_.K * out_plane;
    const std::int64_t width = weights_.width(block), channels = weights_.channels(block);
    if (pieces_.images == 1) {
      // Every phase puts its sums where the row has its pixels.
      for (std::size_t pw = 0; pw < w.phases.size(); ++pw)
        sum_row(block, ph, pw, row_index, row_index - at.row, at.column,
                std::min(pieces_.columns, w.phases[pw].outputs - at.column), weights, slab,
                sums + w.phases[pw].first * width, w.out_step * width);
      const std::int64_t first = at.column * w.out_step;
      tiles_.transpose(sums, width, std::min(pieces_.columns * w.out_step, w.out_size - first),
                       channels, addend, out + first, out_plane);
      return;
    }
    // Sums are [column][image]; the pixels of an image have to lie together: with phases, a copy of
    // whole vectors puts them where its row has them, [image][pixel].
    const std::int64_t row = pieces_.columns * w.out_step, first = at.column * w.out_step;
    for (std::size_t pw = 0; pw < w.phases.size(); ++pw) {
      const std::int64_t columns = std::min(pieces_.columns, w.phases[pw].outputs - at.column);
      if (columns <= 0) continue;
      sum_row(block, ph, pw, row_index, row_index - at.row, at.column, columns, weights, slab, sums,
              width);
      if (w.out_step == 1) continue;
      for (std::int64_t n = 0; n < at.images; ++n)
        pixel_tiles<T>().gather_rows(sums + n * width, pieces_.images * width, 1, columns, width,
                                     work.phases.data() + (n * row + w.phases[pw].first) * width,
                                     w.out_step * width);
    }
    for (std::int64_t n = 0; n < at.images; ++n)
      tiles_.transpose(w.out_step == 1 ? sums + n * width : work.phases.data() + n * row * width,
                       w.out_step == 1 ? pieces_.images * width : width,
                       std::min(row, w.out_size - first), channels, addend,
                       out + n * image_step + first, out_plane);
  }

  // sums[pixel][channel of the block] for the pixels of one phase of a row, sums_step apart.
  void sum_row(std::int64_t block, std::size_t ph, std::size_t pw, std::int64_t row,
               std::int64_t slab_row, std::int64_t column, std::int64_t columns, const T* weights,
               const T* slab, T* sums, std::int64_t sums_step) const {
    const WindowAxis& h = window_.h;
    const Conv2dShape::Range rows = h.phases[ph].inside(row * h.step, h.in_size);
    const auto row_taps = static_cast<std::int64_t>(window_.w.phases[pw].taps.size());
    const std::int64_t chain =
        RowPlan::chain_channels(window_, row_.parts[pw], (rows.end - rows.begin) * row_taps);
    ChannelRun<T> run{};
    run.in_step = slab_.channel_step();
    run.weight_step = weights_.channel_step(ph, pw, block);
    run.sums_step = sums_step;
    for (std::int64_t c = 0; c == 0 || c < window_.C; c += chain) {
      run.groups = std::min(chain, window_.C - c);
      for (const RowPlan::Part& part : row_.parts[pw]) {
        const std::int64_t first = std::max<std::int64_t>(0, part.outputs.begin - column);
        const std::int64_t last = std::min(columns, part.outputs.end - column);
        if (first >= last) continue;
        const std::int64_t part_taps = part.taps.end - part.taps.begin;
        const std::int64_t first_tap = rows.begin * row_taps + part.taps.begin;
        const std::int64_t width = weights_.width(block);
        run.in = slab + slab_row * slab_.row_step() + c * run.in_step + first * pieces_.images;
        run.offsets = slab_.offsets(ph, pw) + first_tap;
        run.weights =
            weights + weights_.phase_start(ph, pw, block) + c * run.weight_step + first_tap * width;
        // All of the rows' taps are neighbours.
        run.taps = (rows.end - rows.begin) * part_taps;
        run.tap_step = part_taps == 1 ? row_taps : 1;
        run.sums = sums + first * pieces_.images * sums_step;
        run.pixels = (last - first) * pieces_.images;
        tiles_.channel_run[width / tiles_.lanes - 1](run);
        run.add = true;
      }
    }
  }

  const ConvWindow& window_;
  const ConvTiles<T>& tiles_;
  const RowPlan row_;
  const bool weights_stay_;
  const ConvWeights<T> weights_;
  const Pieces pieces_;
  const ConvSlab<T> slab_;
};

}  // namespace

template <typename T>
void conv2d_direct(const ConvWindow& window, const T* in, const T* weight, const T* bias, T* out) {
  if (direct_far_pays<T>(window)) return conv2d_direct_far<T>(window, in, weight, bias, out);
  Direct<T>(window, weight).run(in, bias, out);
}

template void conv2d_direct(const ConvWindow&, const float*, const float*, const float*, float*);
template void conv2d_direct(const ConvWindow&, const double*, const double*, const double*,
                            double*);

}  // namespace tapedeck::kernels
