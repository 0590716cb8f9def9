#pragma once

#include <tapedeck/autograd/variable.h>
#include <tapedeck/nn/options/dropout.h>

namespace tapedeck::nn::functional {

// See <tapedeck/ops/dropout.h>. All change their input with the option `inplace`.

Tensor dropout(Tensor input, const DropoutFuncOptions& options = {});
/// Whole channels of [(N,) C, L].
Tensor dropout1d(Tensor input, const Dropout1dFuncOptions& options = {});
/// Whole channels of [(N,) C, H, W].
Tensor dropout2d(Tensor input, const Dropout2dFuncOptions& options = {});
Tensor dropout3d(Tensor input, const Dropout3dFuncOptions& options = {});
Tensor alpha_dropout(Tensor input, const AlphaDropoutFuncOptions& options = {});
Tensor feature_alpha_dropout(Tensor input, const FeatureAlphaDropoutFuncOptions& options = {});

}  // namespace tapedeck::nn::functional
