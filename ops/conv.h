#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <type_traits>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// The padding of a convolution. Numbers: one for all sides, one for each axis, or one for each
/// side
/// ({top, bottom, left, right}, or {left, right} in one dimension). "valid" (kValid): none. "same"
/// (kSame): as much as makes ceil(input / stride) outputs, where an odd pixel goes after; on a
/// transposed convolution, input * stride outputs.
class ConvPadding {
 public:
  ConvPadding(std::int64_t all_sides) : values_{all_sides} {}
  ConvPadding(std::initializer_list<std::int64_t> values) : values_(IntArrayRef(values)) {}
  /// Lists of numbers: a vector, an array, an ExpandingArray.
  template <typename List>
  requires(std::convertible_to<const List&, IntArrayRef> && !std::is_arithmetic_v<List>)
      ConvPadding(const List& values)
      : values_(static_cast<IntArrayRef>(values)) {}
  /// "same" or "valid". \throws ValueError for another name.
  template <typename Name>
  requires(std::convertible_to<const Name&, std::string_view> && !std::is_arithmetic_v<Name>)
      ConvPadding(const Name& name)
      : ConvPadding(ByName{}, name) {}
  /// kSame or kValid.
  template <typename Enum>
  requires std::convertible_to<decltype(Enum::text), const char*> ConvPadding(const Enum&)
      : ConvPadding(ByName{}, std::string_view(Enum::text)) {}

  bool is_same() const { return same_; }
  const DimVector& values() const { return values_; }

 private:
  struct ByName {};
  ConvPadding(ByName, std::string_view name);

  bool same_ = false;
  DimVector values_;
};

// Cross-correlations over the last one or two axes, as PyTorch's of the same names. float32 or
// float64; input, weight and bias have one dtype. The input may lack the batch axis, and then the
// output does. stride, padding, dilation and output_padding are one number or one for each axis;
// padding may be more (see ConvPadding). All throw Error, with the shapes, where arguments do not
// fit together.

/// Input [(N,) C_in, L], weight [C_out, C_in / groups, K], bias [C_out] -> [(N,) C_out, O] with
/// O = floor((L + p_left + p_right - dilation (K - 1) - 1) / stride) + 1.
Variable conv1d(const Variable& input, const Variable& weight,
                const std::optional<Variable>& bias = {}, IntArrayRef stride = 1,
                const ConvPadding& padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);
/// Input [(N,) C_in, H, W], weight [C_out, C_in / groups, KH, KW], bias [C_out] ->
/// [(N,) C_out, OH, OW], each size as in conv1d.
Variable conv2d(const Variable& input, const Variable& weight,
                const std::optional<Variable>& bias = {}, IntArrayRef stride = 1,
                const ConvPadding& padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);

/// Input [(N,) C_in, L], weight [C_in, C_out / groups, K], bias [C_out] -> [(N,) C_out, O] with
/// O = stride (L - 1) + dilation (K - 1) + 1 - p_left - p_right + output_padding. The adjoint of
/// conv1d with the same weight. output_padding must be smaller than stride or dilation.
Variable conv_transpose1d(const Variable& input, const Variable& weight,
                          const std::optional<Variable>& bias = {}, IntArrayRef stride = 1,
                          const ConvPadding& padding = 0, IntArrayRef output_padding = 0,
                          std::int64_t groups = 1, IntArrayRef dilation = 1);
/// Input [(N,) C_in, H, W], weight [C_in, C_out / groups, KH, KW], bias [C_out] ->
/// [(N,) C_out, OH, OW], each size as in conv_transpose1d.
Variable conv_transpose2d(const Variable& input, const Variable& weight,
                          const std::optional<Variable>& bias = {}, IntArrayRef stride = 1,
                          const ConvPadding& padding = 0, IntArrayRef output_padding = 0,
                          std::int64_t groups = 1, IntArrayRef dilation = 1);

/// The windows of a convolution as columns (PyTorch's Unfold): [(N,) C, H, W] ->
/// [(N,) C KH KW, OH OW]. Arguments are one number or two; in libtorch's order.
Variable im2col(const Variable& self, IntArrayRef kernel_size, IntArrayRef dilation,
                IntArrayRef padding, IntArrayRef stride);
/// Its adjoint (PyTorch's Fold), which adds up overlapping windows: [(N,) C KH KW, OH OW] ->
/// [(N,) C, output_size].
Variable col2im(const Variable& self, IntArrayRef output_size, IntArrayRef kernel_size,
                IntArrayRef dilation, IntArrayRef padding, IntArrayRef stride);

/// [..., C r r, H, W] -> [..., C, H r, W r]: channel c r r + i r + j becomes pixel (h r + i,
/// w r + j) of channel c.
Variable pixel_shuffle(const Variable& self, std::int64_t upscale_factor);
/// Its inverse, [..., C, H r, W r] -> [..., C r r, H, W].
Variable pixel_unshuffle(const Variable& self, std::int64_t downscale_factor);

}  // namespace tapedeck
