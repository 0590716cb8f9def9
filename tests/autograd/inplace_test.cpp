#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include <tapedeck/autograd/gradcheck_gtest.h>
#include <tapedeck/tapedeck.h>
#include <tests/support/errors.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using autograd::GradcheckPasses;
using autograd::GradgradcheckPasses;
using testing_support::random_tensor;

Variable input(std::initializer_list<std::int64_t> shape, std::uint64_t seed = 1) {
  return random_tensor(shape, {0.5, 2}, seed).requires_grad_();
}

// Every case is a function whose inside changes tensors in place; gradcheck sees it from outside.
#define EXPECT_DERIVATIVES(f, ...)                    \
  do {                                                \
    EXPECT_TRUE(GradcheckPasses(f, __VA_ARGS__));     \
    EXPECT_TRUE(GradgradcheckPasses(f, __VA_ARGS__)); \
  } while (false)

TEST(InPlace, OnAResult) {
  const auto f = [](Variable x, Variable w) {
    Variable y = x * x;
    y.mul_(w).add_(x, 2);
    return y;
  };
  EXPECT_DERIVATIVES(f, {input({2, 3}), input({2, 3}, 2)});
}

// What was there before had no influence, and its gradient is zero, as libtorch has it.
TEST(InPlace, FillingLeavesAGradientOfZeros) {
  const Variable x = input({2, 3});
  Variable y = x * 3;
  y.fill_(2);
  y.sum().backward();
  ASSERT_TRUE(x.grad().defined());
  EXPECT_EQ(x.grad().sizes(), x.sizes());
  EXPECT_EQ(x.grad().abs().sum().item<double>(), 0);
}

TEST(InPlace, OnAFreshTensor) {
  const auto f = [](Variable x) {
    Variable y(Array::empty({2, 3}, kFloat64));
    y.zero_();
    y.add_(x.exp());
    y.mul_(x);
    return y;
  };
  EXPECT_DERIVATIVES(f, {input({2, 3})});
}

TEST(InPlace, ThroughAViewOfAResult) {
  const auto f = [](Variable x, Variable w) {
    Variable y = x * 2;
    y.select(0, 1).mul_(w);
    y.slice(1, 0, 2).transpose(0, 1).add_(1.5);
    return y * y;
  };
  EXPECT_DERIVATIVES(f, {input({2, 3}), input({3}, 2)});
}

TEST(InPlace, KeepsWhatItsOwnRuleNeedsOfTheOldValue) {
  const auto f = [](Variable x, Variable w) {
    Variable y = x * 1.0;
    y.mul_(w).log_().div_(w).sqrt_();
    return y.reciprocal_();
  };
  EXPECT_DERIVATIVES(f, {random_tensor({2, 3}, {3, 4}, 1).requires_grad_(),
                         random_tensor({2, 3}, {1, 2}, 2).requires_grad_()});
}

TEST(InPlace, NoResultOwnsItself) {
  // Saved values that are, or are views of, what the operation turns into its result.
  using Operation = void (*)(const Variable& x, const Variable& w);
  const std::pair<const char*, Operation> operations[] = {
      {"mul_", [](const Variable& x, const Variable&) { x.mul_(x); }},
      {"mul_ by a row", [](const Variable& x, const Variable&) { x.mul_(x.select(0, 0)); }},
      {"mul_ of a row",
       [](const Variable& x, const Variable&) { x.select(0, 1).mul_(x.select(0, 0)); }},
      {"div_", [](const Variable& x, const Variable&) { x.div_(x); }},
      {"pow_", [](const Variable& x, const Variable&) { x.pow_(x); }},
      {"xlogy_", [](const Variable& x, const Variable&) { x.xlogy_(x); }},
      {"addcmul_", [](const Variable& x, const Variable&) { x.addcmul_(x, x); }},
      {"addcdiv_", [](const Variable& x, const Variable& w) { x.addcdiv_(x, w); }},
      {"lerp_", [](const Variable& x, const Variable& w) { x.lerp_(w, x); }},
      {"addmm_", [](const Variable& x, const Variable& w) { x.addmm_(x, w); }},
      {"addr_",
       [](const Variable& x, const Variable& w) { x.addr_(x.select(0, 0), w.select(0, 0)); }},
      {"data",
       [](const Variable&, const Variable& w) {
         const Variable y = w.detach().clone();
         y.mul_(w).mul_(y);
       }},
  };
  const Variable w = random_tensor({3, 3}, {1, 2}, 1).requires_grad_();
  for (const auto& [name, operation] : operations) {
    std::int64_t in_use = 0;
    for (int i = 0; i < 2; ++i) {
      in_use = memory_stats().in_use;
      operation(w * 2, w);
    }
    EXPECT_EQ(memory_stats().in_use, in_use) << name;
  }
}

TEST(InPlace, OnAQuotient) {
  const Variable x = tensor({1., 2.}, kFloat64).requires_grad_();
  const Variable y = tensor({2., 4.}, kFloat64).requires_grad_();
  Variable z = x / y, w = 1 / y, e = erfinv(x / 4);
  z.add_(1);
  w.zero_().add_(1 / y);
  e.mul_(2);
  (z + w).sum().backward();
  EXPECT_TRUE(x.grad().equal(tensor({0.5, 0.25}, kFloat64)));
  EXPECT_TRUE(y.grad().equal(tensor({-0.5, -0.1875}, kFloat64)));
  EXPECT_NO_THROW(e.sum().backward());
  Variable quotient = x * 1;
  quotient.div_(y);
  const auto g = autograd::grad({quotient.sum()}, {x, y});
  EXPECT_TRUE(g[0].equal(tensor({0.5, 0.25}, kFloat64)));
  EXPECT_TRUE(g[1].equal(tensor({-0.25, -0.125}, kFloat64)));
}

TEST(InPlace, RowsWrittenOneByOne) {
  const auto f = [](Variable x) {
    Variable y(Array::empty({3, 2}, kFloat64));
    y.zero_();
    for (int i = 0; i < 3; ++i) y.select(0, i).copy_(x.select(0, i) * (i + 1));
    return y.exp();
  };
  EXPECT_DERIVATIVES(f, {input({3, 2})});
}

TEST(InPlace, TheViewFollowsItsBase) {
  const auto f = [](Variable x) {
    Variable y = x * 1.0;
    const Variable row = y.select(0, 1);
    y.mul_(x);
    return row * row;
  };
  EXPECT_DERIVATIVES(f, {input({2, 3})});
}

TEST(InPlace, TwoViewsThatOverlap) {
  const auto f = [](Variable x, Variable w) {
    Variable y = x * 1.0;
    const Variable a = y.slice(0, 0, 3), b = y.slice(0, 2, 5);
    a.mul_(w);
    b.mul_(2.5);
    return a + b;
  };
  const Variable x = input({5}), w = input({3}, 2);
  EXPECT_DERIVATIVES([&](Variable v) { return f(x.detach(), v); }, {w});
}

TEST(InPlace, OverwrittenValuesGiveNoGradient) {
  const Variable x = input({2, 2});
  Variable y = x * 3;
  y.select(0, 0).zero_();
  EXPECT_TRUE(y.requires_grad());
  y.sum().backward();
  EXPECT_EQ(x.grad().select(0, 0).sum().item<double>(), 0);
  EXPECT_EQ(x.grad().select(0, 1).sum().item<double>(), 6);
}

TEST(InPlace, OnALeafThatRequiresGradIsRefused) {
  const Variable x = input({2, 2});
  EXPECT_ERROR(x.add_(1), "add_: a leaf Variable that requires grad is being used in an in-place");
  EXPECT_ERROR(x.select(0, 0).add_(1), "a view of a leaf Variable that requires grad");
  const NoGradGuard guard;
  x.add_(1);
  x.select(0, 0).add_(1);
  EXPECT_TRUE(x.is_leaf());
}

TEST(InPlace, ALeafWithoutGradTakesTheHistoryOfWhatItIsGiven) {
  const Variable x = input({2});
  const Variable y(Array::empty({2}, kFloat64));
  y.copy_(x);
  EXPECT_TRUE(y.requires_grad());
  y.sum().backward();
  EXPECT_EQ(x.grad().sum().item<double>(), 2);
}

TEST(InPlace, OnExpandedMemoryIsRefused) {
  const Variable x = input({1, 3}).detach().expand({2, 3});
  EXPECT_ERROR(x.add_(1),
               "more than one element of the written-to tensor refers to a single memory");
  const Variable nothing = zeros({1, 0}).expand({2, 0});
  EXPECT_EQ(nothing.add_(1).numel(), 0);
}

TEST(InPlace, AViewMadeUnderNoGrad) {
  const Variable x = input({2, 2});
  Variable y = x * 1.0, view;
  {
    const NoGradGuard guard;
    view = y.select(0, 0);
  }
  EXPECT_ERROR(view.mul_(2), "A view was created in no_grad mode");
}

TEST(SavedValues, ThatWereModifiedAreNoticed) {
  const Variable x = input({2});
  Variable y = x.exp();
  const Variable z = (y * y).sum();
  y.add_(1);
  EXPECT_ERROR(z.backward(),
               "has been modified by an inplace operation: [CPUDoubleType [2]], saved by "
               "MulBackward0, is at version 1; expected version 0 instead");
}

TEST(SavedValues, ModifiedThroughAViewOrDetachAreNoticed) {
  const Variable x = input({2});
  Variable y = x.exp();
  Variable z = y.sum();
  y.detach().add_(1);
  EXPECT_ERROR(z.backward(), "saved by ExpBackward0");
  y = x.exp();
  z = y.sum();
  y.view({2, 1}).detach().mul_(2);
  EXPECT_ERROR(z.backward(), "saved by ExpBackward0");
}

TEST(SavedValues, DataGoesUnnoticedAsInPyTorch) {
  const Variable x = input({2});
  const Variable y = x.exp();
  const Variable z = y.sum();
  y.data().zero_();
  z.backward();
  EXPECT_EQ(x.grad().sum().item<double>(), 0);
}

TEST(SavedValues, AnOptimizerStepBetweenForwardAndBackwardIsNoticed) {
  const Variable w = input({2}), x = input({2}, 3);
  const Variable loss = (w * x).sum();
  {
    const NoGradGuard guard;
    w.sub_(0.1);
  }
  EXPECT_ERROR(loss.backward(), "saved by MulBackward0");
}

TEST(Versions, CountChangesAcrossViews) {
  const Variable x = input({2, 2}).detach();
  EXPECT_EQ(x._version(), 0);
  x.select(0, 1).add_(1);
  EXPECT_EQ(x._version(), 1);
  EXPECT_EQ(x.view({4})._version(), 1);
  EXPECT_TRUE(x.view({4}).is_view());
  EXPECT_TRUE(x.view({4})._base().is_same(x));
}

TEST(Assignment, ToAnUnnamedTensorWritesThrough) {
  const Variable x = input({2, 2}).detach();
  x.select(0, 1) = 7;
  x.select(0, 0) = x.select(0, 1) * 2;
  EXPECT_EQ(x.sum().item<double>(), 2 * 7 + 2 * 14);
  Variable named = x.select(0, 1);
  named = x.select(0, 0);  // binds the name to another tensor
  EXPECT_EQ(x.sum().item<double>(), 2 * 7 + 2 * 14);
}

TEST(Detach, SharesTheValueAndForgetsTheHistory) {
  const Variable x = input({2});
  const Variable y = (x * 2).detach();
  EXPECT_FALSE(y.requires_grad());
  EXPECT_TRUE(y.is_leaf());
  Variable z = x * 2;
  EXPECT_TRUE(z.detach().is_alias_of(z));
  z.detach_();
  EXPECT_FALSE(z.requires_grad());
}

}  // namespace
}  // namespace tapedeck
