#pragma once

#include <cstdint>
#include <iosfwd>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/fold.h>

namespace tapedeck::nn {

/// Adds up windows: [(N,) C KH KW, L] -> [(N,) C, output_size]. The adjoint of Unfold.
class FoldImpl : public Cloneable<FoldImpl> {
 public:
  FoldImpl(ExpandingArray<2> output_size, ExpandingArray<2> kernel_size)
      : options(output_size, kernel_size) {}
  explicit FoldImpl(const FoldOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  FoldOptions options;
};
TAPEDECK_LIBRARY_MODULE(Fold);

/// Windows as columns: [(N,) C, H, W] -> [(N,) C KH KW, L].
class UnfoldImpl : public Cloneable<UnfoldImpl> {
 public:
  UnfoldImpl(ExpandingArray<2> kernel_size) : options(kernel_size) {}
  explicit UnfoldImpl(const UnfoldOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  UnfoldOptions options;
};
TAPEDECK_LIBRARY_MODULE(Unfold);

/// [..., C r r, H, W] -> [..., C, H r, W r] with r = upscale_factor (Shi et al., 2016).
class PixelShuffleImpl : public Cloneable<PixelShuffleImpl> {
 public:
  PixelShuffleImpl(std::int64_t upscale_factor) : options(upscale_factor) {}
  explicit PixelShuffleImpl(const PixelShuffleOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  PixelShuffleOptions options;
};
TAPEDECK_LIBRARY_MODULE(PixelShuffle);

/// [..., C, H r, W r] -> [..., C r r, H, W] with r = downscale_factor.
class PixelUnshuffleImpl : public Cloneable<PixelUnshuffleImpl> {
 public:
  PixelUnshuffleImpl(std::int64_t downscale_factor) : options(downscale_factor) {}
  explicit PixelUnshuffleImpl(const PixelUnshuffleOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  PixelUnshuffleOptions options;
};
TAPEDECK_LIBRARY_MODULE(PixelUnshuffle);

}  // namespace tapedeck::nn
