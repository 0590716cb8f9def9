#include <tapedeck/nn/functional/dropout.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/dropout.h>

namespace tapedeck::nn::functional {

namespace {

// Drops channels of an input with `dims` axes after the channels, with or without a batch.
Tensor dropout_channels(const char* op, Tensor input, const DropoutFuncOptions& options,
                        std::int64_t dims) {
  TAPEDECK_CHECK(input.dim() == dims + 1 || input.dim() == dims + 2, op, ": expected ", dims + 1,
                 "D or ", dims + 2, "D input, got ", input.sizes());
  Tensor x = input.dim() == dims + 1 ? input.unsqueeze(0) : input;
  if (options.inplace()) {
    feature_dropout_(x, options.p(), options.training());
    return input;
  }
  const Tensor y = feature_dropout(x, options.p(), options.training());
  return input.dim() == dims + 1 ? y.squeeze(0) : y;
}

}  // namespace

Tensor dropout(Tensor input, const DropoutFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("dropout", input);
  const tapedeck::detail::OpScope scope("dropout");
  if (options.inplace()) return dropout_(input, options.p(), options.training());
  return tapedeck::dropout(input, options.p(), options.training());
}
Tensor dropout1d(Tensor input, const Dropout1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("dropout1d", input);
  const tapedeck::detail::OpScope scope("dropout1d");
  return dropout_channels("dropout1d", std::move(input), options, 1);
}
Tensor dropout2d(Tensor input, const Dropout2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("dropout2d", input);
  const tapedeck::detail::OpScope scope("dropout2d");
  return dropout_channels("dropout2d", std::move(input), options, 2);
}
Tensor dropout3d(Tensor input, const Dropout3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("dropout3d", input);
  const tapedeck::detail::OpScope scope("dropout3d");
  return dropout_channels("dropout3d", std::move(input), options, 3);
}
Tensor alpha_dropout(Tensor input, const AlphaDropoutFuncOptions& options) {
  const tapedeck::detail::OpScope scope("alpha_dropout");
  if (options.inplace()) return alpha_dropout_(input, options.p(), options.training());
  return tapedeck::alpha_dropout(input, options.p(), options.training());
}
Tensor feature_alpha_dropout(Tensor input, const FeatureAlphaDropoutFuncOptions& options) {
  const tapedeck::detail::OpScope scope("feature_alpha_dropout");
  if (options.inplace()) return feature_alpha_dropout_(input, options.p(), options.training());
  return tapedeck::feature_alpha_dropout(input, options.p(), options.training());
}

}  // namespace tapedeck::nn::functional
