#pragma once

#include <tapedeck/nn/options/padding.h>

namespace tapedeck::nn::functional {

/// Adds elements at both ends of the last axes: a value, or the input mirrored, repeated at its
/// edge, or wrapped around. Negative numbers take elements away (kConstant only).
Tensor pad(const Tensor& input, const PadFuncOptions& options);

}  // namespace tapedeck::nn::functional
