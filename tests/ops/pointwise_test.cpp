#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>

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
    PointwiseOps,
    (std::vector<OpRow>{
        pointwise("exp", [](const V& x) { return exp(x); }),
        pointwise("exp2", [](const V& x) { return exp2(x); }),
        pointwise("expm1", [](const V& x) { return expm1(x); }),
        pointwise("log", [](const V& x) { return log(x); }, {0.3, 3}),
        pointwise("log1p", [](const V& x) { return log1p(x); }, {-0.6, 3}),
        pointwise("log2", [](const V& x) { return log2(x); }, {0.3, 3}),
        pointwise("log10", [](const V& x) { return log10(x); }, {0.3, 3}),
        pointwise("sqrt", [](const V& x) { return sqrt(x); }, {0.3, 3}),
        pointwise("rsqrt", [](const V& x) { return rsqrt(x); }, {0.3, 3}),
        pointwise("square", [](const V& x) { return square(x); }),
        pointwise("reciprocal", [](const V& x) { return reciprocal(x); }, {0.5, 3}),
        pointwise("abs", [](const V& x) { return abs(x); }, {-2, 2, {0}}),
        pointwise("sign", [](const V& x) { return sign(x); }, {-2, 2, {0}}),
        pointwise("sin", [](const V& x) { return sin(x); }),
        pointwise("cos", [](const V& x) { return cos(x); }),
        pointwise("tan", [](const V& x) { return tan(x); }, {-1, 1}),
        pointwise("asin", [](const V& x) { return asin(x); }, {-0.8, 0.8}),
        pointwise("acos", [](const V& x) { return acos(x); }, {-0.8, 0.8}),
        pointwise("atan", [](const V& x) { return atan(x); }),
        pointwise("sinh", [](const V& x) { return sinh(x); }),
        pointwise("cosh", [](const V& x) { return cosh(x); }),
        pointwise("tanh", [](const V& x) { return tanh(x); }),
        pointwise("erf", [](const V& x) { return erf(x); }),
        pointwise("erfc", [](const V& x) { return erfc(x); }),
        pointwise("floor", [](const V& x) { return floor(x); }, {-2, 2, {-1, 0, 1}}),
        pointwise("ceil", [](const V& x) { return ceil(x); }, {-2, 2, {-1, 0, 1}}),
        pointwise("round", [](const V& x) { return round(x); }, {-2, 2, {-1.5, -0.5, 0.5, 1.5}}),
        pointwise("trunc", [](const V& x) { return trunc(x); }, {-2, 2, {-1, 0, 1}}),
        pointwise("frac", [](const V& x) { return frac(x); }, {-2, 2, {-1, 0, 1}}),

        pointwise("pow_2", [](const V& x) { return pow(x, 2); }),
        pointwise("pow_3", [](const V& x) { return pow(x, 3); }),
        pointwise("pow_1", [](const V& x) { return pow(x, 1); }),
        pointwise("pow_0", [](const V& x) { return pow(x, 0); }),
        pointwise("pow_half", [](const V& x) { return pow(x, 0.5); }, {0.3, 3}),
        pointwise("pow_minus_1", [](const V& x) { return pow(x, -1); }, {0.5, 3}),
        pointwise("pow_2_5", [](const V& x) { return pow(x, 2.5); }, {0.3, 3}),
        pointwise("pow_tensor", [](const V& x, const V& y) { return pow(x, y); },
                  {{0.3, 3}, {-2, 2}}),
        pointwise("number_pow", [](const V& x) { return pow(2.5, x); }),
        // Equal elements share the gradient, which no difference quotient sees: not in the domain.
        pointwise("maximum", [](const V& x, const V& y) { return maximum(x, y + 0.01); },
                  {{-2, 2}, {-2, 2}}),
        pointwise("minimum", [](const V& x, const V& y) { return minimum(x, y + 0.01); },
                  {{-2, 2}, {-2, 2}}),
        pointwise("atan2", [](const V& x, const V& y) { return atan2(x, y); }, {{-2, 2}, {0.3, 2}}),
        pointwise("fmod", [](const V& x, const V& y) { return fmod(x, y); },
                  {{3.2, 3.8}, {1.1, 1.5}}),
        pointwise("fmod_number", [](const V& x) { return fmod(x, 1.5); }, {-1.4, 1.4}),
        pointwise("remainder", [](const V& x, const V& y) { return remainder(x, y); },
                  {{-3.8, -3.2}, {1.1, 1.5}}),
        pointwise("remainder_number", [](const V& x) { return x % 1.5; }, {0.1, 1.4}),
        pointwise("div_floor", [](const V& x, const V& y) { return div(x, y, "floor"); },
                  {{3.2, 3.8}, {1.1, 1.5}}),

        pointwise("where", [](const V& x, const V& y) { return where(x.detach() > 0, x, y); }),
        pointwise("where_number", [](const V& x) { return where(x.detach() > 0, x, 3); }),
        pointwise("clamp", [](const V& x) { return clamp(x, -1, 0.5); }, {-2, 2, {-1, 0.5}}),
        pointwise("clamp_min", [](const V& x) { return x.clamp_min(0.5); }, {-2, 2, {0.5}}),
        pointwise("clamp_max", [](const V& x) { return x.clamp(std::nullopt, 0.5); },
                  {-2, 2, {0.5}}),
        pointwise("clamp_tensors",
                  [](const V& x, const V& low, const V& high) { return clamp(x, low, high); },
                  {{-3, 3}, {-1.5, -1}, {1, 1.5}}),
        pointwise("clamp_crossed",
                  [](const V& x, const V& low, const V& high) { return clamp(x, low, high); },
                  {{-3, 3}, {1, 1.5}, {-1.5, -1}}),
        pointwise("clamp_tensor_min",
                  [](const V& x, const V& low) { return clamp(x, low, std::optional<V>()); },
                  {{-3, -1.1}, {-1, 2}}),
        pointwise("lerp", [](const V& x, const V& y) { return lerp(x, y, 0.25); }),
        pointwise("lerp_far", [](const V& x, const V& y) { return lerp(x, y, 0.75); }),
        pointwise("lerp_tensor", [](const V& x, const V& y, const V& w) { return lerp(x, y, w); }),
        pointwise("addcmul",
                  [](const V& x, const V& y, const V& z) { return addcmul(x, y, z, -1.5); }),
        pointwise("addcdiv", [](const V& x, const V& y, const V& z) { return addcdiv(x, y, z, 2); },
                  {{-2, 2}, {-2, 2}, {0.5, 2}}),
    }));

V values(std::vector<float> v) { return tensor(v); }

TEST(Pointwise, IntegersBecomeTheDefaultFloatingDtype) {
  const V n = tensor(std::vector<std::int64_t>{1, 4});
  EXPECT_EQ(exp(n).dtype(), kFloat32);
  EXPECT_EQ(sqrt(n).dtype(), kFloat32);
  EXPECT_EQ(abs(n).dtype(), kInt64);
  EXPECT_EQ(floor(n).dtype(), kInt64);
  EXPECT_EQ(square(n).dtype(), kInt64);
  EXPECT_EQ(pow(n, 2).dtype(), kInt64);
  EXPECT_EQ(pow(n, 0.5).dtype(), kFloat32);
  EXPECT_TRUE(equal(pow(n, 2), tensor(std::vector<std::int64_t>{1, 16})));
  EXPECT_ERROR(n.exp_(), "result type Float can't be cast to the desired output type Long");
  EXPECT_ERROR(pow(n, -1), "integers to negative integer powers are not allowed");
}

TEST(Pointwise, InPlaceWithAndWithoutATape) {
  V x = values({0.5f, 2});
  const V alias = x;
  x.exp_().log_().sqrt_();
  EXPECT_TRUE(allclose(alias, values({std::sqrt(0.5f), std::sqrt(2.0f)})));
  EXPECT_EQ(x._version(), 3);

  V leaf = values({0.5f, 2});
  leaf.requires_grad_();
  V y = leaf * 1;
  y.exp_();
  y.sum().backward();
  EXPECT_TRUE(allclose(leaf.grad(), exp(leaf.detach())));
  EXPECT_ERROR(leaf.exp_(), "a leaf Variable that requires grad");
}

TEST(Pointwise, InPlaceFunctionsWhoseGradientReadsTheirInput) {
  for (const auto& f : std::vector<std::pair<std::function<void(V&)>, std::function<V(const V&)>>>{
           {[](V& x) { x.log_(); }, [](const V& x) { return log(x); }},
           {[](V& x) { x.square_(); }, [](const V& x) { return square(x); }},
           {[](V& x) { x.clamp_(0.6, 1); }, [](const V& x) { return clamp(x, 0.6, 1); }},
           {[](V& x) { x.pow_(3); }, [](const V& x) { return pow(x, 3); }},
           {[](V& x) { x.mul_(x.detach().clone().requires_grad_()); },
            [](const V& x) { return x * x.detach(); }},
           {[](V& x) { x.fmod_(0.7); }, [](const V& x) { return fmod(x, 0.7); }}}) {
    V leaf = values({0.5f, 2}).requires_grad_(), other = values({0.5f, 2}).requires_grad_();
    V x = leaf * 1;
    f.first(x);
    x.sum().backward();
    const V expected = f.second(other);
    expected.sum().backward();
    EXPECT_TRUE(allclose(x, expected));
    EXPECT_TRUE(allclose(leaf.grad(), other.grad()));
  }
}

TEST(Pointwise, InPlaceOnAView) {
  V x = zeros({3, 2});
  x.slice(1, 0, 1).exp_();
  EXPECT_TRUE(equal(x, values({1, 0, 1, 0, 1, 0}).view({3, 2})));
  x.t().add_(1).clamp_(1.5, 1.75);
  EXPECT_TRUE(equal(x, values({1.75, 1.5, 1.75, 1.5, 1.75, 1.5}).view({3, 2})));
}

TEST(Pointwise, MaximumSharesTheGradientOfEqualElements) {
  V x = values({1, 2, 3}).requires_grad_(), y = values({1, 3, 2}).requires_grad_();
  maximum(x, y).sum().backward();
  EXPECT_TRUE(equal(x.grad(), values({0.5, 0, 1})));
  EXPECT_TRUE(equal(y.grad(), values({0.5, 1, 0})));
}

TEST(Pointwise, PowerAtZero) {
  V x = values({0, 2}).requires_grad_(), y = values({0, 3}).requires_grad_();
  pow(x, y).sum().backward();
  EXPECT_TRUE(equal(x.grad(), values({0, 12})));
  EXPECT_TRUE(allclose(y.grad(), values({0, 8 * std::log(2.0f)})));
}

TEST(Pointwise, RoundedQuotients) {
  const V a = values({7, -7}), n = tensor(std::vector<std::int64_t>{7, -7});
  EXPECT_TRUE(equal(div(a, 2, "floor"), values({3, -4})));
  EXPECT_TRUE(equal(div(a, 2, "trunc"), values({3, -3})));
  EXPECT_TRUE(equal(div(n, 2, "floor"), tensor(std::vector<std::int64_t>{3, -4})));
  EXPECT_TRUE(equal(div(n, 2, "trunc"), tensor(std::vector<std::int64_t>{3, -3})));
  EXPECT_TRUE(equal(floor_divide(n, 2), tensor(std::vector<std::int64_t>{3, -4})));
  EXPECT_EQ((n / 2).dtype(), kFloat32);
  EXPECT_ERROR(div(a, 2, "up"),
               "rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'");
}

TEST(Pointwise, ClampOfIntegersAndErrors) {
  const V n = tensor(std::vector<std::int64_t>{-5, 0, 5});
  EXPECT_TRUE(equal(clamp(n, -1, 2), tensor(std::vector<std::int64_t>{-1, 0, 2})));
  EXPECT_EQ(clamp(n, 0.5).dtype(), kFloat32);
  // A tensor without axes has no say among tensors of its kind.
  EXPECT_EQ(clamp(tensor(3, kInt64), tensor({4, 5}, kInt32)).dtype(), kInt32);
  EXPECT_EQ(clamp(tensor({3}, kInt64), tensor({4}, kInt32), tensor({5.0f})).dtype(), kFloat32);
  EXPECT_EQ(square(n > 0).dtype(), kInt64);
  EXPECT_ERROR(n.clone().clamp_(0.5), "can't be cast to the desired output type Long");
  EXPECT_ERROR(clamp(n, std::optional<Scalar>()), "at least one of min or max");
}

TEST(Pointwise, AddcmulInPlaceOnAnyLayout) {
  V x = zeros({2, 3});
  const V a = tensor({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}});
  x.t().addcmul_(a.t(), tensor({{10.0f, 1.0f}}), 2);
  EXPECT_TRUE(equal(x, tensor({{20.0f, 40.0f, 60.0f}, {8.0f, 10.0f, 12.0f}})));
  EXPECT_ERROR(addcdiv(tensor({1}), tensor({1}), tensor({1})), "integer division is not supported");
}

TEST(Where, PromotesAndTakesNumbers) {
  const V c = values({1, -1}) > 0, n = tensor(std::vector<std::int64_t>{3, 4});
  EXPECT_EQ(where(c, n, values({0.5, 0.5})).dtype(), kFloat32);
  EXPECT_EQ(where(c, 1, 2).dtype(), kInt64);
  EXPECT_TRUE(equal(where(c, 1.5, 2.5), values({1.5, 2.5})));
  EXPECT_ERROR(where(n, n, n), "where: expected a condition of dtype Bool, got Long");
}

TEST(Comparison, OperatorsAndTypes) {
  const V x = values({1, 2, 3}), n = tensor(std::vector<std::int64_t>{3, 2, 1});
  const auto is = [](const V& v, std::vector<bool> expected) {
    EXPECT_EQ(v.dtype(), kBool);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(v[static_cast<std::int64_t>(i)].item<bool>(), expected[i]);
  };
  is(x == n, {false, true, false});
  is(x != n, {true, false, true});
  is(x < n, {true, false, false});
  is(x <= 2, {true, true, false});
  is(2 < x, {false, false, true});
  is(n > 1.5, {true, true, false});
  is((x > 1) & (x < 3), {false, true, false});
  is((x > 2) | (x < 2), {true, false, true});
  is((x > 1) ^ (x < 3), {true, false, true});
  is(~(x > 1), {true, false, false});
  is(logical_not(n - 1), {false, false, true});
  is(isnan(values({NAN, 0, INFINITY})), {true, false, false});
  EXPECT_FALSE((x.requires_grad_() > 1).requires_grad());
  EXPECT_EQ((n & 1).dtype(), kInt64);
  EXPECT_ERROR(x.detach() & 1, "bitwise_and: not implemented for dtype Float");
}

TEST(Comparison, CloseAndEqual) {
  const V x = values({1, NAN, INFINITY});
  EXPECT_FALSE(allclose(x, x));
  EXPECT_TRUE(allclose(x, x, 1e-5, 1e-8, true));
  EXPECT_FALSE(allclose(values({1, INFINITY}), values({1, 5})));
  EXPECT_TRUE(allclose(values({1}), values({1.000001f})));
  EXPECT_FALSE(allclose(values({1}), values({1.001f})));
  EXPECT_TRUE(allclose(tensor(std::vector<std::int64_t>{100}),
                       tensor(std::vector<std::int64_t>{101}), 0.1));
  EXPECT_FALSE(equal(values({1, 2}), values({1, 2, 3})));
  EXPECT_FALSE(equal(x, x));
  EXPECT_TRUE(equal(tensor({1, 2}, kInt64), values({1, 2})));
  EXPECT_FALSE(equal(tensor({1, 2}, kInt64), values({1, 2.5})));
  EXPECT_ERROR(allclose(x, x.to(kFloat64)),
               "isclose: expected tensors of one dtype, got Float and Double");
  EXPECT_TRUE(is_nonzero(values({0.5})));
  EXPECT_ERROR(is_nonzero(x), "Boolean value of Tensor with more than one value is ambiguous");
}

}  // namespace
}  // namespace tapedeck
