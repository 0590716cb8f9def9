#include <tapedeck/nn/functional/fold.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/conv.h>

namespace tapedeck::nn::functional {

Tensor fold(const Tensor& input, const FoldFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("fold", input);
  const tapedeck::detail::OpScope scope("fold");
  TAPEDECK_CHECK(
      input.dim() == 2 || input.dim() == 3,
      "fold: Input Error: Only unbatched (2D) or batched (3D) input Tensors are supported "
      "(got ",
      input.dim(), "D): ", input.sizes());
  return col2im(input, options.output_size(), options.kernel_size(), options.dilation(),
                options.padding(), options.stride());
}
Tensor unfold(const Tensor& input, const UnfoldFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("unfold", input);
  const tapedeck::detail::OpScope scope("unfold");
  TAPEDECK_CHECK(input.dim() == 4, "unfold: Input Error: Only 4D input Tensors are supported (got ",
                 input.dim(), "D): ", input.sizes());
  return im2col(input, options.kernel_size(), options.dilation(), options.padding(),
                options.stride());
}
Tensor pixel_shuffle(const Tensor& input, const PixelShuffleFuncOptions& options) {
  return tapedeck::pixel_shuffle(input, options.upscale_factor());
}
Tensor pixel_unshuffle(const Tensor& input, const PixelUnshuffleFuncOptions& options) {
  return tapedeck::pixel_unshuffle(input, options.downscale_factor());
}

}  // namespace tapedeck::nn::functional
