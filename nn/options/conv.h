#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <variant>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>
#include <tapedeck/nn/expanding_array.h>

namespace tapedeck::nn {

/// A padding of its own for each side: {top, bottom, left, right}, or {left, right} in one
/// dimension.
template <std::size_t D>
struct SidedPadding {
  explicit SidedPadding(std::initializer_list<std::int64_t> values) : sides(values) {}
  ExpandingArray<2 * D> sides;
};

namespace detail {

using conv_padding_mode_t =
    std::variant<enumtype::kZeros, enumtype::kReflect, enumtype::kReplicate, enumtype::kCircular>;

/// Numbers for all sides or for each axis, kValid, kSame, or numbers for each side.
template <std::size_t D>
using conv_padding_t =
    std::variant<ExpandingArray<D>, enumtype::kValid, enumtype::kSame, SidedPadding<D>>;

template <std::size_t D>
conv_padding_t<D> padding_of(std::initializer_list<std::int64_t> values) {
  if (values.size() == 2 * D) return SidedPadding<D>(values);
  return ExpandingArray<D>(values);
}

}  // namespace detail

// The member `padding` of the convolutions' options, which takes braced lists too.
#define TAPEDECK_CONV_PADDING_ARG(D)                                          \
  TAPEDECK_ARG(padding_t, padding) = ExpandingArray<D>(0);                    \
                                                                              \
 public:                                                                      \
  auto padding(std::initializer_list<std::int64_t> values)->decltype(*this) { \
    return padding(::tapedeck::nn::detail::padding_of<D>(values));            \
  }                                                                           \
  auto padding(std::int64_t all_sides)->decltype(*this) {                     \
    return padding(padding_t(ExpandingArray<D>(all_sides)));                  \
  }

/// Options of Conv1d and Conv2d: `Conv2dOptions(3, 16, {5, 3}).stride(2).padding(kSame)`.
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
  TAPEDECK_CONV_PADDING_ARG(D)
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
  TAPEDECK_ARG(std::int64_t, groups) = 1;
  TAPEDECK_ARG(bool, bias) = true;
  /// kZeros, kReflect, kReplicate or kCircular.
  TAPEDECK_ARG(padding_mode_t, padding_mode) = kZeros;
};
using Conv1dOptions = ConvOptions<1>;
using Conv2dOptions = ConvOptions<2>;

/// Options of ConvTranspose1d and ConvTranspose2d.
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
  TAPEDECK_CONV_PADDING_ARG(D)
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

namespace functional {

/// Options of functional::conv1d and conv2d.
template <std::size_t D>
struct ConvFuncOptions {
  using padding_t = nn::detail::conv_padding_t<D>;
  TAPEDECK_ARG(Tensor, bias) = Tensor();
  TAPEDECK_ARG(ExpandingArray<D>, stride) = 1;
  TAPEDECK_CONV_PADDING_ARG(D)
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
  TAPEDECK_ARG(std::int64_t, groups) = 1;
};
using Conv1dFuncOptions = ConvFuncOptions<1>;
using Conv2dFuncOptions = ConvFuncOptions<2>;

/// Options of functional::conv_transpose1d and conv_transpose2d.
template <std::size_t D>
struct ConvTransposeFuncOptions {
  using padding_t = nn::detail::conv_padding_t<D>;
  TAPEDECK_ARG(Tensor, bias) = Tensor();
  TAPEDECK_ARG(ExpandingArray<D>, stride) = 1;
  TAPEDECK_CONV_PADDING_ARG(D)
  TAPEDECK_ARG(ExpandingArray<D>, output_padding) = 0;
  TAPEDECK_ARG(std::int64_t, groups) = 1;
  TAPEDECK_ARG(ExpandingArray<D>, dilation) = 1;
};
using ConvTranspose1dFuncOptions = ConvTransposeFuncOptions<1>;
using ConvTranspose2dFuncOptions = ConvTransposeFuncOptions<2>;

}  // namespace functional
}  // namespace tapedeck::nn
