// Learning rates against values computed by Python's definitions (closed forms where there are).
#include <cmath>

#include <tapedeck/optim/optim.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"

namespace tapedeck::optim {
namespace {

using tapedeck::testing::message_of;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

Variable parameter() {
  Variable p(tapedeck::testing::array_of<float>({1}, {1}));
  p.set_requires_grad(true);
  return p;
}

struct Schedule {
  SGD sgd{{parameter()}, SGDOptions(1.0).momentum(0.5)};

  double lr() { return sgd.param_groups()[0].options().get_lr(); }
  template <typename Scheduler>
  std::vector<double> rates(Scheduler& scheduler, int epochs) {
    std::vector<double> lrs;
    for (int i = 0; i < epochs; ++i) {
      lrs.push_back(lr());
      scheduler.step();
    }
    return lrs;
  }
};

auto near(std::vector<double> expected) { return Pointwise(DoubleNear(1e-12), expected); }

TEST(Scheduler, StepLRCountsAsLibtorch) {
  Schedule s;
  StepLR scheduler(s.sgd, 3, 0.5);
  EXPECT_THAT(s.rates(scheduler, 10), ElementsAre(1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25));
  EXPECT_THAT(message_of([&] { StepLR none(s.sgd, 0); }), HasSubstr("positive step_size"));
}

TEST(Scheduler, MultiStepLR) {
  Schedule s;
  MultiStepLR scheduler(s.sgd, {2, 4, 4}, 0.5);
  EXPECT_THAT(s.rates(scheduler, 6), ElementsAre(1, 1, 0.5, 0.5, 0.125, 0.125));
  EXPECT_THAT(scheduler.get_last_lr(), ElementsAre(0.125));
}

TEST(Scheduler, ExponentialLR) {
  Schedule s;
  ExponentialLR scheduler(s.sgd, 0.5);
  EXPECT_THAT(s.rates(scheduler, 4), ElementsAre(1, 0.5, 0.25, 0.125));
  EXPECT_EQ(scheduler.last_epoch(), 4);
}

TEST(Scheduler, LinearLR) {
  Schedule s;
  LinearLR scheduler(s.sgd, 0.5, 1.0, 4);
  EXPECT_THAT(s.rates(scheduler, 7), near({0.5, 0.625, 0.75, 0.875, 1, 1, 1}));
  EXPECT_THAT(message_of([&] { LinearLR none(s.sgd, 0); }), HasSubstr("start_factor"));
}

TEST(Scheduler, CosineAnnealingLR) {
  Schedule s;
  CosineAnnealingLR scheduler(s.sgd, 4, 0.2);
  std::vector<double> expected;
  for (int e = 0; e < 13; ++e) expected.push_back(0.2 + 0.8 * (1 + std::cos(M_PI * e / 4)) / 2);
  EXPECT_THAT(s.rates(scheduler, 13), near(expected));
}

TEST(Scheduler, CosineAnnealingWarmRestarts) {
  Schedule s;
  CosineAnnealingWarmRestarts scheduler(s.sgd, 2, 2, 0);
  const auto at = [](double t, double length) { return (1 + std::cos(M_PI * t / length)) / 2; };
  EXPECT_THAT(s.rates(scheduler, 8),
              near({1, at(1, 2), 1, at(1, 4), at(2, 4), at(3, 4), 1, at(1, 8)}));
  scheduler.step(3.5);
  EXPECT_NEAR(s.lr(), at(1.5, 4), 1e-12);
}

TEST(Scheduler, LambdaLR) {
  Schedule s;
  LambdaLR scheduler(s.sgd,
                     [](std::int64_t epoch) { return 1.0 / static_cast<double>(epoch + 1); });
  EXPECT_THAT(s.rates(scheduler, 4), near({1, 0.5, 1.0 / 3, 0.25}));
  EXPECT_THAT(message_of([&] { LambdaLR none(s.sgd, std::vector<LambdaLR::Function>{}); }),
              HasSubstr("expected 1 functions"));
}

TEST(Scheduler, OneCycleLR) {
  Schedule s;
  OneCycleLR scheduler(s.sgd, OneCycleLROptions(2.0, 10).anneal_strategy("linear").div_factor(4));
  const auto momentum = [&] {
    return static_cast<SGDOptions&>(s.sgd.param_groups()[0].options()).momentum();
  };
  EXPECT_NEAR(momentum(), 0.95, 1e-12);
  const double least = 0.5 / 1e4;
  std::vector<double> expected{0.5, 1.25, 2};
  for (int i = 1; i <= 7; ++i) expected.push_back(2 + (least - 2) * i / 7);
  EXPECT_THAT(s.rates(scheduler, 10), near(expected));
  EXPECT_THAT(message_of([&] { scheduler.step(); }),
              "OneCycleLR: tried to step 11 times, of total_steps 10");

  Schedule t;
  OneCycleLR cosine(t.sgd, OneCycleLROptions(1.0, 20).three_phase(true));
  const std::vector<double> rates = t.rates(cosine, 20);
  EXPECT_NEAR(rates[0], 0.04, 1e-12);
  EXPECT_NEAR(rates[5], 1, 1e-12);
  EXPECT_NEAR(rates[10], 0.04, 1e-12);
  EXPECT_NEAR(rates[19], 0.04 / 1e4, 1e-12);
  EXPECT_NEAR(rates[3], 1 + (0.04 - 1) / 2 * (1 + std::cos(M_PI * 0.6)), 1e-12);

  Adagrad none({parameter()});
  EXPECT_THAT(message_of([&] { OneCycleLR o(none, OneCycleLROptions(1.0, 5)); }),
              HasSubstr("must have momentum or betas"));
}

TEST(Scheduler, SequentialLR) {
  Schedule s;
  LinearLR warmup(s.sgd, 0.25, 1.0, 3);
  ExponentialLR decay(s.sgd, 0.5);
  SequentialLR scheduler(s.sgd, {warmup, decay}, {3});
  EXPECT_THAT(s.rates(scheduler, 6), near({0.25, 0.5, 0.75, 1, 0.5, 0.25}));
  EXPECT_THAT(message_of([&] {
                SequentialLR o(s.sgd, {warmup, decay}, {});
              }),
              HasSubstr("one milestone less than schedulers"));
}

TEST(Scheduler, ReduceLROnPlateau) {
  Schedule s;
  ReduceLROnPlateau scheduler(
      s.sgd, ReduceLROnPlateauOptions().factor(0.5).patience(1).cooldown(1).min_lr(0.3));
  std::vector<double> rates;
  for (double metric : {1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9}) {
    scheduler.step(metric);
    rates.push_back(s.lr());
  }
  EXPECT_THAT(rates, ElementsAre(1, 1, 1, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3));
  EXPECT_EQ(scheduler.best(), 0.9);
  EXPECT_THAT(message_of([&] { ReduceLROnPlateau o(s.sgd, ReduceLROnPlateauOptions().factor(1)); }),
              HasSubstr("factor below 1"));
}

TEST(Scheduler, ReduceLROnPlateauHasAMinimumForEachGroup) {
  const Tensor a = ones({1}, requires_grad()), b = ones({1}, requires_grad());
  SGD sgd({OptimizerParamGroup({a}), OptimizerParamGroup({b})}, 1.0);
  const auto options = ReduceLROnPlateauOptions().factor(0.1).patience(0);
  ReduceLROnPlateau scheduler(sgd, ReduceLROnPlateauOptions(options).group_min_lrs({0.5, 0.25}));
  for (int i = 0; i < 2; ++i) scheduler.step(1);
  EXPECT_THAT(scheduler.get_last_lr(), ElementsAre(0.5, 0.25));
  EXPECT_THAT(message_of([&] {
                ReduceLROnPlateau o(sgd, ReduceLROnPlateauOptions(options).group_min_lrs({0.5}));
              }),
              HasSubstr("expected one of group_min_lrs for each of 2 groups, got 1"));
}

TEST(Scheduler, CombineByTheInitialRate) {
  Schedule s;
  LinearLR warmup(s.sgd, 0.5, 1.0, 2);
  ExponentialLR decay(s.sgd, 0.5);
  std::vector<double> rates;
  for (int i = 0; i < 4; ++i) {
    rates.push_back(s.lr());
    warmup.step();
    decay.step();
  }
  EXPECT_THAT(rates, near({0.5, 0.375, 0.25, 0.125}));
  EXPECT_EQ(s.sgd.param_groups()[0].initial_lr(), 1.0);
}

}  // namespace
}  // namespace tapedeck::optim
