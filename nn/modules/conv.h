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

/// The defaults of the arguments after kernel_size are those of the options.
template <std::size_t D>
ConvOptions<D> conv_options(std::int64_t in_channels, std::int64_t out_channels,
                            ExpandingArray<D> kernel_size, ExpandingArray<D> stride,
                            const conv_padding_t<D>& padding, ExpandingArray<D> dilation,
                            std::int64_t groups, bool with_bias) {
  return ConvOptions<D>(in_channels, out_channels, kernel_size)
      .stride(stride)
      .padding(padding)
      .dilation(dilation)
      .groups(groups)
      .bias(with_bias);
}

}  // namespace detail

/// Convolution of [(N,) in_channels, L] -> [(N,) out_channels, O] with
/// O = floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1.
class Conv1dImpl : public detail::ConvNdImpl<1, Conv1dImpl, Conv1dOptions> {
 public:
  explicit Conv1dImpl(const Conv1dOptions& options_);
  Conv1dImpl(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<1> kernel_size,
             ExpandingArray<1> stride = 1,
             const detail::conv_padding_t<1>& padding = ExpandingArray<1>(0),
             ExpandingArray<1> dilation = 1, std::int64_t groups = 1, bool with_bias = true)
      : Conv1dImpl(detail::conv_options<1>(in_channels, out_channels, kernel_size, stride, padding,
                                           dilation, groups, with_bias)) {}
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Conv1d);

/// Convolution of [(N,) in_channels, H, W] -> [(N,) out_channels, OH, OW], sizes as in Conv1d.
/// Padding may be numbers, {top, bottom, left, right}, kSame or kValid.
class Conv2dImpl : public detail::ConvNdImpl<2, Conv2dImpl, Conv2dOptions> {
 public:
  explicit Conv2dImpl(const Conv2dOptions& options_);
  Conv2dImpl(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<2> kernel_size,
             ExpandingArray<2> stride = 1,
             const detail::conv_padding_t<2>& padding = ExpandingArray<2>(0),
             ExpandingArray<2> dilation = 1, std::int64_t groups = 1, bool with_bias = true)
      : Conv2dImpl(detail::conv_options<2>(in_channels, out_channels, kernel_size, stride, padding,
                                           dilation, groups, with_bias)) {}
  Tensor forward(const Tensor& input);
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

/// The adjoint of a convolution: [(N,) in_channels, L] -> [(N,) out_channels, O] with
/// O = stride (L - 1) + dilation (kernel_size - 1) + 1 - 2 padding + output_padding.
class ConvTranspose1dImpl
    : public detail::ConvNdImpl<1, ConvTranspose1dImpl, ConvTranspose1dOptions> {
 public:
  explicit ConvTranspose1dImpl(const ConvTranspose1dOptions& options_);
  ConvTranspose1dImpl(std::int64_t in_channels, std::int64_t out_channels,
                      ExpandingArray<1> kernel_size, ExpandingArray<1> stride = 1,
                      const detail::conv_padding_t<1>& padding = ExpandingArray<1>(0),
                      ExpandingArray<1> output_padding = 0, std::int64_t groups = 1,
                      bool with_bias = true, ExpandingArray<1> dilation = 1);
  /// `output_size` chooses among the sizes that stride leaves open, instead of output_padding.
  Tensor forward(const Tensor& input, const std::optional<IntArrayRef>& output_size = std::nullopt);

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(ConvTranspose1d);

/// The adjoint of a convolution: [(N,) in_channels, H, W] -> [(N,) out_channels, OH, OW], sizes as
/// in ConvTranspose1d.
class ConvTranspose2dImpl
    : public detail::ConvNdImpl<2, ConvTranspose2dImpl, ConvTranspose2dOptions> {
 public:
  explicit ConvTranspose2dImpl(const ConvTranspose2dOptions& options_);
  ConvTranspose2dImpl(std::int64_t in_channels, std::int64_t out_channels,
                      ExpandingArray<2> kernel_size, ExpandingArray<2> stride = 1,
                      const detail::conv_padding_t<2>& padding = ExpandingArray<2>(0),
                      ExpandingArray<2> output_padding = 0, std::int64_t groups = 1,
                      bool with_bias = true, ExpandingArray<2> dilation = 1);
  /// `output_size`, of the spatial or of all axes, chooses among the sizes that stride leaves open.
  Tensor forward(const Tensor& input, const std::optional<IntArrayRef>& output_size = std::nullopt);

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

}  // namespace tapedeck::nn
