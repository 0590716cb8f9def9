#include <tapedeck/ops/kernels/resample.h>

#include <algorithm>
#include <numeric>
#include <random>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>

namespace tapedeck::kernels {

namespace {

using namespace tapedeck::testing;

// Outputs of `fewest` to `most` terms each, at random places that advance with the output: of a
// width that one vector, two, or none but a gather reaches.
AxisSamples random_axis(std::int64_t inputs, std::int64_t outputs, int fewest, int most,
                        std::uint32_t seed) {
  std::mt19937 random(seed);
  AxisSamples axis;
  axis.inputs = inputs;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const int terms = std::uniform_int_distribution<int>(fewest, most)(random);
    for (int k = 0; k < terms; ++k)
      axis.add_term(std::min(inputs - 1, o * inputs / outputs + k),
                    std::uniform_real_distribution<double>(-1, 1)(random));
    axis.end_output();
  }
  return axis;
}

// Each output is an input as it stands, several in turn the same one.
AxisSamples nearest_axis(std::int64_t inputs, std::int64_t outputs) {
  AxisSamples axis;
  axis.inputs = inputs;
  for (std::int64_t o = 0; o < outputs; ++o) {
    axis.add_term(o * inputs / outputs, 1);
    axis.end_output();
  }
  return axis;
}

struct Case {
  DimVector input;
  Resampling axes;
};

std::vector<Case> cases() {
  return {
      {{2, 3, 7}, {random_axis(7, 14, 2, 2, 1)}},
      {{2, 3, 70}, {random_axis(70, 31, 4, 4, 2)}},
      {{1, 2, 300}, {random_axis(300, 41, 0, 3, 3)}},
      {{2, 3, 5, 7}, {random_axis(5, 9, 2, 2, 4), random_axis(7, 11, 2, 2, 5)}},
      {{2, 3, 19, 40}, {random_axis(19, 38, 1, 1, 6), random_axis(40, 80, 1, 1, 7)}},
      {{2, 3, 38, 82}, {random_axis(38, 19, 0, 5, 8), random_axis(82, 41, 1, 4, 9)}},
      {{2, 3, 9, 160}, {random_axis(9, 2, 3, 4, 10), random_axis(160, 33, 2, 6, 11)}},
      {{2, 3, 9, 37}, {random_axis(9, 12, 0, 4, 12), std::nullopt}},
      {{2, 3, 9, 37}, {std::nullopt, random_axis(37, 50, 0, 4, 13)}},
      {{2, 3, 5, 7}, {nearest_axis(5, 10), nearest_axis(7, 21)}},
      {{2, 3, 7, 40}, {nearest_axis(7, 3), random_axis(40, 33, 0, 5, 25)}},
      {{1, 2, 5, 3}, {nearest_axis(5, 23), random_axis(3, 9, 2, 2, 26)}},
      {{40, 30, 5, 7}, {nearest_axis(5, 11), nearest_axis(7, 7)}},
      {{2, 3, 4, 5}, {std::nullopt, std::nullopt}},
      {{0, 3, 4, 5}, {random_axis(4, 8, 2, 2, 14), random_axis(5, 10, 2, 2, 15)}},
      {{1, 1, 1, 1}, {random_axis(1, 3, 2, 2, 16), random_axis(1, 2, 2, 2, 17)}},
      {{2, 2, 3, 4, 5},
       {random_axis(3, 6, 2, 2, 18), random_axis(4, 7, 2, 2, 19), random_axis(5, 9, 2, 2, 20)}},
      {{2, 2, 3, 4, 5}, {random_axis(3, 6, 2, 2, 21), std::nullopt, random_axis(5, 9, 2, 2, 22)}},
      {{2, 2, 3, 4, 5}, {random_axis(3, 6, 2, 2, 23), random_axis(4, 7, 2, 2, 24), std::nullopt}},
  };
}

// One axis after the other, element by element.
std::vector<double> naive(const Case& c, const Array& x) {
  std::vector<double> in;
  for (std::int64_t i = 0; i < x.numel(); ++i)
    in.push_back(x.dtype() == kFloat32 ? static_cast<double>(x.data<float>()[i])
                                       : x.data<double>()[i]);
  DimVector sizes = c.input;
  for (std::size_t a = 0; a < c.axes.size(); ++a) {
    if (!c.axes[a]) continue;
    const AxisSamples& axis = *c.axes[a];
    std::int64_t outer = 1, inner = 1;
    for (std::size_t d = 0; d < sizes.size(); ++d)
      (d < a + 2 ? outer : inner) *= d == a + 2 ? 1 : sizes[d];
    std::vector<double> out;
    for (std::int64_t p = 0; p < outer; ++p)
      for (std::int64_t o = 0; o < axis.outputs(); ++o)
        for (std::int64_t i = 0; i < inner; ++i) {
          double sum = 0;
          for (std::int32_t k = axis.begins[static_cast<std::size_t>(o)];
               k < axis.begins[static_cast<std::size_t>(o) + 1]; ++k) {
            const auto term = static_cast<std::size_t>(k);
            sum += axis.weights[term] *
                   in[static_cast<std::size_t>((p * axis.inputs + axis.indices[term]) * inner + i)];
          }
          out.push_back(sum);
        }
    in = out;
    sizes[a + 2] = axis.outputs();
  }
  return in;
}

double dot(const Array& a, const Array& b) {
  return std::inner_product(a.data<double>(), a.data<double>() + a.numel(), b.data<double>(), 0.0);
}

TEST(Resample, IsTheSumOfItsTerms) {
  for (const Case& c : cases())
    for (const ScalarType dtype : {kFloat32, kFloat64}) {
      SCOPED_TRACE(::testing::Message() << IntArrayRef(c.input) << " " << dtype);
      const Array x = random_array(c.input, dtype, 1);
      const std::vector<double> expected = naive(c, x);
      for (const Array& layout : layouts_of(x)) {
        const Array y = resample(layout, c.axes);
        EXPECT_FALSE(y.shares_storage(layout) && y.numel() > 0);
        if (dtype == kFloat64)
          expect_close<double>(y, expected, 0, 1e-13);
        else
          expect_close<float>(y, std::vector<float>(expected.begin(), expected.end()), 0, 1e-5);
      }
    }
}

TEST(Resample, ImagesWhoseChannelsLieNextToEachOther) {
  const Array x = random_array({2, 9, 5, 7}, kFloat64, 1);
  const Array inner = contiguous(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
  const auto rows = random_axis(5, 9, 1, 3, 2), columns = random_axis(7, 4, 0, 4, 3);
  for (const Resampling& axes : {Resampling{rows, columns},
                                 {rows, std::nullopt},
                                 {std::nullopt, columns},
                                 {std::nullopt, std::nullopt}}) {
    const Array y = resample(inner, axes);
    EXPECT_TRUE(y.permute({0, 2, 3, 1}).is_contiguous());
    EXPECT_FALSE(y.shares_storage(inner));
    EXPECT_LT(testing_support::relative_error(y, resample(x, axes)), 1e-14);
  }
}

TEST(Resample, TransposedIsItsAdjoint) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(::testing::Message() << IntArrayRef(c.input));
    const Array x = random_array(c.input, kFloat64, 2);
    const Array y = resample(x, c.axes);
    const Array g = random_array(y.sizes(), kFloat64, 3);
    const Array back = resample(g, transposed(c.axes));
    ASSERT_EQ(back.sizes(), x.sizes());
    const double forward = dot(y, g);
    EXPECT_NEAR(dot(x, back), forward, 1e-12 * static_cast<double>(1 + g.numel()));
  }
}

TEST(Resample, TransposedTwiceIsTheSameMatrix) {
  for (const Case& c : cases()) {
    const Array x = random_array(c.input, kFloat64, 4);
    expect_close<double>(resample(x, transposed(transposed(c.axes))),
                         values<double>(resample(x, c.axes)), 0, 1e-13);
  }
}

TEST(Resample, WhatAnOutputDoesNotReadDoesNotReachIt) {
  AxisSamples axis;
  axis.inputs = 4;
  axis.add_term(1, 2);
  axis.end_output();
  axis.end_output();
  axis.add_term(1, 1);
  axis.add_term(3, 1);
  axis.end_output();
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const Array x = array_of<double>({nan, 1, inf, 5}, {1, 1, 4});
  EXPECT_EQ(values<double>(resample(x, {axis})), (std::vector<double>{2, 0, 6}));
  EXPECT_EQ(values<double>(
                resample(array_of<double>({nan, 1, inf, 5}, {1, 1, 4, 1}), {axis, std::nullopt})),
            (std::vector<double>{2, 0, 6}));
}

TEST(Resample, HasTheSameBitsForAnyNumberOfThreads) {
  const Resampling axes{random_axis(64, 128, 2, 2, 1), random_axis(70, 139, 0, 3, 2)};
  const Array x = random_array({4, 3, 64, 70}, kFloat32, 5);
  const auto with = [&](int threads) {
    const ThreadCount count(threads);
    return values<float>(resample(x, axes));
  };
  EXPECT_EQ(with(1), with(3));
}

TEST(Resample, RefusesAxesOfOtherSizes) {
  const Resampling axes{random_axis(4, 8, 2, 2, 1)};
  EXPECT_THROW(resample(random_array({1, 1, 5}, kFloat32, 1), axes), Error);
  EXPECT_THROW(resample(random_array({1, 1, 4, 4}, kFloat32, 1), axes), Error);
}

}  // namespace

}  // namespace tapedeck::kernels
