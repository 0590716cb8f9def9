// LBFGS on Rosenbrock's function of three variables; the expected values are libtorch 1.13.1's.
#include <cmath>
#include <sstream>

#include <tapedeck/optim/lbfgs.h>
#include <tapedeck/serialize/save.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"

namespace tapedeck::optim {
namespace {

using tapedeck::testing::array_of;
using tapedeck::testing::message_of;
using tapedeck::testing::values;
using ::testing::HasSubstr;

struct Rosenbrock {
  Variable x{array_of<double>({-1.2, 1.0, 0.5}, {3})};
  int evaluations = 0;

  Rosenbrock() { x.set_requires_grad(true); }
  Variable operator()() {
    ++evaluations;
    const double *v = x.data_ptr<double>(), a = v[0], b = v[1], c = v[2];
    const double f = 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a) +
                     100 * (c - b * b) * (c - b * b) + (1 - b) * (1 - b);
    x.mutable_grad() = Variable(array_of<double>(
        {-400 * a * (b - a * a) - 2 * (1 - a),
         200 * (b - a * a) - 400 * b * (c - b * b) - 2 * (1 - b), 200 * (c - b * b)},
        {3}));
    return Variable(array_of<double>({f}, {}));
  }
};

struct Expected {
  double loss, x[3];
  int evaluations;
};

void expect_steps(LBFGSOptions options, const std::vector<Expected>& steps) {
  Rosenbrock f;
  LBFGS optimizer({f.x}, options);
  for (const Expected& expected : steps) {
    const double loss = optimizer.step([&] { return f(); }).item<double>();
    EXPECT_NEAR(loss, expected.loss, 1e-8 * std::abs(expected.loss));
    // The curved valley enlarges the roundings of earlier steps.
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(f.x.data_ptr<double>()[i], expected.x[i], 1e-8);
    EXPECT_EQ(f.evaluations, expected.evaluations);
  }
}

TEST(LBFGS, EqualsLibtorchs) {
  expect_steps(
      LBFGSOptions(0.01).max_iter(4),
      {{49.199999999999996, {-1.1887004252943167, 0.99326093326828946, 0.50696288659934963}, 4},
       {45.41131139251403, {-1.1807074415444456, 0.98905312911962628, 0.51522970589798966}, 8},
       {42.596041788413174, {-1.1732334440079422, 0.98583777023143226, 0.52550464702255895}, 12},
       {39.907770846579353, {-1.1662305160937836, 0.98346570766070396, 0.53727409978098839}, 16}});
}

TEST(LBFGS, StrongWolfeEqualsLibtorchs) {
  const LBFGSOptions options = LBFGSOptions(1).max_iter(6).line_search_fn("strong_wolfe");
  expect_steps(
      options,
      {{49.199999999999996, {-0.88117787807890824, 0.78655026185165078, 0.62210870931924211}, 7},
       {3.5957316456219539, {-0.7858977650509974, 0.59893815147830665, 0.34745190706045526}, 14},
       {3.3979523265808305, {-0.42524834692707153, 0.17865764742397422, 0.029249010989143866}, 21},
       {2.7071233472744289,
        {-0.23867765374852329, 0.047604285530193233, -0.0020251239638258197},
        28}});
  expect_steps(
      LBFGSOptions(options).history_size(3),
      {{49.199999999999996, {-0.88100746078433612, 0.78639743633854531, 0.62207416382581171}, 7},
       {3.5956013026379612, {-0.7403347788553527, 0.5476986807852614, 0.27245974519816141}, 15},
       {3.3090599475621318, {-0.553941092599188, 0.29919165345834914, 0.083745252093768194}, 23},
       {2.9150611534376263,
        {-0.17844805029578864, 0.020878129746283804, 0.0004126065365656291},
        30}});
}

TEST(LBFGS, ReachesTheMinimum) {
  Rosenbrock f;
  LBFGS optimizer({f.x}, LBFGSOptions().max_iter(200).line_search_fn("strong_wolfe"));
  optimizer.step([&] { return f(); });
  for (double v : values<double>(f.x.array())) EXPECT_NEAR(v, 1, 1e-5);
}

TEST(LBFGS, ResumesBitForBit) {
  const auto options = LBFGSOptions().max_iter(3).line_search_fn("strong_wolfe").history_size(4);
  Rosenbrock a, b;
  LBFGS first({a.x}, options), second({b.x}, options);
  for (int i = 0; i < 3; ++i) first.step([&] { return a(); });
  std::stringstream x, state;
  save(a.x, x);
  save(first, state);
  load(b.x, x);
  load(second, state);
  for (int i = 0; i < 4; ++i) {
    first.step([&] { return a(); });
    second.step([&] { return b(); });
    EXPECT_EQ(values<double>(a.x.array()), values<double>(b.x.array()));
  }
}

TEST(LBFGS, WhatItCannotDo) {
  Rosenbrock f, g;
  LBFGS optimizer({f.x});
  EXPECT_EQ(message_of([&] { optimizer.step(nullptr); }), "LBFGS requires a closure function");
  EXPECT_THAT(message_of([&] {
                LBFGS two({OptimizerParamGroup({f.x}), OptimizerParamGroup({g.x})});
              }),
              HasSubstr("doesn't support per-parameter options"));
  EXPECT_THAT(message_of([&] { LBFGS o({f.x}, LBFGSOptions().line_search_fn("armijo")); }),
              HasSubstr("only 'strong_wolfe' is supported, got 'armijo'"));
  std::ostringstream out;
  out << optimizer;
  EXPECT_EQ(out.str(),
            "LBFGS (\nParameter Group 0\n    history_size: 100\n    line_search_fn: None\n"
            "    lr: 1\n    max_eval: 25\n    max_iter: 20\n    tolerance_change: 1e-09\n"
            "    tolerance_grad: 1e-07\n)");
}

}  // namespace
}  // namespace tapedeck::optim
