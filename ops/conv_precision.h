#pragma once

#include <string_view>

namespace tapedeck {

/// Trades digits of float32 convolutions for speed, for the whole process and from the next
/// computation on, gradients included.
///
/// - "highest" (the default): errors like those of adding up the products one by one, 1e-6 of the
///   largest value or less.
/// - "medium": 3x3 and 5x5 kernels of stride 1 may take the larger Winograd transforms F(4, 3) and
///   F(2, 5), up to twice as fast; errors of about 1e-5 of the largest value.
///
/// float64 is not affected. docs/convolution-kernels.md has the measured errors.
/// \throws ValueError for another name.
void set_float32_conv_precision(std::string_view precision);

/// "highest" or "medium".
std::string_view get_float32_conv_precision();

}  // namespace tapedeck
