#include <tapedeck/nn/modules/fold.h>

#include <ostream>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/fold.h>
#include <tapedeck/nn/internal/print.h>

namespace tapedeck::nn {

namespace F = functional;

void FoldImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Fold") << "(output_size=" << text::of(options.output_size())
         << ", kernel_size=" << text::of(options.kernel_size())
         << ", dilation=" << text::of(options.dilation())
         << ", padding=" << text::of(options.padding()) << ", stride=" << text::of(options.stride())
         << ")";
}
Tensor FoldImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::fold(x, options); }, input);
}

void UnfoldImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Unfold") << "(kernel_size=" << text::of(options.kernel_size())
         << ", dilation=" << text::of(options.dilation())
         << ", padding=" << text::of(options.padding()) << ", stride=" << text::of(options.stride())
         << ")";
}
Tensor UnfoldImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::unfold(x, options); }, input);
}

void PixelShuffleImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("PixelShuffle") << "(upscale_factor=" << options.upscale_factor() << ")";
}
Tensor PixelShuffleImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::pixel_shuffle(x, options); }, input);
}

void PixelUnshuffleImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("PixelUnshuffle") << "(downscale_factor=" << options.downscale_factor()
         << ")";
}
Tensor PixelUnshuffleImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::pixel_unshuffle(x, options); }, input);
}

template class Cloneable<FoldImpl>;
template class Cloneable<UnfoldImpl>;
template class Cloneable<PixelShuffleImpl>;
template class Cloneable<PixelUnshuffleImpl>;

}  // namespace tapedeck::nn
