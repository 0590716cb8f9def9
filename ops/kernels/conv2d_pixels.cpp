#include <tapedeck/ops/kernels/conv2d_pixels.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv_phases.h>
#include <tapedeck/ops/kernels/conv_slab.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kSlabBytes = 192 << 10;    // stays in the L2 cache
constexpr std::int64_t kPieces = 16;              // enough for several threads to end together
constexpr std::int64_t kPieceProducts = 1 << 18;  // worth a visit by a thread
constexpr std::int64_t kPackedInPiece = 1 << 15;  // weights
constexpr std::int64_t kChain = 256;  // products that are added up before the sum is set aside

// Filters are taken eight (or four) at a time, what is left in as few runs as there is a kernel
// for: six at once or, where four are the most, by threes, since two would read a vector for few
// products.
struct FilterBlock {
  std::int64_t first, size;
};
std::vector<FilterBlock> filter_blocks(std::int64_t filters, std::int64_t most) {
  std::vector<FilterBlock> blocks;
  for (std::int64_t k = 0; k < filters; k += blocks.back().size) {
    const std::int64_t left = filters - k;
    const std::int64_t next = left >= most ? most : std::min<std::int64_t>(left, 4);
    const std::int64_t six = most == 4 ? 3 : 6;
    blocks.push_back({k, left == 6 ? six : next});
  }
  return blocks;
}

template <typename T>
class Pixels {
 public:
  Pixels(const ConvWindow& window, const T* weight)
      : window_(window),
        tiles_(pixel_tiles<T>()),
        blocks_(filter_blocks(window.K, tiles_.most_filters)),
        columns_(columns_of_piece()),
        column_cuts_(ceil_div(window.w.outputs, columns_)),
        rows_(rows_of_piece()),
        row_cuts_(ceil_div(window.h.outputs, rows_)),
        slab_(window, 1, rows_, columns_) {
    pack(weight);
    // Every column phase, at the full width of a piece and at the last one's.
    for (const AxisPhase& phase : window.w.phases)
      for (const std::int64_t cut : {std::int64_t{0}, column_cuts_ - 1})
        layouts_.push_back(
            layout(std::clamp<std::int64_t>(phase.outputs - cut * columns_, 0, columns_)));
  }

  void run(const T* in, const T* bias, T* out) const {
    const std::int64_t planes = window_.N * window_.groups;
    const std::int64_t pieces = planes * row_cuts_ * column_cuts_;
    const std::int64_t products =
        std::max<std::int64_t>(1, rows_ * columns_ * window_.C * window_.K * window_.taps());
    const std::int64_t grain = std::clamp<std::int64_t>(
        kPieceProducts / products, 1, std::max<std::int64_t>(1, pieces / kPieces));
    const bool far =
        row_cuts_ == 1 && column_cuts_ == 1 && is_beyond_cache<T>(planes * plane_elements());
    parallel_for(pieces, grain, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> slab(slab_.elements()), phases(phase_elements());
      std::int64_t padded = -1;  // the place whose padding the slab has
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t place = i / planes, plane = i % planes;
        const std::int64_t first_row = place / column_cuts_ * rows_;
        const std::int64_t first_column = place % column_cuts_ * columns_;
        if (place != padded) slab_.clear_padding(first_row, first_column, slab.data());
        padded = place;
        slab_.load(in + plane * plane_elements(), 0, 1, first_row, first_column, slab.data());
        // Whole planes lie one after another: the next ones come while these are summed.
        const T* const next = in + (plane + 1) * plane_elements();
        piece(plane, first_row, first_column, slab.data(), phases.data(), bias, out,
              far && plane + 1 < planes ? next : nullptr);
      }
    });
  }

 private:
  // Where the vectors of a piece's outputs read and write: row by row, so that the first rows of it
  // are a piece of fewer rows.
  struct Layout {
    std::int64_t columns, row_vectors;
    std::vector<std::int64_t> in, out, counts;
  };

  // Of the input channels of a group.
  std::int64_t plane_elements() const { return window_.C * window_.h.in_size * window_.w.in_size; }

  bool phased() const { return window_.w.out_step > 1; }
  // Of the buffer for column phases: [filter][phase][row][column].
  std::int64_t phase_step() const { return rows_ * columns_; }
  std::int64_t phase_filter_step() const {
    return static_cast<std::int64_t>(window_.w.phases.size()) * phase_step();
  }
  std::int64_t phase_elements() const {
    return phased() ? tiles_.most_filters * phase_filter_step() : 0;
  }

  std::int64_t slab_limit() const {
    return kSlabBytes / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(1, window_.C);
  }
  std::int64_t columns_of_piece() const {
    const std::int64_t widest = (slab_limit() / window_.h.inputs_of(1) - window_.w.reach) /
                                window_.w.step / tiles_.lanes * tiles_.lanes;
    const std::int64_t columns = std::max<std::int64_t>(widest, 8 * tiles_.lanes);
    return std::min(window_.w.outputs, columns);
  }
  std::int64_t rows_of_piece() const {
    const std::int64_t row = columns_ * window_.w.step + window_.w.reach;
    const std::int64_t fitting = window_.h.outputs_within(slab_limit() / row);
    // Fewer vectors than a run sums at once would leave registers unused.
    const std::int64_t least =
        ceil_div(window_.K >= 8   ? 3
                 : window_.K >= 4 ? 6
                                  : 8,
                 std::max<std::int64_t>(1, ceil_div(columns_, tiles_.lanes)));
    const std::int64_t rows =
        std::clamp<std::int64_t>(std::max(fitting, least), 1, window_.h.outputs);
    // A small image is not cut into pieces that would copy more rows than they have, nor into such
    // that leave registers unused: each would read all the weights for few outputs.
    const std::int64_t plane_products =
        window_.h.outputs * window_.w.outputs * window_.C * window_.K * window_.taps();
    const std::int64_t planes = std::max<std::int64_t>(1, window_.N * window_.groups);
    const std::int64_t wanted =
        std::clamp<std::int64_t>(planes * plane_products / kPieceProducts, 1, kPieces);
    const std::int64_t cuts =
        std::max(ceil_div(window_.h.outputs, rows),
                 std::min(ceil_div(wanted, planes * column_cuts_),
                          std::max<std::int64_t>(1, window_.h.outputs / least)));
    return ceil_div(window_.h.outputs, std::min(cuts, window_.h.outputs));
  }

  Layout layout(std::int64_t columns) const {
    Layout layout{columns, ceil_div(columns, tiles_.lanes), {}, {}, {}};
    const std::int64_t out_row = phased() ? columns_ : window_.h.out_step * window_.w.out_size;
    for (std::int64_t r = 0; r < rows_; ++r)
      for (std::int64_t c = 0; c < columns; c += tiles_.lanes) {
        layout.in.push_back(r * slab_.row_step() + c);
        layout.out.push_back(r * out_row + c);
        layout.counts.push_back(std::min<std::int64_t>(tiles_.lanes, columns - c));
      }
    return layout;
  }

  // [row phase][column phase][group][filter block][channel][row tap][column tap][filter]
  void pack(const T* weight) {
    const ConvWindow& win = window_;
    const auto blocks = static_cast<std::int64_t>(blocks_.size());
    std::int64_t elements = 0;
    for (const AxisPhase& h : win.h.phases)
      for (const AxisPhase& w : win.w.phases) {
        starts_.push_back(elements);
        elements +=
            win.groups * win.K * win.C * static_cast<std::int64_t>(h.taps.size() * w.taps.size());
      }
    weights_ = Scratch<T>(elements);
    const std::int64_t grain = std::max<std::int64_t>(
        1, kPackedInPiece / std::max<std::int64_t>(1, tiles_.most_filters * win.C * win.taps()));
    parallel_for(win.groups * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        pack(weight, i / blocks, blocks_[static_cast<std::size_t>(i % blocks)]);
    });
  }

  // The filters of a block, whose weights come to lie side by side.
  void pack(const T* weight, std::int64_t group, const FilterBlock& block) {
    const ConvWindow& win = window_;
    std::vector<std::int64_t> taps;
    for (std::size_t phase = 0; phase < starts_.size(); ++phase) {
      taps.clear();
      for (const std::int64_t kh : win.h.phases[phase / win.w.phases.size()].taps)
        for (const std::int64_t kw : win.w.phases[phase % win.w.phases.size()].taps)
          taps.push_back(kh * win.w.kernel + kw);
      const T* const from =
          weight + group * win.weight_group_stride + block.first * win.weight_k_stride;
      T* const to = weights_.data() + starts_[phase] +
                    (group * win.K + block.first) * win.C * static_cast<std::int64_t>(taps.size());
      switch (block.size) {
        case 8:
          interleave<8>(from, taps, to);
          break;
        case 6:
          interleave<6>(from, taps, to);
          break;
        case 4:
          interleave<4>(from, taps, to);
          break;
        case 3:
          interleave<3>(from, taps, to);
          break;
        case 2:
          interleave<2>(from, taps, to);
          break;
        default:
          interleave<1>(from, taps, to);
      }
    }
  }

  template <int kFilters>
  void interleave(const T* from, const std::vector<std::int64_t>& taps, T* to) const {
    const std::int64_t step = window_.weight_k_stride;
    for (std::int64_t c = 0; c < window_.C; ++c, from += window_.weight_c_stride)
      for (const std::int64_t tap : taps)
        for (std::int64_t m = 0; m < kFilters; ++m) *to++ = from[m * step + tap];
  }

  void piece(std::int64_t plane, std::int64_t first_row, std::int64_t first_column, const T* slab,
             T* phases, const T* bias, T* out, const T* ahead) const {
    const WindowAxis &h = window_.h, &w = window_.w;
    const std::int64_t out_plane = h.out_size * w.out_size;
    const std::int64_t group = plane % window_.groups;
    for (const FilterBlock& block : blocks_) {
      const std::int64_t filter = group * window_.K + block.first;
      T* const planes = out + (plane * window_.K + block.first) * out_plane;
      for (std::size_t ph = 0; ph < h.phases.size(); ++ph) {
        const std::int64_t rows = std::min(rows_, h.phases[ph].outputs - first_row);
        if (rows <= 0) continue;
        T* const first = planes + (h.phases[ph].first + first_row * h.out_step) * w.out_size;
        for (std::size_t pw = 0; pw < w.phases.size(); ++pw)
          phase(ph, pw, group, block, rows, first_column, slab, bias ? bias + filter : nullptr,
                phased() ? phases + static_cast<std::int64_t>(pw) * phase_step()
                         : first + first_column,
                phased() ? phase_filter_step() : out_plane,
                block.first == 0 && ph == 0 && pw == 0 ? ahead : nullptr);
        if (!phased()) continue;
        for (std::int64_t m = 0; m < block.size; ++m)
          for (std::int64_t r = 0; r < rows; ++r)
            store_phases(tiles_, w, phases + m * phase_filter_step() + r * columns_, phase_step(),
                         first_column, columns_,
                         first + m * out_plane + r * h.out_step * w.out_size);
      }
    }
  }

  void phase(std::size_t ph, std::size_t pw, std::int64_t group, const FilterBlock& block,
             std::int64_t rows, std::int64_t first_column, const T* slab, const T* bias, T* out,
             std::int64_t out_step, const T* ahead) const {
    const bool last = column_cuts_ > 1 && first_column + columns_ >= window_.w.outputs;
    const Layout& layout = layouts_[2 * pw + (last ? 1 : 0)];
    if (layout.columns == 0) return;
    const std::int64_t taps = static_cast<std::int64_t>(window_.h.phases[ph].taps.size() *
                                                        window_.w.phases[pw].taps.size());
    PixelRun<T> run{};
    run.in = slab;
    run.in_offsets = layout.in.data();
    run.vectors = rows * layout.row_vectors;
    run.in_step = slab_.channel_step();
    run.offsets = slab_.offsets(ph, pw);
    run.taps = taps;
    run.weights = weights_.data() + starts_[ph * window_.w.phases.size() + pw] +
                  (group * window_.K + block.first) * window_.C * taps;
    run.bias = bias;
    run.out = out;
    run.out_offsets = layout.out.data();
    run.counts = layout.counts.data();
    run.out_step = out_step;
    run.ahead = ahead;
    run.ahead_elements = plane_elements();
    // Short chains of additions, joined: the rounding errors of long ones grow with their length.
    const std::int64_t chain = std::max<std::int64_t>(1, kChain / std::max<std::int64_t>(1, taps));
    for (std::int64_t c = 0;;) {
      run.channels = std::min(chain, window_.C - c);
      tiles_.pixel_run[block.size - 1](run);
      c += run.channels;
      if (c >= window_.C) break;
      run.in += run.channels * run.in_step;
      run.weights += run.channels * taps * block.size;
      run.bias = nullptr;
      run.add = true;
      run.ahead = nullptr;
    }
  }

  const ConvWindow& window_;
  const PixelTiles<T>& tiles_;
  const std::vector<FilterBlock> blocks_;
  const std::int64_t columns_, column_cuts_, rows_, row_cuts_;  // of a piece; numbers of pieces
  const ConvSlab<T> slab_;
  std::vector<Layout> layouts_;  // [column phase][last cut]
  std::vector<std::int64_t> starts_;
  Scratch<T> weights_;
};

}  // namespace

template <typename T>
void conv2d_pixels(const ConvWindow& window, const T* in, const T* weight, const T* bias, T* out) {
  if (window.N > 0) Pixels<T>(window, weight).run(in, bias, out);
}

template void conv2d_pixels(const ConvWindow&, const float*, const float*, const float*, float*);
template void conv2d_pixels(const ConvWindow&, const double*, const double*, const double*,
                            double*);

}  // namespace tapedeck::kernels
