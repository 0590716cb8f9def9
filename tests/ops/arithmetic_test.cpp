#include <gtest/gtest.h>

#include <tests/support/errors.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using testing_support::Domain;
using testing_support::OpRow;
using testing_support::pointwise;
using testing_support::row;

using V = Variable;

TAPEDECK_OP_TABLE(
    ArithmeticOps,
    (std::vector<OpRow>{
        pointwise("add", [](const V& x, const V& y) { return x + y; }),
        pointwise("add_alpha", [](const V& x, const V& y) { return add(x, y, -1.5); }),
        pointwise("add_number", [](const V& x) { return 2 + x + 1.5; }),
        pointwise("sub", [](const V& x, const V& y) { return x - y; }),
        pointwise("sub_alpha", [](const V& x, const V& y) { return sub(x, y, 3); }),
        pointwise("rsub", [](const V& x) { return 2 - x; }),
        pointwise("rsub_alpha", [](const V& x) { return rsub(x, 2, 0.5); }),
        pointwise("mul", [](const V& x, const V& y) { return x * y; }),
        pointwise("mul_itself", [](const V& x) { return x * x; }),
        pointwise("mul_number", [](const V& x) { return 3 * x * 0.25; }),
        pointwise("div", [](const V& x, const V& y) { return x / y; }, {{-2, 2}, {0.5, 2}}),
        pointwise("div_number", [](const V& x) { return x / 3; }),
        pointwise("number_div", [](const V& x) { return 2 / x; }, {0.5, 2}),
        pointwise("neg", [](const V& x) { return -x; }),
        row("sum", [](const V& x) { return x.sum(); }, {{{2, 3, 5}}, {{}}, {{0, 3}}}),
        row("sum_dims",
            [](const V& x) {
              return x.sum({0, -1});
            },
            {{{2, 3, 5}}, {{2, 0, 3}}}),
        row("sum_keepdim", [](const V& x) { return x.sum(1, true); }, {{{2, 3, 5}}}),
        row("mean", [](const V& x) { return x.mean(); }, {{{2, 3, 5}}, {{}}}),
        row("mean_dims",
            [](const V& x) {
              return x.mean({0, 2}, true);
            },
            {{{2, 3, 5}}}),
    }));

V tensor_of(std::vector<std::int64_t> shape, ScalarType dtype, Scalar value) {
  return V(Array::empty(shape, dtype)).fill_(value);
}

TEST(Promotion, ByCategoryAndRank) {
  const V i = tensor_of({2}, kInt64, 3), f = tensor_of({2}, kFloat32, 1.5),
          d = tensor_of({2}, kFloat64, 1.5), b = tensor_of({2}, kBool, true),
          zero_dim_double = tensor_of({}, kFloat64, 2), zero_dim_int = tensor_of({}, kInt32, 2);
  EXPECT_EQ((i + f).dtype(), kFloat32);
  EXPECT_EQ((f + d).dtype(), kFloat64);
  EXPECT_EQ((b + i).dtype(), kInt64);
  EXPECT_EQ((f + zero_dim_double).dtype(), kFloat32);
  EXPECT_EQ((i + zero_dim_double).dtype(), kFloat64);
  EXPECT_EQ((i + zero_dim_int).dtype(), kInt64);
  EXPECT_EQ((i + 1).dtype(), kInt64);
  EXPECT_EQ((i + 1.0).dtype(), kFloat32);
  EXPECT_EQ((f * 2.5).dtype(), kFloat32);
  EXPECT_EQ((b + 1).dtype(), kInt64);
  EXPECT_EQ((i / i).dtype(), kFloat32);
  EXPECT_EQ((b + b).dtype(), kBool);
}

TEST(Promotion, OfThreeOperandsAtOnce) {
  const V bytes = tensor_of({2}, kUInt8, 3), number = tensor_of({}, kInt32, 7),
          f = tensor_of({}, kFloat32, 0.5), d = tensor_of({}, kFloat64, 0.25);
  EXPECT_EQ(number.clamp(number, bytes).dtype(), kUInt8);
  const V x = addcmul(d, f, bytes, 2);
  EXPECT_EQ(x.dtype(), kFloat64);
  EXPECT_EQ(x[0].item<double>(), 3.25);
  EXPECT_EQ(addcdiv(d, f, bytes).dtype(), kFloat64);
  EXPECT_EQ(addcmul(bytes, bytes, bytes, true)[0].item<int>(), 12);
}

// 3 + (-1) 5 in int32, not 3 + 251 of uint8.
TEST(Promotion, FactorsCountInTheDtypeOfTheResult) {
  const V i = tensor_of({2}, kInt32, 3), bytes = tensor_of({2}, kUInt8, 5);
  EXPECT_EQ(i.add(bytes, -1)[0].item<int>(), -2);
  EXPECT_EQ(i.clone().add_(bytes, -1)[0].item<int>(), -2);
  EXPECT_EQ(i.clone().sub_(bytes, -100)[0].item<int>(), 503);
  EXPECT_ERROR(i.add(bytes, true), "add: Boolean alpha only supported for Boolean results");
  EXPECT_EQ(tensor_of({1}, kBool, true).add(tensor_of({1}, kBool, false), true).dtype(), kBool);
}

TEST(Promotion, InPlaceKeepsTheDtypeOrRefuses) {
  const V i = tensor_of({2}, kInt64, 3), f = tensor_of({2}, kFloat32, 1.5),
          d = tensor_of({2}, kFloat64, 1.5);
  EXPECT_ERROR(i.add_(f), "result type Float can't be cast to the desired output type Long");
  EXPECT_ERROR(i.div_(2), "result type Float can't be cast to the desired output type Long");
  EXPECT_EQ(f.add_(d).dtype(), kFloat32);
  EXPECT_EQ(f.sum().item<float>(), 6);
}

TEST(Promotion, MixedPrecisionGradientsComeBackInTheInputsDtype) {
  const V f = tensor_of({2}, kFloat32, 1.5), d = tensor_of({2}, kFloat64, 2);
  f.requires_grad_();
  d.requires_grad_();
  (f * d).sum().backward();
  EXPECT_EQ(f.grad().dtype(), kFloat32);
  EXPECT_EQ(d.grad().dtype(), kFloat64);
}

TEST(Arithmetic, ShapesThatDoNotBroadcast) {
  EXPECT_ERROR(tensor_of({2, 3}, kFloat32, 1) + tensor_of({4}, kFloat32, 1),
               "add: the shapes [2, 3] and [4] do not broadcast");
  const V x = tensor_of({3}, kFloat32, 1);
  EXPECT_ERROR(x.add_(tensor_of({2, 3}, kFloat32, 1)),
               "add_: output with shape [3] doesn't match the broadcast shape [2, 3]");
}

TEST(Arithmetic, BroadcastsAlongEveryAxisBesideAxesOfOne) {
  const V x = arange(2, kFloat64);
  for (const std::int64_t last : {1, 2, 3}) {
    const V y = ones({2, 40, last}, kFloat64);
    EXPECT_EQ((y + x.view({2, 1, 1})).sum().item<double>(), 2 * 40 * last + 40 * last);
    EXPECT_EQ((x.view({2, 1, 1}) * y).sum().item<double>(), 40 * last);
  }
}

TEST(Arithmetic, SumOfIntegersIsInt64) {
  EXPECT_EQ(tensor_of({300}, kUInt8, 255).sum().item<std::int64_t>(), 300 * 255);
  EXPECT_EQ(tensor_of({3}, kBool, true).sum().dtype(), kInt64);
  EXPECT_ERROR(tensor_of({3}, kInt64, 1).mean(), "mean(): could not infer output dtype");
}

}  // namespace
}  // namespace tapedeck
