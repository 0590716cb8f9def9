#include <tapedeck/ops/kernels/conv2d_im2col.h>

#include <algorithm>
#include <optional>
#include <type_traits>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/bias_sums.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/conv2d_sampled.h>
#include <tapedeck/ops/kernels/gemm.h>
#include <tapedeck/ops/kernels/gemm_blocked.h>
#include <tapedeck/ops/kernels/gemm_tiles.h>
#include <tapedeck/ops/kernels/im2col.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/reducer.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kColumnBytes = 1 << 19;   // a block of columns stays in the L2 cache
constexpr std::int64_t kColumns = 512;           // of a block, where images are joined
constexpr std::int64_t kPieces = 16;             // enough for the threads of a large machine
constexpr std::int64_t kFewestColumns = 512;     // of a block that is one of several for that
constexpr std::int64_t kPartialBytes = 1 << 24;  // for partial weight gradients
// Blocks of which every one is shared. Products and pixels of an image that are worth several
// threads, and the columns to keep for that.
constexpr std::int64_t kFewBlocks = 2;
constexpr std::int64_t kLargeProduct = 1 << 24, kSharedPixels = 128, kLargeColumnBytes = 1 << 25;
// Columns of a partial weight gradient, and partial ones from which on threads take one each:
// shared products of a long depth would have the threads wait for each other at every part of it.
constexpr std::int64_t kSummedColumns = 512, kFewestSums = 4;
// Elements of a weight gradient to which few pixels add little, and several images' columns for
// them or for many weights.
constexpr std::int64_t kLargeSum = 1 << 13, kColumnsBytes = 1 << 23;
// Products that are worth a visit by a thread.
constexpr std::int64_t kPieceProducts = 1 << 20;
constexpr std::int64_t kWorthPacking = 1 << 12;   // weights
constexpr std::int64_t kRowPixels = 8;            // of a row that is put together in vectors
constexpr std::int64_t kLongRow = 8;              // of a kernel, that is copied as it is
constexpr std::int64_t kCopiedInPiece = 1 << 15;  // elements

// Whether the columns' gradients become rows of pixels between those that no window reads. Short
// rows of single pixels are added faster than they are put together.
bool spreads_rows(const Conv2dShape& s) {
  return sampled_supports(s) && (s.taps() > 1 || s.OW >= kRowPixels);
}

// Whether the input gradients of two blocks of output rows never meet.
bool rows_are_apart(const Conv2dShape& s) { return s.is_pointwise() || spreads_rows(s); }

// What one product works on: the columns of some output rows of an image or, where images are
// small, of several whole ones side by side. Pointwise convolutions have no columns, and their
// blocks only spread the work.
struct Blocks {
  std::int64_t images, rows;              // of a block
  std::int64_t image_blocks, row_blocks;  // numbers of blocks
  // With a large product for each of few blocks, the threads share every product; otherwise they
  // share the blocks, and wait for each other but once.
  bool whole;

  Blocks(const Conv2dShape& s, std::int64_t channels, std::int64_t item_size,
         ConvDirection direction) {
    const std::int64_t depth = std::max<std::int64_t>(1, channels * s.taps());
    const bool adds_images = direction == ConvDirection::GradWeight;
    if (adds_images && is_joined(s, item_size)) {
      images = s.N, rows = s.OH;
      image_blocks = row_blocks = 1;
      whole = true;
      return;
    }
    const std::int64_t fitting = kColumnBytes / item_size / depth;
    whole = is_whole(s, item_size) && !(adds_images && sums_of(s) >= kFewestSums);
    const std::int64_t products = std::max<std::int64_t>(1, depth * s.group_filters() * s.pixels());
    const bool packs = !adds_images && packs_weights_for_few(s);
    std::int64_t most = 1, enough = std::max(s.N / kPieces, kPieceProducts / products);
    if (packs || (adds_images && !whole && s.is_pointwise() && s.pixels() < kSharedPixels)) {
      // The caches need not hold the columns where the weights are more, or each block visits all
      // sums.
      most = std::min(kColumns, kColumnsBytes / item_size / depth) / s.pixels();
      enough = s.N;
    } else if (!whole && (!s.is_pointwise() || s.pixels() < kSharedPixels)) {
      most = std::min(fitting, kColumns) / s.pixels();
    }
    images = std::max<std::int64_t>(1, std::min({most, enough, s.N}));
    image_blocks = ceil_div(s.N, images);
    images = ceil_div(std::max<std::int64_t>(1, s.N), std::max<std::int64_t>(1, image_blocks));
    whole = whole || (packs && image_blocks * s.groups <= kFewBlocks &&
                      images * products >= 2 * kPieceProducts);
    // A sum over images goes on through as many columns as lie in place.
    std::int64_t columns =
        adds_images && s.is_pointwise() ? std::max(fitting, kSummedColumns) : fitting;
    // Few images have too few pieces otherwise.
    const bool by_rows = direction == ConvDirection::Forward ||
                         (direction == ConvDirection::GradInput && rows_are_apart(s));
    if (by_rows)
      columns = std::min(columns, std::max(kFewestColumns, s.N * s.groups * s.pixels() / kPieces));
    rows = whole || images > 1 ? s.OH : std::clamp<std::int64_t>(columns / s.OW, 1, s.OH);
    row_blocks = ceil_div(s.OH, rows);
    rows = ceil_div(s.OH, row_blocks);
  }

  // Whether the product of a single image would take little longer than the packing of its weights.
  static bool packs_weights_for_few(const Conv2dShape& s) {
    return s.pixels() < kSharedPixels &&
           s.group_channels() * s.taps() * s.group_filters() >= kManyWeights;
  }

  // Whether a large weight gradient is one product over the pixels of all images: with few pixels
  // in each, their products would pass by all the weights.
  static bool is_joined(const Conv2dShape& s, std::int64_t item_size) {
    const std::int64_t depth = s.group_channels() * s.taps(), columns = s.N * s.pixels();
    return s.pixels() < kSharedPixels && columns <= kColumns &&
           depth * s.group_filters() >= kLargeSum && depth * columns * item_size <= kColumnsBytes;
  }
  // How many partial sums of a weight gradient there are at most: each adds up enough columns to be
  // worth another visit to all the weights.
  static std::int64_t sums_of(const Conv2dShape& s) {
    return std::max<std::int64_t>(1, ceil_div(s.N * s.pixels(), kSummedColumns));
  }
  static bool is_whole(const Conv2dShape& s, std::int64_t item_size) {
    const std::int64_t depth = s.group_channels() * s.taps();
    return s.N * s.groups <= kFewBlocks && s.pixels() >= kSharedPixels &&
           depth * s.group_filters() * s.pixels() >= kLargeProduct &&
           (s.is_pointwise() || depth * s.pixels() * item_size <= kLargeColumnBytes);
  }
};

// Calls f(begin, end) for pieces of work: on several threads, or here where f uses them.
template <typename F>
void for_pieces(const Blocks& blocks, std::int64_t pieces, F&& f) {
  parallel_for(pieces, blocks.whole ? std::max<std::int64_t>(1, pieces) : 1, f);
}

// Calls f(begin, end) for channels whose planes have `elements` to copy: on several threads where
// this is no piece of work already.
template <typename F>
void for_channels(std::int64_t channels, std::int64_t elements, F&& f) {
  parallel_for(channels,
               std::max<std::int64_t>(1, kCopiedInPiece / std::max<std::int64_t>(1, elements)), f);
}

// Channels of the input gradient in a piece of work: few images have too few pieces otherwise.
std::int64_t block_channels(const Conv2dShape& s, std::int64_t item_size) {
  if (Blocks::is_whole(s, item_size) || Blocks::packs_weights_for_few(s) || rows_are_apart(s))
    return s.group_channels();
  const std::int64_t planes = std::max<std::int64_t>(1, s.N * s.groups);
  const std::int64_t splits =
      std::clamp<std::int64_t>(kPieces / planes, 1, ceil_div(s.group_channels(), 8));
  return ceil_div(s.group_channels(), splits);
}

// One of the blocks: all rows where it has several images.
struct Block {
  std::int64_t image, images;
  RowRange rows;
  std::int64_t pixels;  // of each image

  Block(const Conv2dShape& s, const Blocks& blocks, std::int64_t image_block,
        std::int64_t row_block)
      : image(image_block * blocks.images),
        images(std::min(blocks.images, s.N - image)),
        rows{row_block * blocks.rows, std::min(s.OH, (row_block + 1) * blocks.rows)},
        pixels((rows.end - rows.begin) * s.OW) {}
  std::int64_t columns() const { return images * pixels; }
};

// From a row of a buffer of `columns` to the next: an odd number of cache lines, since a power of
// two would put all rows into the same few sets of the cache.
template <typename T>
std::int64_t row_step(std::int64_t columns) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  return columns < kLine ? columns : (ceil_div(columns, kLine) | 1) * kLine;
}

// The planes of some channels, of all images of a block. Planes of less than a cache line go image
// by image, since those of one lie together on one of the sides; longer ones channel by channel.
template <typename T>
void copy_planes(std::int64_t channels, const Block& block, const T* from, std::int64_t from_plane,
                 std::int64_t from_image, T* to, std::int64_t to_plane, std::int64_t to_image) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  const auto& copy_rows = pixel_tiles<T>().gather_rows;
  for_channels(channels, block.columns(), [&](std::int64_t begin, std::int64_t end) {
    if (block.pixels > 1 && block.pixels <= kLine) {
      for (std::int64_t n = 0; n < block.images; ++n)
        copy_rows(from + begin * from_plane + n * from_image, from_plane, 1, end - begin,
                  block.pixels, to + begin * to_plane + n * to_image, to_plane);
    } else {
      for (std::int64_t c = begin; c < end; ++c)
        copy_rows(from + c * from_plane, from_image, 1, block.images, block.pixels,
                  to + c * to_plane, to_image);
    }
  });
}

// The columns of a group's channels: in `buffer`, or the input itself where the convolution is
// pointwise.
template <typename T>
Matrix<const T> columns_of(const Conv2dShape& s, const Block& block, std::int64_t group, const T* x,
                           T* buffer) {
  const std::int64_t channels = s.group_channels(), plane = s.H * s.W;
  const std::int64_t step = row_step<T>(block.columns());
  const T* const image = x + (block.image * s.groups + group) * channels * plane;
  if (s.is_pointwise() && block.images == 1)
    return row_major(image + block.rows.begin * s.OW, channels, block.pixels, s.pixels());
  if (s.is_pointwise()) {
    copy_planes(channels, block, image, plane, s.C * plane, buffer, step, block.pixels);
    return row_major<const T>(buffer, channels, block.columns(), step);
  }
  for (std::int64_t n = 0; n < block.images; ++n) {
    for_channels(channels, s.taps() * block.pixels, [&](std::int64_t begin, std::int64_t end) {
      const T* const from = image + (n * s.C + begin) * plane;
      T* const to = buffer + begin * s.taps() * step + n * block.pixels;
      if (sampled_supports(s))
        sample_rows(from, end - begin, s, block.rows, to, step);
      else
        im2col(from, end - begin, s, block.rows, to, step);
    });
  }
  return row_major<const T>(buffer, channels * s.taps(), block.columns(), step);
}

template <typename T>
Scratch<T> column_buffer(const Conv2dShape& s, const Blocks& blocks, std::int64_t channels) {
  return Scratch<T>(s.is_pointwise() && blocks.images == 1
                        ? 0
                        : channels * s.taps() * row_step<T>(blocks.images * blocks.rows * s.OW));
}

// Whether rows of a kernel are so long that windows are copied rather than transposed.
bool has_long_windows(const Conv2dShape& s) { return sampled_supports(s) && s.KW >= kLongRow; }

// Whether gradients of windows are better added by rows of the kernel than by columns, which are
// shorter.
bool adds_windows(const Conv2dShape& s) {
  return !sampled_supports(s) && s.dilation_w == 1 && s.KW >= kLongRow && s.KW > s.OW;
}

// The columns of a group's channels, transposed: in `buffer`.
template <typename T>
Matrix<const T> windows_of(const Conv2dShape& s, const Block& block, std::int64_t group, const T* x,
                           T* buffer) {
  if (!has_long_windows(s)) return columns_of(s, block, group, x, buffer).transposed();
  const std::int64_t channels = s.group_channels(), plane = s.H * s.W;
  const std::int64_t step = row_step<T>(channels * s.taps());
  const T* const image = x + (block.image * s.groups + group) * channels * plane;
  for (std::int64_t n = 0; n < block.images; ++n)
    for_channels(channels, s.taps() * block.pixels, [&](std::int64_t begin, std::int64_t end) {
      sample_windows(image + (n * s.C + begin) * plane, end - begin, s, block.rows,
                     buffer + n * block.pixels * step + begin * s.taps(), step);
    });
  return row_major<const T>(buffer, block.columns(), channels * s.taps(), step);
}

template <typename T>
Scratch<T> window_buffer(const Conv2dShape& s, const Blocks& blocks, std::int64_t channels) {
  return Scratch<T>(blocks.images * blocks.rows * s.OW * row_step<T>(channels * s.taps()));
}

// For the outputs of several images side by side.
template <typename T>
Scratch<T> output_buffer(const Conv2dShape& s, const Blocks& blocks) {
  return Scratch<T>(
      blocks.images == 1 ? 0 : s.group_filters() * row_step<T>(blocks.images * blocks.rows * s.OW));
}

// The weights as the first operand of the products of all blocks: packed once where there are
// several of these, whose columns would not outweigh it.
template <typename T>
class Filters {
 public:
  // `whole`: as the first operand, and all of them in every product.
  Filters(Matrix<const T> all, const Conv2dShape& s, const Blocks& blocks, bool whole = true) {
    const std::int64_t fewest = 4 * gemm_tiles<T>().lanes;
    const std::int64_t columns = blocks.images * blocks.rows * s.OW;
    if (gemm_tiles<T>().fast && s.groups == 1 && whole &&
        blocks.image_blocks * blocks.row_blocks > 1 && all.rows >= fewest && columns >= fewest &&
        all.rows * all.columns >= kWorthPacking)
      packed_.emplace(all);
  }
  // out = filters columns, and an addend for each row unless that is null; `filters` are all of the
  // weights or, if these are not packed, any.
  void multiply(Matrix<const T> filters, Matrix<const T> columns, const T* row_addends,
                Matrix<T> out) const {
    if (packed_)
      packed_->multiply(columns, out, row_addends);
    else if (row_addends)
      gemm_add_to_rows(filters, columns, row_addends, out);
    else
      gemm_parallel<T>(1, filters, columns, 0, out);
  }

 private:
  std::optional<PackedRows<T>> packed_;
};

// A group's part of an output or of its gradient, as it lies in the array.
template <typename T>
Matrix<T> outputs_of(const Conv2dShape& s, const Block& block, std::int64_t group, T* y) {
  const std::int64_t first = block.image * s.K + group * s.group_filters();
  return row_major(y + first * s.pixels() + block.rows.begin * s.OW, s.group_filters(),
                   block.pixels, s.pixels());
}

// The gradient of a block's outputs: in the array or, of several images, side by side in `buffer`.
template <typename T>
Matrix<const T> grads_of(const Conv2dShape& s, const Block& block, std::int64_t group, const T* dy,
                         T* buffer) {
  const Matrix<const T> first = outputs_of(s, block, group, dy);
  if (block.images == 1) return first;
  const std::int64_t step = row_step<T>(block.columns());
  copy_planes(first.rows, block, first.data, first.row_stride, s.K * s.pixels(), buffer, step,
              block.pixels);
  return row_major<const T>(buffer, first.rows, block.columns(), step);
}

// Adds the sum of each row, on several threads where this is no piece of work already.
template <typename T>
void add_up_rows(Matrix<const T> rows, double* totals) {
  constexpr ScalarType kDtype = std::is_same_v<T, float> ? kFloat32 : kFloat64;
  static const auto add_up = find_simd_sums(ReduceOp::Sum, kDtype).runs;
  for_channels(rows.rows, rows.columns, [&](std::int64_t begin, std::int64_t end) {
    add_up(totals + begin, &rows.at(begin, 0),
           rows.row_stride * static_cast<std::int64_t>(sizeof(T)), end - begin, rows.columns);
  });
}

// Rows of several images' pixels side by side, each to the channel's planes in these.
template <typename T>
void to_images(Matrix<const T> rows, const Block& block, std::int64_t image_step, T* first,
               std::int64_t plane_step) {
  copy_planes(rows.rows, block, rows.data, rows.row_stride, block.pixels, first, plane_step,
              image_step);
}

}  // namespace

std::int64_t im2col_columns(const Conv2dShape& s, ConvDirection direction) {
  const std::int64_t channels =
      direction == ConvDirection::GradInput ? block_channels(s, sizeof(float)) : s.group_channels();
  const Blocks blocks(s, channels, sizeof(float), direction);
  return blocks.images * blocks.rows * s.OW;
}

template <typename T>
void conv2d_im2col(const Conv2dShape& s, const T* x, const T* w, const T* bias, T* y) {
  const Blocks blocks = Blocks(s, s.group_channels(), sizeof(T), ConvDirection::Forward);
  const std::int64_t depth = s.group_channels() * s.taps();
  const Filters<T> all(row_major(w, s.K, depth), s, blocks);
  for_pieces(blocks, blocks.image_blocks * s.groups * blocks.row_blocks,
             [&](std::int64_t begin, std::int64_t end) {
               const Scratch<T> buffer = column_buffer<T>(s, blocks, s.group_channels());
               const Scratch<T> sums = output_buffer<T>(s, blocks);
               for (std::int64_t item = begin; item < end; ++item) {
                 const std::int64_t group = item / blocks.row_blocks % s.groups;
                 const Block block(s, blocks, item / blocks.row_blocks / s.groups,
                                   item % blocks.row_blocks);
                 const Matrix<const T> columns = columns_of(s, block, group, x, buffer.data());
                 const Matrix<const T> filters =
                     row_major(w + group * s.group_filters() * depth, s.group_filters(), depth);
                 const Matrix<T> first = outputs_of(s, block, group, y);
                 const Matrix<T> out = block.images == 1
                                           ? first
                                           : row_major(sums.data(), first.rows, block.columns(),
                                                       row_step<T>(block.columns()));
                 // [K, C*KH*KW] x [C*KH*KW, images*rows*OW]
                 all.multiply(filters, columns, bias ? bias + group * s.group_filters() : nullptr,
                              out);
                 if (block.images > 1)
                   to_images<T>(out, block, s.K * s.pixels(), &first.at(0, 0), s.pixels());
               }
             });
}

// A piece of work is one block or, where blocks of output rows overlap in the input, some channels
// of some images.
template <typename T>
void conv2d_grad_input_im2col(const Conv2dShape& s, const T* dy, const T* w, const T* bias, T* dx) {
  const std::int64_t plane = s.H * s.W, block_channels = kernels::block_channels(s, sizeof(T));
  const std::int64_t channel_blocks = ceil_div(s.group_channels(), block_channels);
  const Blocks blocks = Blocks(s, block_channels, sizeof(T), ConvDirection::GradInput);
  const std::int64_t depth = s.group_channels() * s.taps();
  const bool sampled = spreads_rows(s);
  const bool joined = s.is_pointwise() && blocks.images > 1, windowed = adds_windows(s);
  const Filters<T> all(row_major(w, s.group_filters(), depth).transposed(), s, blocks,
                       channel_blocks == 1 && !windowed);
  const std::int64_t row_pieces = rows_are_apart(s) ? blocks.row_blocks : 1;
  for_pieces(
      blocks, blocks.image_blocks * s.groups * channel_blocks * row_pieces,
      [&](std::int64_t begin, std::int64_t end) {
        const Scratch<T> buffer = windowed ? window_buffer<T>(s, blocks, block_channels)
                                           : column_buffer<T>(s, blocks, block_channels);
        const Scratch<T> grads = output_buffer<T>(s, blocks);
        // Of the columns' rows.
        const Scratch<T> tap_addends(sampled && bias ? block_channels * s.taps() : 0);
        for (std::int64_t piece = begin; piece < end; ++piece) {
          const std::int64_t item = piece / row_pieces;
          const std::int64_t group = item / channel_blocks % s.groups;
          const std::int64_t first = item % channel_blocks * block_channels;
          const std::int64_t channels = std::min(block_channels, s.group_channels() - first);
          const T* const addends = bias ? bias + group * s.group_channels() + first : nullptr;
          const Matrix<const T> filters =
              row_major(w + group * s.group_filters() * depth, s.group_filters(), depth)
                  .block(0, first * s.taps(), s.group_filters(), channels * s.taps());
          if (sampled && addends)
            for (std::int64_t row = 0; row < channels * s.taps(); ++row)
              tap_addends.data()[row] = addends[row / s.taps()];
          const std::int64_t row_end = row_pieces > 1 ? piece % row_pieces + 1 : blocks.row_blocks;
          for (std::int64_t row_block = piece % row_pieces; row_block < row_end; ++row_block) {
            const Block block(s, blocks, item / channel_blocks / s.groups, row_block);
            T* const image =
                dx + ((block.image * s.groups + group) * s.group_channels() + first) * plane;
            // Products of the pixels themselves, and rows that are put together, write each of them
            // once.
            if (row_block == 0 && !sampled && !s.is_pointwise())
              for (std::int64_t n = 0; n < block.images; ++n)
                for_channels(channels, plane, [&](std::int64_t c, std::int64_t last) {
                  for (; c < last; ++c)
                    std::fill_n(image + (n * s.C + c) * plane, plane, addends ? addends[c] : T{0});
                });
            const Matrix<const T> grad = grads_of(s, block, group, dy, grads.data());
            // [C*KH*KW, K] x [K, images*rows*OW]
            if (s.is_pointwise() && !joined) {
              all.multiply(
                  filters.transposed(), grad, addends,
                  row_major(image + block.rows.begin * s.OW, channels, block.pixels, plane));
              continue;
            }
            if (windowed) {
              const std::int64_t step = row_step<T>(channels * s.taps());
              // [images*rows*OW, K] x [K, C*KH*KW]
              gemm_parallel<T>(
                  1, grad.transposed(), filters, 0,
                  row_major(buffer.data(), block.columns(), channels * s.taps(), step));
              for (std::int64_t n = 0; n < block.images; ++n)
                for_channels(channels, plane, [&](std::int64_t c, std::int64_t last) {
                  windows_add(buffer.data() + n * block.pixels * step + c * s.taps(), step,
                              last - c, s, block.rows, image + (n * s.C + c) * plane);
                });
              continue;
            }
            const Matrix<T> columns = row_major(buffer.data(), channels * s.taps(), block.columns(),
                                                row_step<T>(block.columns()));
            const T* row_addends = nullptr;
            if (joined) row_addends = addends;
            if (sampled && addends) row_addends = tap_addends.data();
            all.multiply(filters.transposed(), grad, row_addends, columns);
            if (joined) {
              to_images<T>(columns, block, s.C * plane, image, plane);
              continue;
            }
            for (std::int64_t n = 0; n < block.images; ++n)
              for_channels(channels, plane, [&](std::int64_t c, std::int64_t last) {
                const T* const from = &columns.at(c * s.taps(), n * block.pixels);
                T* const to = image + (n * s.C + c) * plane;
                if (sampled)
                  spread_rows(from, columns.row_stride, last - c, s, block.rows,
                              addends ? addends + c : nullptr, to);
                else
                  col2im_add(from, columns.row_stride, last - c, s, block.rows, to);
              });
          }
        }
      });
}

// Images are summed in runs whose number depends on the sizes alone, the runs in order.
template <typename T>
void conv2d_grad_weight_im2col(const Conv2dShape& s, const T* x, const T* dy, T* dw, T* db) {
  const std::int64_t depth = s.group_channels() * s.taps(), weights = s.K * depth;
  const std::int64_t weight_bytes = weights * static_cast<std::int64_t>(sizeof(T));
  const Blocks blocks = Blocks(s, s.group_channels(), sizeof(T), ConvDirection::GradWeight);
  // Where the threads share every product, there is nothing to share beside.
  const std::int64_t count = blocks.image_blocks * blocks.row_blocks;
  const std::int64_t wanted =
      blocks.whole ? 1
                   : std::min({ceil_div(kPieces, s.groups),
                               std::max<std::int64_t>(2, kPartialBytes / weight_bytes),
                               std::max<std::int64_t>(2, Blocks::sums_of(s))});
  const std::int64_t run = std::max<std::int64_t>(1, ceil_div(count, wanted));
  const std::int64_t runs = std::max<std::int64_t>(1, ceil_div(count, run));
  const Scratch<T> partial((runs - 1) * weights);
  const BiasSums<T> bias(db, runs, s.K);
  const auto sum_of = [&](std::int64_t r) {
    return r == 0 ? dw : partial.data() + (r - 1) * weights;
  };
  for_pieces(blocks, runs * s.groups, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> buffer = has_long_windows(s) ? window_buffer<T>(s, blocks, s.group_channels())
                                                  : column_buffer<T>(s, blocks, s.group_channels());
    const Scratch<T> grads = output_buffer<T>(s, blocks);
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t r = item / s.groups, group = item % s.groups;
      const Matrix<T> sum =
          row_major(sum_of(r) + group * s.group_filters() * depth, s.group_filters(), depth);
      if (count == 0) std::fill_n(sum.data, sum.rows * sum.columns, T{0});
      for (std::int64_t i = r * run; i < std::min(count, (r + 1) * run); ++i) {
        const Block block(s, blocks, i / blocks.row_blocks, i % blocks.row_blocks);
        const Matrix<const T> windows = windows_of(s, block, group, x, buffer.data());
        const Matrix<const T> grad = grads_of(s, block, group, dy, grads.data());
        // [K, images*rows*OW] x [images*rows*OW, C*KH*KW]
        gemm_parallel<T>(1, grad, windows, i > r * run ? 1 : 0, sum);
        if (db) add_up_rows(grad, bias.of(r, group * s.group_filters()));
      }
    }
  });
  bias.finish();
  parallel_for(runs > 1 ? weights : 0, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = 1; r < runs; ++r) {
      const T* from = sum_of(r);
      for (std::int64_t i = begin; i < end; ++i) dw[i] += from[i];
    }
  });
}

#define TAPEDECK_INSTANTIATE(T)                                                                 \
  template void conv2d_im2col(const Conv2dShape&, const T*, const T*, const T*, T*);            \
  template void conv2d_grad_input_im2col(const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_grad_weight_im2col(const Conv2dShape&, const T*, const T*, T*, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
