#include <algorithm>
#include <ostream>

#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>

// Which algorithm serves which convolution.

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kLanes = 16;  // of the widest vectors: what the estimates below count in

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

// F(2, 3) is at least as accurate as one long chain of additions, so it needs no permission. It
// wins where transforming the tiles costs little beside the products, that is with some channels on
// both sides, and where few outputs are lost to tiles that reach over the edge.
bool winograd_pays(const Conv2dShape& s) {
  const std::int64_t tile_rows = (s.OH + 1) / 2, tile_columns = (s.OW + 1) / 2;
  const std::int64_t filter_elements = s.group_channels() * s.group_filters();
  return s.group_channels() >= 16 && s.group_filters() >= 16 &&
         10 * s.pixels() >= 8 * 4 * tile_rows * tile_columns &&
         s.N * tile_rows * tile_columns * 512 >= filter_elements;
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
    case ConvAlgorithm::Winograd2x3:
      return out << "winograd F(2, 3)";
    case ConvAlgorithm::Winograd4x3:
      return out << "winograd F(4, 3)";
    case ConvAlgorithm::Winograd2x5:
      return out << "winograd F(2, 5)";
    case ConvAlgorithm::Depthwise:
      return out << "depthwise";
  }
  return out;
}

bool conv2d_supports(ConvAlgorithm algorithm, const Conv2dShape& s, ConvDirection /*direction*/,
                     ScalarType dtype) {
  if (!is_floating_point(dtype)) return false;
  switch (algorithm) {
    case ConvAlgorithm::Auto:
    case ConvAlgorithm::Im2col:
    case ConvAlgorithm::Direct:
    case ConvAlgorithm::Pixels:
      return true;
    case ConvAlgorithm::Winograd2x3:
      return winograd_supports(WinogradVariant::F2x3, s);
    case ConvAlgorithm::Winograd4x3:
      return winograd_supports(WinogradVariant::F4x3, s);
    case ConvAlgorithm::Winograd2x5:
      return winograd_supports(WinogradVariant::F2x5, s);
    case ConvAlgorithm::Depthwise:
      return s.group_channels() == 1;
  }
  return false;
}

ConvAlgorithm conv2d_plan(const Conv2dShape& s, ConvDirection direction, ScalarType) {
  if (s.group_channels() == 1 && s.groups > 1) return ConvAlgorithm::Depthwise;
  if (winograd_supports(WinogradVariant::F2x3, s) && winograd_pays(s))
    return ConvAlgorithm::Winograd2x3;
  if (direction == ConvDirection::GradWeight)  // vectors over input channels, or over pixels
    return s.group_channels() >= 8 ? ConvAlgorithm::Direct : ConvAlgorithm::Pixels;
  return pixels_pay(s, direction) ? ConvAlgorithm::Pixels : ConvAlgorithm::Direct;
}

}  // namespace tapedeck::kernels
