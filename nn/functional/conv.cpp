#include <tapedeck/nn/functional/conv.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/nn/internal/conv_padding.h>
#include <tapedeck/ops/conv3d.h>

namespace tapedeck::nn::functional {

using nn::detail::conv_padding_of;

Tensor conv1d(const Tensor& input, const Tensor& weight, const Conv1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("conv1d", input, weight);
  const tapedeck::detail::OpScope scope("conv1d");
  return tapedeck::conv1d(input, weight, options.bias(), options.stride(),
                          conv_padding_of<1>(options.padding()), options.dilation(),
                          options.groups());
}
Tensor conv2d(const Tensor& input, const Tensor& weight, const Conv2dFuncOptions& options) {
  return tapedeck::conv2d(input, weight, options.bias(), options.stride(),
                          conv_padding_of<2>(options.padding()), options.dilation(),
                          options.groups());
}
Tensor conv3d(const Tensor& input, const Tensor& weight, const Conv3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("conv3d", input, weight);
  const tapedeck::detail::OpScope scope("conv3d");
  return tapedeck::conv3d(input, weight, options.bias(), options.stride(),
                          conv_padding_of<3>(options.padding()), options.dilation(),
                          options.groups());
}
Tensor conv_transpose1d(const Tensor& input, const Tensor& weight,
                        const ConvTranspose1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("conv_transpose1d", input, weight);
  const tapedeck::detail::OpScope scope("conv_transpose1d");
  return tapedeck::conv_transpose1d(input, weight, options.bias(), options.stride(),
                                    conv_padding_of<1>(options.padding()), options.output_padding(),
                                    options.groups(), options.dilation());
}
Tensor conv_transpose2d(const Tensor& input, const Tensor& weight,
                        const ConvTranspose2dFuncOptions& options) {
  return tapedeck::conv_transpose2d(input, weight, options.bias(), options.stride(),
                                    conv_padding_of<2>(options.padding()), options.output_padding(),
                                    options.groups(), options.dilation());
}
Tensor conv_transpose3d(const Tensor& input, const Tensor& weight,
                        const ConvTranspose3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("conv_transpose3d", input, weight);
  const tapedeck::detail::OpScope scope("conv_transpose3d");
  return tapedeck::conv_transpose3d(input, weight, options.bias(), options.stride(),
                                    conv_padding_of<3>(options.padding()), options.output_padding(),
                                    options.groups(), options.dilation());
}

}  // namespace tapedeck::nn::functional
