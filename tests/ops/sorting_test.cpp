#include <tapedeck/ops/sorting.h>

#include <cmath>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using ::testing::ElementsAre;
using testing::values;
using testing_support::error_of;
using testing_support::OpRow;
using testing_support::row;
using Ints = std::vector<std::int64_t>;
using V = const Variable&;

std::vector<OpRow> rows() {
  return {
      row("sort", [](V x) { return std::get<0>(x.sort()); }, {{{2, 7}}, {{5}}, {{}}, {{0, 3}}}),
      row("sort_descending", [](V x) { return std::get<0>(x.sort(1, true)); }, {{{2, 7, 3}}}),
      row("msort", [](V x) { return msort(x); }, {{{5, 2}}}),
      row("topk", [](V x) { return std::get<0>(x.topk(3)); }, {{{2, 7}}, {{3}}}),
      row("topk_smallest", [](V x) { return std::get<0>(x.topk(2, 0, false)); }, {{{5, 2, 3}}}),
      row("kthvalue", [](V x) { return std::get<0>(x.kthvalue(2, 0)); }, {{{5, 3}}, {{3}}}),
      row("kthvalue_keepdim", [](V x) { return std::get<0>(x.kthvalue(1, -1, true)); },
          {{{5, 3}}, {{}}}),
  };
}
TAPEDECK_OP_TABLE(SortingOps, rows());

const double nan = std::nan("");

TEST(Sort, IsStableAndPutsNanLast) {
  const Tensor x = tensor({2., nan, 1., 2., -1.});
  const auto [up, up_from] = x.sort();
  EXPECT_THAT(values<std::int64_t>(up_from.array()), ElementsAre(4, 2, 0, 3, 1));
  EXPECT_TRUE(std::isnan(up[4].item<float>()));
  const auto [down, down_from] = x.sort(0, true);
  EXPECT_THAT(values<std::int64_t>(down_from.array()), ElementsAre(1, 0, 3, 2, 4));
  EXPECT_TRUE(std::isnan(down[0].item<float>()));
  EXPECT_THAT(values<std::int64_t>(argsort(tensor({{3, 1}, {0, 2}}), 0).array()),
              ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(tensor({true, false}).argsort()[0].item<int>(), 1);
}

TEST(Topk, TakesTheGreatest) {
  const auto [v, i] = tensor({{1, 5, 3}, {9, 7, 8}}).topk(2);
  EXPECT_THAT(values<std::int64_t>(v.array()), ElementsAre(5, 3, 9, 8));
  EXPECT_THAT(values<std::int64_t>(i.array()), ElementsAre(1, 2, 0, 2));
  EXPECT_EQ(error_of<Error>([] {
              zeros({2, 3}).topk(4);
            }),
            "topk: selected index k = 4 out of range for dimension 1 of size 3 (input [2, 3])");
  EXPECT_EQ(std::get<0>(zeros({2, 3}).topk(0)).sizes(), (Ints{2, 0}));
  EXPECT_EQ(error_of<Error>([] { tensor(2.0).topk(0); }),
            "topk: selected index k = 0 out of range for dimension 0 of size 1 (input [])");
  EXPECT_EQ(error_of<Error>([] {
              zeros({2, 3}).kthvalue(0);
            }),
            "kthvalue(): selected number k = 0 out of range for dimension 1 of size 3 (input [2, "
            "3])");
}

TEST(Unique, SortsAndCounts) {
  const auto [v, inverse, counts] = unique(tensor({{3, 1}, {3, 2}}), true, true, true);
  EXPECT_THAT(values<std::int64_t>(v.array()), ElementsAre(1, 2, 3));
  EXPECT_THAT(values<std::int64_t>(inverse.array()), ElementsAre(2, 0, 2, 1));
  EXPECT_EQ(inverse.sizes(), (Ints{2, 2}));
  EXPECT_THAT(values<std::int64_t>(counts.array()), ElementsAre(1, 1, 2));
  EXPECT_EQ(std::get<1>(unique(tensor({1, 1}))).numel(), 0);
  const auto [runs, at, lengths] = unique_consecutive(tensor({1, 1, 2, 1}), true, true);
  EXPECT_THAT(values<std::int64_t>(runs.array()), ElementsAre(1, 2, 1));
  EXPECT_THAT(values<std::int64_t>(at.array()), ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(values<std::int64_t>(lengths.array()), ElementsAre(2, 1, 1));
  EXPECT_EQ(std::get<0>(unique(zeros({0}))).numel(), 0);
}

TEST(Unique, OfManyElements) {
  const Variable x = randint(-100, 100, {3000}).to(kFloat32) / 4;
  const auto [v, inverse, counts] = unique(x, true, true, true);
  for (std::int64_t i = 1; i < v.numel(); ++i)
    ASSERT_LT(v[i - 1].item<float>(), v[i].item<float>());
  EXPECT_TRUE(equal(v.index_select(0, inverse), x));
  EXPECT_TRUE(equal(counts, bincount(inverse)));
}

// What std::map finds, whichever way the elements are told apart.
template <typename T>
void expect_distinct(const Variable& x) {
  std::map<T, std::int64_t> expected;
  const Variable flat = x.flatten();
  for (const T element : values<T>(flat.array())) ++expected[element];
  for (const bool with_inverse : {false, true}) {
    const auto [v, inverse, counts] = unique(x, true, with_inverse, true);
    const auto found = values<T>(v.array());
    const auto times = values<std::int64_t>(counts.array());
    ASSERT_EQ(found.size(), expected.size());
    std::size_t i = 0;
    for (const auto& [element, count] : expected) {
      ASSERT_EQ(found[i], element);
      ASSERT_EQ(times[i], count);
      ++i;
    }
    if (!with_inverse) continue;
    EXPECT_TRUE(equal(v.index_select(0, inverse.flatten()), flat));
  }
}

TEST(Unique, OfFewAndOfManyValues) {
  for (const std::int64_t n : {7, 300, 5000, 30001}) {
    const Ints shape{n};
    expect_distinct<float>(randn(shape));
    expect_distinct<float>(randint(-9, 9, shape).to(kFloat32) / 4);
    expect_distinct<double>(randn(shape, kFloat64));
    expect_distinct<double>(randint(-900, 900, shape).to(kFloat64) / 4);
    expect_distinct<std::int64_t>(randint(-20, 20, shape));
    expect_distinct<std::int64_t>(randint(0, 3, shape) * (std::int64_t{1} << 50));
    expect_distinct<std::int64_t>(randint(-1000000000, 1000000000, shape));
    expect_distinct<std::int32_t>(randint(-1000000000, 1000000000, shape).to(kInt32));
    expect_distinct<std::uint8_t>(randint(0, 256, shape).to(kUInt8));
    expect_distinct<bool>(randint(0, 2, shape).to(kBool));
  }
}

TEST(Unique, NoNaNEqualsAnotherAndZerosAreOne) {
  for (const std::int64_t copies : {1, 100, 1000}) {
    for (const Variable& more : {zeros({0}), randn({2000})}) {
      const Variable x = cat({tensor({nan, -0.0, 0.0, nan}).repeat({copies}), more});
      for (const bool with_inverse : {false, true}) {
        const auto [v, inverse, counts] = unique(x, true, with_inverse, true);
        const Variable last = v.slice(0, -2 * copies);
        EXPECT_TRUE(isnan(last).all().item<bool>());
        EXPECT_FALSE(isnan(v.slice(0, 0, -2 * copies)).any().item<bool>());
        EXPECT_TRUE(equal(counts.slice(0, -2 * copies), ones({2 * copies}, kLong)));
        const Variable zero = nonzero(v == 0);
        ASSERT_EQ(zero.numel(), 1);
        EXPECT_EQ(counts[zero.item<std::int64_t>()].item<std::int64_t>(), 2 * copies);
        EXPECT_TRUE(std::signbit(v[zero.item<std::int64_t>()].item<float>()));
        if (!with_inverse) continue;
        EXPECT_TRUE(allclose(v.index_select(0, inverse), x, 0, 0, /*equal_nan=*/true));
      }
    }
  }
}

// What a stable sort puts there, of few elements and of many, of which some are equal.
void expect_ranks(const Variable& x) {
  const auto [sorted, order] = x.sort(-1, false);
  for (const std::int64_t k : {std::int64_t{1}, x.size(-1) / 3 + 1, x.size(-1)}) {
    const auto [value, index] = x.kthvalue(k);
    EXPECT_TRUE(allclose(value, sorted.select(-1, k - 1), 0, 0, /*equal_nan=*/true));
    EXPECT_TRUE(equal(index, order.select(-1, k - 1)));
  }
  const auto [value, index] = x.median(-1);
  if (isnan(x).any().item<bool>()) return;
  EXPECT_TRUE(equal(index, order.select(-1, (x.size(-1) - 1) / 2)));
}
TEST(Kthvalue, IsWhatSortingGives) {
  for (const std::int64_t n : {1, 9, 256, 257, 3000}) {
    expect_ranks(randn({3, n}));
    expect_ranks(randn({2, n}, kFloat64));
    expect_ranks(randint(-5, 5, {2, n}).to(kFloat32));
    expect_ranks(randint(-1000000000, 1000000000, {2, n}));
    expect_ranks(randint(0, 3, {2, n}) * (std::int64_t{1} << 50));
    expect_ranks(randint(-9, 9, {2, n}).to(kInt32));
    expect_ranks(randint(0, 255, {2, n}).to(kUInt8));
    expect_ranks(full({2, n}, 3));
    expect_ranks(where(randn({2, n}) > 0, randn({2, n}), nan));
  }
}

TEST(Bincount, Counts) {
  EXPECT_THAT(values<std::int64_t>(bincount(tensor({1, 3, 1})).array()), ElementsAre(0, 2, 0, 1));
  EXPECT_THAT(values<float>(tensor({1, 0, 1}).bincount(tensor({0.5, 2., 1.})).array()),
              ElementsAre(2, 1.5));
  EXPECT_EQ(bincount(tensor({0}), {}, 4).numel(), 4);
  EXPECT_EQ(bincount(zeros({0}, kLong)).numel(), 0);
  EXPECT_EQ(error_of<Error>([] {
              bincount(tensor({0, -2}));
            }),
            "bincount: only supports 1-d non-negative integral inputs, got -2");
}

TEST(Searchsorted, FindsPlaces) {
  const Tensor edges = tensor({1., 2., 2., 4.});
  const Tensor x = tensor({0., 2., 3., 9., nan});
  EXPECT_THAT(values<std::int64_t>(searchsorted(edges, x).array()), ElementsAre(0, 1, 3, 4, 4));
  EXPECT_THAT(values<std::int64_t>(bucketize(x, edges, false, true).array()),
              ElementsAre(0, 3, 3, 4, 4));
  EXPECT_EQ(searchsorted(edges, 2.5).item<int>(), 3);
  EXPECT_EQ(searchsorted(edges, x, true).dtype(), kInt);
  const Tensor rows = tensor({{1, 3, 5}, {2, 4, 6}});
  EXPECT_THAT(values<std::int64_t>(searchsorted(rows, tensor({{3, 6}, {3, 6}})).array()),
              ElementsAre(1, 3, 1, 2));
  EXPECT_THROW(searchsorted(rows, tensor({1, 2})), Error);
  // Compared in the common dtype: 2.5 is not cut to 2.
  EXPECT_EQ(searchsorted(tensor({1, 2, 3}, kLong), tensor({2.5})).item<int>(), 2);
  EXPECT_EQ(bucketize(tensor({2}, kLong), tensor({1.5, 2.5})).item<int>(), 1);
}

}  // namespace
}  // namespace tapedeck
