// Second names of methods, in-place forms that follow from out-of-place ones, and overloads that
// differ by what they take: each has libtorch's value, dtype and gradient.
#include <gtest/gtest.h>

#include <tests/support/op_table.h>

namespace {

using namespace tapedeck;
using namespace tapedeck::testing_support;

Variable matrix() { return tensor({{-1.5, 0.25, 2.}, {0., -0.75, 3.}}, kDouble); }
Variable other() { return tensor({{0.5, 0.25, 1.25}, {4., -1., 3.}}, kDouble); }

void expect_equal(const Variable& got, const Variable& expected) {
  ASSERT_EQ(got.dtype(), expected.dtype());
  EXPECT_TRUE(got.equal(expected)) << got << "\nexpected\n" << expected;
}

TEST(InPlaceForms, ComparisonsKeepTheDtype) {
  const auto check = [](auto in_place, auto out_of_place) {
    const Variable x = matrix();
    const Variable& same = in_place(x);
    EXPECT_TRUE(same.is_same(x));
    expect_equal(x, out_of_place(matrix()).to(kDouble));
  };
  const Variable y = other();
#define CHECK_FORM(name)                                                       \
  check([&](const Variable& x) -> const Variable& { return x.name##_(y); },    \
        [&](const Variable& x) { return x.name(y); });                         \
  check([&](const Variable& x) -> const Variable& { return x.name##_(0.25); }, \
        [&](const Variable& x) { return x.name(0.25); })
  CHECK_FORM(eq);
  CHECK_FORM(ne);
  CHECK_FORM(lt);
  CHECK_FORM(le);
  CHECK_FORM(gt);
  CHECK_FORM(ge);
  CHECK_FORM(not_equal);
  CHECK_FORM(less);
  CHECK_FORM(less_equal);
  CHECK_FORM(greater);
  CHECK_FORM(greater_equal);
  CHECK_FORM(floor_divide);
#undef CHECK_FORM
}

TEST(InPlaceForms, LogicAndBits) {
  const Variable x = matrix();
  x.logical_and_(other());
  expect_equal(x, tensor({{1., 1., 1.}, {0., 1., 1.}}, kDouble));
  x.logical_xor_(ones({2, 3}, kDouble));
  expect_equal(x, tensor({{0., 0., 0.}, {1., 0., 0.}}, kDouble));
  x.logical_or_(tensor({1., 0., 0.}, kDouble));
  expect_equal(x, tensor({{1., 0., 0.}, {1., 0., 0.}}, kDouble));
  x.logical_not_();
  expect_equal(x, tensor({{0., 1., 1.}, {0., 1., 1.}}, kDouble));
  const Variable bits = tensor({3, 6, 9});
  expect_equal(bits.bitwise_and_(7), tensor({3, 6, 1}));
  expect_equal(bits.bitwise_or_(tensor({4, 0, 8})), tensor({7, 6, 9}));
  expect_equal(bits.bitwise_xor_(1), tensor({6, 7, 8}));
  expect_equal(bits.bitwise_not_(), tensor({-7, -8, -9}));
}

TEST(InPlaceForms, RunningSumsTrianglesAndProducts) {
  expect_equal(matrix().cumsum_(1), matrix().cumsum(1));
  expect_equal(matrix().cumprod_(0), matrix().cumprod(0));
  expect_equal(tensor({1, 2, 3}, kInt).cumsum_(0), tensor({1, 3, 6}, kInt));
  expect_equal(tensor({true, false, true}).cumsum_(0), tensor({true, true, true}));
  expect_equal(tensor({true, false, true}).cumprod_(0), tensor({true, false, false}));
  expect_equal(matrix().tril_(), matrix().tril());
  expect_equal(matrix().triu_(1), matrix().triu(1));
  expect_equal(matrix().atan2_(other()), matrix().atan2(other()));
  const Variable v = ones({3}, kDouble);
  expect_equal(v.addmv_(ones({3, 2}, kDouble), ones({2}, kDouble), 2, 3), full({3}, 8., kDouble));
  expect_equal(
      ones({1, 2, 2}, kDouble).baddbmm_(ones({1, 2, 3}, kDouble), ones({1, 3, 2}, kDouble)),
      full({1, 2, 2}, 4., kDouble));
}

TEST(InPlaceForms, ComparedValuesCutTheHistory) {
  const Variable x = matrix().requires_grad_();
  const Variable y = x * 1;
  y.ge_(0);
  EXPECT_TRUE(y.requires_grad());
  (x + y).sum().backward();
  expect_equal(x.grad(), ones({2, 3}, kDouble));
}

TEST(InPlaceForms, SaysWhatDoesNotFit) {
  EXPECT_THROW(matrix().eq_(ones({2, 2, 3}, kDouble)), Error);
  EXPECT_THROW(matrix().cumsum_(2), IndexError);
  EXPECT_THROW(tensor({1, 2}).atan2_(tensor({1, 2})), TypeError);
  EXPECT_THROW(tensor({1., 2.}).requires_grad_().eq_(1), Error);
}

TEST(SecondNames, AreTheFirstOnes) {
  const Variable x = matrix(), y = other();
  expect_equal(x.subtract(y, 2), x - 2 * y);
  expect_equal(x.multiply(3), x * 3);
  expect_equal(x.divide(y), x / y);
  expect_equal(x.divide(y, "floor"), x.floor_divide(y));
  expect_equal(x.true_divide(2), x / 2);
  expect_equal(x.negative(), -x);
  expect_equal(x.absolute(), x.abs());
  expect_equal(x.fix(), x.trunc());
  expect_equal(x.clip(-1, 1), x.clamp(-1, 1));
  expect_equal(x.arctan2(y), x.atan2(y));
  expect_equal(x.swapdims(0, 1), x.t());
  expect_equal(matrix().subtract_(y), x - y);
  expect_equal(matrix().clip_(-1, 1), x.clamp(-1, 1));
  expect_equal(divide(x, y, "trunc"), x.div(y, "trunc"));
  expect_equal(greater_equal(x, 0), x >= 0);
}

TEST(Overloads, BoundsThatAreTensors) {
  const Variable low = tensor({-1., 0., 1.}, kDouble), high = tensor({0., 1., 2.}, kDouble);
  expect_equal(matrix().clamp_(low, high), matrix().clamp(low, high));
  expect_equal(matrix().clamp_min(low), matrix().maximum(low));
  expect_equal(matrix().clamp_max_(high), matrix().minimum(high));
  EXPECT_THROW(matrix().clamp(), Error);
}

TEST(Overloads, DivisionThatRoundsInPlace) {
  expect_equal(tensor({7, -7}).div_(2, "floor"), tensor({3, -4}));
  expect_equal(tensor({7, -7}).div_(tensor({2, 2}), "trunc"), tensor({3, -3}));
  EXPECT_THROW(tensor({7}).div_(2), TypeError);
}

TEST(Overloads, RoundToDecimals) {
  expect_equal(tensor({1.26, -0.349}, kDouble).round(1), tensor({1.3, -0.3}, kDouble));
  expect_equal(tensor({126., -349.}, kDouble).round_(-1), tensor({130., -350.}, kDouble));
}

TEST(Overloads, AxesMayBeMissing) {
  const Variable x = matrix();
  expect_equal(x.sum(std::nullopt, true), x.sum().view({1, 1}));
  expect_equal(x.mean(std::nullopt, true), x.mean().view({1, 1}));
  expect_equal(std::get<0>(var_mean(x)), x.var());
  expect_equal(std::get<0>(var_mean(x, 0)), x.var(0));
  expect_equal(std::get<0>(std_mean(x, 0, false)), x.std(0, false));
  expect_equal(std::get<1>(std_mean(x, {1}, true, true)), x.mean(1, true));
}

TEST(Overloads, SmallOnes) {
  expect_equal(matrix().narrow(1, tensor(1), 2), matrix().narrow(1, 1, 2));
  expect_equal(matrix().unsqueeze(0).squeeze_(0), matrix());
  expect_equal(matrix().index_fill(1, tensor({0, 2}), tensor(7., kDouble)),
               matrix().index_fill_(1, tensor({0, 2}), 7));
  expect_equal(matrix().argsort(true, 1, true), matrix().argsort(1, true));
  expect_equal(matrix().norm(2, kDouble), matrix().norm());
  expect_equal(matrix().repeat_interleave(2, 1, 6), matrix().repeat_interleave(2, 1));
  EXPECT_THROW(matrix().repeat_interleave(2, 1, 5), Error);
  EXPECT_THROW(matrix().narrow(1, tensor(0.5), 2), Error);
}

std::vector<OpRow> rows() {
  const std::vector<Shapes> shapes = {{{2, 3, 5}}, {{7, 3}}};
  const auto correction = [](std::int64_t c) { return std::optional<std::int64_t>(c); };
  return {
      row(
          "var_correction", [=](const Variable& x) { return x.var({1}, correction(2), true); },
          shapes),
      row(
          "std_correction", [=](const Variable& x) { return x.std({1}, correction(0)); }, shapes),
      row(
          "var_all", [=](const Variable& x) { return var(x, std::nullopt, correction(3)); },
          shapes),
      row(
          "cumsum_", [](const Variable& x) { return (x * 1).cumsum_(1); }, shapes),
      row(
          "cumprod_", [](const Variable& x) { return (x * 1).cumprod_(0); }, shapes),
      row(
          "tril_", [](const Variable& x) { return (x * 1).tril_(); }, shapes),
      pointwise("atan2_",
                [](const Variable& x, const Variable& y) { return (x + y * 0).atan2_(y); }),
      row("lerp_",
          [](const Variable& x, const Variable& y, const Variable& w) {
            return (x * 1).lerp_(y, w);
          },
          {{{2, 3}, {2, 3}, {3}}}),
  };
}

}  // namespace

TAPEDECK_OP_TABLE(MethodForms, rows());
