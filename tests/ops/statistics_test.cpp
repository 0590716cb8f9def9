#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <tests/support/errors.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using testing_support::OpRow;
using testing_support::row;

using V = Variable;

TAPEDECK_OP_TABLE(
    StatisticsOps,
    (std::vector<OpRow>{
        row("nansum", [](const V& x) { return nansum(x, 1); }, {{{2, 3}}, {{0, 3}}}),
        row("nanmean", [](const V& x) { return nanmean(x); }, {{{2, 3}}}),
        row("cummax", [](const V& x) { return std::get<0>(cummax(x, -1)); }, {{{2, 5, 3}}, {{}}}),
        row("cummin", [](const V& x) { return std::get<0>(cummin(x, -1)); }, {{{2, 5}}}),
        row("logcumsumexp", [](const V& x) { return logcumsumexp(x, 1); },
            {{{2, 5, 3}}, {{}}, {{0, 2}}}),
        row("mode", [](const V& x) { return std::get<0>(mode(x, 0)); }, {{{5, 2}}}),
        row("quantile", [](const V& x) { return quantile(x, 0.3, 1); }, {{{2, 5}}}),
        row("quantile_all", [](const V& x) { return quantile(x, 0.77); }, {{{2, 5}}}),
        row("diff", [](const V& x) { return diff(x, 2); }, {{{2, 5}}}),
        row("trapezoid", [](const V& x) { return trapezoid(x, 0.5); }, {{{2, 5}}}),
        row("trapezoid_places", [](const V& y, const V& x) { return trapezoid(y, x); },
            {{{2, 5}, {5}}, {{2, 5}, {2, 5}}}),
        row("trapz", [](const V& x) { return trapz(x, 0.5); }, {{{2, 5}}}),
        row("vander", [](const V& x) { return vander(x, 3); }, {{{4}}}),
        row("concatenate",
            [](const V& x, const V& y) {
              return concatenate({x, y}, 1);
            },
            {{{2, 3}, {2, 1}}}),
        row("row_stack",
            [](const V& x, const V& y) {
              return row_stack({x, y});
            },
            {{{2, 3}, {1, 3}}, {{3}, {3}}}),
        row("dsplit", [](const V& x) { return dsplit(x, 2)[1]; }, {{{2, 3, 4}}}),
        row("cov", [](const V& x) { return cov(x); }, {{{3, 5}}, {{5}}}),
        row("corrcoef", [](const V& x) { return corrcoef(x); }, {{{3, 5}}}),
        row("renorm", [](const V& x) { return renorm(x, 2, 0, 1); }, {{{3, 5}}}),
        row("select_scatter", [](const V& x, const V& y) { return select_scatter(x, y, 1, 2); },
            {{{2, 5, 3}, {2, 3}}}),
        row("slice_scatter", [](const V& x, const V& y) { return slice_scatter(x, y, 1, 1, 5, 2); },
            {{{2, 5}, {2, 2}}}),
        row("diagonal_scatter", [](const V& x, const V& y) { return diagonal_scatter(x, y); },
            {{{3, 5}, {3}}}),
        row("scatter_mean",
            [](const V& x, const V& y) {
              return scatter_reduce(x, 0, tensor({{0, 1}, {0, 0}, {2, 1}}), y, "mean", false);
            },
            {{{3, 2}, {3, 2}}}),
        row("scatter_amax",
            [](const V& x, const V& y) {
              return scatter_reduce(x, 0, tensor({{0, 1}, {0, 0}, {2, 1}}), y, "amax");
            },
            {{{3, 2}, {3, 2}}}),
        row("scatter_prod",
            [](const V& x, const V& y) {
              return scatter_reduce(x, 0, tensor({{0, 1}, {0, 0}, {2, 1}}), y, "prod");
            },
            {{{3, 2}, {3, 2}}, {{3, 2}, {5, 2}}}),
        row("scatter_prod_without_self",
            [](const V& x, const V& y) {
              return scatter_reduce(x, 1, tensor({{0, 1, 0}, {0, 0, 0}}), y, "prod", false);
            },
            {{{2, 3}, {2, 3}}}),
        row("renorm_",
            [](const V& x) {
              V y = x * 2;
              return y.renorm_(2, 0, 1);
            },
            {{{3, 5}}}),
        row("block_diag",
            [](const V& x, const V& y) {
              return block_diag({x, y});
            },
            {{{2, 3}, {3, 1}}, {{2}, {1, 3}}}),
        row("cartesian_prod",
            [](const V& x, const V& y) {
              return cartesian_prod({x, y});
            },
            {{{2}, {3}}}),
        row("combinations", [](const V& x) { return combinations(x, 2); }, {{{4}}}),
        row("channel_shuffle", [](const V& x) { return channel_shuffle(x, 2); }, {{{2, 6, 3}}}),
    }));

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Statistics, QuantilesInterpolate) {
  const V x = tensor({3.0, 1.0, 4.0, 2.0}, kFloat64);
  const auto at = [&](double q, const char* how) {
    return quantile(x, q, std::nullopt, false, how).item<double>();
  };
  EXPECT_DOUBLE_EQ(at(0.5, "linear"), 2.5);
  EXPECT_DOUBLE_EQ(at(0.5, "lower"), 2);
  EXPECT_DOUBLE_EQ(at(0.5, "higher"), 3);
  EXPECT_DOUBLE_EQ(at(0.4, "nearest"), 2);
  EXPECT_DOUBLE_EQ(at(0.4, "midpoint"), 2.5);
  const V table = stack({x, x + 1});
  EXPECT_EQ(quantile(table, tensor({0.0, 0.5, 1.0}, kFloat64), 1, true).sizes(),
            IntArrayRef({3, 2, 1}));
  EXPECT_TRUE(std::isnan(quantile(tensor({1.0, kNan}), 0.5).item<double>()));
  EXPECT_ERROR(quantile(x, 1.5), "q must be in the range [0, 1] but got 1.5");
}

TEST(Statistics, RunningExtremesNameTheLastOfEqualElements) {
  const auto [values, indices] = cummax(tensor({1, 3, 3, 2}), 0);
  EXPECT_TRUE(equal(values, tensor({1, 3, 3, 3})));
  EXPECT_TRUE(equal(indices, tensor({0, 1, 2, 2})));
}

TEST(Statistics, RunningExtremesOfLongRows) {
  const std::int64_t n = 101;
  V x = randint(0, 30, {4, n}).to(kFloat32);
  x.select(0, 2).copy_(arange(n));
  x.select(0, 3).select(0, 40).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto [values, indices] = cummax(x, 1);
  for (std::int64_t r = 0; r < 4; ++r) {
    float best = x[r][0].item<float>();
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const float element = x[r][i].item<float>();
      if (element >= best || std::isnan(element)) {
        best = element;
        at = i;
      }
      const float got = values[r][i].item<float>();
      ASSERT_TRUE(got == best || (std::isnan(got) && std::isnan(best)));
      ASSERT_EQ(indices[r][i].item<std::int64_t>(), at);
    }
  }
}

TEST(Statistics, ModeIsTheSmallestOfTheMostFrequent) {
  const auto [values, indices] = mode(tensor({{2, 1, 2, 1}, {5, 5, 7, 0}}));
  EXPECT_TRUE(equal(values, tensor({1, 5})));
  EXPECT_TRUE(equal(indices, tensor({3, 1})));
}

// As one backward for each factor would give it, the others fixed.
TEST(ScatterReduce, GradientsOfProductsThatHoldZeros) {
  V x = tensor({2.0, 3.0, 0.0}, kFloat64).requires_grad_();
  V y = tensor({0.0, 5.0, 0.0, 7.0, 0.0, 4.0}, kFloat64).requires_grad_();
  // x[0] by 0 and 5, x[1] by two zeros and 7, x[2] = 0 by 0 and 4.
  const V index = tensor({0, 0, 1, 1, 1, 2});
  const V z = scatter_reduce(x, 0, index, y, "prod");
  EXPECT_TRUE(equal(z, tensor({0.0, 0.0, 0.0}, kFloat64)));
  z.backward(tensor({1.0, 10.0, 100.0}, kFloat64));
  EXPECT_TRUE(equal(x.grad(), tensor({0.0, 0.0, 400.0}, kFloat64)));
  EXPECT_TRUE(equal(y.grad(), tensor({10.0, 0.0, 0.0, 0.0, 0.0, 0.0}, kFloat64)));
}

TEST(ScatterReduce, ExtremesKeepNan) {
  const V x = tensor({1.0, 2.0, kNan}, kFloat64), y = tensor({kNan, 3.0, 4.0}, kFloat64);
  for (const bool include_self : {true, false}) {
    const V z = scatter_reduce(x, 0, tensor({0, 1, 1}), y, "amax", include_self);
    EXPECT_TRUE(std::isnan(z[0].item<double>()));
    EXPECT_EQ(z[1].item<double>(), 4);
    EXPECT_TRUE(std::isnan(z[2].item<double>()));
  }
}

TEST(ScatterReduce, OfBools) {
  const V x = tensor({true, false}), y = tensor({false, true});
  EXPECT_TRUE(equal(scatter_reduce(x, 0, tensor({0, 1}), y, "amin"), tensor({false, false})));
  EXPECT_ERROR(scatter_reduce(x, 0, tensor({0, 1}), y, "most"),
               "reduce argument must be either sum, prod, mean, amax or amin, got most");
}

TEST(Statistics, HistogramCountsWithinTheRange) {
  EXPECT_TRUE(equal(histc(tensor({0.0, 0.4, 0.6, 1.0, 3.0}), 2, 0, 1), tensor({2.0, 2.0})));
}

TEST(Parts, FillDiagonalWraps) {
  const V x = zeros({7, 2});
  x.fill_diagonal_(1, true);
  EXPECT_EQ(x.sum().item<double>(), 5);
  EXPECT_EQ(x[3][0].item<double>(), 1);
}

TEST(Parts, IsinAndUniqueRows) {
  EXPECT_TRUE(equal(isin(tensor({1, 2, 5}), tensor({5, 1})), tensor({true, false, true})));
  const auto [rows, inverse, counts] =
      unique_dim(tensor({{1, 2}, {0, 1}, {1, 2}}), 0, true, true, true);
  EXPECT_TRUE(equal(rows, tensor({{0, 1}, {1, 2}})));
  EXPECT_TRUE(equal(inverse, tensor({1, 0, 1})));
  EXPECT_TRUE(equal(counts, tensor({1, 2})));
}

TEST(Parts, SplitsAlongNamedAxes) {
  const V x = arange(12).view({2, 3, 2});
  EXPECT_EQ(x.hsplit(3).size(), 3u);
  EXPECT_EQ(x.vsplit(2)[1].sizes(), IntArrayRef({1, 3, 2}));
  EXPECT_ERROR(x.hsplit(2), "not divisible by the split_size 2!");
}

}  // namespace
}  // namespace tapedeck
