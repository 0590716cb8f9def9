#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>

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
    ActivationOps,
    (std::vector<OpRow>{
        pointwise("relu", [](const V& x) { return relu(x); }, {-2, 2, {0}}),
        pointwise("relu6", [](const V& x) { return relu6(x); }, {-2, 8, {0, 6}}),
        pointwise("sigmoid", [](const V& x) { return sigmoid(x); }, {-4, 4}),
        pointwise("log_sigmoid", [](const V& x) { return log_sigmoid(x); }, {-4, 4}),
        pointwise("softplus", [](const V& x) { return softplus(x); }, {-4, 4}),
        pointwise("softplus_beta", [](const V& x) { return softplus(x, 2, 1); }, {-2, 2, {0.5}}),
        pointwise("gelu", [](const V& x) { return gelu(x); }, {-3, 3}),
        pointwise("gelu_tanh", [](const V& x) { return gelu(x, "tanh"); }, {-3, 3}),
        pointwise("silu", [](const V& x) { return silu(x); }, {-4, 4}),
        pointwise("mish", [](const V& x) { return mish(x); }, {-4, 4}),
        pointwise("elu", [](const V& x) { return elu(x, 1.5, 2, 0.5); }, {-2, 2, {0}}),
        pointwise("selu", [](const V& x) { return selu(x); }, {-2, 2, {0}}),
        pointwise("celu", [](const V& x) { return celu(x, 0.75); }, {-2, 2, {0}}),
        pointwise("leaky_relu", [](const V& x) { return leaky_relu(x, 0.2); }, {-2, 2, {0}}),
        row("prelu", [](const V& x, const V& w) { return prelu(x, w); },
            {{{2, 3, 5}, {3}}, {{2, 3}, {1}}, {{4}, {1}}, {{0, 3}, {3}}}, {{-2, 2, {0}}, {-2, 2}}),
        pointwise("rrelu", [](const V& x) { return rrelu(x); }, {-2, 2, {0}}),
        pointwise("hardtanh", [](const V& x) { return hardtanh(x, -1, 0.5); }, {-2, 2, {-1, 0.5}}),
        pointwise("hardsigmoid", [](const V& x) { return hardsigmoid(x); }, {-4, 4, {-3, 3}}),
        pointwise("hardswish", [](const V& x) { return hardswish(x); }, {-4, 4, {-3, 3}}),
        pointwise("hardshrink", [](const V& x) { return hardshrink(x); }, {-2, 2, {-0.5, 0.5}}),
        pointwise("softshrink", [](const V& x) { return softshrink(x); }, {-2, 2, {-0.5, 0.5}}),
        pointwise("tanhshrink", [](const V& x) { return tanhshrink(x); }),
        pointwise("softsign", [](const V& x) { return softsign(x); }, {-2, 2, {0}}),
        pointwise("threshold", [](const V& x) { return threshold(x, 0.5, -3); }, {-2, 2, {0.5}}),
        row("glu", [](const V& x) { return glu(x, 1); }, {{{2, 4, 3}}, {{0, 2}}}),
        row("softmax", [](const V& x) { return softmax(x, 1); },
            {{{2, 3, 5}}, {{2, 0, 3}}, {{3, 7}}}),
        row("softmax_last", [](const V& x) { return softmax(x, -1); }, {{{2, 3, 5}}, {{}}}),
        row("log_softmax", [](const V& x) { return log_softmax(x, 1); },
            {{{2, 3, 5}}, {{2, 0, 3}}, {{3, 7}}}),
        row("log_softmax_first", [](const V& x) { return log_softmax(x, 0); }, {{{2, 3, 5}}, {{}}}),
    }));

// The in-place forms agree with the others, recorded or not.
TEST(Activation, InPlaceForms) {
  const struct {
    const char* name;
    std::function<V(const V&)> plain;
    std::function<V&(V&)> in_place;
  } forms[] = {
      {"relu", [](const V& x) { return relu(x); }, [](V& x) -> V& { return relu_(x); }},
      {"relu6", [](const V& x) { return relu6(x); }, [](V& x) -> V& { return relu6_(x); }},
      {"sigmoid", [](const V& x) { return sigmoid(x); }, [](V& x) -> V& { return sigmoid_(x); }},
      {"tanh", [](const V& x) { return tanh(x); }, [](V& x) -> V& { return tanh_(x); }},
      {"silu", [](const V& x) { return silu(x); }, [](V& x) -> V& { return silu_(x); }},
      {"mish", [](const V& x) { return mish(x); }, [](V& x) -> V& { return mish_(x); }},
      {"elu", [](const V& x) { return elu(x, 2); }, [](V& x) -> V& { return elu_(x, 2); }},
      {"selu", [](const V& x) { return selu(x); }, [](V& x) -> V& { return selu_(x); }},
      {"celu", [](const V& x) { return celu(x, 2); }, [](V& x) -> V& { return celu_(x, 2); }},
      {"leaky_relu", [](const V& x) { return leaky_relu(x, 0.3); },
       [](V& x) -> V& { return leaky_relu_(x, 0.3); }},
      {"rrelu", [](const V& x) { return rrelu(x); }, [](V& x) -> V& { return rrelu_(x); }},
      {"hardtanh", [](const V& x) { return hardtanh(x); }, [](V& x) -> V& { return hardtanh_(x); }},
      {"hardsigmoid", [](const V& x) { return hardsigmoid(x); },
       [](V& x) -> V& { return hardsigmoid_(x); }},
      {"hardswish", [](const V& x) { return hardswish(x); },
       [](V& x) -> V& { return hardswish_(x); }},
      {"threshold", [](const V& x) { return threshold(x, 0.1, 7); },
       [](V& x) -> V& { return threshold_(x, 0.1, 7); }},
  };
  const V x = tensor({-4.0, -1.5, -0.25, 0.25, 1.5, 7.0});
  for (const auto& form : forms) {
    V direct = x.clone();
    form.in_place(direct);
    EXPECT_TRUE(equal(direct, form.plain(x))) << form.name;

    V leaf = x.clone().requires_grad_(), other = x.clone().requires_grad_();
    V recorded = leaf * 1;
    form.in_place(recorded);
    recorded.sum().backward();
    form.plain(other).sum().backward();
    EXPECT_TRUE(allclose(leaf.grad(), other.grad())) << form.name;
  }
}

TEST(Activation, FiniteFarFromZero) {
  V x = tensor({-1000.0f, 1000.0f}).requires_grad_();
  for (const auto& f : std::vector<std::function<V(const V&)>>{
           [](const V& v) { return sigmoid(v); }, [](const V& v) { return softplus(v); },
           [](const V& v) { return log_sigmoid(v); }, [](const V& v) { return silu(v); },
           [](const V& v) { return mish(v); }, [](const V& v) { return gelu(v); },
           [](const V& v) { return gelu(v, "tanh"); }, [](const V& v) { return elu(v); },
           [](const V& v) { return log_softmax(v, 0); }}) {
    x.mutable_grad().reset();
    const V y = f(x);
    y.sum().backward();
    EXPECT_TRUE(all(isfinite(y)).item<bool>()) << y;
    EXPECT_TRUE(all(isfinite(x.grad())).item<bool>()) << x.grad();
  }
}

TEST(Activation, RandomSlopesStayWithinTheirBounds) {
  manual_seed(3);
  const V x = full({1000}, -1.0), y = rrelu(x, 0.25, 0.5, true);
  EXPECT_GE((-y).min().item<float>(), 0.25f);
  EXPECT_LE((-y).max().item<float>(), 0.5f);
  EXPECT_GT((-y).std().item<float>(), 0.05f);
}

TEST(Activation, OneChannelOfLogSoftmaxIsZeroAndSoIsItsGradient) {
  V x = randn({4, 1, 3}).requires_grad_();
  const V y = log_softmax(x, 1);
  (y * randn({4, 1, 3})).sum().backward();
  EXPECT_TRUE(equal(y, zeros({4, 1, 3})));
  EXPECT_TRUE(equal(x.grad(), zeros({4, 1, 3})));
}

TEST(Activation, SoftmaxInAnotherDtype) {
  const V x = randn({3, 4});
  EXPECT_EQ(softmax(x, 1, kFloat64).dtype(), kFloat64);
  EXPECT_TRUE(allclose(softmax(x, 1, kFloat64), softmax(x.to(kFloat64), 1)));
}

TEST(Activation, OfIntegers) {
  const V x = tensor({-7, 1, 9});
  EXPECT_TRUE(equal(hardtanh(x, -2, 4), tensor({-2, 1, 4})));
  EXPECT_TRUE(equal(relu6(x), tensor({0, 1, 6})));
  EXPECT_TRUE(equal(threshold(x, 1.5, 20), tensor({20, 20, 9})));
  EXPECT_ERROR(hardtanh(x.to(kUInt8)), "unsigned type with negative limits");
}

TEST(Activation, Errors) {
  const V x = randn({2, 3});
  EXPECT_ERROR(gelu(x, "erf"), "gelu: approximate argument must be either none or tanh, got 'erf'");
  EXPECT_ERROR(glu(x, 1), "Halving dimension must be even, but dimension 1 is size 3");
  EXPECT_ERROR(prelu(x, zeros({2})), "Found parameter numbers = 2 and channel size = 3");
  EXPECT_ERROR(softshrink(x, -1), "lambda must be greater or equal to 0");
  EXPECT_ERROR(hardtanh(x, 2, 1), "min_val cannot be greater than max_val");
  EXPECT_ERROR(softmax(x, 2), "softmax: Dimension out of range");
  EXPECT_ERROR(sigmoid_(*std::make_unique<V>(tensor({1, 2}))), "can't be cast");
  EXPECT_ERROR(softmax(tensor({1, 2}), 0), "softmax: not implemented for dtype Long");
}

}  // namespace
}  // namespace tapedeck
