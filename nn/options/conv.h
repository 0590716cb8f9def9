#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>
#include <tapedeck/nn/expanding_array.h>

namespace tapedeck::nn {

/// A padding of its own for each side: {top, bottom, left, right}, or {left, right} in one
/// dimension.
template <std::size_t D>
struct SidedPadding {
  SidedPadding() = default;
  explicit SidedPadding(std::initializer_list<std::int64_t> values) : sides(values) {}
  ExpandingArray<2 * D> sides = 0;
};

/// The padding of a convolution: numbers for all sides or for each axis, kValid, kSame, or numbers
/// for each side. It is asked by holds_alternative and get_if, as a std::variant of the four.
template <std::size_t D>
class ConvPaddingOption {
 public:
  enum class Kind : std::uint8_t { Numbers, Valid, Same, Sides };

  /// Whatever makes an ExpandingArray<D>: `1`, a vector, an array.
  template <std::convertible_to<ExpandingArray<D>> Numbers>
  ConvPaddingOption(const Numbers& numbers) : numbers_(numbers) {}
  /// One number, D or 2 D.
  ConvPaddingOption(std::initializer_list<std::int64_t> values) {
    if (values.size() == 2 * D)
      *this = SidedPadding<D>(values);
    else
      numbers_ = ExpandingArray<D>(values);
  }
  ConvPaddingOption(const SidedPadding<D>& sides) : kind_(Kind::Sides), sides_(sides) {}
  ConvPaddingOption(enumtype::kValid) : kind_(Kind::Valid) {}
  ConvPaddingOption(enumtype::kSame) : kind_(Kind::Same) {}

  Kind kind() const { return kind_; }
  const ExpandingArray<D>& numbers() const { return numbers_; }
  const SidedPadding<D>& sides() const { return sides_; }

 private:
  Kind kind_ = Kind::Numbers;
  ExpandingArray<D> numbers_ = 0;
  SidedPadding<D> sides_;
};

template <typename Alternative, std::size_t D>
bool holds_alternative(const ConvPaddingOption<D>& padding) {
  using Kind = typename ConvPaddingOption<D>::Kind;
  if constexpr (std::is_same_v<Alternative, enumtype::kSame>)
    return padding.kind() == Kind::Same;
  else if constexpr (std::is_same_v<Alternative, enumtype::kValid>)
    return padding.kind() == Kind::Valid;
  else if constexpr (std::is_same_v<Alternative, SidedPadding<D>>)
    return padding.kind() == Kind::Sides;
  else
    return padding.kind() == Kind::Numbers;
}
template <typename Alternative, std::size_t D>
const Alternative* get_if(const ConvPaddingOption<D>* padding) {
  if (!padding || !holds_alternative<Alternative>(*padding)) return nullptr;
  if constexpr (std::is_same_v<Alternative, SidedPadding<D>>)
    return &padding->sides();
  else if constexpr (std::is_same_v<Alternative, ExpandingArray<D>>)
    return &padding->numbers();
  else
    return &enumtype::value<Alternative>;
}

namespace detail {

using conv_padding_mode_t =
    OneOf<enumtype::kZeros, enumtype::kReflect, enumtype::kReplicate, enumtype::kCircular>;

template <std::size_t D>
using conv_padding_t = ConvPaddingOption<D>;

}  // namespace detail

/// Options of Conv1d, Conv2d and Conv3d: `Conv2dOptions(3, 16, {5, 3}).stride(2).padding(kSame)`.
template <std::size_t D>
struct ConvOptions {
  using padding_mode_t = detail::conv_padding_mode_t;
  using padding_t = detail::conv_padding_t<D>;

  ConvOptions(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size)
      : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size) {}
  TAPEDECK_ARG(std::int64_t, in_channels);
  TAPEDECK_ARG(std::int64_t, out_channels);
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<D>, stride) = 1;
  /// One number, one for each axis, {top, bottom, left, right}, kValid or kSame.
  TAPEDECK_ARG(padding_t, padding) = 0;
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
  TAPEDECK_ARG(std::int64_t, groups) = 1;
  TAPEDECK_ARG(bool, bias) = true;
  /// kZeros, kReflect, kReplicate or kCircular.
  TAPEDECK_ARG(padding_mode_t, padding_mode) = kZeros;
};
using Conv1dOptions = ConvOptions<1>;
using Conv2dOptions = ConvOptions<2>;
using Conv3dOptions = ConvOptions<3>;

/// Options of ConvTranspose1d, 2d and 3d.
template <std::size_t D>
struct ConvTransposeOptions {
  using padding_mode_t = detail::conv_padding_mode_t;
  using padding_t = detail::conv_padding_t<D>;

  ConvTransposeOptions(std::int64_t in_channels, std::int64_t out_channels,
                       ExpandingArray<D> kernel_size)
      : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size) {}
  TAPEDECK_ARG(std::int64_t, in_channels);
  TAPEDECK_ARG(std::int64_t, out_channels);
  TAPEDECK_ARG(ExpandingArray<D>, kernel_size);
  TAPEDECK_ARG(ExpandingArray<D>, stride) = 1;
  /// As in ConvOptions. It is cut off the output.
  TAPEDECK_ARG(padding_t, padding) = 0;
  /// Rows and columns added at the end; less than stride or dilation.
  TAPEDECK_ARG(ExpandingArray<D>, output_padding) = 0;
  TAPEDECK_ARG(std::int64_t, groups) = 1;
  TAPEDECK_ARG(bool, bias) = true;
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
  /// Only kZeros is possible.
  TAPEDECK_ARG(padding_mode_t, padding_mode) = kZeros;
};
using ConvTranspose1dOptions = ConvTransposeOptions<1>;
using ConvTranspose2dOptions = ConvTransposeOptions<2>;
using ConvTranspose3dOptions = ConvTransposeOptions<3>;

namespace functional {

/// Options of functional::conv1d, conv2d and conv3d.
template <std::size_t D>
struct ConvFuncOptions {
  using padding_t = nn::detail::conv_padding_t<D>;
  TAPEDECK_ARG(Tensor, bias) = Tensor();
  TAPEDECK_ARG(ExpandingArray<D>, stride) = 1;
  TAPEDECK_ARG(padding_t, padding) = 0;
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
  TAPEDECK_ARG(std::int64_t, groups) = 1;
};
using Conv1dFuncOptions = ConvFuncOptions<1>;
using Conv2dFuncOptions = ConvFuncOptions<2>;
using Conv3dFuncOptions = ConvFuncOptions<3>;

/// Options of functional::conv_transpose1d, 2d and 3d.
template <std::size_t D>
struct ConvTransposeFuncOptions {
  using padding_t = nn::detail::conv_padding_t<D>;
  TAPEDECK_ARG(Tensor, bias) = Tensor();
  TAPEDECK_ARG(ExpandingArray<D>, stride) = 1;
  TAPEDECK_ARG(padding_t, padding) = 0;
  TAPEDECK_ARG(ExpandingArray<D>, output_padding) = 0;
  TAPEDECK_ARG(std::int64_t, groups) = 1;
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
};
using ConvTranspose1dFuncOptions = ConvTransposeFuncOptions<1>;
using ConvTranspose2dFuncOptions = ConvTransposeFuncOptions<2>;
using ConvTranspose3dFuncOptions = ConvTransposeFuncOptions<3>;

}  // namespace functional
}  // namespace tapedeck::nn
