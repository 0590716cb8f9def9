#pragma once

#include "bench/conv_cases.h"
#include "bench/library.h"

namespace bench {

// The three computations of a convolution, without a tape around them.

lib::Tensor conv_forward(const ConvCase& conv, const lib::Tensor& input, const lib::Tensor& weight);
lib::Tensor conv_grad_input(const ConvCase& conv, const lib::Tensor& grad_output,
                            const lib::Tensor& input, const lib::Tensor& weight);
lib::Tensor conv_grad_weight(const ConvCase& conv, const lib::Tensor& grad_output,
                             const lib::Tensor& input, const lib::Tensor& weight);

}  // namespace bench
