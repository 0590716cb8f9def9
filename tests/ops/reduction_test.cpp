#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <tests/support/errors.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using testing_support::Domain;
using testing_support::list_row;
using testing_support::OpRow;
using testing_support::row;
using testing_support::Shapes;

using V = Variable;

const std::vector<Shapes> kAny = {{{2, 3, 5}}, {{7}}, {{}}};
const std::vector<Shapes> kMatrix = {{{2, 3, 5}}, {{3, 4}}};
const Domain kPositive = {0.3, 2};

TAPEDECK_OP_TABLE(
    ReductionOps,
    (std::vector<OpRow>{
        row("prod", [](const V& x) { return prod(x); }, {{{2, 3}}, {{}}, {{1}}}, {kPositive}),
        row("prod_dim", [](const V& x) { return prod(x, 1); }, {{{2, 3, 5}}, {{2, 0}}},
            {kPositive}),
        row("prod_keepdim", [](const V& x) { return prod(x, -1, true); }, {{{2, 3}}}, {kPositive}),
        row("prod_with_zeros",
            [](const V& x) {
              return prod(x * tensor({{1.0, 0.0, 1.0}, {0.0, 0.0, 1.0}}).to(x.dtype()), 1);
            },
            {{{2, 3}}}, {kPositive}),
        row("var", [](const V& x) { return var(x); }, {{{2, 3, 5}}, {{7}}}),
        row("var_dims",
            [](const V& x) {
              return var(x, {0, 2}, false, true);
            },
            {{{2, 3, 5}}}),
        row(
            "var_of_axis", [](const V& x) { return var(x, {1}, true); }, kMatrix),
        row("std", [](const V& x) { return tapedeck::std(x); }, {{{2, 3, 5}}, {{7}}}),
        row(
            "std_dims", [](const V& x) { return tapedeck::std(x, {1}, true); }, kMatrix),
        row(
            "norm_2", [](const V& x) { return norm(x); }, kAny),
        row("norm_1", [](const V& x) { return norm(x, 1); }, kAny, {{-2, 2, {0}}}),
        row("norm_3_dims",
            [](const V& x) {
              return norm(x, 3, {0, -1}, true);
            },
            kMatrix, {{-2, 2, {0}}}),
        row("norm_half", [](const V& x) { return norm(x, 0.5, {1}); }, kMatrix, {kPositive}),
        row("norm_inf", [](const V& x) { return norm(x, INFINITY); }, kAny, {{-2, 2, {0}}}),
        row("norm_minus_inf", [](const V& x) { return norm(x, -INFINITY, {1}); }, kMatrix,
            {{-2, 2, {0}}}),
        row("norm_0", [](const V& x) { return norm(x, 0, {1}); }, kMatrix, {{-2, 2, {0}}}),
        row(
            "logsumexp",
            [](const V& x) {
              return logsumexp(x, {0, -1});
            },
            kMatrix),
        row(
            "logsumexp_keepdim", [](const V& x) { return logsumexp(x, 1, true); }, kMatrix),
        row("amax",
            [](const V& x) {
              return amax(x, {0, 2});
            },
            {{{2, 3, 5}}}),
        row(
            "amin_keepdim", [](const V& x) { return amin(x, 1, true); }, kMatrix),
        row(
            "max", [](const V& x) { return max(x); }, kAny),
        row(
            "min", [](const V& x) { return min(x); }, kAny),
        row(
            "max_dim", [](const V& x) { return std::get<0>(max(x, 1)); }, kMatrix),
        row(
            "min_dim", [](const V& x) { return std::get<0>(min(x, 0, true)); }, kAny),
        row(
            "median", [](const V& x) { return median(x); }, kAny),
        row(
            "nanmedian", [](const V& x) { return std::get<0>(nanmedian(x, 1)); }, kMatrix),
        row(
            "frobenius_norm",
            [](const V& x) {
              return frobenius_norm(x, {0, 1});
            },
            kMatrix),
        row(
            "median_dim", [](const V& x) { return std::get<0>(median(x, 1)); }, kMatrix),
        list_row(
            "aminmax",
            [](const autograd::variable_list& v) {
              const auto [low, high] = aminmax(v[0], 1);
              return autograd::variable_list{low, high};
            },
            kMatrix),
        row("cumsum", [](const V& x) { return cumsum(x, 1); }, {{{2, 3, 5}}, {{2, 0}}}),
        row(
            "cumsum_last", [](const V& x) { return cumsum(x, -1); }, kAny),
        row("cumprod", [](const V& x) { return cumprod(x, 1); }, {{{2, 3, 5}}, {{2, 0}}},
            {kPositive}),
        row("cumprod_last", [](const V& x) { return cumprod(x, -1); }, kAny, {kPositive}),
        row("cumprod_with_zeros",
            [](const V& x) {
              return cumprod(x * tensor({{1.0, 0.0, 1.0, 1.0}, {0.0, 1.0, 0.0, 1.0}}).to(x.dtype()),
                             1);
            },
            {{{2, 4}}}, {kPositive}),
    }));

TEST(Reduction, ExtremesShareTheGradientAmongEquals) {
  V x = tensor({{1.0f, 3.0f, 3.0f}, {2.0f, 2.0f, 3.0f}}).requires_grad_();
  max(x).backward();
  EXPECT_TRUE(allclose(x.grad(), tensor({{0.0f, 1.0f, 1.0f}, {0.0f, 0.0f, 1.0f}}) / 3));
  x.mutable_grad().reset();
  amin(x, 1).sum().backward();
  EXPECT_TRUE(equal(x.grad(), tensor({{1.0f, 0.0f, 0.0f}, {0.5f, 0.5f, 0.0f}})));
  x.mutable_grad().reset();
  std::get<0>(max(x, 1)).sum().backward();
  EXPECT_TRUE(equal(x.grad(), tensor({{0.0f, 1.0f, 0.0f}, {0.0f, 0.0f, 1.0f}})));
}

TEST(Reduction, ExtremesOfRowsOfAnyLength) {
  // Fewer elements than a vector, exactly one, and ends of any size after several ones.
  for (std::int64_t columns = 1; columns <= 70; ++columns) {
    const V x = randn({5, columns});
    const auto [largest, places] = max(x, 0);
    const auto [smallest, where] = min(x, 0);
    for (std::int64_t j = 0; j < columns; ++j) {
      std::int64_t most = 0, least = 0;
      for (std::int64_t i = 1; i < 5; ++i) {
        if (x[i][j].item<float>() > x[most][j].item<float>()) most = i;
        if (x[i][j].item<float>() < x[least][j].item<float>()) least = i;
      }
      ASSERT_EQ(largest[j].item<float>(), x[most][j].item<float>()) << columns << " " << j;
      ASSERT_EQ(places[j].item<std::int64_t>(), most) << columns << " " << j;
      ASSERT_EQ(smallest[j].item<float>(), x[least][j].item<float>()) << columns << " " << j;
      ASSERT_EQ(where[j].item<std::int64_t>(), least) << columns << " " << j;
    }
  }
}

TEST(Reduction, PositionsAndShapes) {
  const V x = tensor({{1.0f, 3.0f, 3.0f}, {5.0f, 2.0f, NAN}});
  EXPECT_EQ(argmax(x).item<std::int64_t>(), 5);
  EXPECT_EQ(argmin(x.slice(1, 0, 2)).item<std::int64_t>(), 0);
  EXPECT_TRUE(equal(argmax(x, 1), tensor({1, 2})));
  EXPECT_EQ(argmax(x, 0, true).sizes(), IntArrayRef({1, 3}));
  EXPECT_EQ(argmax(x, std::nullopt, true).sizes(), IntArrayRef({1, 1}));
  const auto [value, index] = max(x, 0, true);
  EXPECT_EQ(value.sizes(), IntArrayRef({1, 3}));
  EXPECT_TRUE(equal(index, tensor({{1, 0, 1}})));
  EXPECT_FALSE(index.requires_grad());
  EXPECT_TRUE(std::isnan(max(x).item<float>()));
  const auto [middle, at] = median(tensor({4.0f, 1.0f, 3.0f, 2.0f}), 0);
  EXPECT_EQ(middle.item<float>(), 2);
  EXPECT_EQ(at.item<std::int64_t>(), 3);
  EXPECT_TRUE(std::isnan(median(x).item<float>()));
}

TEST(Reduction, Integers) {
  const V n = tensor(std::vector<std::int64_t>{3, 1, 2});
  EXPECT_EQ(max(n).item<std::int64_t>(), 3);
  EXPECT_EQ(prod(n).dtype(), kInt64);
  EXPECT_EQ(prod(n.to(kUInt8)).dtype(), kInt64);
  EXPECT_EQ(cumsum(n.to(kInt32), 0).dtype(), kInt64);
  EXPECT_EQ(median(n).item<std::int64_t>(), 2);
  EXPECT_EQ(any(n > 2).item<bool>(), true);
  EXPECT_EQ(all(n > 2, 0).item<bool>(), false);
  EXPECT_EQ(any(n.to(kUInt8)).dtype(), kUInt8);
  EXPECT_EQ(count_nonzero(n - 1).item<std::int64_t>(), 2);
  EXPECT_ERROR(var(n), "std and var only support floating point dtypes, got Long");
  EXPECT_ERROR(norm(n), "the input must have a floating point dtype, got Long");
}

TEST(Reduction, ProductsInTheDtypeAskedFor) {
  const Variable x = tensor({{2, 3}, {0, 5}});
  EXPECT_TRUE(equal(prod(x, 1, false, kBool), tensor({true, false})));
  EXPECT_EQ(prod(x, kBool).dtype(), kBool);
  EXPECT_EQ(prod(x, kFloat64).dtype(), kFloat64);
}

TEST(Reduction, MediansOfNumbersAmongNan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Variable x = tensor({{3.0, nan, 1.0}, {nan, nan, nan}, {2.0, 5.0, 4.0}}, kFloat64);
  const auto [values, indices] = nanmedian(x, 1);
  EXPECT_EQ(values[0].item<double>(), 1);
  EXPECT_TRUE(std::isnan(values[1].item<double>()));
  EXPECT_EQ(values[2].item<double>(), 4);
  EXPECT_TRUE(equal(indices, tensor({2, 0, 2})));
  EXPECT_EQ(std::get<0>(x.nanmedian(-1, true)).sizes(), IntArrayRef({3, 1}));
  EXPECT_EQ(nanmedian(x).item<double>(), 3);
  EXPECT_TRUE(std::isnan(nanmedian(zeros({0})).item<float>()));
  EXPECT_EQ(std::get<0>(nanmedian(tensor(2.0), 0)).item<float>(), 2);
  EXPECT_THROW(nanmedian(zeros({2, 0}), 1), IndexError);
}

TEST(Reduction, NothingToReduce) {
  const V x = empty({0, 3});
  EXPECT_ERROR(max(x), "amax: expected the reduced dimensions to have elements, got shape [0, 3]");
  EXPECT_ERROR(max(x, 0), "max: expected dim 0 to have a non-zero size, got shape [0, 3]");
  EXPECT_ERROR(argmax(x), "argmax: expected reduction dim to be specified");
  EXPECT_EQ(std::get<0>(max(x, 1)).sizes(), IntArrayRef({0}));
  EXPECT_TRUE(std::isnan(median(x).item<float>()));
  EXPECT_TRUE(std::isnan(var(tensor({1.0f})).item<float>()));
  EXPECT_EQ(logsumexp(x, 0)[1].item<float>(), -INFINITY);
  EXPECT_EQ(prod(x).item<float>(), 1);
}

TEST(Reduction, NormOfZerosHasAFiniteGradient) {
  for (const double p : {0.0, 0.5, 1.0, 2.0, 3.0, static_cast<double>(INFINITY)}) {
    V x = zeros({3}).requires_grad_();
    norm(x, p).backward();
    EXPECT_TRUE(all(isfinite(x.grad())).item<bool>()) << p;
  }
  V x = zeros({3}).requires_grad_();
  tapedeck::std(x).backward();
  EXPECT_TRUE(equal(x.grad(), zeros({3})));
}

TEST(Reduction, DimOutOfRangeOrTwice) {
  const V x = zeros({2, 3});
  EXPECT_ERROR(sum(x, 2),
               "sum: Dimension out of range (expected to be in range of [-2, 1], but got 2)");
  EXPECT_ERROR(amax(x, {0, -2}), "dim 0 appears multiple times in the list of dims");
}

}  // namespace
}  // namespace tapedeck
