#include <tapedeck/nn/functional/fold.h>

#include <tapedeck/ops/conv.h>

namespace tapedeck::nn::functional {

Tensor fold(const Tensor& input, const FoldFuncOptions& options) {
  return col2im(input, options.output_size(), options.kernel_size(), options.dilation(),
                options.padding(), options.stride());
}
Tensor unfold(const Tensor& input, const UnfoldFuncOptions& options) {
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
