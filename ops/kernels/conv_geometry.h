#pragma once

#include <cstdint>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/array/dim_vector.h>

namespace tapedeck::kernels {

/// How the window of a convolution moves; owns the output size formulas and their error messages.
/// One-dimensional convolutions are two-dimensional ones with a unit height and leave the first of
/// each pair at its default.
///
/// Shapes are taken as the user gave them: `dims` (1 or 2) spatial axes at the end, and an input of
/// `dims + 1` axes is one without a batch.
struct Conv2dGeometry {
  std::int64_t stride[2] = {1, 1};
  std::int64_t padding[4] = {0, 0, 0, 0};  ///< top, bottom, left, right
  std::int64_t dilation[2] = {1, 1};
  std::int64_t groups = 1;
  std::int64_t output_padding[2] = {0, 0};  ///< transposed convolution only

  /// Rows or columns that a kernel of `kernel` taps spans: d(k - 1) + 1.
  std::int64_t span(int axis, std::int64_t kernel) const {
    return dilation[axis] * (kernel - 1) + 1;
  }
  /// floor((i + p_before + p_after - d(k - 1) - 1) / s) + 1; at most 0 where the kernel does not
  /// fit.
  std::int64_t conv_size(int axis, std::int64_t input, std::int64_t kernel) const;
  /// s(i - 1) + d(k - 1) + 1 - p_before - p_after + output_padding.
  std::int64_t conv_transpose_size(int axis, std::int64_t input, std::int64_t kernel) const;

  /// Sets the padding so that the output of a convolution has ceil(i / s) pixels: in total
  /// max((ceil(i / s) - 1) s + d(k - 1) + 1 - i, 0), the odd one after (TensorFlow's rule, which is
  /// PyTorch's where s = 1). \throws Error as conv_output_sizes does.
  void set_same_padding(const char* op, int dims, IntArrayRef input, IntArrayRef weight);
  /// The same for a transposed convolution, whose output gets i s + output_padding pixels: the
  /// adjoint of the convolution above. Where s > d(k - 1) + 1 the padding after is negative.
  void set_same_padding_transposed(const char* op, int dims, IntArrayRef input, IntArrayRef weight);
  /// The convolution whose adjoint is this transposed one: output_padding becomes less padding
  /// after, which may make that negative. With it, sizes invert each other exactly.
  Conv2dGeometry adjoint() const;
};

/// [(N,) C_out, (OH,) OW] of a convolution of input [(N,) C_in, (H,) W] with weight
/// [C_out, C_in / groups, (KH,) KW]. \throws Error that names `op` and shows both shapes where an
/// argument is out of range or they do not fit together.
DimVector conv_output_sizes(const char* op, int dims, IntArrayRef input, IntArrayRef weight,
                            const Conv2dGeometry& geometry);
/// [(N,) C_out, (OH,) OW] of a transposed convolution of input [(N,) C_in, (H,) W] with weight
/// [C_in, C_out / groups, (KH,) KW]. \throws Error in the same cases, and where output_padding is
/// not smaller than either stride or dilation.
DimVector conv_transpose_output_sizes(const char* op, int dims, IntArrayRef input,
                                      IntArrayRef weight, const Conv2dGeometry& geometry);
/// \throws Error unless bias is [channels].
void check_conv_bias(const char* op, IntArrayRef bias, std::int64_t channels, IntArrayRef input,
                     IntArrayRef weight);

/// A convolution with everything known: what the loops of all algorithms work on. Bottom and right
/// padding are implied by the output size.
struct Conv2dShape {
  std::int64_t N, C, H, W;  ///< input
  std::int64_t K, KH, KW;   ///< output channels and kernel
  std::int64_t OH, OW;      ///< output
  std::int64_t groups;
  std::int64_t stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;

  /// Of input [N, C, H, W], weight [K, C / groups, KH, KW], output [N, K, OH, OW].
  Conv2dShape(IntArrayRef input, IntArrayRef weight, IntArrayRef output,
              const Conv2dGeometry& geometry);

  std::int64_t group_channels() const { return C / groups; }
  std::int64_t group_filters() const { return K / groups; }
  std::int64_t taps() const { return KH * KW; }
  std::int64_t pixels() const { return OH * OW; }
  /// Each output pixel reads the input pixel at its own place and nothing else.
  bool is_pointwise() const {
    return taps() == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 && pad_left == 0 &&
           OH == H && OW == W;
  }
  /// The kernel has the size of the image, and its only window lies on it.
  bool covers_image() const {
    return pixels() == 1 && KH == H && KW == W && pad_top == 0 && pad_left == 0;
  }

  /// Output positions [begin, end) whose tap falls inside the input.
  struct Range {
    std::int64_t begin, end;
  };
  Range valid_rows(std::int64_t kh) const {
    return valid(kh * dilation_h - pad_top, stride_h, H, OH);
  }
  Range valid_columns(std::int64_t kw) const {
    return valid(kw * dilation_w - pad_left, stride_w, W, OW);
  }

 private:
  static Range valid(std::int64_t offset, std::int64_t stride, std::int64_t size,
                     std::int64_t outputs);
};

}  // namespace tapedeck::kernels
