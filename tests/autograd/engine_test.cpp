#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include <tapedeck/tapedeck.h>
#include <tests/support/errors.h>

namespace tapedeck {
namespace {

using autograd::variable_list;
using testing::HasSubstr;

Variable leaf(std::vector<double> values) {
  Variable v(Array::empty({static_cast<std::int64_t>(values.size())}, kFloat64));
  std::copy(values.begin(), values.end(), v.data_ptr<double>());
  return v.requires_grad_();
}
std::vector<double> values(const Variable& v) {
  const Variable c = v.contiguous();
  return {c.data_ptr<double>(), c.data_ptr<double>() + c.numel()};
}
using D = std::vector<double>;

TEST(Backward, AddsToWhatIsThere) {
  const Variable x = leaf({1, 2});
  (x * x).sum().backward();
  EXPECT_EQ(values(x.grad()), (D{2, 4}));
  (x * x).sum().backward();
  EXPECT_EQ(values(x.grad()), (D{4, 8}));
}

TEST(Backward, UpdatesAGradientThatTheUserHolds) {
  const Variable x = leaf({1});
  (x * 3).sum().backward();
  const Variable held = x.grad();
  (x * 3).sum().backward();
  EXPECT_EQ(values(held), (D{6}));
}

TEST(Backward, SharesNoMemoryBetweenTheGradientsOfTwoLeaves) {
  const Variable x = leaf({1, 2}), y = leaf({3, 4});
  (x + y).backward(leaf({1, 1}).detach());
  x.mutable_grad().add_(10);
  EXPECT_EQ(values(y.grad()), (D{1, 1}));
}

TEST(Backward, DiamondsSumEachPathOnce) {
  const Variable x = leaf({3});
  const Variable a = x * x, b = a + a * x;
  b.sum().backward();
  EXPECT_EQ(values(x.grad()), (D{2 * 3 + 3 * 9}));
}

TEST(Backward, NeedsAGradientForNonScalars) {
  const Variable x = leaf({1, 2});
  EXPECT_ERROR((x * 2).backward(), "grad can be implicitly created only for scalar outputs");
  EXPECT_ERROR((x * 2).backward(leaf({1, 2, 3}).detach()), "Mismatch in shape");
}

TEST(Backward, NeedsSomethingThatRequiresGrad) {
  const Variable x = leaf({1}).detach();
  EXPECT_ERROR((x * 2).sum().backward(), "does not require grad");
}

TEST(Backward, SecondPassThroughReleasedValuesNamesTheOp) {
  const Variable x = leaf({1, 2});
  const Variable y = x.exp().sum();
  y.backward();
  EXPECT_ERROR(y.backward(), "ExpBackward0: trying to backward through the graph a second time");
}

TEST(Backward, SecondPassThroughNothingSavedWorks) {
  const Variable x = leaf({1, 2});
  const Variable y = (x + x).sum();
  y.backward();
  y.backward();
  EXPECT_EQ(values(x.grad()), (D{4, 4}));
}

TEST(Backward, RetainedGraphGivesTheIdenticalGradient) {
  const Variable x = leaf({0.3, -0.7, 1.1});
  const Variable y = (x.exp() * x.tanh()).sum();
  y.backward({}, /*retain_graph=*/true);
  const D first = values(x.grad());
  x.mutable_grad().zero_();
  y.backward();
  EXPECT_EQ(values(x.grad()), first);
}

TEST(Backward, LimitedToInputsLeavesOthersAlone) {
  const Variable x = leaf({2}), w = leaf({3});
  const variable_list inputs{w};
  (x * w).sum().backward({}, std::nullopt, false, TensorList(inputs));
  EXPECT_FALSE(x.grad().defined());
  EXPECT_EQ(values(w.grad()), (D{2}));
}

TEST(Grad, ReturnsGradientsAndTouchesNoLeaf) {
  const Variable x = leaf({2}), w = leaf({3});
  const Variable h = x * w;
  const auto g = autograd::grad({(h * h).sum()}, {x, h});
  EXPECT_EQ(values(g[0]), (D{2 * 6 * 3}));
  EXPECT_EQ(values(g[1]), (D{12}));
  EXPECT_FALSE(x.grad().defined());
}

TEST(Grad, UnusedInputs) {
  const Variable x = leaf({2}), other = leaf({1});
  EXPECT_ERROR(autograd::grad({(x * x).sum()}, {other}), "appears to not have been used");
  const auto g = autograd::grad({(x * x).sum()}, {x, other}, {}, {}, false, /*allow_unused=*/true);
  EXPECT_FALSE(g[1].defined());
}

TEST(Grad, OfALeafThatIsTheOutput) {
  const Variable x = leaf({2});
  EXPECT_EQ(values(autograd::grad({x}, {x})[0]), (D{1}));
}

TEST(Grad, HigherOrders) {
  const Variable x = leaf({0.5});
  Variable y = x.pow(5).sum();
  const double expected[] = {5 * std::pow(0.5, 4), 20 * std::pow(0.5, 3), 60 * 0.25, 120 * 0.5,
                             120};
  for (const double e : expected) {
    y = autograd::grad({y}, {x}, {}, {}, /*create_graph=*/true)[0].sum();
    EXPECT_NEAR(y.item<double>(), e, 1e-12);
  }
}

TEST(Grad, IsNotRecordedUnlessAsked) {
  const Variable x = leaf({2});
  EXPECT_FALSE(autograd::grad({(x * x).sum()}, {x})[0].requires_grad());
}

TEST(Hooks, SeeAndReplaceGradients) {
  const Variable x = leaf({1, 2});
  const Variable h = x * 2;
  D seen;
  h.register_hook([&](const Variable& g) { seen = values(g); });
  h.register_hook([](const Variable& g) { return g * 10; });
  (h * 3).sum().backward();
  EXPECT_EQ(seen, (D{3, 3}));
  EXPECT_EQ(values(x.grad()), (D{60, 60}));
}

TEST(Hooks, OnALeafGetTheWholeSumOnceAndCanBeRemoved) {
  const Variable x = leaf({1});
  int calls = 0;
  const unsigned key = x.register_hook([&](const Variable& g) {
    ++calls;
    return g * 2;
  });
  (x * 2 + x * 3).sum().backward();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(values(x.grad()), (D{10}));
  x.remove_hook(key);
  (x * 1).sum().backward();
  EXPECT_EQ(values(x.grad()), (D{11}));
  EXPECT_ERROR(x.remove_hook(key), "no hook at position");
}

TEST(Hooks, ThatReturnAnotherShapeAreRefused) {
  const Variable x = leaf({1, 2});
  const Variable h = x * 2;
  h.register_hook([](const Variable& g) { return g.sum(); });
  EXPECT_ERROR((h * 1).sum().backward(), "a hook returned an invalid gradient for MulBackward1");
}

TEST(RetainGrad, KeepsTheGradientOfAResult) {
  const Variable x = leaf({1});
  const Variable h = x * 2;
  h.retain_grad();
  EXPECT_TRUE(h.retains_grad());
  (h * h).sum().backward();
  EXPECT_EQ(values(h.grad()), (D{4}));
}

TEST(GradMode, NothingIsRecordedUnderNoGrad) {
  const Variable x = leaf({1});
  {
    const NoGradGuard guard;
    EXPECT_FALSE((x * 2).requires_grad());
    const AutoGradMode on(true);
    EXPECT_TRUE((x * 2).requires_grad());
  }
  EXPECT_TRUE((x * 2).requires_grad());
  std::thread([] { EXPECT_TRUE(GradMode::is_enabled()); }).join();
}

TEST(RequiresGrad, OnlyFloatsAndOnlyLeaves) {
  EXPECT_ERROR(Variable(Array::empty({2}, kInt64)).requires_grad_(),
               "Only Tensors of floating point and complex dtype can require gradients");
  const Variable x = leaf({1});
  EXPECT_ERROR((x * 2).requires_grad_(false), "you can only change requires_grad flags of leaf");
  EXPECT_TRUE(x.is_leaf());
  EXPECT_FALSE((x * 2).is_leaf());
}

TEST(DeepGraph, TwoHundredThousandOpsGoForwardBackAndAway) {
  const Variable x = leaf({1});
  {
    Variable y = x;
    for (int i = 0; i < 200000; ++i) y = y + 1;
    y.sum().backward();
    EXPECT_EQ(values(x.grad()), (D{1}));
  }
  // Without a backward pass, the whole chain goes at once.
  Variable y = x;
  for (int i = 0; i < 200000; ++i) y = y * 1.0;
  y = Variable();
  // Through saved values as well as edges.
  Variable z = x;
  for (int i = 0; i < 200000; ++i) z = z.exp().log();
}

TEST(DeepGraph, ManyEqualPathsAreSummedNotWalked) {
  Variable y = leaf({1});
  const Variable x = y;
  for (int i = 0; i < 60; ++i) y = y + y;  // 2^60 paths
  y.sum().backward();
  EXPECT_EQ(values(x.grad()), (D{std::pow(2.0, 60)}));
}

TEST(Memory, ATrainingLoopIsFlat) {
  Variable w = leaf({0.1, 0.2, 0.3});
  const Variable x = leaf({1, 2, 3}).detach();
  std::int64_t in_use = 0, reserved = 0;
  for (int step = 0; step < 30; ++step) {
    w.mutable_grad() = Variable();
    ((w * x).tanh().sum()).backward();
    {
      const NoGradGuard guard;
      w.sub_(w.grad() * 0.1);
    }
    if (step == 3) {
      in_use = memory_stats().in_use;
      reserved = memory_stats().reserved;
    }
  }
  EXPECT_EQ(memory_stats().in_use, in_use);
  EXPECT_EQ(memory_stats().reserved, reserved);
}

TEST(Memory, BackwardLetsGoOfSavedValues) {
  const Variable x = leaf(D(1000, 0.5));
  Variable y = x.exp();
  const Variable z = (y * y).sum();
  const std::int64_t before = memory_stats().in_use;
  y = Variable();
  z.backward();
  // The exponential is gone; a gradient of the same size has come.
  EXPECT_LE(memory_stats().in_use, before + 256);
}

TEST(Memory, ASavedOutputCostsNoMoreThanItsElements) {
  constexpr int kSteps = 1000;
  const auto bytes_held_by = [](Variable (*op)(const Variable&)) {
    Variable y = leaf({0.1, 0.2, 0.3});
    const std::int64_t before = memory_stats().in_use;
    for (int i = 0; i < kSteps; ++i) y = op(y);
    return memory_stats().in_use - before;
  };
  const std::int64_t nothing = bytes_held_by([](const Variable& x) { return x.neg(); });
  EXPECT_GT(nothing, 0);
  EXPECT_LE(bytes_held_by([](const Variable& x) { return x.tanh(); }), nothing + kSteps * 128);
}

TEST(Saved, OutputsComeBackAsTheyLay) {
  const Variable x = leaf({0.1, 0.2, 0.3, 0.4, 0.5, 0.6});
  const Variable rows = x.view({2, 3}), columns = x.view({2, 3}).t();
  // Row-major, and strided as the input is.
  for (const Variable& in : {rows, columns}) {
    const Variable y = in.exp();
    EXPECT_EQ(y.strides(), in.strides());
    const Variable weights = leaf({1, 2, 3, 4, 5, 6}).view(in.sizes()).detach();
    const Variable g = autograd::grad({y}, {in}, {weights}, true, true)[0];
    EXPECT_EQ(values(g), values((in.exp() * weights).detach()));
    // The derivative of the derivative goes through the output to the same node.
    EXPECT_EQ(values(autograd::grad({g}, {in}, {weights}, true)[0]),
              values((weights * weights * in.exp()).detach()));
    const NoGradGuard no_grad;
    y.mul_(2);
    EXPECT_ERROR(autograd::grad({y}, {in}, {weights}), "saved by ExpBackward0, is at version 1");
  }
}

TEST(Threads, TwoBackwardsIntoOneLeaf) {
  const Variable w = leaf({1, 1});
  w.mutable_grad() = Variable(Array::empty({2}, kFloat64)).zero_();
  const auto work = [&] {
    for (int i = 0; i < 200; ++i) (w * 2).sum().backward();
  };
  std::thread a(work), b(work);
  a.join();
  b.join();
  EXPECT_EQ(values(w.grad()), (D{800, 800}));
}

TEST(Gradcheck, RefusesFloat32AndNothingToCheck) {
  const auto f = [](Variable x) { return x * 2; };
  Variable x(Array::empty({2}, kFloat32));
  x.zero_().requires_grad_();
  EXPECT_ERROR(autograd::gradcheck(f, {x}), "must be float64");
  EXPECT_ERROR(autograd::gradcheck(f, {leaf({1}).detach()}), "no input requires grad");
}

struct WrongSquare : autograd::Function<WrongSquare> {
  static Variable forward(autograd::AutogradContext* ctx, Variable x) {
    ctx->save_for_backward({x});
    return x * x;
  }
  static variable_list backward(autograd::AutogradContext* ctx, variable_list g) {
    return {g[0] * 3 * ctx->get_saved_variables()[0]};
  }
};

// As in PyTorch: the gradient has the strides of a dense leaf, and is row-major for any other.
TEST(Backward, GradientsLieInTheMemoryAsTheirLeavesDo) {
  const Variable images = randn({2, 4, 5, 3}).permute({0, 3, 1, 2}).detach().requires_grad_();
  const Variable gapped = randn({4, 6}).slice(1, 0, 6, 2).detach().requires_grad_();
  const Variable repeated = randn({4, 1}).expand({4, 3}).detach().requires_grad_();
  for (int pass = 0; pass < 2; ++pass) {
    (images * images).backward(ones({2, 3, 4, 5}));
    EXPECT_EQ(images.grad().strides(), images.strides());
    EXPECT_TRUE(equal(images.grad(), images.detach() * 2 * (pass + 1)));
    gapped.exp().sum().backward();
    EXPECT_TRUE(gapped.grad().is_contiguous());
    repeated.exp().sum().backward();
    EXPECT_TRUE(repeated.grad().is_contiguous());
  }
  const Variable matrix = randn({3, 5}).t().detach().requires_grad_();
  matrix.backward(ones({5, 3}));
  EXPECT_EQ(matrix.grad().strides(), matrix.strides());
  EXPECT_TRUE(equal(matrix.grad(), ones({5, 3})));
}

TEST(Gradcheck, FindsAWrongRuleAndSaysWhere) {
  const auto result =
      autograd::gradcheck([](Variable x) { return WrongSquare::apply(x); }, {leaf({1, 2})});
  EXPECT_FALSE(result);
  EXPECT_THAT(result.report, HasSubstr("2 of 2 derivatives differ"));
  EXPECT_THAT(result.report, HasSubstr("input 0 at [1]: analytic"));
  EXPECT_THAT(result.report, HasSubstr("relative error 0.4999"));
}

TEST(Gradcheck, FindsAWrongSecondDerivative) {
  // The first derivative is right, but passed off as a constant.
  struct Frozen : autograd::Function<Frozen> {
    static Variable forward(autograd::AutogradContext* ctx, Variable x) {
      ctx->save_for_backward({x});
      return x * x;
    }
    static variable_list backward(autograd::AutogradContext* ctx, variable_list g) {
      return {g[0] * 2 * ctx->get_saved_variables()[0].detach()};
    }
  };
  const auto f = [](Variable x) { return Frozen::apply(x); };
  EXPECT_TRUE(autograd::gradcheck(f, {leaf({1, 2})}));
  EXPECT_FALSE(autograd::gradgradcheck(f, {leaf({1, 2})}));
}

}  // namespace
}  // namespace tapedeck
