#include <tapedeck/ops/kernels/conv_geometry.h>

#include <gtest/gtest.h>

#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/compare.h>

namespace tapedeck::kernels {
namespace {

using testing_support::error_of;
using I64 = std::int64_t;

Conv2dGeometry square(I64 stride, I64 padding, I64 dilation = 1, I64 groups = 1) {
  Conv2dGeometry g;
  g.stride[0] = g.stride[1] = stride;
  for (I64& side : g.padding) side = padding;
  g.dilation[0] = g.dilation[1] = dilation;
  g.groups = groups;
  return g;
}

std::string conv_error(DimVector input, DimVector weight, const Conv2dGeometry& g,
                       const char* op = "conv2d", int dims = 2) {
  return error_of([&] { conv_output_sizes(op, dims, input, weight, g); });
}
std::string transposed_error(DimVector input, DimVector weight, const Conv2dGeometry& g) {
  return error_of([&] { conv_transpose_output_sizes("conv_transpose2d", 2, input, weight, g); });
}

TEST(ConvGeometry, SizesOfConvolutionArithmetic) {
  const struct {
    I64 input, kernel, stride, padding, dilation, expected;
  } rows[] = {{4, 3, 1, 0, 1, 2}, {5, 4, 1, 2, 1, 6}, {5, 3, 1, 1, 1, 5}, {5, 3, 1, 2, 1, 7},
              {5, 3, 2, 1, 1, 3}, {6, 3, 2, 1, 1, 3}, {7, 3, 1, 0, 2, 3}, {28, 3, 2, 0, 1, 13},
              {9, 1, 2, 0, 1, 5}, {8, 1, 2, 0, 1, 4}};
  for (const auto& row : rows) {
    const Conv2dGeometry g = square(row.stride, row.padding, row.dilation);
    EXPECT_EQ(conv_output_sizes("conv2d", 2, {2, 3, row.input, row.input},
                                {4, 3, row.kernel, row.kernel}, g),
              (DimVector{2, 4, row.expected, row.expected}));
    EXPECT_EQ(conv_output_sizes("conv1d", 1, {3, row.input}, {4, 3, row.kernel}, g),
              (DimVector{4, row.expected}));
  }
  EXPECT_EQ(
      conv_transpose_output_sizes("conv_transpose2d", 2, {1, 1, 2, 2}, {1, 1, 3, 3}, square(1, 0)),
      (DimVector{1, 1, 4, 4}));
  EXPECT_EQ(
      conv_transpose_output_sizes("conv_transpose2d", 2, {1, 1, 2, 2}, {1, 1, 3, 3}, square(2, 0)),
      (DimVector{1, 1, 5, 5}));
}

// Sizes beyond 2^53 would show a division done in floating point.
TEST(ConvGeometry, DivisionIsExact) {
  Conv2dGeometry g = square(3, 0);
  const I64 large = (I64{1} << 60) + 1;
  EXPECT_EQ(g.conv_size(0, large, 3), (large - 3) / 3 + 1);
}

TEST(ConvGeometry, SamePaddingIsTensorFlows) {
  const struct {
    I64 input, kernel, stride, dilation, before, after;
  } rows[] = {{5, 3, 1, 1, 1, 1}, {5, 4, 1, 1, 1, 2}, {5, 2, 1, 3, 1, 2},  {6, 3, 2, 1, 0, 1},
              {5, 3, 2, 1, 1, 1}, {7, 1, 2, 1, 0, 0}, {10, 5, 3, 1, 2, 2}, {9, 2, 4, 1, 0, 1}};
  for (const auto& row : rows) {
    Conv2dGeometry g = square(row.stride, 0, row.dilation);
    const DimVector input{1, 1, row.input, row.input}, weight{1, 1, row.kernel, row.kernel};
    g.set_same_padding("conv2d", 2, input, weight);
    for (int axis = 0; axis < 2; ++axis) {
      EXPECT_EQ(g.padding[2 * axis], row.before);
      EXPECT_EQ(g.padding[2 * axis + 1], row.after);
      EXPECT_EQ(g.conv_size(axis, row.input, row.kernel),
                (row.input + row.stride - 1) / row.stride);
    }
    g.set_same_padding_transposed("conv_transpose2d", 2, input, weight);
    for (int axis = 0; axis < 2; ++axis)
      EXPECT_EQ(g.conv_transpose_size(axis, row.input, row.kernel), row.input * row.stride);
  }
}

TEST(ConvGeometry, ErrorsSayWhatWasExpected) {
  EXPECT_EQ(conv_error({4, 6, 32, 32}, {16, 8, 3, 3}, square(1, 0)),
            "conv2d: weight expects 8 input channels, input has 6 (input [4, 6, 32, 32], weight "
            "[16, 8, 3, 3])");
  EXPECT_EQ(conv_error({4, 6, 32, 32}, {16, 2, 3, 3}, square(1, 0, 1, 4)),
            "conv2d: weight expects 8 input channels, input has 6 (input [4, 6, 32, 32], weight "
            "[16, 2, 3, 3])");
  EXPECT_EQ(conv_error({4, 6, 8, 8}, {15, 3, 3, 3}, square(1, 0, 1, 2)),
            "conv2d: 15 output channels are not divisible by groups 2 (input [4, 6, 8, 8], weight "
            "[15, 3, 3, 3])");
  EXPECT_EQ(conv_error({4, 6, 4, 4}, {15, 6, 5, 3}, square(1, 0)),
            "conv2d: the kernel spans [5, 3], more than the padded input [4, 4] (input "
            "[4, 6, 4, 4], weight [15, 6, 5, 3])");
  EXPECT_EQ(conv_error({4, 6, 4}, {15, 6, 3}, square(1, 0, 3), "conv1d", 1),
            "conv1d: the kernel spans [7], more than the padded input [4] (input [4, 6, 4], weight "
            "[15, 6, 3])");
  EXPECT_EQ(conv_error({1, 1, 4, 4}, {1, 1, 3, 3}, square(0, 0)),
            "conv2d: stride must be positive, got [0, 0] (input [1, 1, 4, 4], weight "
            "[1, 1, 3, 3])");
  EXPECT_EQ(conv_error({1, 1, 4, 4}, {1, 1, 3, 3}, square(1, -1)),
            "conv2d: padding must not be negative, got [-1, -1, -1, -1] (input [1, 1, 4, 4], "
            "weight [1, 1, 3, 3])");
  EXPECT_EQ(conv_error({1, 1, 4, 4}, {1, 1, 3, 3}, square(1, 0, -2)),
            "conv2d: dilation must be positive, got [-2, -2] (input [1, 1, 4, 4], weight "
            "[1, 1, 3, 3])");
  EXPECT_EQ(conv_error({1, 1, 4, 4}, {1, 1, 3, 3}, square(1, 0, 1, 0)),
            "conv2d: groups must be positive, got [0] (input [1, 1, 4, 4], weight [1, 1, 3, 3])");
  EXPECT_EQ(conv_error({1, 1, 4, 4}, {1, 1, 3, 3}, square(I64{1} << 40, 0)),
            "conv2d: stride must be positive and fit 32 bits, got [1099511627776, 1099511627776] "
            "(input [1, 1, 4, 4], weight [1, 1, 3, 3])");
  EXPECT_EQ(conv_error({4, 4}, {1, 1, 3, 3}, square(1, 0)),
            "conv2d: expected a 3-D (unbatched) or 4-D (batched) input, got [4, 4] (weight "
            "[1, 1, 3, 3])");
  EXPECT_EQ(conv_error({4, 4, 4, 4}, {3, 3}, square(1, 0)),
            "conv2d: expected a 4-D weight [C_out, C_in / groups, ...], got [3, 3]");
  EXPECT_EQ(conv_error({1, 1, 4, 4}, {1, 1, 0, 3}, square(1, 0)),
            "conv2d: expected a kernel of at least one tap (input [1, 1, 4, 4], weight "
            "[1, 1, 0, 3])");
  EXPECT_EQ(conv_error({1, 1, 4, 0}, {1, 1, 1, 1}, square(1, 1)),
            "conv2d: expected an input of at least one pixel (input [1, 1, 4, 0], weight "
            "[1, 1, 1, 1])");
  EXPECT_EQ(conv_error({1, 0, 4, 4}, {1, 0, 1, 1}, square(1, 1)),
            "conv2d: expected at least one channel (input [1, 0, 4, 4], weight [1, 0, 1, 1])");
  EXPECT_EQ(conv_output_sizes("conv2d", 2, {0, 1, 4, 4}, {1, 1, 3, 3}, square(1, 0)),
            (DimVector{0, 1, 2, 2}));
}

TEST(ConvGeometry, ErrorsOfTransposedConvolutions) {
  EXPECT_EQ(transposed_error({4, 6, 8, 8}, {5, 6, 3, 3}, square(1, 0)),
            "conv_transpose2d: weight expects 5 input channels, input has 6 (input [4, 6, 8, 8], "
            "weight [5, 6, 3, 3])");
  EXPECT_EQ(transposed_error({4, 6, 8, 8}, {6, 2, 3, 3}, square(1, 0, 1, 4)),
            "conv_transpose2d: 6 input channels are not divisible by groups 4 (input "
            "[4, 6, 8, 8], weight [6, 2, 3, 3])");
  Conv2dGeometry g = square(2, 0, 1);
  g.output_padding[1] = 2;
  EXPECT_EQ(transposed_error({4, 6, 8, 8}, {6, 2, 3, 3}, g),
            "conv_transpose2d: output_padding must be smaller than either stride or dilation, got "
            "output_padding [0, 2], stride [2, 2], dilation [1, 1] (input [4, 6, 8, 8], weight "
            "[6, 2, 3, 3])");
  g = square(1, 0, 2);
  g.output_padding[0] = 1;
  EXPECT_EQ(conv_transpose_output_sizes("conv_transpose2d", 2, {1, 1, 3, 3}, {1, 1, 2, 2}, g),
            (DimVector{1, 1, 6, 5}));
  g.output_padding[0] = -1;
  EXPECT_EQ(transposed_error({1, 1, 3, 3}, {1, 1, 2, 2}, g),
            "conv_transpose2d: output_padding must not be negative, got [-1, 0] (input "
            "[1, 1, 3, 3], weight [1, 1, 2, 2])");
  EXPECT_EQ(transposed_error({1, 1, 3, 3}, {1, 1, 2, 2}, square(1, 2)),
            "conv_transpose2d: the output would have size [0, 0] (input [1, 1, 3, 3], weight "
            "[1, 1, 2, 2])");
}

TEST(ConvGeometry, KernelsCheckTheirArguments) {
  const Array x = zeros({1, 2, 4, 4}, kFloat32), w = zeros({3, 2, 3, 3}, kFloat32);
  const Conv2dGeometry g = square(1, 0);
  EXPECT_EQ(error_of([&] { conv2d(x, w, zeros({2}, kFloat32), g); }),
            "conv2d: expected a bias of shape [3], got [2] (input [1, 2, 4, 4], weight "
            "[3, 2, 3, 3])");
  EXPECT_EQ(error_of([&] { conv2d(x, cast(w, kFloat64), Array(), g); }),
            "conv2d: expected input and weight to have the same dtype, got Float and Double");
  EXPECT_EQ(error_of([&] { conv2d(x, w, zeros({3}, kFloat64), g); }),
            "conv2d: expected the bias to have dtype Float of input, got Double");
  EXPECT_EQ(error_of([&] { conv2d(cast(x, kInt64), cast(w, kInt64), Array(), g); }),
            "conv2d: not implemented for dtype Long");
  EXPECT_EQ(error_of([&] { conv2d(x, w, Array(), g, ConvAlgorithm::Depthwise); }),
            "conv2d: the depthwise algorithm does not do this convolution (input [1, 2, 4, 4], "
            "weight [3, 2, 3, 3], groups 1, Float)");
  EXPECT_EQ(error_of([&] {
              conv2d_grad_weight(x, zeros({1, 3, 2, 3}, kFloat32), w.sizes(), g);
            }),
            "conv2d_grad_weight: expected a grad_output of shape [1, 3, 2, 2], got [1, 3, 2, 3] "
            "(input [1, 2, 4, 4], weight [3, 2, 3, 3])");
  EXPECT_EQ(error_of([&] {
              conv2d_grad_input(zeros({1, 3, 2, 3}, kFloat32), w, Array(), x.sizes(), g);
            }),
            "conv2d_grad_input: expected a grad_output of shape [1, 3, 2, 2], got [1, 3, 2, 3] "
            "(input [1, 2, 4, 4], weight [3, 2, 3, 3])");
}

}  // namespace
}  // namespace tapedeck::kernels
