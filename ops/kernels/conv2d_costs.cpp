#include <tapedeck/ops/kernels/conv2d_costs.h>

#include <algorithm>
#include <cmath>

#include <tapedeck/ops/kernels/conv_tiles.h>

namespace tapedeck::kernels::costs {

namespace {

// Channels from which on the register tiles of a few taps pass by more of them than the nearest
// cache holds.
constexpr std::int64_t kDeepChannels = 24 * kLanes;
// What a product takes where the direct algorithm skips columns of padding.
constexpr double kTapByTap = 1.08;
// Elements of an input and an output that come from the memory.
constexpr std::int64_t kFarDilated = 1 << 20;

// The part of a register tile's vectors that is used where the `n` pixels of an image are its only
// row: eight filters are summed for three vectors at a time, two for eight.
double used_vectors(std::int64_t n, std::int64_t filters) {
  const std::int64_t tile = filters >= 8 ? 3 : filters >= 4 ? 6 : 8;
  const std::int64_t vectors = (n + kLanes - 1) / kLanes;
  return static_cast<double>(vectors) / static_cast<double>((vectors + tile - 1) / tile * tile);
}

// Pairs of a column of the output and a tap that lies inside the image there.
std::int64_t valid_columns(const Conv2dShape& s) {
  std::int64_t columns = 0;
  for (std::int64_t kw = 0; kw < s.KW; ++kw) {
    const Conv2dShape::Range valid = s.valid_columns(kw);
    columns += std::max<std::int64_t>(0, valid.end - valid.begin);
  }
  return columns;
}

// What the direct algorithm's register tiles reach with two vectors of channels, and with one,
// whose every product has a broadcast of its own: with few registers these are the limit, and
// without a row of taps that shares its addresses.
constexpr double kWideReach = 0.97;
double narrow_reach(const Conv2dShape& s) {
  return has_few_registers() || s.is_pointwise() ? 0.75 : 0.9;
}

// What remains of the direct algorithm's speed after the transposition of its sums, of so many
// products each: it costs as much as about 14 of these.
double unspent_on_sums(double products) { return 1 / (1 + 14 / products); }

// With fewer channels on one side, transforms of the other side's have to be shared by many.
bool has_enough_channels(const Conv2dShape& s, ConvDirection direction) {
  const std::int64_t fewer = std::min(s.group_channels(), s.group_filters());
  const std::int64_t more = std::max(s.group_channels(), s.group_filters());
  // With few registers vectors over filters do better in weight gradients of few channels, and
  // the direct algorithm in those of a stride.
  if (direction == ConvDirection::GradWeight && has_few_registers() && fewer < kLanes &&
      (is_strided(s) || s.group_channels() < kLanes * 3 / 4))
    return false;
  if (fewer >= lanes()) return true;
  // Vectors over filters do better in weight gradients of few channels.
  if (direction == ConvDirection::GradWeight && s.group_channels() < kLanes) return false;
  const std::int64_t shared = direction == ConvDirection::GradWeight ? kLanes : 3 * kLanes;
  return fewer >= kLanes / 2 && more >= shared;
}

}  // namespace

std::int64_t lanes() { return conv_tiles<float>().lanes; }

bool has_few_registers() { return conv_tiles<float>().has_few_registers(); }

bool is_strided(const Conv2dShape& s) { return s.stride_h > 1 || s.stride_w > 1; }

bool is_deep(const Conv2dShape& s, ConvDirection direction) {
  if (!has_few_registers() || s.group_filters() < kDeepChannels) return false;
  if (direction == ConvDirection::GradInput) return s.taps() > 1 || is_strided(s);
  return is_strided(s) && s.group_channels() >= kDeepChannels;
}

double used_lanes(std::int64_t n, std::int64_t lanes) {
  return static_cast<double>(n) / static_cast<double>((n + lanes - 1) / lanes * lanes);
}

double direct_products(const Conv2dShape& s, ConvDirection direction) {
  std::int64_t rows = 0;
  for (std::int64_t kh = 0; kh < s.KH; ++kh) {
    const Conv2dShape::Range valid = s.valid_rows(kh);
    rows += std::max<std::int64_t>(0, valid.end - valid.begin);
  }
  auto columns = static_cast<double>(valid_columns(s));
  if (direction != ConvDirection::GradWeight) {
    const std::int64_t all =
        direction == ConvDirection::Forward ? s.OW * s.KW : s.W * s.KW / s.stride_w;
    columns = std::min(static_cast<double>(all), kTapByTap * columns);
  }
  return std::max(1.0, static_cast<double>(rows) * columns);
}

double padded_columns(const Conv2dShape& s) {
  return static_cast<double>(s.OW * s.KW) /
         static_cast<double>(std::max<std::int64_t>(1, valid_columns(s)));
}

bool columns_compete(const Conv2dShape& s, ConvDirection direction) {
  return !has_few_registers() || direction == ConvDirection::GradInput ||
         s.group_channels() >= kFewChannels;
}

// Columns are written, or added to the image, once for all filters, with a stride element by
// element; their rows and pixels of the output cost as well.
double columns_reach(const Conv2dShape& s) {
  const auto filters = static_cast<double>(s.group_filters());
  const auto depth = static_cast<double>(s.group_channels() * s.taps());
  const bool few = has_few_registers();
  double column = few ? 14 : 6;
  if (s.stride_w > 1) column = few ? 52 : s.stride_w == 2 ? 18 : 32;
  return (few ? 1.1 : 0.95) / (1 + (column + 300 / static_cast<double>(s.OW)) / filters +
                               4 / depth + 1.6 / static_cast<double>(s.pixels()));
}

// The direct algorithm transposes its sums before it stores them, and broadcasts are its limit
// where there is only one vector of channels. Vectors over the pixels of a row have few sums in
// registers where there are few filters.
Reached reached(const Conv2dShape& s, ConvDirection direction) {
  const bool forward = direction == ConvDirection::Forward;
  const std::int64_t filters = forward ? s.group_filters() : s.group_channels();
  const std::int64_t channels = forward ? s.group_channels() : s.group_filters();
  std::int64_t products = channels * s.taps();
  if (!forward) products /= s.stride_h * s.stride_w;  // of a pixel, in the phases of the stride
  const auto terms = static_cast<double>(std::max<std::int64_t>(1, products));
  const std::int64_t columns = forward ? s.OW : (s.W + s.stride_w - 1) / s.stride_w;
  const double row = s.is_pointwise() ? used_lanes(s.pixels()) * used_vectors(s.pixels(), filters)
                                      : used_lanes(columns, lanes());
  const std::int64_t tile_filters = has_few_registers() ? 4 : 8;
  Reached r{};
  // Without a stride, fewer filters than the widest vectors have lanes lose to vectors over pixels,
  // even where they fill shorter ones.
  const std::int64_t vector = is_strided(s) ? lanes() : kLanes;
  r.direct = used_lanes(filters, vector) * (filters <= vector ? narrow_reach(s) : kWideReach) *
             unspent_on_sums(terms);
  if (is_deep(s, direction)) r.direct *= is_strided(s) ? 0.7 : 0.55;
  const std::int64_t plane = forward ? s.pixels() : s.H * s.W / (s.stride_h * s.stride_w);
  r.direct *= std::max(1.0, static_cast<double>(plane * s.taps()) / direct_products(s, direction));
  const double few_filters = (has_few_registers() ? 0.28 : 0.3) +
                             (has_few_registers() ? 0.14 : 0.06) * static_cast<double>(filters);
  r.pixels = row * (filters < tile_filters ? few_filters : has_few_registers() ? 0.77 : 0.87);
  // Rows of many channels come from the L2 cache for a few sums, and where they are dilated for
  // every tap. Few registers have not been seen to lose by it.
  if (!forward && !has_few_registers())
    r.pixels /= 1 + static_cast<double>(s.dilation_h > 1 ? 2 * channels : channels) / 250;
  // Phases are put together afterwards.
  if (!forward && s.stride_w > 1) r.pixels /= 1 + (s.stride_w == 2 ? 30 : 80) / terms;
  r.columns = columns_reach(s);
  // Windows of a stride are gathered anew for each of a row's few sums: for all of its taps.
  if (has_few_registers() && columns_compete(s, direction) && is_strided(s)) {
    const bool many_taps = s.taps() > kManyTaps;
    r.direct *= forward ? (many_taps ? 0.85 : 0.6) : (many_taps ? 0.85 : 0.76);
    r.pixels *= forward ? 0.6 : 0.86;
  }
  // Columns are products of all taps with every pixel of the output, inside the image or not: many
  // more than the input has with wide padding, many fewer without padding.
  r.columns *= static_cast<double>(plane) / static_cast<double>(s.pixels());
  return r;
}

// Products are fewer but slower ones the more elements a tile has. Transforms of tiles and copies
// of pixels weigh with few channels; transforms of filters with few tiles, and the more the less of
// the filters the caches hold.
WinogradCost::WinogradCost(const Conv2dShape& s, ConvDirection direction, WinogradVariant variant) {
  constexpr double kCached = 1 << 22;  // elements
  constexpr std::int64_t kFloatBytes = 4;
  const bool weight = direction == ConvDirection::GradWeight;
  const WinogradWork work = winograd_work(variant, s, direction);
  const double direct = direct_products(s, direction);
  const auto elements = static_cast<double>(work.elements);
  const auto channels = static_cast<double>(s.group_channels());
  const auto filters = static_cast<double>(s.group_filters());
  const auto images = static_cast<double>(std::max<std::int64_t>(1, s.N));
  const double operands = 1 / channels + 1 / filters, transformed = elements * channels * filters;
  const bool adjoint = direction == ConvDirection::GradInput;
  const bool kept = winograd_keeps_input(
      s.N * work.tiles,
      work.elements * (adjoint ? s.group_filters() : s.group_channels()) * kFloatBytes,
      adjoint ? s.group_channels() : s.group_filters());
  const double filter = weight ? (kept ? 3 : 10) : (kept ? 8 : 22);
  const double products = static_cast<double>(work.tiles) * elements;
  time = products / direct *
             ((weight ? 1.0 : 0.97) + (weight ? 0.038 : 0.022) * std::sqrt(elements) +
              (weight ? 1.5 : 2.4) * operands) +
         4 * operands / static_cast<double>(s.taps()) +
         filter * elements / (images * direct) * transformed / (transformed + kCached);
  // The hundred elements of 7x7 take longer to transform than those that the estimate was fitted
  // to; their sums for each pair of channels leave the caches.
  if (work.elements > 64) limit = weight ? 0 : 0.82;
  if (!is_strided(s)) return;
  if (!has_few_registers()) {
    // Outputs in a single vector cost the direct algorithm a broadcast for every product, in
    // short sums; else its rows of a stride are joined and split at less cost than was fitted.
    const std::int64_t outputs = adjoint ? s.group_channels() : s.group_filters();
    if (!weight && s.groups == 1 && outputs <= lanes()) {
      const Reached part = reached(s, direction);
      limit = kWideReach / narrow_reach(s) *
              std::min(1.0, part.direct / std::max(part.pixels, part.columns));
    } else if (weight) {
      limit = std::min(limit, 0.92);
    } else if (!adjoint) {
      limit = 0.88;
    }
    return;
  }
  // With few registers the direct algorithm loses to a stride.
  limit = 1.3;
  if (weight) return;
  const double terms = adjoint ? filters / static_cast<double>(s.stride_h * s.stride_w) : channels;
  limit = 1.05 / unspent_on_sums(terms * static_cast<double>(s.taps()));
  // The rows of a stride are gathered for one vector of filters alone.
  if (!adjoint && s.groups == 1 && filters <= static_cast<double>(lanes())) limit *= 1.5;
  // Blocks of filters that are transformed for a few tiles, and leave the L2 cache: columns are
  // faster than the direct algorithm is.
  const std::int64_t block = work.elements * s.group_filters() * 2 * lanes() * kFloatBytes;
  if (adjoint && kept && block > 4 * conv_tiles<float>().l2_bytes()) limit = 0.76;
}

bool WinogradCost::pays(const Conv2dShape& s, ConvDirection direction, double other_time) const {
  if (time + other_time >= limit) return false;
  if (direction != ConvDirection::GradInput || s.group_channels() >= lanes()) return true;
  // Columns leave no lanes of vectors over channels empty.
  const Reached part = reached(s, direction);
  return part.direct > part.columns * time;
}

std::optional<WinogradCost> winograd_cost(WinogradPoints points, const Conv2dShape& s,
                                          ConvDirection direction) {
  if (!has_enough_channels(s, direction)) return std::nullopt;
  const std::optional<WinogradVariant> variant = winograd_variant(points, s, direction);
  if (!variant) return std::nullopt;
  return WinogradCost(s, direction, *variant);
}

// Parts of uneven sizes are computed as large as the largest, and taking the image apart and
// putting the output together visits the memory for each channel, the more the smaller the parts
// are. With few registers products take twice as long, copies do not.
double dilated_time(const Conv2dShape& s, const Conv2dShape& dense, const WinogradCost& cost) {
  const auto part = static_cast<double>(std::max<std::int64_t>(1, dense.pixels()));
  const bool far = s.N * (s.C * s.H * s.W + s.K * s.pixels()) >= kFarDilated;
  const double copy = (has_few_registers() ? 0.6 : 1) * ((far ? 5 : 2) + 300 / part);
  const double uneven = part * static_cast<double>(dense.N) /
                        static_cast<double>(std::max<std::int64_t>(1, s.N * s.pixels()));
  return cost.time * uneven + copy / static_cast<double>(s.group_channels()) +
         copy / static_cast<double>(s.group_filters());
}

}  // namespace tapedeck::kernels::costs
