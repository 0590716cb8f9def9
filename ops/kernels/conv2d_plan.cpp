#include <ostream>

#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>

// Which algorithm serves which convolution.

namespace tapedeck::kernels {

namespace {

// What the vectors of the direct algorithm lie over: output channels, or the input channels of a
// weight gradient, in each group.
std::int64_t vector_channels(const Conv2dShape& s, ConvDirection direction) {
  return direction == ConvDirection::Forward ? s.group_filters() : s.group_channels();
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
  // Vectors lie over these; fewer than half a vector is left to the columns.
  if (vector_channels(s, direction) >= 8) return ConvAlgorithm::Direct;
  return ConvAlgorithm::Im2col;
}

}  // namespace tapedeck::kernels
