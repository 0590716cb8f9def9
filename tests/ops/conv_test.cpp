#include <tapedeck/ops/conv.h>

#include <algorithm>
#include <random>

#include <tapedeck/autograd/gradcheck_gtest.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/compare.h>
#include <tests/support/naive_conv.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using autograd::variable_list;
using testing_support::error_of;
using testing_support::OpRow;
using testing_support::random_tensor;
using testing_support::relative_error;
using testing_support::row;
using testing_support::Shape;
using testing_support::Shapes;
using List = std::vector<std::int64_t>;

OpRow conv_row(const char* name, Shapes shapes, List stride, ConvPadding padding, List dilation,
               std::int64_t groups = 1) {
  return row(name,
             [=](const Variable& x, const Variable& w, const Variable& b) {
               return conv2d(x, w, b, stride, padding, dilation, groups);
             },
             {std::move(shapes)});
}

OpRow transposed_row(const char* name, Shapes shapes, List stride, ConvPadding padding,
                     List output_padding, List dilation, std::int64_t groups = 1) {
  return row(name,
             [=](const Variable& x, const Variable& w, const Variable& b) {
               return conv_transpose2d(x, w, b, stride, padding, output_padding, groups, dilation);
             },
             {std::move(shapes)});
}

TAPEDECK_OP_TABLE(
    ConvOps,
    (std::vector<OpRow>{
        conv_row("plain", {{2, 3, 5, 4}, {2, 3, 3, 2}, {2}}, {1}, 0, {1}),
        conv_row("unbatched", {{3, 5, 4}, {2, 3, 3, 2}, {2}}, {1}, 1, {1}),
        conv_row("no_images", {{0, 3, 5, 4}, {2, 3, 3, 2}, {2}}, {1}, 0, {1}),
        conv_row("all_at_once", {{2, 4, 7, 6}, {4, 2, 3, 2}, {4}}, {2, 3}, {0, 2, 1, 3}, {2, 1}, 2),
        conv_row("depthwise", {{2, 3, 5, 6}, {6, 1, 3, 2}, {6}}, {2, 1}, {1, 0}, {1, 2}, 3),
        conv_row("pointwise", {{2, 3, 3, 4}, {5, 3, 1, 1}, {5}}, {1}, 0, {1}),
        conv_row("k1_s2", {{1, 2, 5, 4}, {3, 2, 1, 1}, {3}}, {2}, 0, {1}),
        conv_row("far_padding", {{1, 2, 2, 3}, {2, 2, 2, 2}, {2}}, {1, 2}, {3, 2}, {1}),
        conv_row("same", {{1, 2, 5, 6}, {2, 2, 3, 4}, {2}}, {2, 3}, "same", {1, 2}),
        transposed_row("t_plain", {{2, 3, 3, 2}, {3, 2, 2, 3}, {2}}, {1}, 0, {0}, {1}),
        transposed_row("t_unbatched", {{3, 3, 2}, {3, 2, 2, 3}, {2}}, {2}, 1, {1}, {1}),
        transposed_row("t_no_images", {{0, 3, 3, 2}, {3, 2, 2, 3}, {2}}, {2}, 0, {0}, {1}),
        transposed_row("t_all_at_once", {{2, 4, 3, 2}, {4, 2, 3, 2}, {4}}, {2, 3}, {1, 0, 2, 1},
                       {1, 2}, {1, 2}, 2),
        transposed_row("t_dilation_above_stride", {{1, 2, 3, 2}, {2, 2, 2, 2}, {2}}, {1}, 0, {1, 2},
                       {2, 3}),
        transposed_row("t_depthwise", {{2, 4, 3, 2}, {4, 1, 3, 2}, {4}}, {2}, 1, {1}, {1}, 4),
        transposed_row("t_same", {{1, 2, 3, 2}, {2, 2, 3, 2}, {2}}, {2, 3}, "same", {0}, {1}),
        row("conv1d",
            [](const Variable& x, const Variable& w, const Variable& b) {
              return conv1d(x, w, b, 2, 1, 2);
            },
            {{{2, 3, 7}, {2, 3, 3}, {2}}, {{3, 7}, {2, 3, 3}, {2}}}),
        row("conv_transpose1d",
            [](const Variable& x, const Variable& w, const Variable& b) {
              return conv_transpose1d(x, w, b, 3, 1, 2, 1, 2);
            },
            {{{2, 3, 4}, {3, 2, 3}, {2}}, {{3, 4}, {3, 2, 3}, {2}}}),
        row("im2col",
            [](const Variable& x) {
              return im2col(x, {3, 2}, {1, 2}, {1, 0}, {2, 1});
            },
            {{{2, 3, 5, 4}}, {{3, 5, 4}}}),
        row("col2im",
            [](const Variable& x) {
              return col2im(x, {5, 4}, {3, 2}, {1, 2}, {1, 0}, {2, 1});
            },
            {{{2, 12, 6}}, {{12, 6}}}),
        row("pixel_shuffle", [](const Variable& x) { return pixel_shuffle(x, 2); },
            {{{2, 8, 3, 2}}, {{4, 2, 3}}}),
        row("pixel_unshuffle", [](const Variable& x) { return pixel_unshuffle(x, 2); },
            {{{2, 2, 6, 4}}, {{1, 2, 4}}}),
    }));

// Central differences of <f(x, w), v> in `probes` random elements of x and w each, for tensors
// whose every element would take too long.
void expect_gradients(const std::function<Variable(const Variable&, const Variable&)>& f,
                      const Variable& x, const Variable& w, int probes = 60) {
  constexpr double kEps = 1e-6, kTolerance = 1e-6;
  const Variable v = random_tensor(List(f(x, w).sizes().vec()), {}, 11);
  const auto loss = [&] { return (f(x, w) * v).sum(); };
  const variable_list grads = autograd::grad({loss()}, {x, w});
  std::mt19937 generator(3);
  const NoGradGuard no_grad;
  for (int which = 0; which < 2; ++which) {
    const Variable& input = which == 0 ? x : w;
    for (int probe = 0; probe < probes; ++probe) {
      const auto i = std::uniform_int_distribution<std::int64_t>(0, input.numel() - 1)(generator);
      double& element = input.array().data<double>()[i];
      const double at = element;
      element = at + kEps;
      const double above = loss().item<double>();
      element = at - kEps;
      const double below = loss().item<double>();
      element = at;
      const double expected = grads[static_cast<std::size_t>(which)].array().data<double>()[i];
      // the difference of two sums of thousands of terms is this inexact
      EXPECT_NEAR((above - below) / (2 * kEps), expected, kTolerance + 1e-7 * std::abs(expected));
    }
  }
}

// behaviours A11
TEST(Atrous, GradientsOfConvolutions) {
  const struct {
    Shape x, w;
    std::int64_t stride, dilation;
  } rows[] = {{{1, 1, 28, 28}, {32, 1, 4, 4}, 1, 2},   {{2, 5, 27, 27}, {11, 5, 19, 19}, 2, 1},
              {{3, 15, 31, 31}, {32, 15, 3, 3}, 3, 3}, {{1, 1, 28, 23}, {32, 1, 4, 3}, 1, 2},
              {{2, 5, 27, 33}, {11, 5, 19, 17}, 2, 1}, {{3, 15, 31, 20}, {32, 15, 3, 2}, 3, 3}};
  for (const auto& r : rows)
    expect_gradients([&](const Variable& x,
                         const Variable& w) { return conv2d(x, w, {}, r.stride, 0, r.dilation); },
                     random_tensor(r.x, {}, 1).requires_grad_(),
                     random_tensor(r.w, {}, 2).requires_grad_());
}

// behaviours A11, A2
TEST(Atrous, GradientsOfTransposedConvolutions) {
  const struct {
    Shape x, w;
    std::int64_t stride, dilation;
  } rows[] = {{{1, 1, 7, 7}, {1, 13, 4, 4}, 1, 2},   {{2, 5, 3, 3}, {5, 8, 1, 1}, 2, 1},
              {{3, 15, 1, 1}, {15, 20, 5, 5}, 3, 3}, {{1, 1, 7, 5}, {1, 13, 4, 3}, 1, 2},
              {{2, 5, 3, 4}, {5, 8, 1, 1}, 2, 1},    {{3, 15, 1, 2}, {15, 20, 5, 4}, 3, 3}};
  for (const auto& r : rows)
    expect_gradients(
        [&](const Variable& x, const Variable& w) {
          return conv_transpose2d(x, w, {}, r.stride, 0, 0, 1, r.dilation);
        },
        random_tensor(r.x, {}, 1).requires_grad_(), random_tensor(r.w, {}, 2).requires_grad_());
}

// behaviours A2: <conv(x, w), y> = <x, conv_transpose(y, w)>
TEST(Atrous, TransposedConvolutionIsTheAdjoint) {
  for (const std::int64_t stride : {1, 2, 3})
    for (const std::int64_t dilation : {1, 2})
      for (const List& padding : {List{0}, List{1, 2}, List{0, 3, 2, 1}, List{5, 4, 6, 7}}) {
        const Variable w = random_tensor({4, 3, 2, 3}, {}, 2);
        const Variable y = random_tensor({2, 4, 14, 15}, {}, 3);
        const Variable back = conv_transpose2d(y, w, {}, stride, padding, 0, 1, dilation);
        const Variable x = random_tensor(back.sizes().vec(), {}, 1);
        const Variable out = conv2d(x, w, {}, stride, padding, dilation);
        const double form = testing_support::inner_product(out.array(), y.array());
        EXPECT_NEAR(testing_support::inner_product(x.array(), back.array()), form,
                    1e-12 * std::max(1.0, std::abs(form)));
      }
}

// behaviours A1 and B12
TEST(ConvolutionArithmetic, SizesAndParameters) {
  const struct {
    std::int64_t i, k, s, p, d, o;
  } rows[] = {{4, 3, 1, 0, 1, 2}, {5, 4, 1, 2, 1, 6}, {5, 3, 1, 1, 1, 5}, {5, 3, 1, 2, 1, 7},
              {5, 3, 2, 1, 1, 3}, {6, 3, 2, 1, 1, 3}, {7, 3, 1, 0, 2, 3}};
  for (const auto& r : rows) {
    const Variable x = random_tensor({1, 1, r.i, r.i}, {}, 1);
    const Variable w = random_tensor({1, 1, r.k, r.k}, {}, 2);
    const Variable y = conv2d(x, w, {}, r.s, r.p, r.d);
    EXPECT_EQ(y.sizes(), (IntArrayRef{1, 1, r.o, r.o}));
    kernels::Conv2dGeometry g;
    g.stride[0] = g.stride[1] = r.s;
    g.dilation[0] = g.dilation[1] = r.d;
    for (auto& side : g.padding) side = r.p;
    EXPECT_LT(relative_error(y.array(), testing_support::naive_conv2d(x.array(), w.array(), {}, g)),
              1e-14);
  }
}

// behaviours B14
TEST(ConvolutionArithmetic, TransposedSizes) {
  const Variable x = random_tensor({1, 1, 2, 2}, {}, 1), w = random_tensor({1, 1, 3, 3}, {}, 2);
  EXPECT_EQ(conv_transpose2d(x, w).sizes(), (IntArrayRef{1, 1, 4, 4}));
  EXPECT_EQ(conv_transpose2d(x, w, {}, 2).sizes(), (IntArrayRef{1, 1, 5, 5}));
}

// behaviours C1
TEST(NumpyConv2D, StrideDilationGroupsTogether) {
  const Variable x = random_tensor({2, 6, 4, 4}, {}, 1), w = random_tensor({4, 3, 2, 2}, {}, 2);
  const Variable b = random_tensor({4}, {}, 3);
  const Variable y = conv2d(x, w, b, {2, 1}, {1, 3}, {2, 3}, 2);
  EXPECT_EQ(y.sizes(), (IntArrayRef{2, 4, 2, 7}));
  kernels::Conv2dGeometry g;
  const std::int64_t stride[] = {2, 1}, padding[] = {1, 1, 3, 3}, dilation[] = {2, 3};
  std::copy_n(stride, 2, g.stride);
  std::copy_n(padding, 4, g.padding);
  std::copy_n(dilation, 2, g.dilation);
  g.groups = 2;
  EXPECT_LT(
      relative_error(y.array(), testing_support::naive_conv2d(x.array(), w.array(), b.array(), g)),
      1e-14);
}

// deconv2D_naive of numpy-ml: NHWC, weight (KH, KW, C_in, C_out), dilation 0 = none. Every input
// pixel puts its dilated kernel down; `padding` {top, bottom, left, right} is cut off.
Variable numpy_ml_deconv(const Variable& x, const Variable& w, std::int64_t s, const List& padding,
                         std::int64_t d0) {
  const std::int64_t d = d0 + 1;
  const std::int64_t H = s * (x.size(1) - 1) + d * (w.size(0) - 1) + 1;
  const std::int64_t W = s * (x.size(2) - 1) + d * (w.size(1) - 1) + 1;
  const Variable full = zeros({x.size(0), H, W, w.size(3)}, kFloat64);
  const auto in = x.accessor<double, 4>(), weight = w.accessor<double, 4>();
  auto out = full.accessor<double, 4>();
  for (std::int64_t n = 0; n < x.size(0); ++n)
    for (std::int64_t h = 0; h < x.size(1); ++h)
      for (std::int64_t v = 0; v < x.size(2); ++v)
        for (std::int64_t kh = 0; kh < w.size(0); ++kh)
          for (std::int64_t kw = 0; kw < w.size(1); ++kw)
            for (std::int64_t c = 0; c < w.size(2); ++c)
              for (std::int64_t o = 0; o < w.size(3); ++o)
                out[n][h * s + kh * d][v * s + kw * d][o] += in[n][h][v][c] * weight[kh][kw][c][o];
  return full.slice(1, padding[0], H - padding[1]).slice(2, padding[2], W - padding[3]);
}

// behaviours E1 and E2
TEST(NumpyMl, TransposedConvolutionAfterATranspose) {
  const Variable x = random_tensor({2, 3, 4, 5}, {}, 1), w = random_tensor({2, 3, 5, 6}, {}, 2);
  for (const List& padding : {List{0, 0, 0, 0}, List{1, 1, 1, 1}, List{1, 2, 0, 3}})
    for (const std::int64_t d0 : {0, 1}) {
      const Variable expected = numpy_ml_deconv(x, w, 2, padding, d0);
      const Variable y = conv_transpose2d(x.permute({0, 3, 1, 2}), w.permute({2, 3, 0, 1}), {}, 2,
                                          padding, 0, 1, d0 + 1);
      EXPECT_LT(relative_error(y.permute({0, 2, 3, 1}).array(), expected.array()), 1e-14);
    }
}

// behaviours E2: every form of padding on both, p > k_eff - 1 too
TEST(NumpyMl, PaddingInEveryForm) {
  const Variable x = random_tensor({1, 2, 5, 6}, {}, 1), w = random_tensor({2, 2, 3, 3}, {}, 2);
  EXPECT_EQ(conv2d(x, w, {}, 1, 1).sizes(), (IntArrayRef{1, 2, 5, 6}));
  EXPECT_EQ(conv2d(x, w, {}, 1, {1, 2}).sizes(), (IntArrayRef{1, 2, 5, 8}));
  EXPECT_EQ(conv2d(x, w, {}, 1, {0, 1, 2, 3}).sizes(), (IntArrayRef{1, 2, 4, 9}));
  EXPECT_EQ(conv2d(x, w, {}, 1, "same").sizes(), (IntArrayRef{1, 2, 5, 6}));
  EXPECT_EQ(conv2d(x, w, {}, 1, "valid").sizes(), (IntArrayRef{1, 2, 3, 4}));
  EXPECT_EQ(conv2d(x, w, {}, 2, std::string("same")).sizes(), (IntArrayRef{1, 2, 3, 3}));
  EXPECT_EQ(conv_transpose2d(x, w, {}, 2, 1).sizes(), (IntArrayRef{1, 2, 9, 11}));
  EXPECT_EQ(conv_transpose2d(x, w, {}, 2, {0, 1}).sizes(), (IntArrayRef{1, 2, 11, 11}));
  EXPECT_EQ(conv_transpose2d(x, w, {}, 2, {0, 1, 2, 3}).sizes(), (IntArrayRef{1, 2, 10, 8}));
  EXPECT_EQ(conv_transpose2d(x, w, {}, 2, "same").sizes(), (IntArrayRef{1, 2, 10, 12}));
  EXPECT_EQ(conv_transpose2d(x, w, {}, 1, {3, 3, 4, 3}).sizes(), (IntArrayRef{1, 2, 1, 1}));
  // 'same' of both are adjoints
  const Variable y = random_tensor({1, 2, 5, 6}, {}, 3);
  for (const std::int64_t stride : {1, 2, 4}) {
    const Variable z = random_tensor({1, 2, 5 * stride, 6 * stride}, {}, 4);
    EXPECT_NEAR(testing_support::inner_product(conv2d(z, w, {}, stride, "same").array(), y.array()),
                testing_support::inner_product(z.array(),
                                               conv_transpose2d(y, w, {}, stride, "same").array()),
                1e-12);
  }
}

TEST(Convolution, OneDimensionIsTwoWithAUnitHeight) {
  const Variable x = random_tensor({2, 4, 9}, {}, 1), w = random_tensor({6, 2, 3}, {}, 2);
  const Variable b = random_tensor({6}, {}, 3);
  EXPECT_TRUE(testing_support::same_bits(
      conv1d(x, w, b, 2, {1, 3}, 2, 2).array(),
      conv2d(x.unsqueeze(2), w.unsqueeze(2), b, {1, 2}, {0, 0, 1, 3}, {1, 2}, 2)
          .squeeze(2)
          .array()));
  EXPECT_EQ(conv1d(x, w, b, 1, "same", 1, 2).sizes(), (IntArrayRef{2, 6, 9}));
}

TEST(Convolution, UnbatchedIsABatchOfOne) {
  const Variable x = random_tensor({3, 6, 7}, {}, 1), w = random_tensor({2, 3, 3, 3}, {}, 2);
  EXPECT_TRUE(testing_support::same_bits(conv2d(x, w).array(),
                                         conv2d(x.unsqueeze(0), w).squeeze(0).array()));
}

TEST(Convolution, AGradientNobodyNeedsIsNotComputed) {
  const Variable x = random_tensor({1, 2, 5, 5}, {}, 1), w = random_tensor({3, 2, 3, 3}, {}, 2);
  const Variable y = conv2d(x, w.detach().requires_grad_(), random_tensor({3}, {}, 3));
  const auto grads =
      y.grad_fn()->apply({ones_like(y)}, autograd::VjpContext(*y.grad_fn(), nullptr));
  EXPECT_FALSE(grads[0].defined());
  EXPECT_TRUE(grads[1].defined());
  EXPECT_FALSE(grads[2].defined());
}

TEST(Convolution, ARepeatedBackwardGivesTheSameBits) {
  const Variable x = random_tensor({2, 3, 6, 7}, {}, 1).requires_grad_();
  const Variable w = random_tensor({4, 3, 3, 2}, {}, 2).requires_grad_();
  const Variable loss = conv2d(x, w, {}, 2, 1).sum();
  const auto first = autograd::grad({loss}, {x, w}, {}, true);
  const auto second = autograd::grad({loss}, {x, w}, {}, true);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(testing_support::same_bits(first[i].array(), second[i].array()));
}

TEST(Convolution, ErrorsNameTheFunctionAndTheShapesGiven) {
  const auto zero = [](const Shape& s) { return zeros(s, kFloat32); };
  EXPECT_EQ(error_of([&] {
              conv2d(zero({4, 6, 32, 32}), zero({16, 8, 3, 3}));
            }),
            "conv2d: weight expects 8 input channels, input has 6 (input [4, 6, 32, 32], weight "
            "[16, 8, 3, 3])");
  EXPECT_EQ(error_of([&] {
              conv1d(zero({6, 32}), zero({16, 8, 3}));
            }),
            "conv1d: weight expects 8 input channels, input has 6 (input [6, 32], weight "
            "[16, 8, 3])");
  EXPECT_EQ(error_of([&] {
              conv1d(zero({6, 32}), zero({16, 6, 3, 3}));
            }),
            "conv1d: expected a 3-D weight [C_out, C_in / groups, ...], got [16, 6, 3, 3]");
  EXPECT_EQ(error_of([&] {
              conv2d(zero({1, 1, 4, 4}), zero({1, 1, 3, 3}), {}, 0, "same");
            }),
            "conv2d: stride must be positive, got [0, 0] (input [1, 1, 4, 4], weight "
            "[1, 1, 3, 3])");
  EXPECT_EQ(error_of([&] {
              conv2d(zero({1, 1, 4, 4}), zero({1, 1, 3, 3}), {}, 1, {0, -1, 0, 0});
            }),
            "conv2d: padding must not be negative, got [0, -1, 0, 0]");
  EXPECT_EQ(error_of([&] {
              conv2d(zero({1, 1, 4, 4}), zero({1, 1, 3, 3}), {}, 1, {0, 0, 1});
            }),
            "conv2d: expected padding to have 1, 2 or 4 values, got [0, 0, 1]");
  EXPECT_EQ(error_of([&] {
              conv2d(zero({1, 1, 4, 4}), zero({1, 1, 3, 3}), {}, {1, 2, 3});
            }),
            "conv2d: expected stride to have 1 or 2 values, got [1, 2, 3]");
  EXPECT_EQ(error_of([&] {
              conv2d(zero({1, 1, 4, 4}), zero({1, 1, 3, 3}), {}, 1, "full");
            }),
            "a convolution's padding must be numbers, \"same\" or \"valid\", got \"full\"");
  EXPECT_EQ(error_of([&] {
              conv2d(zero({1, 1, 4, 4}), zero({2, 1, 3, 3}), zero({3}));
            }),
            "conv2d: expected a bias of shape [2], got [3] (input [1, 1, 4, 4], weight "
            "[2, 1, 3, 3])");
  EXPECT_EQ(error_of([&] {
              conv_transpose2d(zero({1, 2, 4, 4}), zero({2, 3, 3, 3}), zero({2}));
            }),
            "conv_transpose2d: expected a bias of shape [3], got [2] (input [1, 2, 4, 4], weight "
            "[2, 3, 3, 3])");
  EXPECT_EQ(error_of([&] {
              conv_transpose1d(zero({1, 2, 4}), zero({2, 3, 3}), {}, 2, 0, 2);
            }),
            "conv_transpose1d: output_padding must be smaller than either stride or dilation, got "
            "output_padding [2], stride [2], dilation [1] (input [1, 2, 4], weight [2, 3, 3])");
  EXPECT_EQ(error_of([&] {
              conv2d(zero({1, 1, 4, 4}), zeros({1, 1, 3, 3}, kFloat64));
            }),
            "conv2d: expected input and weight to have the same dtype, got Float and Double");
  EXPECT_EQ(error_of([&] {
              conv2d(zeros({1, 1, 4, 4}, kInt64), zeros({1, 1, 3, 3}, kInt64));
            }),
            "conv2d: not implemented for dtype Long");
  EXPECT_EQ(error_of([&] {
              pixel_shuffle(zero({1, 6, 2, 2}), 2);
            }),
            "pixel_shuffle: expected 6 channels to be divisible by the square of upscale_factor 2 "
            "(input [1, 6, 2, 2])");
}

TEST(PixelShuffle, UnshuffleIsTheInverse) {
  const Variable x = random_tensor({2, 8, 3, 5}, {}, 1);
  const Variable y = pixel_shuffle(x, 2);
  EXPECT_EQ(y.sizes(), (IntArrayRef{2, 2, 6, 10}));
  EXPECT_EQ((y.accessor<double, 4>()[1][1][2 * 2 + 1][2 * 4 + 0]),
            (x.accessor<double, 4>()[1][1 * 4 + 1 * 2 + 0][2][4]));
  EXPECT_TRUE(testing_support::same_bits(pixel_unshuffle(y, 2).contiguous().array(), x.array()));
}

}  // namespace
}  // namespace tapedeck
