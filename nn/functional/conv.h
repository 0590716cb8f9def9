#pragma once

#include <tapedeck/nn/options/conv.h>

namespace tapedeck::nn::functional {

/// Cross-correlation over [(N,) C_in, L] with weight [C_out, C_in / groups, K].
Tensor conv1d(const Tensor& input, const Tensor& weight, const Conv1dFuncOptions& options = {});
/// Cross-correlation over [(N,) C_in, H, W] with weight [C_out, C_in / groups, KH, KW].
Tensor conv2d(const Tensor& input, const Tensor& weight, const Conv2dFuncOptions& options = {});
/// Cross-correlation over [(N,) C_in, D, H, W] with weight [C_out, C_in / groups, KD, KH, KW].
Tensor conv3d(const Tensor& input, const Tensor& weight, const Conv3dFuncOptions& options = {});
/// The adjoints, with weight [C_in, C_out / groups, K...].
Tensor conv_transpose1d(const Tensor& input, const Tensor& weight,
                        const ConvTranspose1dFuncOptions& options = {});
Tensor conv_transpose2d(const Tensor& input, const Tensor& weight,
                        const ConvTranspose2dFuncOptions& options = {});
Tensor conv_transpose3d(const Tensor& input, const Tensor& weight,
                        const ConvTranspose3dFuncOptions& options = {});

}  // namespace tapedeck::nn::functional
