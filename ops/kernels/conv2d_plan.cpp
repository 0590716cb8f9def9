#include <algorithm>
#include <optional>
#include <ostream>

#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv2d_dilated.h>
#include <tapedeck/ops/kernels/conv2d_sampled.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>
#include <tapedeck/ops/kernels/conv_precision.h>

// Which algorithm serves which convolution.

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kLanes = 16;  // of the widest vectors: what the estimates below count in

// Elements of a 1x1 weight gradient from which on a matrix product, which packs each operand once,
// is faster than sums that pack the input for some filters at a time.
constexpr std::int64_t kLargeProduct = 1 << 17;

// The part of the lanes that is used where vectors lie over `n` elements.
double used_lanes(std::int64_t n) {
  return static_cast<double>(n) / static_cast<double>((n + kLanes - 1) / kLanes * kLanes);
}

// Whether vectors over the pixels of a row are better used than vectors over channels: parts of the
// peak that the two forms reach, from measurements. The direct algorithm transposes its sums before
// it stores them, which costs as much as about 14 products of an output, and broadcasts are its
// limit where there is only one vector of channels. The other form has few sums in registers where
// there are few filters.
bool pixels_pay(const Conv2dShape& s, ConvDirection direction) {
  const bool forward = direction == ConvDirection::Forward;
  const std::int64_t filters = forward ? s.group_filters() : s.group_channels();
  const std::int64_t channels = forward ? s.group_channels() : s.group_filters();
  std::int64_t products = channels * s.taps();
  if (!forward) products /= s.stride_h * s.stride_w;  // of a pixel, in the phases of the stride
  std::int64_t columns = forward ? s.OW : (s.W + s.stride_w - 1) / s.stride_w;
  if (s.is_pointwise()) columns = s.pixels();
  const double direct = used_lanes(filters) * (filters <= kLanes ? 0.75 : 0.97) /
                        (1 + 14 / static_cast<double>(std::max<std::int64_t>(1, products)));
  const double pixels =
      used_lanes(columns) * (filters >= 8 ? 0.87 : 0.3 + 0.06 * static_cast<double>(filters));
  return pixels > direct;
}

// Whether a weight gradient's vectors are better used over filters than over input channels. With
// one vector, broadcasts are the limit of both; the former begins every row anew, and gathers the
// pixels of a stride.
bool taps_pay(const Conv2dShape& s) {
  const auto used = [](std::int64_t n) { return used_lanes(n) * (n <= kLanes ? 0.85 : 0.95); };
  const double rows = (s.stride_w > 1 ? 0.85 : 1) / (1 + 3 / static_cast<double>(s.OW));
  return s.group_filters() >= 8 && s.group_channels() <= 2 * kLanes &&
         used(s.group_filters()) * rows > used(s.group_channels());
}

// A copy of what the windows read, as channels, makes vectors of many channels from few ones with
// many taps, and a large weight gradient a matrix product.
bool sampled_pays(const Conv2dShape& s, ConvDirection direction) {
  return sampled_supports(s) &&
         (s.taps() == 1 || s.group_channels() < 8 ||
          (direction == ConvDirection::GradWeight &&
           s.group_channels() * s.group_filters() * s.taps() >= kLargeProduct));
}

// What Winograd's tiles of m x m outputs and n x n products cost, with the direct algorithm's time
// as the unit; fitted to measurements of 3x3 and 5x5 kernels. Products are fewer but slower ones
// the more elements a tile has; transforms of tiles weigh with few channels, those of filters with
// few tiles.
struct WinogradCost {
  double products, time;
  WinogradCost(const Conv2dShape& s, ConvDirection direction, std::int64_t m, std::int64_t n) {
    const auto tiles =
        static_cast<double>((s.OH + m - 1) / m * ((s.OW + m - 1) / m));  // of an image
    const double elements = static_cast<double>(n * n);
    const double direct = static_cast<double>(s.pixels() * s.taps());
    const double channels =
        1 / static_cast<double>(s.group_channels()) + 1 / static_cast<double>(s.group_filters());
    const double images = static_cast<double>(std::max<std::int64_t>(1, s.N));
    products = tiles * elements;
    const double transforms = direction == ConvDirection::GradWeight ? 6 : 4;
    time = products / direct * (0.92 + 0.083 * static_cast<double>(n) + transforms * channels) +
           40 * elements / (images * direct);
  }
  bool pays(const Conv2dShape& s, double other_time = 0) const {
    return s.group_channels() >= 16 && s.group_filters() >= 16 && time + other_time < 0.97;
  }
};

// F(2, 3), alone and with F(2, 2), is at least as accurate as one long chain of additions, so it
// needs no permission. The others do, and have to be faster by far: their transforms are longer.
std::optional<ConvAlgorithm> winograd(const Conv2dShape& s, ConvDirection direction,
                                      ScalarType dtype) {
  const bool medium = dtype == kFloat32 && float32_conv_precision() == ConvPrecision::Medium;
  if (winograd_supports(WinogradVariant::F2x5, s)) {
    if (medium && WinogradCost(s, direction, 2, 6).pays(s)) return ConvAlgorithm::Winograd2x5;
    if (WinogradCost(s, direction, 2, 7).pays(s)) return ConvAlgorithm::Winograd2x3And2;
  }
  if (!winograd_supports(WinogradVariant::F2x3, s)) return std::nullopt;
  const WinogradCost small(s, direction, 2, 4), large(s, direction, 4, 6);
  if (medium && large.pays(s) && small.products >= 1.5 * large.products &&
      large.time < 0.9 * small.time)
    return ConvAlgorithm::Winograd4x3;
  if (small.pays(s)) return ConvAlgorithm::Winograd2x3;
  return std::nullopt;
}

// Windows that reach far make the direct algorithm copy many rows for few. Otherwise taking the
// image apart, which costs a visit to the memory for each channel, has to pay by Winograd.
bool dilated_pays(const Conv2dShape& s, ConvDirection direction, ScalarType dtype) {
  if (!dilated_supports(s) || s.group_channels() < 16 || s.group_filters() < 16) return false;
  const Conv2dShape dense = dilated_shape(s);
  if (std::max((s.KH - 1) * s.dilation_h, (s.KW - 1) * s.dilation_w) >= 8)
    return std::min(dense.OH, dense.OW) >= 5;
  const double copies =
      8 / static_cast<double>(s.group_channels()) + 8 / static_cast<double>(s.group_filters());
  return winograd(dense, direction, dtype) &&
         WinogradCost(dense, direction, 2, 4).pays(dense, copies);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::Auto:
      return out << "auto";
    case ConvAlgorithm::Im2col:
      return out << "im2col";
    case ConvAlgorithm::Direct:
      return out << "direct";
    case ConvAlgorithm::Pixels:
      return out << "pixels";
    case ConvAlgorithm::Taps:
      return out << "taps";
    case ConvAlgorithm::Winograd2x3:
      return out << "winograd F(2, 3)";
    case ConvAlgorithm::Winograd4x3:
      return out << "winograd F(4, 3)";
    case ConvAlgorithm::Winograd2x5:
      return out << "winograd F(2, 5)";
    case ConvAlgorithm::Winograd2x3And2:
      return out << "winograd F(2, 3) and F(2, 2)";
    case ConvAlgorithm::Depthwise:
      return out << "depthwise";
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
    case ConvAlgorithm::Taps:
      return direction == ConvDirection::GradWeight;
    case ConvAlgorithm::Winograd2x3:
      return winograd_supports(WinogradVariant::F2x3, s);
    case ConvAlgorithm::Winograd4x3:
      return winograd_supports(WinogradVariant::F4x3, s);
    case ConvAlgorithm::Winograd2x5:
      return winograd_supports(WinogradVariant::F2x5, s);
    case ConvAlgorithm::Winograd2x3And2:
      return winograd_supports(WinogradVariant::F2x3And2, s);
    case ConvAlgorithm::Depthwise:
      return s.group_channels() == 1;
    case ConvAlgorithm::Sampled:
      return sampled_supports(s);
    case ConvAlgorithm::Dilated:
      return dilated_supports(s);
  }
  return false;
}

ConvAlgorithm conv2d_plan(const Conv2dShape& s, ConvDirection direction, ScalarType dtype) {
  if (s.group_channels() == 1 && s.groups > 1) return ConvAlgorithm::Depthwise;
  if (sampled_pays(s, direction)) return ConvAlgorithm::Sampled;
  if (dilated_pays(s, direction, dtype)) return ConvAlgorithm::Dilated;
  if (const std::optional<ConvAlgorithm> algorithm = winograd(s, direction, dtype))
    return *algorithm;
  if (direction == ConvDirection::GradWeight) {
    if (s.is_pointwise() && s.group_channels() * s.group_filters() >= kLargeProduct)
      return ConvAlgorithm::Im2col;
    if (taps_pay(s)) return ConvAlgorithm::Taps;
    return s.group_channels() >= 8 ? ConvAlgorithm::Direct : ConvAlgorithm::Pixels;
  }
  return pixels_pay(s, direction) ? ConvAlgorithm::Pixels : ConvAlgorithm::Direct;
}

}  // namespace tapedeck::kernels
