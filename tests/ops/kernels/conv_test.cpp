#include <tapedeck/ops/kernels/conv2d.h>

#include <algorithm>
#include <limits>
#include <random>

#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/im2col.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/naive_conv.h>

namespace tapedeck::kernels {

std::ostream& operator<<(std::ostream& out, const Conv2dGeometry& g) {
  return out << "stride " << IntArrayRef(g.stride) << " padding " << IntArrayRef(g.padding)
             << " dilation " << IntArrayRef(g.dilation) << " groups " << g.groups
             << " output_padding " << IntArrayRef(g.output_padding);
}

namespace {

using namespace tapedeck::testing;
using namespace tapedeck::testing_support;
using I64 = std::int64_t;

struct Case {
  const char* name;
  DimVector input, weight;  // [N, C, H, W], [K, C / groups, KH, KW]
  Conv2dGeometry geometry;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name << ": input " << c.input.ref() << " weight " << c.weight.ref() << " "
             << c.geometry;
}

Conv2dGeometry geometry(I64 stride_h, I64 stride_w, std::initializer_list<I64> padding,
                        I64 dilation_h, I64 dilation_w, I64 groups = 1) {
  Conv2dGeometry g;
  g.stride[0] = stride_h;
  g.stride[1] = stride_w;
  std::copy(padding.begin(), padding.end(), g.padding);
  g.dilation[0] = dilation_h;
  g.dilation[1] = dilation_w;
  g.groups = groups;
  return g;
}

// H != W, s != d, leftover pixels, k = 1 with s = 2, groups with a stride, even and asymmetric
// kernels and paddings, p > k_eff - 1, batches of 0 and 1.
const Case kCases[] = {
    {"plain", {2, 3, 7, 5}, {4, 3, 3, 3}, geometry(1, 1, {0, 0, 0, 0}, 1, 1)},
    {"half padding", {2, 3, 7, 10}, {5, 3, 3, 5}, geometry(1, 1, {1, 1, 2, 2}, 1, 1)},
    {"stride", {2, 2, 9, 11}, {3, 2, 3, 2}, geometry(2, 3, {1, 1, 0, 0}, 1, 1)},
    {"dilation", {1, 2, 11, 13}, {3, 2, 3, 3}, geometry(1, 1, {2, 2, 3, 3}, 2, 3)},
    {"stride and dilation", {2, 3, 12, 15}, {4, 3, 3, 2}, geometry(2, 3, {1, 1, 2, 2}, 3, 2)},
    {"leftover pixels", {1, 1, 10, 8}, {2, 1, 3, 3}, geometry(4, 3, {0, 0, 0, 0}, 1, 1)},
    {"k=1 s=2", {2, 3, 7, 6}, {4, 3, 1, 1}, geometry(2, 2, {0, 0, 0, 0}, 1, 1)},
    {"pointwise", {3, 5, 6, 7}, {4, 5, 1, 1}, geometry(1, 1, {0, 0, 0, 0}, 1, 1)},
    {"padded pointwise", {2, 3, 4, 5}, {4, 3, 1, 1}, geometry(1, 1, {1, 0, 0, 2}, 1, 1)},
    {"cropped pointwise", {2, 3, 4, 5}, {4, 3, 1, 1}, geometry(1, 1, {0, -1, 0, -2}, 1, 1)},
    {"asymmetric padding", {2, 2, 6, 7}, {3, 2, 4, 2}, geometry(1, 2, {0, 3, 2, 1}, 1, 1)},
    {"padding above span", {2, 2, 3, 4}, {3, 2, 2, 3}, geometry(1, 2, {4, 3, 5, 6}, 1, 1)},
    {"groups", {2, 6, 5, 7}, {4, 3, 3, 2}, geometry(1, 1, {1, 1, 0, 1}, 1, 1, 2)},
    {"groups and stride", {2, 6, 8, 9}, {9, 2, 3, 3}, geometry(2, 3, {1, 1, 1, 1}, 1, 2, 3)},
    {"depthwise", {2, 5, 9, 40}, {5, 1, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1, 5)},
    {"depthwise multiplier", {2, 3, 9, 75}, {6, 1, 5, 3}, geometry(2, 2, {2, 1, 0, 1}, 1, 1, 3)},
    {"depthwise dilation", {1, 4, 12, 70}, {4, 1, 3, 2}, geometry(2, 3, {3, 3, 5, 4}, 3, 2, 4)},
    {"depthwise k=1 s=2", {2, 3, 7, 6}, {3, 1, 1, 1}, geometry(2, 3, {0, 0, 1, 0}, 1, 1, 3)},
    {"depthwise far padding", {2, 3, 3, 4}, {6, 1, 2, 2}, geometry(3, 2, {5, 4, 7, 6}, 1, 1, 3)},
    {"compatible with PyTorch's example",
     {2, 6, 4, 4},
     {4, 3, 2, 2},
     geometry(2, 1, {1, 1, 3, 3}, 2, 3, 2)},
    {"whole image", {3, 4, 5, 6}, {2, 4, 5, 6}, geometry(1, 1, {0, 0, 0, 0}, 1, 1)},
    {"one pixel", {1, 1, 1, 1}, {1, 1, 1, 1}, geometry(1, 1, {0, 0, 0, 0}, 1, 1)},
    {"no images", {0, 4, 5, 6}, {2, 4, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1)},
    {"no images, depthwise", {0, 4, 5, 6}, {4, 1, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1, 4)},
    {"row blocks", {2, 64, 33, 70}, {3, 64, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1)},
    {"many images", {35, 2, 4, 5}, {3, 2, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1)},
};

std::vector<ConvAlgorithm> algorithms_of(const Case& c) {
  std::vector<ConvAlgorithm> algorithms = {ConvAlgorithm::Auto, ConvAlgorithm::Im2col};
  if (c.weight[1] == 1) algorithms.push_back(ConvAlgorithm::Depthwise);
  return algorithms;
}

// All three kernels against the naive loops, and against each other as adjoints.
void check(const Case& c) {
  SCOPED_TRACE(::testing::PrintToString(c));
  const Conv2dGeometry& g = c.geometry;
  const Array x = random_array(c.input, kFloat64, 1), w = random_array(c.weight, kFloat64, 2);
  const Array b = random_array({c.weight[0]}, kFloat64, 3);
  const Array expected = naive_conv2d(x, w, b, g), plain = naive_conv2d(x, w, Array(), g);
  const Array dy = random_array(expected.sizes(), kFloat64, 4);
  const Array dw = naive_conv2d_grad_weight(x, dy, c.weight, g);
  const Array zero = zeros({c.weight[1] * g.groups}, kFloat64);

  for (const ConvAlgorithm algorithm : algorithms_of(c)) {
    SCOPED_TRACE(::testing::PrintToString(algorithm));
    const Array y = conv2d(x, w, Array(), g, algorithm);
    EXPECT_LT(relative_error(y, plain), 1e-13);
    EXPECT_LT(relative_error(conv2d(x, w, b, g, algorithm), expected), 1e-13);
    const Array grad_weight = conv2d_grad_weight(x, dy, c.weight, g, algorithm);
    EXPECT_LT(relative_error(grad_weight, dw), 1e-13);
    const Array grad_input = conv2d_grad_input(dy, w, Array(), c.input, g, algorithm);

    const double form = inner_product(y, dy), scale = 1e-12 * std::max(1.0, std::abs(form));
    EXPECT_NEAR(inner_product(x, grad_input), form, scale);
    EXPECT_NEAR(inner_product(w, grad_weight), form, scale);

    for (const Array& odd : {layouts_of(x)[1], layouts_of(x)[2]}) {
      EXPECT_TRUE(same_bits(conv2d(odd, w, Array(), g, algorithm), y));
      EXPECT_TRUE(same_bits(conv2d_grad_weight(odd, dy, c.weight, g, algorithm), grad_weight));
    }
    EXPECT_TRUE(same_bits(
        conv2d_grad_input(layouts_of(dy)[1], layouts_of(w)[2], Array(), c.input, g, algorithm),
        grad_input));

    const Array x32 = cast(x, kFloat32), w32 = cast(w, kFloat32), dy32 = cast(dy, kFloat32);
    EXPECT_LT(relative_error(conv2d(x32, w32, cast(b, kFloat32), g, algorithm), expected), 1e-5);
    EXPECT_LT(relative_error(conv2d_grad_weight(x32, dy32, c.weight, g, algorithm), dw), 1e-5);
    EXPECT_LT(
        relative_error(conv2d_grad_input(dy32, w32, Array(), c.input, g, algorithm), grad_input),
        1e-5);
  }
}

TEST(Conv2dKernels, EqualTheDefinitionOnEveryGeometry) {
  for (const Case& c : kCases) check(c);
}

TEST(Conv2dKernels, EqualTheDefinitionOnRandomGeometries) {
  std::mt19937 generator(7);
  const auto pick = [&](I64 low, I64 high) {
    return std::uniform_int_distribution<I64>(low, high)(generator);
  };
  int checked = 0;
  while (checked < 150) {
    const I64 groups = pick(0, 2) == 0 ? pick(2, 3) : 1;
    const I64 channels = pick(1, 3), filters = pick(1, 3);
    Case c{"random",
           {pick(0, 3), channels * groups, pick(1, 12), pick(1, 20)},
           {filters * groups, channels, pick(1, 5), pick(1, 5)},
           geometry(pick(1, 4), pick(1, 4), {pick(0, 4), pick(0, 4), pick(0, 4), pick(0, 4)},
                    pick(1, 3), pick(1, 3), groups)};
    bool fits = true;
    for (int axis = 0; axis < 2; ++axis)
      fits &= c.geometry.conv_size(axis, c.input[2 + axis], c.weight[2 + axis]) > 0;
    if (!fits) continue;
    check(c);
    ++checked;
  }
}

// conv_transpose2d is grad_input under the adjoint geometry; its definition is a loop of its own.
TEST(Conv2dKernels, GradInputIsTheTransposedConvolution) {
  struct Transposed {
    DimVector input, weight;  // [N, C_in, H, W], [C_in, C_out / groups, KH, KW]
    Conv2dGeometry geometry;
    I64 output_padding[2];
  };
  const Transposed cases[] = {
      {{2, 3, 4, 5}, {3, 2, 3, 2}, geometry(1, 1, {0, 0, 0, 0}, 1, 1), {0, 0}},
      {{2, 3, 4, 5}, {3, 2, 3, 4}, geometry(2, 3, {1, 1, 0, 0}, 1, 1), {1, 2}},
      {{2, 4, 3, 5}, {4, 3, 2, 3}, geometry(2, 1, {1, 0, 2, 1}, 1, 2, 2), {0, 1}},
      {{1, 3, 4, 3}, {3, 2, 3, 3}, geometry(1, 1, {0, 0, 0, 0}, 2, 3), {1, 2}},
      {{1, 3, 6, 7}, {3, 2, 2, 3}, geometry(1, 1, {3, 2, 4, 4}, 1, 1), {0, 0}},
      {{2, 3, 6, 7}, {3, 2, 1, 1}, geometry(2, 2, {0, 0, 0, 0}, 1, 1), {1, 0}},
      {{2, 4, 6, 7}, {4, 1, 3, 3}, geometry(2, 3, {1, 1, 1, 1}, 1, 1, 4), {1, 1}},
      {{2, 4, 6, 7}, {4, 1, 4, 4}, geometry(2, 2, {1, 1, 1, 1}, 1, 1, 4), {0, 0}},
      {{0, 3, 4, 5}, {3, 2, 3, 2}, geometry(1, 1, {0, 0, 0, 0}, 1, 1), {0, 0}},
      {{1, 1, 1, 1}, {1, 1, 3, 3}, geometry(2, 2, {0, 0, 0, 0}, 1, 1), {0, 0}},
  };
  for (const Transposed& c : cases) {
    Conv2dGeometry g = c.geometry;
    std::copy_n(c.output_padding, 2, g.output_padding);
    SCOPED_TRACE(::testing::PrintToString(g));
    const Array x = random_array(c.input, kFloat64, 1), w = random_array(c.weight, kFloat64, 2);
    const Array b = random_array({c.weight[1] * g.groups}, kFloat64, 3);
    const Array expected = naive_conv_transpose2d(x, w, b, g);
    const DimVector sizes =
        conv_transpose_output_sizes("conv_transpose2d", 2, c.input, c.weight, g);
    EXPECT_EQ(sizes, expected.sizes());
    EXPECT_LT(relative_error(conv2d_grad_input(x, w, b, sizes, g.adjoint()), expected), 1e-13);
    EXPECT_LT(relative_error(conv2d_grad_input(x, w, b, sizes, g.adjoint(), ConvAlgorithm::Im2col),
                             expected),
              1e-13);
    // and the convolution of the adjoint geometry leads back to the input's size
    EXPECT_EQ(conv2d(expected, w, Array(), g.adjoint()).sizes(), x.sizes());
  }
}

TEST(Conv2dKernels, DoNotDependOnTheNumberOfThreads) {
  const Case cases[] = {
      {"images", {9, 8, 12, 13}, {8, 8, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1)},
      {"one image", {1, 33, 40, 50}, {40, 33, 3, 3}, geometry(2, 1, {1, 1, 1, 1}, 1, 1)},
      {"groups", {3, 32, 14, 14}, {32, 4, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1, 8)},
      {"depthwise", {3, 32, 30, 30}, {32, 1, 3, 3}, geometry(1, 1, {1, 1, 1, 1}, 1, 1, 32)},
      {"pointwise", {5, 64, 30, 30}, {32, 64, 1, 1}, geometry(1, 1, {0, 0, 0, 0}, 1, 1)},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Array x = random_array(c.input, kFloat32, 1), w = random_array(c.weight, kFloat32, 2);
    const Array dy =
        random_array(conv_output_sizes("conv2d", 2, c.input, c.weight, c.geometry), kFloat32, 3);
    EXPECT_TRUE(same_bits_for_any_threads([&] { return conv2d(x, w, Array(), c.geometry); }));
    EXPECT_TRUE(same_bits_for_any_threads(
        [&] { return conv2d_grad_input(dy, w, Array(), c.input, c.geometry); }));
    EXPECT_TRUE(
        same_bits_for_any_threads([&] { return conv2d_grad_weight(x, dy, c.weight, c.geometry); }));
  }
}

// Values beside the window never reach a result, not even as 0 * inf.
TEST(Conv2dKernels, InfinityStaysWhereItIsRead) {
  const Conv2dGeometry g = geometry(1, 2, {0, 0, 0, 0}, 1, 1, 2);
  Array x = zeros({1, 2, 3, 8}, kFloat32);  // columns 6 and 7 are read by no tap at stride 2
  x.data<float>()[7] = x.data<float>()[15] = std::numeric_limits<float>::infinity();
  const Array dy = ones({1, 2, 2, 3}, kFloat32);
  for (const ConvAlgorithm algorithm : {ConvAlgorithm::Im2col, ConvAlgorithm::Depthwise}) {
    for (const float value : values<float>(conv2d_grad_weight(x, dy, {2, 1, 2, 3}, g, algorithm)))
      EXPECT_EQ(value, 0);
    for (const float value :
         values<float>(conv2d(x, ones({2, 1, 2, 3}, kFloat32), Array(), g, algorithm)))
      EXPECT_EQ(value, 0);
  }
}

TEST(Unfold, HasTheWindowsAsColumnsAndFoldIsItsAdjoint) {
  const Conv2dGeometry g = geometry(2, 1, {1, 1, 0, 0}, 1, 2);
  const Array x = random_array({2, 3, 5, 6}, kFloat64, 1);
  const Array columns = unfold(x, {3, 2}, g);
  ASSERT_EQ(columns.sizes(), (DimVector{2, 18, 12}));
  for (I64 n = 0; n < 2; ++n)
    for (I64 c = 0; c < 3; ++c)
      for (I64 kh = 0; kh < 3; ++kh)
        for (I64 kw = 0; kw < 2; ++kw)
          for (I64 oh = 0; oh < 3; ++oh)
            for (I64 ow = 0; ow < 4; ++ow) {
              const I64 h = 2 * oh + kh - 1, w = ow + 2 * kw;
              const double expected =
                  h < 0 || h >= 5 ? 0 : x.data<double>()[((n * 3 + c) * 5 + h) * 6 + w];
              EXPECT_EQ(
                  columns.data<double>()[((n * 18) + (c * 3 + kh) * 2 + kw) * 12 + oh * 4 + ow],
                  expected);
            }
  const Array y = random_array(columns.sizes(), kFloat64, 2);
  EXPECT_NEAR(inner_product(columns, y), inner_product(x, fold(y, {5, 6}, {3, 2}, g)), 1e-12);
  EXPECT_EQ(error_of([&] {
              fold(y, {5, 7}, {3, 2}, g);
            }),
            "fold: output size [5, 7] has 3 x 5 = 15 windows, input [2, 18, 12] has 12");
  EXPECT_EQ(error_of([&] {
              fold(y, {5, 6}, {2, 2}, g);
            }),
            "fold: the 18 rows of input [2, 18, 12] are not a multiple of the kernel's 4 taps "
            "(kernel [2, 2])");
}

// A single plane, whose rows several threads share.
TEST(Unfold, FoldOfALargePlaneIsItsAdjoint) {
  const Conv2dGeometry geometries[] = {
      geometry(1, 1, {3, 3, 2, 2}, 1, 1), geometry(2, 3, {0, 1, 4, 0}, 1, 1),
      geometry(3, 1, {5, 2, 0, 3}, 4, 2), geometry(9, 8, {1, 0, 0, 1}, 1, 3)};
  for (const Conv2dGeometry& g : geometries) {
    SCOPED_TRACE(g);
    const Array x = random_array({1, 1, 97, 83}, kFloat64, 1);
    const Array columns = unfold(x, {7, 5}, g);
    const Array y = random_array(columns.sizes(), kFloat64, 2);
    EXPECT_NEAR(inner_product(columns, y), inner_product(x, fold(y, {97, 83}, {7, 5}, g)), 1e-10);
    EXPECT_TRUE(same_bits_for_any_threads([&] { return fold(y, {97, 83}, {7, 5}, g); }));
  }
}

}  // namespace
}  // namespace tapedeck::kernels
