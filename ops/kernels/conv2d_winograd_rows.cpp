#include <tapedeck/ops/kernels/conv2d_winograd_rows.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/tile_products.h>
#include <tapedeck/ops/kernels/winograd_filters.h>
#include <tapedeck/ops/kernels/winograd_rows.h>

namespace tapedeck::kernels {

namespace {

// Tiles of a block: transformed, with their sums, they take half of the L2 cache.
constexpr std::int64_t kFewestTiles = 48, kMostTiles = 256;
constexpr std::int64_t kPieces = 12;  // enough for several threads to end together

// From a group of rows of tiles to the next: in whole vectors, unless these would be more than a
// fourth empty.
std::int64_t step_of_groups(std::int64_t tiles, std::int64_t lanes) {
  const std::int64_t whole = round_up(tiles, lanes);
  return 4 * (whole - tiles) <= whole ? whole : tiles;
}

// The rows of a block's tiles in the planes of one channel of all its images.
class BlockRows {
 public:
  BlockRows(const TileAxis& h, const TileAxis& w, const TileGrid::Place& place,
            std::int64_t image_step, const TileRows& extents)
      : extents_(extents) {
    rows_.reserve(static_cast<std::size_t>(place.size.images * place.size.rows * h.reach));
    for (std::int64_t n = 0; n < place.size.images; ++n)
      for (std::int64_t r = 0; r < place.size.rows; ++r)
        for (std::int64_t i = 0; i < h.reach; ++i) {
          const std::int64_t row = h.first + (place.row + r) * h.step + i;
          const bool inside = row >= h.read_begin && row < h.read_end;
          rows_.push_back(inside ? n * image_step + row * w.size + w.read_begin : -1);
        }
    rows_.resize(static_cast<std::size_t>(extents.groups * h.step * h.reach), -1);
    extents_.rows = rows_.data();
    extents_.first = w.first + place.column * w.step - w.read_begin;
    extents_.width = w.read_end - w.read_begin;
  }
  BlockRows(const BlockRows&) = delete;
  BlockRows& operator=(const BlockRows&) = delete;

  const TileRows& rows() const { return extents_; }

 private:
  std::vector<std::int64_t> rows_;
  TileRows extents_;
};

template <typename T>
class WinogradByRows {
 public:
  WinogradByRows(WinogradVariant variant, const ConvWindow& window, const T* weight)
      : window_(window),
        transforms_(winograd_transforms<T>(variant)),
        rows_(*winograd_rows<T>(variant)),
        lanes_(conv_tiles<T>().lanes),
        h_(transforms_.rows, window.h),
        w_(transforms_.columns, window.w),
        positions_(transforms_.positions()),
        filters_(window, transforms_, weight),
        weights_(filters_.weights()),
        grid_(window.N, h_.outputs, w_.outputs, transforms_.rows.outputs,
              transforms_.columns.outputs, tiles_wanted(), rows_.group, lanes_ / rows_.group) {}

  void run(const T* in, const T* bias, T* out) {
    filters_.transform_all();
    parallel_for(window_.groups * grid_.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
      const Workspace work(*this);
      for (std::int64_t i = begin; i < end; ++i) {
        const Piece piece(*this, i);
        load(piece, in, work);
        LineRequests<false, T> next;
        if (i + 1 < end) next = input_lines(Piece(*this, i + 1), in);
        const BlockRows to = output_rows(piece.place);
        for (std::int64_t block = 0; block < weights_.blocks(); ++block) {
          multiply(piece, block, out, next, work);
          store(piece, block, to.rows(), bias, out, work);
        }
      }
    });
  }

 private:
  // A block of tiles of a group of channels.
  struct Piece {
    Piece(const WinogradByRows& w, std::int64_t index)
        : group(index / w.grid_.blocks()), place(w.grid_.place(index % w.grid_.blocks())) {}
    std::int64_t group;
    TileGrid::Place place;
  };
  struct Workspace {
    explicit Workspace(const WinogradByRows& w)
        : input(w.positions_ * w.position_step(w.window_.C, w.grid_.block)),
          sums(w.positions_ * w.position_step(w.widest(), w.grid_.block)) {}
    const Scratch<T> input, sums;
  };

  std::int64_t widest() const { return std::min(window_.K, weights_.widest()); }
  std::int64_t tiles_wanted() const {
    const std::int64_t tile_bytes =
        positions_ * (window_.C + widest()) * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t all = window_.groups * window_.N *
                             ceil_div(h_.outputs, transforms_.rows.outputs) *
                             ceil_div(w_.outputs, transforms_.columns.outputs);
    const std::int64_t most = std::min(kMostTiles, all / kPieces);
    return std::max(kFewestTiles, std::min(conv_tiles<T>().l2_bytes() / 2 / tile_bytes, most));
  }

  TileRows extents(const TileBlock& block) const {
    TileRows rows{};
    rows.groups = ceil_div(block.images * block.rows, rows_.group);
    rows.columns = block.columns;
    rows.group_step = step_of_groups(block.columns * rows_.group, lanes_);
    return rows;
  }
  // Tiles of a block with those that fill groups and vectors.
  std::int64_t tiles(const TileBlock& block) const {
    const TileRows rows = extents(block);
    return rows.groups * rows.group_step;
  }
  // From one channel's tiles to the next one's, with what the last vector may have beyond these: an
  // odd number of vectors, since a power of two would put all channels into the same few sets of
  // the cache.
  std::int64_t channel_step(const TileBlock& block) const {
    return (ceil_div(tiles(block) + lanes_ - 1, lanes_) | 1) * lanes_;
  }
  std::int64_t position_step(std::int64_t channels, const TileBlock& block) const {
    return step_of_positions(channels * channel_step(block) / lanes_, lanes_);
  }

  std::int64_t in_plane() const { return window_.h.in_size * window_.w.in_size; }
  std::int64_t out_plane() const { return window_.h.out_size * window_.w.out_size; }

  TileSource<T> source(const T* in, std::int64_t group) const {
    return {in + group * window_.C * in_plane(),
            window_.C,
            window_.N,
            window_.groups * window_.C * in_plane(),
            TileAxis::of_input(h_, transforms_.rows, window_.h.in_size),
            TileAxis::of_input(w_, transforms_.columns, window_.w.in_size),
            nullptr};
  }
  LineRequests<false, T> input_lines(const Piece& piece, const T* in) const {
    return source(in, piece.group).lines(piece.place, 0, window_.C);
  }
  // B^T x B of all channels.
  void load(const Piece& piece, const T* in, const Workspace& work) const {
    const TileSource<T> from = source(in, piece.group);
    const TileBlock& block = piece.place.size;
    const BlockRows rows(from.h, from.w, piece.place, from.image_step, extents(block));
    const T* const first = from.from + piece.place.image * from.image_step;
    for (std::int64_t c = 0; c < window_.C; ++c)
      rows_.input(rows.rows(), first + c * in_plane(), work.input.data() + c * channel_step(block),
                  position_step(window_.C, block));
  }

  // [filters, C] x [C, tiles] for each position. The lines of `next`, and those that store() will
  // write, arrive meanwhile.
  void multiply(const Piece& piece, std::int64_t block, T* out, LineRequests<false, T>& next,
                const Workspace& work) const {
    const TileBlock& size = piece.place.size;
    const auto filters = filters_.block(piece.group, block);
    TileProducts<T> run{work.input.data(), channel_step(size),    window_.C,
                        filters.data,      weights_.width(block), weights_.channels(block),
                        work.sums.data(),  channel_step(size),    tiles(size)};
    LineRequests<true, T> outputs = output_lines(piece, block, out);
    for (std::int64_t position = 0; position < positions_; ++position) {
      outputs.request(positions_);
      next.request(positions_);
      tile_products(run);
      run.in += position_step(window_.C, size);
      run.weights += filters.step;
      run.sums += position_step(run.filters, size);
    }
  }

  // The first of a block's output channels, in the first image of a piece.
  std::int64_t first_plane(const Piece& piece, std::int64_t block) const {
    return (piece.place.image * window_.groups + piece.group) * window_.K +
           weights_.first_channel(block);
  }
  LineRequests<true, T> output_lines(const Piece& piece, std::int64_t block, T* out) const {
    const std::int64_t image_step = window_.groups * window_.K * out_plane();
    if (!is_beyond_cache<T>(window_.N * image_step)) return {};
    const int tile_rows = transforms_.rows.outputs;
    const std::int64_t top = piece.place.row * tile_rows - h_.lead;
    const std::int64_t begin = std::max<std::int64_t>(0, top);
    const std::int64_t end = std::min(window_.h.out_size, top + piece.place.size.rows * tile_rows);
    return {out + first_plane(piece, block) * out_plane() + begin * window_.w.out_size,
            image_step,
            piece.place.size.images,
            out_plane(),
            weights_.channels(block),
            std::max<std::int64_t>(0, end - begin) * window_.w.out_size};
  }

  BlockRows output_rows(const TileGrid::Place& place) const {
    const int rows = transforms_.rows.outputs, columns = transforms_.columns.outputs;
    const std::int64_t height = window_.h.out_size, width = window_.w.out_size;
    const std::int64_t end = (place.column + place.size.columns) * columns - w_.lead;
    return {{height, -h_.lead, 0, height, rows, rows},
            {width, -w_.lead, 0, std::min(width, end), columns, columns},
            place,
            window_.groups * window_.K * out_plane(),
            extents(place.size)};
  }
  // A^T s A of one block of output channels.
  void store(const Piece& piece, std::int64_t block, const TileRows& to, const T* bias, T* out,
             const Workspace& work) const {
    const TileBlock& size = piece.place.size;
    const std::int64_t channels = weights_.channels(block);
    const T* const addend =
        bias ? bias + piece.group * window_.K + weights_.first_channel(block) : nullptr;
    for (std::int64_t k = 0; k < channels; ++k)
      rows_.output(work.sums.data() + k * channel_step(size), position_step(channels, size), to,
                   addend ? addend[k] : T{0}, out + (first_plane(piece, block) + k) * out_plane());
  }

  const ConvWindow& window_;
  const WinogradTransforms<T>& transforms_;
  const WinogradRows<T>& rows_;
  std::int64_t lanes_;
  const WinogradTiling h_, w_;
  std::int64_t positions_;
  WinogradFilters<T> filters_;
  const ConvWeights<T>& weights_;
  TileGrid grid_;
};

}  // namespace

// An estimate of how much faster it is, fitted to measurements: the more, the fewer channels there
// are and the more lanes of vectors over output channels are empty; the less, the emptier the last
// vector of a row is. It has to be faster by more than the estimate may be wrong.
template <typename T>
bool winograd_rows_pay(WinogradVariant variant, const ConvWindow& window) {
  if (winograd_rows<T>(variant) == nullptr) return false;
  const std::int64_t lanes = conv_tiles<T>().lanes;
  const auto used = [&](std::int64_t n) {
    return static_cast<double>(n) / static_cast<double>(round_up(n, lanes));
  };
  const double vectors =
      static_cast<double>(std::max(window.C, window.K)) / static_cast<double>(lanes);
  const double row = used(window.w.out_size);
  if (row < 0.6) return false;
  // A row that is less than a vector leaves a part of every one empty.
  const double filled = std::max(0.72, 2 * row - 1) * (window.w.out_size < lanes ? row : 1);
  return (1.6 - 0.22 * vectors) * filled / used(window.K) > 1.2;
}

template <typename T>
void conv2d_winograd_rows(WinogradVariant variant, const ConvWindow& window, const T* in,
                          const T* weight, const T* bias, T* out) {
  WinogradByRows<T>(variant, window, weight).run(in, bias, out);
}

#define TAPEDECK_INSTANTIATE(T)                                                              \
  template bool winograd_rows_pay<T>(WinogradVariant, const ConvWindow&);                    \
  template void conv2d_winograd_rows(WinogradVariant, const ConvWindow&, const T*, const T*, \
                                     const T*, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
