#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// How exact float32 convolutions have to be: a setting of the process, which conv2d_plan() reads.
enum class ConvPrecision : std::uint8_t {
  Highest,  ///< as exact as adding up the products one by one
  Medium,   ///< about four digits, where that is faster
};

ConvPrecision float32_conv_precision();
void set_float32_conv_precision(ConvPrecision precision);

}  // namespace tapedeck::kernels
