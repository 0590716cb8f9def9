#include <ostream>

#include <tapedeck/ops/kernels/conv2d.h>

// Which algorithm serves which convolution.

namespace tapedeck::kernels {

namespace {

// What the vectors of the direct algorithm lie over: output channels, or the input channels of a
// weight gradient, in each group.
std::int64_t vector_channels(const Conv2dShape& s, ConvDirection direction) {
  return direction == ConvDirection::Forward ? s.group_filters() : s.group_channels();
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
    case ConvAlgorithm::Depthwise:
      return s.group_channels() == 1;
  }
  return false;
}

ConvAlgorithm conv2d_plan(const Conv2dShape& s, ConvDirection direction, ScalarType) {
  if (s.group_channels() == 1 && s.groups > 1) return ConvAlgorithm::Depthwise;
  // Vectors lie over these; fewer than half a vector is left to the columns.
  if (vector_channels(s, direction) >= 8) return ConvAlgorithm::Direct;
  return ConvAlgorithm::Im2col;
}

}  // namespace tapedeck::kernels
