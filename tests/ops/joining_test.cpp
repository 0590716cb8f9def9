#include <tapedeck/ops/joining.h>

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
using testing_support::list_row;
using testing_support::OpRow;
using Ints = std::vector<std::int64_t>;

std::vector<OpRow> rows() {
  return {
      list_row("cat", [](const variable_list& x) { return variable_list{cat(x, 1)}; },
               {{{2, 3}, {2, 5}, {2, 0}}, {{2, 3, 5}, {2, 1, 5}}, {{2, 3}}}),
      list_row("cat_first", [](const variable_list& x) { return variable_list{cat(x)}; },
               {{{2, 3}, {1, 3}}, {{2}, {0}, {3}}, {{0}, {2, 3}, {1, 3}}}),
      list_row("stack", [](const variable_list& x) { return variable_list{stack(x, -1)}; },
               {{{2, 3}, {2, 3}, {2, 3}}, {{}, {}}, {{0, 2}, {0, 2}}}),
      list_row("hstack", [](const variable_list& x) { return variable_list{hstack(x)}; },
               {{{2, 3}, {2, 1}}, {{2}, {}}}),
      list_row("vstack", [](const variable_list& x) { return variable_list{vstack(x)}; },
               {{{2, 3}, {3}}, {{2}, {2}}}),
      list_row("dstack", [](const variable_list& x) { return variable_list{dstack(x)}; },
               {{{2, 3}, {2, 3}}, {{3}, {3}}}),
      list_row("column_stack",
               [](const variable_list& x) { return variable_list{column_stack(x)}; },
               {{{2, 3}, {2}}}),
      list_row("the_same_twice",
               [](const variable_list& x) {
                 return variable_list{cat({x[0], x[1], x[0]}, 0)};
               },
               {{{2, 3}, {1, 3}}}),
  };
}
TAPEDECK_OP_TABLE(JoiningOps, rows());

TEST(Joining, PromotesDtypes) {
  EXPECT_EQ(cat({zeros({2}, kLong), zeros({1}, kDouble), zeros({1})}).dtype(), kDouble);
  EXPECT_EQ(stack({zeros({2}, kBool), zeros({2}, kByte)}).dtype(), kByte);
  const Tensor x = ones({2}, requires_grad());
  cat({x, ones({1}, kDouble)}).sum().backward();
  EXPECT_EQ(x.grad().dtype(), kFloat);
}

TEST(Joining, Values) {
  const Tensor a = arange(4).reshape({2, 2}), b = full({2, 1}, 9);
  EXPECT_THAT(values<std::int64_t>(cat({a, b}, 1).array()), ElementsAre(0, 1, 9, 2, 3, 9));
  EXPECT_THAT(values<std::int64_t>(stack({a, a}, 1).array()), ElementsAre(0, 1, 0, 1, 2, 3, 2, 3));
  EXPECT_THAT(values<std::int64_t>(cat({a.t(), a}, -2).array()),
              ElementsAre(0, 2, 1, 3, 0, 1, 2, 3));
}

TEST(Joining, ManyRows) {
  for (const auto& [first, second] : {std::pair{9000, 8000}, {30, 50}, {1, 2}, {5, 0}}) {
    const Tensor a = randn({20, first}), b = randn({20, second});
    const Tensor y = cat({a, b}, 1), z = stack({a, 2 * a, -a}, 1);
    EXPECT_TRUE(equal(y.narrow(1, 0, first), a));
    EXPECT_TRUE(equal(y.narrow(1, first, second), b));
    for (const auto& [i, factor] : {std::pair{0, 1}, {1, 2}, {2, -1}})
      EXPECT_TRUE(equal(z.select(1, i), factor * a));
  }
}

TEST(Joining, ChannelsStayNextToEachOther) {
  const auto inner = [](const Variable& x) {
    return x.permute({0, 2, 3, 1}).contiguous().permute({0, 3, 1, 2});
  };
  for (const std::int64_t dim : {0, 1, 2, 3}) {
    const Variable a = randn({2, 8, 3, 5}), b = randn({2, 8, 3, 5});
    const Variable y = cat({inner(a), inner(b)}, dim);
    EXPECT_TRUE(equal(y, cat({a, b}, dim)));
    EXPECT_TRUE(y.permute({0, 2, 3, 1}).is_contiguous());
    EXPECT_TRUE(cat({inner(a), b}, dim).is_contiguous());
  }
}

TEST(Joining, Errors) {
  EXPECT_EQ(testing_support::error_of([] { cat(variable_list{}); }),
            "cat(): expected a non-empty list of Tensors");
  EXPECT_EQ(testing_support::error_of([] {
              cat({zeros({2, 3}), zeros({3, 3})}, 1);
            }),
            "cat(): Sizes of tensors must match except in dimension 1. Expected size 2 but got "
            "size 3 for tensor number 1 in the list ([2, 3] and [3, 3])");
  EXPECT_EQ(testing_support::error_of([] {
              cat({tensor(1), tensor(2)});
            }),
            "cat(): zero-dimensional tensor (at position 0) cannot be concatenated");
  EXPECT_EQ(testing_support::error_of([] {
              stack({zeros({2, 3}), zeros({3})});
            }),
            "stack expects each tensor to be equal size, but got [2, 3] at entry 0 and [3] at "
            "entry 1");
}

}  // namespace
}  // namespace tapedeck
