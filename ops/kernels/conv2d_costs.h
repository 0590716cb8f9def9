#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>

namespace tapedeck::kernels::costs {

// What the algorithms of a convolution cost, estimated from its sizes and fitted to measurements.
// conv2d_plan() decides by these.

constexpr std::int64_t kLanes = 16;  ///< of the widest vectors: what the estimates count in
/// Taps beyond which what is done once for all of them is little.
constexpr std::int64_t kManyTaps = 25;
/// Channels that a vector over pixels broadcasts in every product with a column, at least, and
/// filters of a product for which its columns are little beside it.
constexpr std::int64_t kFewChannels = 8, kManyFilters = 8 * kLanes;

/// Of this CPU's vectors.
std::int64_t lanes();
/// Register tiles over the pixels of a row have few sums then. Products and vectors over channels
/// lose less.
bool has_few_registers();

bool is_strided(const Conv2dShape& shape);
/// Whether few registers meet sums over so many channels that a product, which goes through these
/// in parts, is faster: in an input gradient of a few taps, and with a stride in an output where
/// many filters share the columns.
bool is_deep(const Conv2dShape& shape, ConvDirection direction);

/// The part of the lanes that is used where vectors lie over `n` elements.
double used_lanes(std::int64_t n, std::int64_t lanes = kLanes);
/// What the direct algorithm multiplies for an image and a pair of channels. It skips padding:
/// columns of it in a weight gradient, and elsewhere where that outweighs taking taps one by one,
/// which counts as more products here.
double direct_products(const Conv2dShape& shape, ConvDirection direction);

/// How many times as many columns all taps of a row have as there are inside the image.
double padded_columns(const Conv2dShape& shape);

/// Parts of the peak that outputs and input gradients reach.
struct Reached {
  double direct, pixels, columns;
};
Reached reached(const Conv2dShape& shape, ConvDirection direction);
/// What products of weights and columns reach.
double columns_reach(const Conv2dShape& shape);
/// Whether columns are worth a comparison: with few registers vectors over pixels do better in
/// outputs of a few channels.
bool columns_compete(const Conv2dShape& shape, ConvDirection direction);

/// What Winograd's tiles cost, with the direct algorithm's time as the unit.
struct WinogradCost {
  double time;
  double limit = 0.97;  ///< of the time
  WinogradCost(const Conv2dShape& shape, ConvDirection direction, WinogradVariant variant);
  /// Whether that is less than the other algorithms take, with `other_time` beside it.
  bool pays(const Conv2dShape& shape, ConvDirection direction, double other_time = 0) const;
};
/// Nothing where there are no such tiles, or too few channels to share their transforms.
std::optional<WinogradCost> winograd_cost(WinogradPoints points, const Conv2dShape& shape,
                                          ConvDirection direction);
/// What Winograd on the parts of a dilated image costs, with the direct algorithm's time on the
/// whole as the unit. `dense` is a part, `cost` its cost.
double dilated_time(const Conv2dShape& shape, const Conv2dShape& dense, const WinogradCost& cost);

}  // namespace tapedeck::kernels::costs
