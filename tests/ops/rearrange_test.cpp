#include <tapedeck/ops/rearrange.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using autograd::variable_list;
using ::testing::ElementsAre;
using testing::values;
using testing_support::error_of;
using testing_support::list_row;
using testing_support::OpRow;
using testing_support::row;
using Ints = std::vector<std::int64_t>;
using V = const Variable&;

std::vector<OpRow> rows() {
  return {
      row("repeat",
          [](V x) {
            return x.repeat({2, 1, 3});
          },
          {{{2, 3}}, {{5}}, {{2, 1, 3}}, {{}}}),
      row("repeat_zero",
          [](V x) {
            return x.repeat({2, 0});
          },
          {{{2, 3}}}),
      row("repeat_one",
          [](V x) {
            return x.repeat({1, 1});
          },
          {{{2, 3}}}),
      row("tile", [](V x) { return x.tile({3}); }, {{{2, 3}}, {{2}}, {{}}}),
      row("repeat_interleave", [](V x) { return x.repeat_interleave(2, 1); },
          {{{2, 3}}, {{2, 3, 5}}}),
      row("repeat_interleave_flat", [](V x) { return x.repeat_interleave(3); }, {{{2, 3}}, {{}}}),
      row("repeat_interleave_each",
          [](V x) {
            return x.repeat_interleave(tensor({2, 0, 1}), -1);
          },
          {{{2, 3}}, {{5, 2, 3}}}),
      row("flip",
          [](V x) {
            return x.flip({0, -1});
          },
          {{{2, 3}}, {{2, 3, 5}}, {{0, 3}}}),
      row("flip_none", [](V x) { return x.flip(Ints{}); }, {{{2, 3}}}),
      row("fliplr", [](V x) { return fliplr(flipud(x)); }, {{{2, 3}}}),
      row("roll",
          [](V x) {
            return x.roll({1, -2}, {0, 1});
          },
          {{{3, 5}}, {{2, 7, 3}}}),
      row("roll_flat", [](V x) { return x.roll(4); }, {{{2, 3}}, {{0, 3}}}),
      row("rot90", [](V x) { return rot90(x, 1) * 2 + rot90(x, -3); }, {{{2, 3}}, {{2, 3, 5}}}),
      row("rot180",
          [](V x) {
            return rot90(x, 2, {1, 2}) + rot90(x, 4);
          },
          {{{2, 3, 5}}}),
      row("rot270", [](V x) { return rot90(x, 3); }, {{{2, 3}}}),
      list_row("meshgrid", [](const variable_list& x) { return meshgrid(x); },
               {{{2}, {3}, {5}}, {{3}, {}}}),
      list_row("meshgrid_xy", [](const variable_list& x) { return meshgrid(x, "xy"); },
               {{{2}, {3}}}),
      row("tril", [](V x) { return x.tril(1); }, {{{3, 5}}, {{2, 3, 2}}, {{0, 2}}}),
      row("triu", [](V x) { return x.triu(-1); }, {{{5, 3}}, {{2, 3, 2}}}),
      row("diag", [](V x) { return x.diag(1); }, {{{3, 5}}, {{3}}}),
      row("diag_embed", [](V x) { return diag_embed(x, -1, 0, 2); }, {{{2, 3}}}),
      row("diagflat", [](V x) { return diagflat(x); }, {{{2, 3}}}),
      row("trace", [](V x) { return x.trace(); }, {{{3, 5}}, {{2, 2}}}),
  };
}
TAPEDECK_OP_TABLE(RearrangeOps, rows());

TEST(Rearrange, FlipsOfTheLastAxisInEveryDtypeAndLayout) {
  for (const ScalarType dtype : {kBool, kUInt8, kInt, kFloat32, kFloat64})
    for (const std::int64_t size : {1, 2, 5, 64, 1001}) {
      const Tensor x = randint(100, {19, 2 * size}, kLong).to(dtype);
      for (const Tensor& view : {x, x.slice(1, 0, 2 * size, 2), x.slice(1, 1, size + 1)}) {
        const Tensor y = view.flip(-1);
        for (std::int64_t i = 0; i < view.size(1); ++i)
          ASSERT_TRUE(y.select(1, i).equal(view.select(1, view.size(1) - 1 - i))) << dtype;
      }
    }
  EXPECT_EQ(zeros({3, 0}).flip(1).sizes(), (Ints{3, 0}));
}

// Rows that are long enough to be read backwards where they are, and axes in another order.
TEST(Rearrange, FlipsOfAnyAxesOfEveryLayout) {
  for (const ScalarType dtype : {kUInt8, kFloat32, kFloat64}) {
    const Tensor x = randint(100, {4, 3, 80}, kLong).to(dtype);
    const Tensor views[] = {x.slice(2, 1, 79),
                            x.slice(2, 0, 80, 2),
                            x.slice(2, 0, 80, 3),
                            x.slice(0, 0, 4, 2),
                            x.slice(1, 1, 3),
                            x.transpose(0, 1),
                            x.slice(1, 1, 2).expand({4, 3, 80})};
    for (const Tensor& view : views)
      for (unsigned axes = 0; axes < 8; ++axes) {
        Ints dims;
        for (int d = 0; d < 3; ++d)
          if (axes >> d & 1) dims.push_back(d);
        EXPECT_TRUE(view.flip(dims).equal(view.clone().flip(dims))) << axes;
      }
  }
}

TEST(Rearrange, FlipsOfAnyAxes) {
  const Tensor x = arange(48).reshape({2, 1, 6, 4});
  for (unsigned axes = 0; axes < 16; ++axes) {
    Ints dims;
    Tensor expected = x;
    for (std::int64_t d = 0; d < 4; ++d) {
      if ((axes >> d & 1U) == 0) continue;
      dims.push_back(d);
      expected = expected.index_select(d, arange(x.size(d) - 1, -1, -1));
    }
    for (const Tensor& same : {x, x.transpose(2, 3).contiguous().transpose(2, 3)}) {
      const Tensor y = same.flip(dims);
      EXPECT_TRUE(y.equal(expected)) << axes;
      EXPECT_FALSE(y.array().shares_storage(same.array())) << axes;
    }
  }
}

TEST(Rearrange, FlipsOfOuterAxesInEveryDtype) {
  for (const ScalarType dtype : {kBool, kInt, kFloat64})
    for (const std::int64_t size : {1, 7, 40, 300}) {
      const Tensor x = randint(100, {3, 5, size}, kLong).to(dtype);
      const Tensor y = x.flip(1), z = x.flip({0, 1});
      for (std::int64_t i = 0; i < 5; ++i) {
        ASSERT_TRUE(y.select(1, i).equal(x.select(1, 4 - i))) << dtype << " " << size;
        for (std::int64_t k = 0; k < 3; ++k)
          ASSERT_TRUE(z.select(1, i).select(0, k).equal(x.select(1, 4 - i).select(0, 2 - k)));
      }
    }
}

TEST(Rearrange, Values) {
  const Tensor x = arange(6).reshape({2, 3});
  EXPECT_THAT(values<std::int64_t>(x.repeat({1, 2}).array()),
              ElementsAre(0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5));
  EXPECT_EQ(x.repeat({2, 1, 1}).sizes(), (Ints{2, 2, 3}));
  EXPECT_THAT(values<std::int64_t>(x.repeat_interleave(2, 0).array()),
              ElementsAre(0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5));
  EXPECT_THAT(values<std::int64_t>(x.repeat_interleave(tensor({1, 2, 0}), 1).array()),
              ElementsAre(0, 1, 1, 3, 4, 4));
  EXPECT_THAT(values<std::int64_t>(x.flip(1).array()), ElementsAre(2, 1, 0, 5, 4, 3));
  EXPECT_THAT(values<std::int64_t>(x.roll(1, 1).array()), ElementsAre(2, 0, 1, 5, 3, 4));
  EXPECT_THAT(values<std::int64_t>(x.roll(1).array()), ElementsAre(5, 0, 1, 2, 3, 4));
  EXPECT_THAT(values<std::int64_t>(rot90(x).array()), ElementsAre(2, 5, 1, 4, 0, 3));
  EXPECT_THAT(values<std::int64_t>(rot90(x, 3).array()), ElementsAre(3, 0, 4, 1, 5, 2));
  EXPECT_THAT(values<std::int64_t>(x.tril().array()), ElementsAre(0, 0, 0, 3, 4, 0));
  EXPECT_THAT(values<std::int64_t>(x.triu(1).array()), ElementsAre(0, 1, 2, 0, 0, 5));
  EXPECT_THAT(values<std::int64_t>(diag(tensor({1, 2}), -1).array()),
              ElementsAre(0, 0, 0, 1, 0, 0, 0, 2, 0));
  EXPECT_FALSE(x.diag().is_alias_of(x));
  const auto grid = meshgrid({tensor({1, 2}), tensor({3, 4, 5})}, "xy");
  EXPECT_EQ(grid[0].sizes(), (Ints{3, 2}));
  EXPECT_THAT(values<std::int64_t>(grid[1].array()), ElementsAre(3, 3, 4, 4, 5, 5));
}

TEST(Rearrange, Errors) {
  const Tensor x = zeros({2, 3});
  EXPECT_EQ(error_of<Error>([&] { x.repeat({2}); }),
            "repeat: Number of dimensions of repeat dims can not be smaller than number of "
            "dimensions of tensor: [2] for shape [2, 3]");
  EXPECT_EQ(error_of<Error>([&] {
              x.flip({0, -2});
            }),
            "flip: dim 0 appears multiple times in the list of dims");
  EXPECT_EQ(error_of<Error>([&] {
              x.roll({1, 2}, {0});
            }),
            "roll: shifts and dimensions must align. shifts: 2, dims:1");
  EXPECT_EQ(error_of<Error>([&] {
              x.repeat_interleave(tensor({1, 2}), 1);
            }),
            "repeat_interleave: repeats must have the same size as input along dim: [2] for "
            "dimension 1 of [2, 3]");
  EXPECT_EQ(error_of<Error>([&] { x[0].tril(); }),
            "tril: input tensor must have at least 2 dimensions, got shape [3]");
  EXPECT_EQ(error_of<Error>([&] { x.unsqueeze(0).diag(); }),
            "diag: matrix or a vector expected, got shape [1, 2, 3]");
  EXPECT_EQ(error_of<Error>([&] { meshgrid({x}); }),
            "meshgrid: Expected 0D or 1D tensor in the tensor list but got [2, 3]");
}

}  // namespace
}  // namespace tapedeck
