#pragma once

#include <cstdint>
#include <string>

namespace examples {

/// One axis of a convolution, a transposed convolution or a pooling.
struct ConvAxis {
  std::int64_t i = 0;  ///< input size
  std::int64_t k = 1;  ///< kernel size
  std::int64_t s = 1;  ///< stride
  std::int64_t p = 0;  ///< padding on each side
  std::int64_t d = 1;  ///< dilation, 1 for none
  std::int64_t output_padding = 0;
  bool ceil_mode = false;

  /// k + (k - 1)(d - 1): what the dilated kernel spans.
  std::int64_t effective_kernel() const { return k + (k - 1) * (d - 1); }
  /// floor((i + 2p - k') / s) + 1, or with ceil_mode the pooling rule. \throws tapedeck::Error
  /// where the kernel does not fit.
  std::int64_t conv_output() const;
  /// s(i - 1) + k' - 2p + output_padding. \throws tapedeck::Error where output_padding is too large
  /// or nothing is left.
  std::int64_t transposed_output() const;
  /// The smallest input that the formula of the convolution maps to `o`; the s - 1 sizes above it
  /// give the same. Those below 1 are no images.
  std::int64_t smallest_input(std::int64_t o) const {
    return s * (o - 1) + effective_kernel() - 2 * p;
  }
  /// How many of the input's last pixels no window of the convolution reads. Padding is not
  /// counted.
  std::int64_t unread_at_the_end() const;
};

/// The padding that is called "valid" (0), "half" (floor(k' / 2)), "same" (o = ceil(i / s)), "full"
/// (k' - 1), or a number. \throws tapedeck::Error for anything else, and for a "same" that needs
/// different paddings before and after.
std::int64_t padding_by_name(const std::string& name, const ConvAxis& axis);

/// The arithmetic of one axis, formulas with the numbers filled in, line by line.
std::string explain_convolution(const ConvAxis& axis);
std::string explain_transposed_convolution(const ConvAxis& axis);
std::string explain_pooling(const ConvAxis& axis);

/// The number of parameters, with the formula.
std::string explain_parameters(std::int64_t in_channels, std::int64_t out_channels,
                               std::int64_t kernel_height, std::int64_t kernel_width,
                               std::int64_t groups, bool bias);

}  // namespace examples
