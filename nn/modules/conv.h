#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/conv.h>

namespace tapedeck::nn {

namespace detail {

/// What the convolutions have in common. Weight and bias start uniform in
/// +-1 / sqrt(C_in / groups * kernel size), or C_out for the transposed ones.
template <std::size_t D, typename Derived, typename Options>
class ConvNdImpl : public Cloneable<Derived> {
 public:
  void reset() override;
  /// Draws new values.
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;

  Options options;
  Tensor weight;
  Tensor bias;  ///< [out_channels], or undefined

 protected:
  explicit ConvNdImpl(const Options& options_);
};

template <std::size_t D, typename Derived>
class ConvLayerImpl : public ConvNdImpl<D, Derived, ConvOptions<D>> {
 public:
  explicit ConvLayerImpl(const ConvOptions<D>& options_);
  ConvLayerImpl(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size,
                ExpandingArray<D> stride = 1,
                const conv_padding_t<D>& padding = ExpandingArray<D>(0),
                ExpandingArray<D> dilation = 1, std::int64_t groups = 1, bool with_bias = true);
  Tensor forward(const Tensor& input);
};

template <std::size_t D, typename Derived>
class ConvTransposeLayerImpl : public ConvNdImpl<D, Derived, ConvTransposeOptions<D>> {
 public:
  explicit ConvTransposeLayerImpl(const ConvTransposeOptions<D>& options_);
  ConvTransposeLayerImpl(std::int64_t in_channels, std::int64_t out_channels,
                         ExpandingArray<D> kernel_size, ExpandingArray<D> stride = 1,
                         const conv_padding_t<D>& padding = ExpandingArray<D>(0),
                         ExpandingArray<D> output_padding = 0, std::int64_t groups = 1,
                         bool with_bias = true, ExpandingArray<D> dilation = 1);
  /// `output_size`, of the spatial or of all axes, chooses among the sizes that stride leaves open,
  /// instead of output_padding.
  Tensor forward(const Tensor& input, const std::optional<IntArrayRef>& output_size = std::nullopt);
};

}  // namespace detail

/// Convolution of [(N,) in_channels, L] -> [(N,) out_channels, O] with
/// O = floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1.
class Conv1dImpl : public detail::ConvLayerImpl<1, Conv1dImpl> {
 public:
  using ConvLayerImpl::ConvLayerImpl;
  ~Conv1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(Conv1d);

/// Convolution of [(N,) in_channels, H, W] -> [(N,) out_channels, OH, OW], sizes as in Conv1d.
/// Padding may be numbers, {top, bottom, left, right}, kSame or kValid.
class Conv2dImpl : public detail::ConvLayerImpl<2, Conv2dImpl> {
 public:
  using ConvLayerImpl::ConvLayerImpl;
  ~Conv2dImpl() override;
};
extern template class Cloneable<Conv2dImpl>;
/// A Conv2dImpl; its arguments by position may be braced: `Conv2d(3, 16, {5, 3}, {2, 1})`.
class Conv2d : public ModuleHolder<Conv2dImpl> {
 public:
  using ModuleHolder<Conv2dImpl>::ModuleHolder;
  using Impl = Conv2dImpl;
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<2> kernel_size,
         ExpandingArray<2> stride = 1,
         const detail::conv_padding_t<2>& padding = ExpandingArray<2>(0),
         ExpandingArray<2> dilation = 1, std::int64_t groups = 1, bool with_bias = true);
};

/// Convolution of [(N,) in_channels, D, H, W] -> [(N,) out_channels, OD, OH, OW].
class Conv3dImpl : public detail::ConvLayerImpl<3, Conv3dImpl> {
 public:
  using ConvLayerImpl::ConvLayerImpl;
  ~Conv3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(Conv3d);

/// The adjoint of a convolution: [(N,) in_channels, L] -> [(N,) out_channels, O] with
/// O = stride (L - 1) + dilation (kernel_size - 1) + 1 - 2 padding + output_padding.
class ConvTranspose1dImpl : public detail::ConvTransposeLayerImpl<1, ConvTranspose1dImpl> {
 public:
  using ConvTransposeLayerImpl::ConvTransposeLayerImpl;
  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(ConvTranspose1d);

/// The adjoint of a convolution: [(N,) in_channels, H, W] -> [(N,) out_channels, OH, OW], sizes as
/// in ConvTranspose1d.
class ConvTranspose2dImpl : public detail::ConvTransposeLayerImpl<2, ConvTranspose2dImpl> {
 public:
  using ConvTransposeLayerImpl::ConvTransposeLayerImpl;
  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
extern template class Cloneable<ConvTranspose2dImpl>;
/// A ConvTranspose2dImpl; its arguments by position may be braced.
class ConvTranspose2d : public ModuleHolder<ConvTranspose2dImpl> {
 public:
  using ModuleHolder<ConvTranspose2dImpl>::ModuleHolder;
  using Impl = ConvTranspose2dImpl;
  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels,
                  ExpandingArray<2> kernel_size, ExpandingArray<2> stride = 1,
                  const detail::conv_padding_t<2>& padding = ExpandingArray<2>(0),
                  ExpandingArray<2> output_padding = 0, std::int64_t groups = 1,
                  bool with_bias = true, ExpandingArray<2> dilation = 1);
};

/// The adjoint of a convolution: [(N,) in_channels, D, H, W] -> [(N,) out_channels, OD, OH, OW].
class ConvTranspose3dImpl : public detail::ConvTransposeLayerImpl<3, ConvTranspose3dImpl> {
 public:
  using ConvTransposeLayerImpl::ConvTransposeLayerImpl;
  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(ConvTranspose3d);

}  // namespace tapedeck::nn
