#include <algorithm>
#include <optional>
#include <ostream>

#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv2d_costs.h>
#include <tapedeck/ops/kernels/conv2d_depthwise.h>
#include <tapedeck/ops/kernels/conv2d_dilated.h>
#include <tapedeck/ops/kernels/conv2d_direct_far.h>
#include <tapedeck/ops/kernels/conv2d_im2col.h>
#include <tapedeck/ops/kernels/conv2d_pixels.h>
#include <tapedeck/ops/kernels/conv2d_sampled.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>
#include <tapedeck/ops/kernels/conv_precision.h>
#include <tapedeck/ops/kernels/conv_tiles.h>

// Which algorithm serves which convolution.

namespace tapedeck::kernels {

namespace {

using namespace costs;

// Elements of a 1x1 weight gradient from which on a matrix product, which packs each operand once,
// is faster than sums that pack the input for some filters at a time.
constexpr std::int64_t kLargeProduct = 1 << 17;

// Weights of a strided 1x1 kernel from which on the copy of its pixels is little beside the
// products.
constexpr std::int64_t kWorthSampling = 1 << 12;
// Bytes of the L2 cache for each channel, less than which Winograd's tiles of a dilation's parts
// want.
constexpr std::int64_t kTransformedBytes = 512;
// Part of the direct algorithm's time that a weight gradient on a dilation's parts may take by the
// estimate: it takes longer where parts are small.
constexpr double kDilatedWeights = 0.85;
// Columns of one product from which on the weights that it packs are little beside it.
constexpr std::int64_t kManyColumns = 96;
constexpr std::int64_t kManyColumnsOfOneTap = 128;  // where there is less to gain
// Weights that the L2 caches do not hold.
constexpr std::int64_t kStreamedWeights = 1 << 20;
// Sums, each a vector over pixels, that caches do not hold.
constexpr std::int64_t kManySums = 1 << 15;
// Pixels of an image, and of all images, that register tiles of one row of it use badly.
constexpr std::int64_t kFewPixels = 64, kFewPixelsInAll = 112;
// Pixels of an image from which on a pointwise product is faster than register tiles of few pixels,
// and of a batch up to which its weight gradient is: the sums that are set aside outweigh these.
constexpr std::int64_t kProductPixels = 512;
// Pixels of an image up to which a pointwise product of it stays in the caches.
constexpr std::int64_t kCachedPixels = 1 << 12;
// Filters that leave register tiles of several of them partly empty.
constexpr std::int64_t kFewFilters = 8;
// Part of a row's vectors that is used where hardly any of them is partly empty.
constexpr double kWholeRows = 0.95;
// Taps of a single channel that are few for a row that vectors over filters begin.
constexpr std::int64_t kFewTaps = 9;
// Filters from which on columns of patches are worth writing where other vectors lose little.
constexpr std::int64_t kRepayColumns = 5 * kLanes;
// Elements of planes that come from the memory.
constexpr std::int64_t kFarPlanes = 1 << 22;
// Parts of the peak that columns of patches reach at least where a large product is worth them, and
// where they are little beside it.
constexpr double kWorthColumns = 0.25, kCheapColumns = 0.8;

// Pixels of all images that repay little of what other algorithms do with weights beyond the
// caches, which a product reads once.
std::int64_t fewest_pixels() { return has_few_registers() ? 25 : kFewPixels; }

std::int64_t group_weights(const Conv2dShape& s) {
  return s.group_channels() * s.group_filters() * s.taps();
}

// Whether a weight gradient's vectors are better used over filters than over input channels. With
// one vector, broadcasts are the limit of both; the former begins every row anew, and gathers the
// pixels of a stride. With few registers vectors over the pixels of a row, which a few channels
// would have instead, are slower than both.
bool taps_pay(const Conv2dShape& s) {
  if (has_few_registers() && s.group_channels() < kLanes) return s.group_filters() >= 8;
  if (has_few_registers() && s.group_channels() == kLanes && is_strided(s))
    return s.group_filters() >= 2 * kLanes;
  const auto used = [](std::int64_t n) { return used_lanes(n) * (n <= kLanes ? 0.85 : 0.95); };
  const double rows = (s.stride_w > 1 ? 0.85 : 1) / (1 + 3 / static_cast<double>(s.OW));
  if (s.group_filters() < 8 || s.group_channels() > 2 * kLanes) return false;
  const double taps = used(s.group_filters()) * rows;
  if (s.group_channels() >= 8) return taps > used(s.group_channels()) * padded_columns(s);
  // Eight elements of a few channels' taps are a tile, which may be left partly empty; rows of
  // pixels want a slab for each, and their sums fill the caches where there are many filters.
  const std::int64_t elements = s.group_channels() * s.taps();
  const double tiles = static_cast<double>(elements) / static_cast<double>((elements + 7) / 8 * 8);
  const double pixels =
      (s.stride_w > 1 ? 0.65 : 0.95) * used_lanes(s.OW) / (1 + 10 / static_cast<double>(s.OW));
  return s.group_filters() >= 2 * kManyFilters || 1.05 * taps * tiles > pixels;
}

// Whether each row of the output is summed as the kernel slides along it.
bool slides(const Conv2dShape& s) {
  return s.stride_h == 1 && s.stride_w == 1 && s.KH == s.KW && (s.KH == 3 || s.KH == 5);
}

// Whether a vector over the pixels of a row is full enough for a weight gradient of few channels
// that reads planes in place.
bool planes_in_place_pay(const Conv2dShape& s) {
  return s.group_channels() < kLanes && used_lanes(s.OW) >= 0.8 &&
         pixels_weight_reads_in_place<float>(s);
}

// Whether the only input channel is served as a depthwise one: few filters, which leave register
// tiles of others partly empty. The sums of a 5x5 kernel's weight gradient repay it for more, as
// long as these leave vectors over filters partly empty. With few registers so do those of all few
// filters, and 3x3 kernels whose rows leave no vector partly empty.
bool single_channel_pays(const Conv2dShape& s, ConvDirection direction) {
  if (!slides(s)) return false;
  if (has_few_registers()) {
    const bool whole = s.KH == 3 && used_lanes(s.OW, lanes()) > kWholeRows;
    if (direction != ConvDirection::GradWeight) return direction == ConvDirection::Forward && whole;
    return s.K < (whole ? 2 * kLanes : kLanes);
  }
  if (direction != ConvDirection::GradWeight)
    return direction == ConvDirection::Forward && s.K < kFewFilters;
  if (planes_in_place_pay(s)) return false;
  return s.K < kFewFilters || (s.KH == 5 && s.K < 2 * kLanes && used_lanes(s.K) < 1);
}

// Whether one input channel of each group, or the only one, is served as a depthwise convolution.
// Many filters of few groups fill the vectors of other algorithms.
bool depthwise_pays(const Conv2dShape& s, ConvDirection direction) {
  if (s.group_channels() > 1) return false;
  if (s.groups == 1) return single_channel_pays(s, direction);
  return s.group_filters() < kFewFilters || used_lanes(s.groups, lanes()) >= 0.5;
}

// Whether a depthwise convolution's vectors are better used over channels than over the pixels of a
// row, although its planes have to be transposed: rows that leave many lanes empty, strides, and
// kernels that do not slide. Weight gradients need no sum over the lanes then, which is much for 25
// taps.
//
// Few registers do not hold the sums of a 5x5 kernel that slides, rows of less than two of their
// vectors are whole where they have one, and weight gradients of planes beyond the caches wait for
// narrow strips of these.
//
// Planes that are read in place need no copy at all, and lose only where rows are shorter than the
// kernel or, of a stride's output, than a quarter of a vector.
bool depthwise_channels_pay(const Conv2dShape& s, ConvDirection direction) {
  if (used_lanes(s.groups, lanes()) < 0.5) return false;
  if (depthwise_reads_in_place<float>(s)) {
    const bool flat = s.KH == 3 && s.H * s.W <= kLanes && s.pixels() <= kLanes;
    if (direction == ConvDirection::GradWeight || flat) return false;
    if (!is_strided(s)) return s.OW < s.KW - 1;
    return direction == ConvDirection::Forward && s.OW < kLanes / 4;
  }
  const bool adds_up = direction == ConvDirection::GradInput && s.group_filters() > 1;
  if (!slides(s) || adds_up) return s.taps() > 1;
  if (has_few_registers()) {
    const bool far = direction == ConvDirection::GradWeight && s.N * s.K * s.pixels() >= kFarPlanes;
    return s.KH == 5 || far || (s.OW < 2 * lanes() && s.OW != lanes());
  }
  const bool many_sums = direction == ConvDirection::GradWeight && s.KH == 5;
  return s.OW <= (many_sums ? kLanes : 3 * kLanes / 4);
}

// Whether the weight gradient's vectors are better used over input channels than over the pixels of
// a row, which have a vector of sums for every weight: too many for the nearest cache with many
// filters, and read for every product of a single tap.
bool direct_weights_pay(const Conv2dShape& s) {
  if (group_weights(s) >= kManySums) return true;
  if (has_few_registers() && s.group_channels() >= lanes()) return true;
  const double pixels = s.group_filters() < kLanes ? 0.7 : s.taps() > 1 ? 0.6 : 0.4;
  return s.group_channels() >= 8 &&
         0.8 * used_lanes(s.group_channels()) > pixels * used_lanes(s.OW);
}

// Whether a strided 1x1 kernel's pixels are worth a copy of all of them: the pointwise convolution
// then works on whole images, and packs large weights once.
bool sampled_pays(const Conv2dShape& s) {
  return sampled_supports(s) && s.taps() == 1 && group_weights(s) >= kWorthSampling;
}
// Where the copy is one run through all channels, whose rows lie equally far apart, even before
// columns, which are copied channel by channel. An input gradient is spread channel by channel.
bool whole_sample_pays(const Conv2dShape& s, ConvDirection direction) {
  return direction != ConvDirection::GradInput && sampled_supports(s) && s.taps() == 1 &&
         s.H == s.OH * s.stride_h && 4 * group_weights(s) >= kWorthSampling;
}

// Products of a 1x1 kernel, whose columns are the images themselves: unless short sums write images
// beyond the caches.
bool pointwise_columns_pay(const Conv2dShape& s, ConvDirection direction) {
  const std::int64_t terms =
      direction == ConvDirection::Forward ? s.group_channels() : s.group_filters();
  return terms >= 2 * kLanes || s.pixels() < kCachedPixels;
}

// Products of a kernel that reads every pixel at most once: its columns are transpositions of rows,
// and become pixels again without sums.
bool patch_columns_pay(const Conv2dShape& s, ConvDirection direction) {
  const bool forward = direction == ConvDirection::Forward;
  const std::int64_t filters = s.group_filters(), channels = s.group_channels();
  const std::int64_t weights = group_weights(s), columns = im2col_columns(s, direction);
  // Rows of two pixels are copied one by one, too often for fewer filters.
  if (forward && s.taps() == 1 && has_few_registers() && s.OW == 2 && channels >= 2 * filters)
    return false;
  if (forward && s.taps() == 1 && columns >= kManyColumnsOfOneTap && channels >= 3 * kLanes / 2 &&
      weights < kLargeProduct)
    return true;
  // Weights beyond the caches would pass by every few rows of pixels otherwise.
  if (forward && weights >= kStreamedWeights / 2 && columns >= kFewPixels &&
      columns_reach(s) > kCheapColumns)
    return true;
  if (weights >= kStreamedWeights && columns >= kProductPixels) return true;
  // Spreads its pixels as it goes.
  if (!forward && s.taps() == 1) return filters >= kLanes || weights < kWorthSampling;
  const bool short_sums = s.taps() > 1 && filters >= kManyFilters &&
                          channels * s.taps() <= 2 * kManyFilters && columns >= kManyColumns;
  // With few registers other algorithms lose to every stride; else to the columns of stride two
  // alone, which are split in whole vectors, of rows that are not short.
  const bool large =
      has_few_registers()
          ? filters >= (forward ? kRepayColumns : 4 * kLanes) && channels >= 2 * kLanes
          : filters >= 6 * kLanes && channels >= 6 * kLanes && s.stride_w == 2 &&
                (!forward || s.OW >= 3 * kLanes / 4);
  if (large && columns >= kManyColumns / 2) return true;
  if (forward)
    return short_sums || (s.taps() > 1 && channels < kFewChannels && columns >= kManyColumns);
  if (channels < kFewChannels || short_sums) return true;
  // Images of one pixel would pass by all the weights one by one.
  const bool few_pixels = s.pixels() <= kFewPixels && (s.pixels() > 1 || s.N == 1);
  return (filters >= 4 * kLanes && few_pixels) ||
         (used_lanes(channels) < 0.8 && channels < 2 * kLanes && columns >= kManyColumns);
}

// Whether the few pixels of one or two images have so many filters that phases of a stride, or rows
// of a few pixels, are hardly begun where a product is done.
bool few_pixels_of_many_filters(const Conv2dShape& s) {
  return !has_few_registers() && s.N <= 2 && s.N * s.pixels() <= kFewPixels &&
         s.group_filters() >= 5 * kLanes;
}

// Outputs and input gradients by the product of weights and columns, where that packs each operand
// once for much work and columns cost little.
bool columns_pay(const Conv2dShape& s, ConvDirection direction) {
  if (s.is_pointwise()) return pointwise_columns_pay(s, direction);
  const bool forward = direction == ConvDirection::Forward;
  const std::int64_t weights = group_weights(s);
  const bool patches = sampled_supports(s);
  if (patches && patch_columns_pay(s, direction)) return true;
  // A few pixels in all do not outweigh the packing of weights, which a product can read in place.
  const bool strided = is_strided(s);
  if (forward)
    return strided && ((s.N * s.pixels() <= 4 && weights >= kManyWeights) ||
                       (few_pixels_of_many_filters(s) && weights >= kStreamedWeights));
  if (patches) return false;
  const bool few_pixels = s.N * s.pixels() <= kFewPixelsInAll;
  if (strided && few_pixels && is_deep(s, direction)) return true;
  if (strided && few_pixels_of_many_filters(s)) return true;
  if (s.group_filters() < 4 * kLanes || weights < kStreamedWeights / 2) return false;
  return (strided && s.N <= 2 && few_pixels) || (s.N == 1 && s.pixels() <= fewest_pixels());
}

// Whether a weight gradient's columns are little beside the products of so many filters with them:
// of a few channels, which leave vectors over channels empty. Vectors over filters lose less where
// they are wide, and skip padding.
bool columns_of_few_channels_pay(const Conv2dShape& s) {
  if (2 * direct_products(s, ConvDirection::GradWeight) <
      static_cast<double>(s.taps() * s.pixels()))
    return false;
  const std::int64_t channels = s.group_channels();
  const std::int64_t shares = !has_few_registers() ? 3 : channels <= 3 ? 1 : 2;
  return channels < kLanes && s.group_filters() >= shares * kManyFilters;
}
// The same of a single channel with few registers: its taps are too few for vectors over filters to
// share what they begin anew for every row or, without a stride, the filters too few to fill them.
bool columns_of_single_channel_pay(const Conv2dShape& s) {
  if (!has_few_registers() || s.C > 1 || s.K < kFewFilters) return false;
  return s.taps() <= kFewTaps || (!is_strided(s) && s.K < kLanes);
}
// The same of a stride, which Winograd does not serve.
bool columns_of_stride_pay(const Conv2dShape& s) {
  // What the direct algorithm copies serves many taps well.
  const std::int64_t filters = s.taps() > kManyTaps ? 3 * kManyFilters : 10 * kLanes;
  return is_strided(s) && s.group_filters() >= filters && s.group_channels() >= 2 * kLanes &&
         s.pixels() >= kFewPixels;
}

// Weight gradients by a product: of 1x1 kernels, of a large one, which packs each operand once, or
// of few pixels; and of patches, of a large one, of 1x1 kernels, and where neither channels nor
// filters fill vectors.
bool weight_columns_pay(const Conv2dShape& s) {
  const std::int64_t weights = group_weights(s), filters = s.group_filters();
  if (s.is_pointwise() || columns_of_few_channels_pay(s) || columns_of_single_channel_pay(s))
    return true;
  if (is_strided(s) && filters >= kManyFilters && few_pixels_of_many_filters(s)) return true;
  if (!sampled_supports(s))
    return s.N * s.pixels() <= fewest_pixels() && filters >= kManyFilters &&
           weights >= kStreamedWeights / 2;
  const std::int64_t columns = im2col_columns(s, ConvDirection::GradWeight);
  if (s.taps() > 1 && filters >= kManyFilters && s.group_channels() < kFewChannels) return true;
  // A product of few filters does not repay its columns where other vectors lose little.
  const bool few_registers = has_few_registers();
  if (few_registers && s.taps() > 1 && filters < kRepayColumns) return false;
  if (weights >= kLargeProduct && (s.taps() == 1 || columns_reach(s) > kWorthColumns))
    return columns >= kManyColumns / 2 || (few_registers && columns == s.N * s.pixels());
  if (columns < (few_registers ? kManyColumns / 3 : kManyColumns)) return false;
  if (few_registers && filters >= 4 * kLanes && s.group_channels() >= 2 * kLanes) return true;
  if (s.taps() == 1) {
    if (few_registers) return filters >= 8 || s.group_channels() < 4 * kLanes;
    return weights >= kWorthSampling || filters < 8;
  }
  if (filters >= kManyFilters && s.group_channels() >= kLanes &&
      s.group_channels() * s.taps() <= 2 * kManyFilters)
    return true;
  return s.group_channels() >= 8 && s.group_channels() < 2 * kLanes &&
         used_lanes(s.group_channels()) < 0.8 && !taps_pay(s);
}

// Four points are at least as accurate as one long chain of additions, so they need no permission.
// Six do, and have to be faster by more than the estimate may be wrong.
std::optional<ConvAlgorithm> winograd(const Conv2dShape& s, ConvDirection direction,
                                      ScalarType dtype) {
  const std::optional<WinogradCost> four = winograd_cost(WinogradPoints::Four, s, direction);
  if (!four) return std::nullopt;
  if (dtype == kFloat32 && float32_conv_precision() == ConvPrecision::Medium) {
    const std::optional<WinogradCost> six = winograd_cost(WinogradPoints::Six, s, direction);
    if (six && six->pays(s, direction) && (s.KH == 5 || six->time < 0.95 * four->time))
      return ConvAlgorithm::WinogradSix;
  }
  if (four->pays(s, direction)) return ConvAlgorithm::Winograd;
  return std::nullopt;
}

// Taking the image apart has to pay by Winograd. Windows that reach far make the direct algorithm
// copy many rows for few, unless it takes the taps inside the image by themselves.
bool dilated_pays(const Conv2dShape& s, ConvDirection direction) {
  if (!dilated_supports(s)) return false;
  const Conv2dShape dense = dilated_shape(s);
  const std::optional<WinogradCost> cost = winograd_cost(WinogradPoints::Four, dense, direction);
  if (!cost) return false;
  const double time = dilated_time(s, dense, *cost);
  if (!cost->pays(dense, direction, time - cost->time)) return false;
  // The direct algorithm skips all padding of a weight gradient.
  if (direction == ConvDirection::GradWeight) return time < kDilatedWeights;
  const bool adjoint = direction == ConvDirection::GradInput;
  if (direct_far_pays<float>(adjoint ? ConvWindow::grad_input(s) : ConvWindow::forward(s))) {
    // Transformed tiles of many channels are far beyond the L2 cache, for every block of filters.
    const std::int64_t channels = adjoint ? s.group_filters() : s.group_channels();
    return channels * kTransformedBytes <= conv_tiles<float>().l2_bytes();
  }
  const Reached part = reached(s, direction);
  const double columns = columns_compete(s, direction) ? part.columns : 0;
  return part.direct > std::max(part.pixels, columns) * time;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::Auto:
      return out << "auto";
    case ConvAlgorithm::Im2col:
      return out << "im2col";
    case ConvAlgorithm::Product:
      return out << "product";
    case ConvAlgorithm::Direct:
      return out << "direct";
    case ConvAlgorithm::Pixels:
      return out << "pixels";
    case ConvAlgorithm::Taps:
      return out << "taps";
    case ConvAlgorithm::Winograd:
      return out << "winograd";
    case ConvAlgorithm::WinogradSix:
      return out << "winograd at six points";
    case ConvAlgorithm::Depthwise:
      return out << "depthwise";
    case ConvAlgorithm::DepthwiseChannels:
      return out << "depthwise over channels";
    case ConvAlgorithm::Sampled:
      return out << "sampled";
    case ConvAlgorithm::Dilated:
      return out << "dilated";
  }
  return out;
}

bool conv2d_supports(ConvAlgorithm algorithm, const Conv2dShape& s, ConvDirection direction,
                     ScalarType dtype) {
  if (!is_floating_point(dtype)) return false;
  switch (algorithm) {
    case ConvAlgorithm::Auto:
    case ConvAlgorithm::Im2col:
    case ConvAlgorithm::Direct:
    case ConvAlgorithm::Pixels:
      return true;
    case ConvAlgorithm::Product:
      return s.covers_image();
    case ConvAlgorithm::Taps:
      return direction == ConvDirection::GradWeight;
    case ConvAlgorithm::Winograd:
      return winograd_variant(WinogradPoints::Four, s, direction).has_value();
    case ConvAlgorithm::WinogradSix:
      return winograd_variant(WinogradPoints::Six, s, direction).has_value();
    case ConvAlgorithm::Depthwise:
    case ConvAlgorithm::DepthwiseChannels:
      return s.group_channels() == 1;
    case ConvAlgorithm::Sampled:
      return sampled_supports(s);
    case ConvAlgorithm::Dilated:
      return dilated_supports(s);
  }
  return false;
}

ConvAlgorithm conv2d_plan(const Conv2dShape& s, ConvDirection direction, ScalarType dtype) {
  if (depthwise_pays(s, direction))
    return depthwise_channels_pay(s, direction) ? ConvAlgorithm::DepthwiseChannels
                                                : ConvAlgorithm::Depthwise;
  if (s.covers_image()) return ConvAlgorithm::Product;
  if (whole_sample_pays(s, direction)) return ConvAlgorithm::Sampled;
  if (direction == ConvDirection::GradWeight ? weight_columns_pay(s) : columns_pay(s, direction))
    return ConvAlgorithm::Im2col;
  if (sampled_pays(s)) return ConvAlgorithm::Sampled;
  if (dilated_pays(s, direction)) return ConvAlgorithm::Dilated;
  if (const std::optional<ConvAlgorithm> algorithm = winograd(s, direction, dtype))
    return *algorithm;
  if (direction == ConvDirection::GradWeight) {
    if (has_few_registers() && columns_of_stride_pay(s)) return ConvAlgorithm::Im2col;
    if (planes_in_place_pay(s)) return ConvAlgorithm::Pixels;
    if (taps_pay(s)) return ConvAlgorithm::Taps;
    return direct_weights_pay(s) ? ConvAlgorithm::Direct : ConvAlgorithm::Pixels;
  }
  const Reached part = reached(s, direction);
  const double other = std::max(part.direct, part.pixels);
  if (s.taps() > 1 && columns_compete(s, direction) && part.columns > other)
    return ConvAlgorithm::Im2col;
  return part.pixels > part.direct ? ConvAlgorithm::Pixels : ConvAlgorithm::Direct;
}

}  // namespace tapedeck::kernels
