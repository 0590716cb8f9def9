#include <tapedeck/ops/kernels/pool.h>

#include <algorithm>
#include <limits>
#include <random>

#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/naive_pool.h>

namespace tapedeck::kernels {

std::ostream& operator<<(std::ostream& out, const Pool2dGeometry& g) {
  return out << "kernel " << IntArrayRef(g.kernel) << " stride " << IntArrayRef(g.stride)
             << " padding " << IntArrayRef(g.padding) << " dilation " << IntArrayRef(g.dilation)
             << (g.ceil_mode ? " ceil_mode" : "");
}

namespace {

using namespace tapedeck::testing;
using namespace tapedeck::testing_support;
using I64 = std::int64_t;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Pool2dGeometry pool(DimVector kernel, DimVector stride, DimVector padding = {0, 0},
                    DimVector dilation = {1, 1}, bool ceil_mode = false) {
  Pool2dGeometry g;
  for (int axis = 0; axis < 2; ++axis) {
    g.kernel[axis] = kernel[axis];
    g.stride[axis] = stride[axis];
    g.padding[axis] = padding[axis];
    g.dilation[axis] = dilation[axis];
  }
  g.ceil_mode = ceil_mode;
  return g;
}

struct Case {
  DimVector input;
  Pool2dGeometry geometry;
};

const Case kCases[] = {
    {{2, 3, 8, 8}, pool({2, 2}, {2, 2})},
    {{2, 3, 9, 11}, pool({2, 2}, {2, 2})},
    {{1, 2, 7, 69}, pool({2, 2}, {2, 2})},
    {{1, 2, 7, 69}, pool({2, 2}, {2, 2}, {0, 0}, {1, 1}, true)},
    {{1, 2, 12, 75}, pool({3, 3}, {2, 2}, {1, 1})},
    {{1, 2, 12, 74}, pool({3, 3}, {2, 2}, {1, 1}, {1, 1}, true)},
    {{2, 2, 28, 28}, pool({3, 3}, {2, 2})},
    {{2, 2, 9, 50}, pool({3, 4}, {1, 1}, {1, 2})},
    {{2, 2, 9, 50}, pool({2, 3}, {3, 1})},
    {{2, 2, 19, 50}, pool({3, 3}, {1, 2}, {1, 0}, {2, 3})},
    {{2, 2, 19, 50}, pool({2, 4}, {2, 2}, {1, 2}, {3, 2}, true)},
    {{2, 2, 10, 13}, pool({3, 2}, {4, 3}, {1, 1}, {1, 2}, true)},
    {{1, 1, 5, 6}, pool({5, 6}, {5, 6})},
    {{1, 1, 1, 1}, pool({1, 1}, {1, 1})},
    {{0, 2, 8, 8}, pool({2, 2}, {2, 2})},
    {{1, 2, 10, 10}, pool({1, 1}, {2, 3})},
    {{1, 2, 10, 40}, pool({1, 1}, {2, 2})},
    {{2, 2, 8, 9}, pool({7, 7}, {7, 7})},
    {{1, 2, 18, 20}, pool({5, 6}, {8, 6}, {1, 2})},
    // planes with short rows, in whole bundles and parts of one
    {{5, 8, 9, 5}, pool({3, 3}, {1, 1})},
    {{3, 7, 9, 7}, pool({3, 3}, {1, 2}, {1, 1})},
    {{4, 6, 70, 3}, pool({2, 3}, {2, 1}, {0, 1})},
    {{2, 5, 5, 13}, pool({4, 4}, {3, 3}, {2, 2}, {1, 1}, true)},
    {{3, 3, 13, 9}, pool({2, 2}, {2, 2}, {0, 0}, {2, 3})},
};

void check_max(const Case& c) {
  SCOPED_TRACE(::testing::Message() << "input " << c.input.ref() << " " << c.geometry);
  // few distinct values, so that windows have ties
  Array x = cast(random_array(c.input, kInt64, 1, -3, 4), kFloat64);
  const MaxPool expected = naive_max_pool2d(x, c.geometry);
  for (const I64 index : values<I64>(expected.indices)) ASSERT_GE(index, 0);
  for (const ScalarType dtype : {kFloat32, kFloat64}) {
    const MaxPool out = max_pool2d(cast(x, dtype), c.geometry);
    EXPECT_EQ(relative_error(out.values, expected.values), 0);
    EXPECT_EQ(values<I64>(out.indices), values<I64>(expected.indices));
    const MaxPool again = max_pool2d(layouts_of(cast(x, dtype))[1], c.geometry, false);
    EXPECT_TRUE(same_bits(again.values, out.values));
    EXPECT_FALSE(again.indices.defined());

    const Array grad = random_array(out.values.sizes(), dtype, 2);
    const Array back = max_pool2d_backward(grad, out.indices, c.input);
    const Array other = random_array(c.input, dtype, 3);
    const double form = inner_product(back, other);
    EXPECT_NEAR(inner_product(grad, max_pool2d_gather(other, out.indices)), form,
                (dtype == kFloat32 ? 1e-5 : 1e-12) * std::max(1.0, std::abs(form)));
    std::vector<double> sums(static_cast<std::size_t>(x.numel()), 0.0);
    const std::vector<double> g = values<double>(cast(grad, kFloat64));
    const I64 outputs = out.values.size(2) * out.values.size(3), plane = c.input[2] * c.input[3];
    for (std::size_t i = 0; i < g.size(); ++i)
      sums[static_cast<I64>(i) / outputs * plane + values<I64>(out.indices)[i]] += g[i];
    expect_close(cast(back, kFloat64), sums, 1e-6, 1e-6);
  }
}

TEST(MaxPool2d, EqualsTheDefinition) {
  for (const Case& c : kCases) check_max(c);
}

TEST(MaxPool2d, EqualsTheDefinitionOnRandomGeometries) {
  std::mt19937 generator(5);
  const auto pick = [&](I64 low, I64 high) {
    return std::uniform_int_distribution<I64>(low, high)(generator);
  };
  for (int checked = 0; checked < 150;) {
    const I64 kh = pick(1, 4), kw = pick(1, 4);
    const Case c{{pick(1, 2), pick(1, 2), pick(1, 15), pick(1, 45)},
                 pool({kh, kw}, {pick(1, 4), pick(1, 3)}, {pick(0, kh / 2), pick(0, kw / 2)},
                      {pick(1, 3), pick(1, 3)}, pick(0, 1) == 1)};
    bool fits = true;
    for (int axis = 0; axis < 2; ++axis) {
      const I64 size = c.input[2 + axis], outputs = c.geometry.output_size(axis, size);
      fits &= outputs > 0;
      for (const PoolWindow& w : pool_windows(c.geometry, axis, size, outputs, false))
        fits &= w.begin < w.end;
    }
    if (!fits) continue;
    check_max(c);
    ++checked;
  }
}

TEST(MaxPool2d, SizesOfPyTorch) {
  EXPECT_EQ(pool({3, 3}, {2, 2}).output_size(0, 28), 13);
  EXPECT_EQ(pool({3, 3}, {2, 2}, {0, 0}, {1, 1}, true).output_size(0, 28), 14);
  // the window beyond would start in the padding after
  EXPECT_EQ(pool({2, 2}, {2, 2}, {1, 1}, {1, 1}, true).output_size(0, 3), 2);
  EXPECT_EQ(pool({1, 1}, {3, 3}, {0, 0}, {1, 1}, true).output_size(0, 3), 1);
  EXPECT_EQ(pool({2, 2}, {3, 3}, {1, 1}, {1, 1}, true).output_size(0, 5), 2);
}

TEST(MaxPool2d, NaNIsLargestAndInfinitiesAreValues) {
  for (const I64 width : {6, 50}) {
    Array x = full({1, 1, 4, width}, -kInf, kFloat64);
    for (const ScalarType dtype : {kFloat32, kFloat64}) {
      MaxPool out = max_pool2d(cast(x, dtype), pool({2, 2}, {2, 2}));
      for (I64 ow = 0; ow < width / 2; ++ow) EXPECT_EQ(out.indices.data<I64>()[ow], 2 * ow);
      EXPECT_EQ(values<double>(cast(out.values, kFloat64))[0], -kInf);
      Array y = cast(x, kFloat64);
      y = clone(y);
      y.data<double>()[1] = kNaN;
      y.data<double>()[width] = kNaN;
      y.data<double>()[3] = kInf;
      out = max_pool2d(cast(y, dtype), pool({2, 2}, {2, 2}));
      EXPECT_TRUE(std::isnan(values<double>(cast(out.values, kFloat64))[0]));
      EXPECT_EQ(out.indices.data<I64>()[0], width);  // the last of two
      EXPECT_EQ(values<double>(cast(out.values, kFloat64))[1], kInf);
      EXPECT_EQ(out.indices.data<I64>()[1], 3);
    }
  }
}

TEST(MaxPool2d, BackwardWithForeignIndices) {
  const Array grad = ones({1, 1, 2, 2}, kFloat64);
  const Array same = zeros({1, 1, 2, 2}, kInt64);
  EXPECT_EQ(values<double>(max_pool2d_backward(grad, same, {1, 1, 4, 4}))[0], 4);
  EXPECT_EQ(error_of([&] {
              max_pool2d_backward(grad, full({1, 1, 2, 2}, 16, kInt64), {1, 1, 4, 4});
            }),
            "max_pool2d_backward: index 16 is outside the plane of 4 x 4");
  EXPECT_EQ(error_of([&] {
              max_pool2d_gather(ones({1, 1, 4, 4}, kFloat64), full({1, 1, 2, 2}, -1, kInt64));
            }),
            "max_pool2d: index -1 is outside the plane of 4 x 4");
}

TEST(MaxUnpool2d, PutsValuesBack) {
  const Array x = random_array({2, 3, 6, 10}, kFloat64, 1);
  const MaxPool pooled = max_pool2d(x, pool({2, 2}, {2, 2}));
  const Array back = max_unpool2d(pooled.values, pooled.indices, {6, 10});
  EXPECT_EQ(relative_error(max_pool2d_gather(back, pooled.indices), pooled.values), 0);
  EXPECT_EQ(relative_error(back, max_pool2d_backward(pooled.values, pooled.indices, x.sizes())), 0);
  EXPECT_EQ(values<double>(
                max_unpool2d(ones({1, 1, 1, 2}, kFloat64), zeros({1, 1, 1, 2}, kInt64), {1, 3})),
            (std::vector<double>{1, 0, 0}));
  EXPECT_EQ(error_of([&] {
              max_unpool2d(pooled.values, pooled.indices, {3, 4});
            }).substr(0, 20),
            "max_unpool2d: index ");
  EXPECT_EQ(error_of([&] {
              max_unpool2d(pooled.values, cast(pooled.indices, kInt32), {6, 10});
            }),
            "max_unpool2d: expected int64 indices, got Int");
}

TEST(AvgPool2d, EqualsTheDefinitionAndItsAdjoint) {
  for (const Case& c : kCases)
    for (const AvgPoolDivisor divisor :
         {AvgPoolDivisor{true, 0}, AvgPoolDivisor{false, 0}, AvgPoolDivisor{true, 7}}) {
      Pool2dGeometry g = c.geometry;
      g.dilation[0] = g.dilation[1] = 1;
      SCOPED_TRACE(::testing::Message() << "input " << c.input.ref() << " " << g
                                        << divisor.count_include_pad << divisor.divisor);
      const Array x = random_array(c.input, kFloat64, 1);
      const Array y = avg_pool2d(x, g, divisor);
      EXPECT_LT(relative_error(y, naive_avg_pool2d(x, g, divisor)), 1e-14);
      EXPECT_TRUE(same_bits(avg_pool2d(layouts_of(x)[2], g, divisor), y));
      EXPECT_LT(relative_error(avg_pool2d(cast(x, kFloat32), g, divisor), y), 1e-6);
      const Array dy = random_array(y.sizes(), kFloat64, 2);
      EXPECT_NEAR(inner_product(avg_pool2d_backward(dy, c.input, g, divisor), x),
                  inner_product(y, dy), 1e-12);
    }
}

TEST(AdaptivePool2d, EqualsTheDefinition) {
  for (const DimVector& input : {DimVector{2, 3, 7, 9}, DimVector{3, 7, 7, 9}})
    for (const DimVector& output :
         {DimVector{1, 1}, DimVector{3, 4}, DimVector{7, 9}, DimVector{9, 12}, DimVector{2, 1}}) {
      const Array x = random_array(input, kFloat64, 1);
      const Array y = adaptive_avg_pool2d(x, output);
      EXPECT_LT(relative_error(y, naive_adaptive_avg_pool2d(x, output)), 1e-14);
      const Array dy = random_array(y.sizes(), kFloat64, 2);
      EXPECT_NEAR(inner_product(adaptive_avg_pool2d_backward(dy, x.sizes()), x),
                  inner_product(y, dy), 1e-12);
      const MaxPool best = adaptive_max_pool2d(x, output);
      const MaxPool expected = naive_adaptive_max_pool2d(x, output);
      EXPECT_EQ(relative_error(best.values, expected.values), 0);
      EXPECT_EQ(values<I64>(best.indices), values<I64>(expected.indices));
    }
  EXPECT_EQ(adaptive_avg_pool2d(zeros({0, 3, 7, 9}, kFloat32), {2, 2}).sizes(),
            (DimVector{0, 3, 2, 2}));
}

// Windows of all widths up to several vectors; of equal elements the first counts.
TEST(AdaptivePool2d, WideWindows) {
  for (const ScalarType dtype : {kFloat32, kFloat64})
    for (const I64 width : {3, 5, 8, 15, 16, 21, 33, 70})
      for (const bool with_nan : {false, true}) {
        const Array x = cast(random_array({2, 2, 5, width}, kInt64, 1, -3, 4), kFloat64);
        if (with_nan) x.data<double>()[2 * width + 1] = kNaN;
        const Array in = cast(x, dtype);
        for (const DimVector& output : {DimVector{1, 1}, DimVector{2, 2}, DimVector{3, 1}}) {
          SCOPED_TRACE(::testing::Message() << width << " columns, " << IntArrayRef(output));
          const MaxPool best = adaptive_max_pool2d(in, output);
          const MaxPool expected = naive_adaptive_max_pool2d(x, output);
          EXPECT_EQ(values<I64>(best.indices), values<I64>(expected.indices));
          expect_close(cast(best.values, kFloat64), values<double>(expected.values), 0, 0);
          expect_close(cast(adaptive_max_pool2d(in, output, false).values, kFloat64),
                       values<double>(expected.values), 0, 0);
        }
      }
}

// Images whose channels lie next to each other, as many as several vectors and a rest.
TEST(Pool2d, OfInnerChannels) {
  const auto with_inner_channels = [](const Array& x) {
    return contiguous(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
  };
  for (const I64 channels : {8, 13, 20, 39, 77})
    for (const ScalarType dtype : {kFloat32, kFloat64}) {
      const Array x = cast(random_array({2, channels, 9, 11}, kInt64, 1, -3, 4), dtype);
      const Array inner = with_inner_channels(x);
      ASSERT_TRUE(has_inner_channels(inner));
      for (const Pool2dGeometry& g : {pool({2, 2}, {2, 2}), pool({3, 3}, {2, 2}, {1, 1}),
                                      pool({3, 2}, {1, 3}, {1, 1}), pool({2, 3}, {3, 4})}) {
        SCOPED_TRACE(::testing::Message() << channels << " channels, " << g);
        const MaxPool expected = max_pool2d(x, g), got = max_pool2d(inner, g);
        EXPECT_TRUE(has_inner_channels(got.values));
        EXPECT_EQ(relative_error(got.values, expected.values), 0);
        EXPECT_EQ(values<I64>(got.indices), values<I64>(expected.indices));
        EXPECT_EQ(relative_error(max_pool2d(inner, g, false).values, expected.values), 0);
        const Array average = avg_pool2d(inner, g, {false, 0});
        EXPECT_TRUE(has_inner_channels(average));
        EXPECT_LT(relative_error(average, avg_pool2d(x, g, {false, 0})), 1e-6);
        const Array dy = cast(random_array(average.sizes(), kFloat64, 2), dtype);
        const Array inner_dy = with_inner_channels(dy);
        const Array dx = max_pool2d_backward(inner_dy, got.indices, x.sizes());
        EXPECT_TRUE(has_inner_channels(dx));
        EXPECT_EQ(relative_error(dx, max_pool2d_backward(dy, expected.indices, x.sizes())), 0);
        const Array spread = avg_pool2d_backward(inner_dy, x.sizes(), g, {false, 0});
        EXPECT_TRUE(has_inner_channels(spread));
        EXPECT_LT(relative_error(spread, avg_pool2d_backward(dy, x.sizes(), g, {false, 0})), 1e-6);
      }
      for (const DimVector& output : {DimVector{1, 1}, DimVector{4, 5}}) {
        EXPECT_LT(
            relative_error(adaptive_avg_pool2d(inner, output), adaptive_avg_pool2d(x, output)),
            1e-6);
        EXPECT_EQ(values<I64>(adaptive_max_pool2d(inner, output).indices),
                  values<I64>(adaptive_max_pool2d(x, output).indices));
      }
    }
  const Array x = with_inner_channels(random_array({3, 24, 20, 21}, kFloat32, 1));
  const Pool2dGeometry g = pool({3, 3}, {2, 2}, {1, 1});
  EXPECT_TRUE(same_bits_for_any_threads([&] { return contiguous(max_pool2d(x, g).values); }));
  EXPECT_TRUE(same_bits_for_any_threads([&] { return contiguous(avg_pool2d(x, g, {})); }));
  const MaxPool y = max_pool2d(x, g);
  EXPECT_TRUE(same_bits_for_any_threads(
      [&] { return contiguous(max_pool2d_backward(y.values, y.indices, x.sizes())); }));
  EXPECT_TRUE(same_bits_for_any_threads(
      [&] { return contiguous(avg_pool2d_backward(y.values, x.sizes(), g, {})); }));
  Array beyond = clone(y.indices);
  beyond.data<I64>()[40] = 20 * 21;
  EXPECT_THROW(max_pool2d_backward(y.values, beyond, x.sizes()), IndexError);
}

// The mean of all pixels needs no copy of planes that have gaps.
TEST(AdaptivePool2d, MeanOfStridedPlanes) {
  const Array wide = random_array({4, 5, 30, 40}, kFloat64, 1);
  const Array x = wide.slice(3, 1, 34, 1), same = clone(x);
  EXPECT_LT(relative_error(adaptive_avg_pool2d(x, {1, 1}), naive_adaptive_avg_pool2d(same, {1, 1})),
            1e-14);
  const Pool2dGeometry whole = pool({30, 33}, {1, 1});
  EXPECT_LT(
      relative_error(avg_pool2d(x, whole, {true, 7}), naive_avg_pool2d(same, whole, {true, 7})),
      1e-14);
}

TEST(MaxPool2d, NaNsAndTiesInBundlesOfPlanes) {
  for (const ScalarType dtype : {kFloat32, kFloat64}) {
    Array x = full({3, 9, 6, 5}, -kInf, kFloat64);
    for (I64 p = 0; p < 27; ++p) x.data<double>()[p * 30 + p] = p % 2 == 0 ? kNaN : kInf;
    const Pool2dGeometry g = pool({3, 2}, {2, 2}, {1, 1});
    const MaxPool got = max_pool2d(cast(x, dtype), g), expected = naive_max_pool2d(x, g);
    EXPECT_EQ(values<I64>(got.indices), values<I64>(expected.indices));
    expect_close(cast(got.values, kFloat64), values<double>(expected.values), 0, 0);
  }
}

// Without indices a NaN is found by a sum, which infinities of both signs turn into one as well.
TEST(MaxPool2d, NaNsAndInfinitiesWithoutIndices) {
  for (const ScalarType dtype : {kFloat32, kFloat64})
    for (const I64 stride : {1, 2, 3}) {
      Array x = random_array({1, 1, 8, 40}, kFloat64, 1);
      x.data<double>()[3] = kNaN;
      x.data<double>()[57] = kInf;
      x.data<double>()[58] = -kInf;
      x.data<double>()[101] = kNaN;
      x.data<double>()[102] = kInf;
      const Pool2dGeometry g = pool({3, 3}, {2, stride}, {1, 1});
      const std::vector<double> with =
          values<double>(cast(max_pool2d(cast(x, dtype), g).values, kFloat64));
      expect_close(cast(max_pool2d(cast(x, dtype), g, false).values, kFloat64), with, 0, 0);
    }
}

TEST(Pool2d, DoesNotDependOnTheNumberOfThreads) {
  const Array x = random_array({8, 16, 40, 41}, kFloat32, 1);
  const Pool2dGeometry g = pool({3, 3}, {2, 2}, {1, 1});
  const MaxPool out = max_pool2d(x, g);
  EXPECT_TRUE(same_bits_for_any_threads([&] { return max_pool2d(x, g).values; }));
  EXPECT_TRUE(same_bits_for_any_threads([&] { return max_pool2d(x, g).indices; }));
  EXPECT_TRUE(same_bits_for_any_threads(
      [&] { return max_pool2d_backward(out.values, out.indices, x.sizes()); }));
  EXPECT_TRUE(same_bits_for_any_threads([&] { return avg_pool2d(x, g, {}); }));
  EXPECT_TRUE(
      same_bits_for_any_threads([&] { return avg_pool2d_backward(out.values, x.sizes(), g, {}); }));
  const Array small = random_array({100, 33, 6, 5}, kFloat32, 1);
  const Array grad = avg_pool2d(small, g, {});
  EXPECT_TRUE(same_bits_for_any_threads([&] { return avg_pool2d(small, g, {}); }));
  EXPECT_TRUE(
      same_bits_for_any_threads([&] { return avg_pool2d_backward(grad, small.sizes(), g, {}); }));
  EXPECT_TRUE(same_bits_for_any_threads([&] { return max_pool2d(small, g).indices; }));
}

TEST(Pool2d, ErrorsSayWhatWasExpected) {
  const auto error = [](DimVector input, const Pool2dGeometry& g, int dims = 2) {
    return error_of([&] { pool_output_sizes("max_pool", dims, input, g); });
  };
  EXPECT_EQ(error({1, 2, 4, 4}, pool({2, 2}, {0, 2})),
            "max_pool: stride must be positive, got [0, 2] (input [1, 2, 4, 4])");
  EXPECT_EQ(error({1, 2, 4, 4}, pool({0, 2}, {1, 2})),
            "max_pool: kernel_size must be positive, got [0, 2] (input [1, 2, 4, 4])");
  EXPECT_EQ(error({1, 2, 4, 4}, pool({3, 3}, {1, 1}, {2, 1})),
            "max_pool: padding must be at most half of the kernel, got padding [2, 1], kernel "
            "[3, 3] (input [1, 2, 4, 4])");
  EXPECT_EQ(error({1, 2, 4, 4}, pool({3, 3}, {1, 1}, {-1, 0})),
            "max_pool: padding must not be negative, got [-1, 0] (input [1, 2, 4, 4])");
  EXPECT_EQ(error({1, 2, 4, 4}, pool({5, 3}, {1, 1})),
            "max_pool: the kernel [5, 3] with dilation [1, 1] does not fit the input [1, 2, 4, 4] "
            "with padding [0, 0]");
  EXPECT_EQ(error({2, 4}, pool({1, 5}, {1, 1}), 1),
            "max_pool: the kernel [5] with dilation [1] does not fit the input [2, 4] with padding "
            "[0]");
  EXPECT_EQ(error({4, 4}, pool({2, 2}, {2, 2})),
            "max_pool: expected a 3-D (unbatched) or 4-D (batched) input, got [4, 4]");
  EXPECT_EQ(error({2, 0, 4, 4}, pool({2, 2}, {2, 2})),
            "max_pool: expected at least one channel and one pixel, got input [2, 0, 4, 4]");
  EXPECT_EQ(error_of([] {
              max_pool2d(zeros({1, 1, 1, 1}, kFloat32), pool({2, 2}, {1, 1}, {1, 1}, {2, 2}));
            }),
            "max_pool2d: a window has all its taps in the padding (input [1, 1, 1, 1], kernel "
            "[2, 2], padding [1, 1], dilation [2, 2])");
  EXPECT_EQ(error_of([] {
              max_pool2d(zeros({1, 1, 4, 4}, kInt64), pool({2, 2}, {2, 2}));
            }),
            "max_pool2d: not implemented for dtype Long");
  EXPECT_EQ(error_of([] {
              avg_pool2d(zeros({1, 1, 4, 4}, kFloat32), pool({2, 2}, {2, 2}), {true, -1});
            }),
            "avg_pool2d: divisor_override must be positive, got -1");
  EXPECT_EQ(error_of([] {
              adaptive_avg_pool2d(zeros({1, 1, 4, 4}, kFloat32), {0, 1});
            }),
            "adaptive_avg_pool2d: expected an output_size of two positive numbers, got [0, 1]");
}

}  // namespace
}  // namespace tapedeck::kernels
