#include <tapedeck/ops/loss.h>

#include <cmath>

#include <gmock/gmock.h>

#include <tests/support/message_of.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using namespace testing_support;
using ::testing::HasSubstr;

// Labels 0, 2, 1, 0, ... of a shape; every third is -100, which is ignored, if `some_ignored`.
Variable labels(IntArrayRef sizes, std::int64_t classes, bool some_ignored = false) {
  Variable t = zeros(sizes, kLong);
  for (std::int64_t i = 0; i < t.numel(); ++i)
    t.data_ptr<std::int64_t>()[i] = some_ignored && i % 3 == 2 ? -100 : (2 * i) % classes;
  return t;
}
DimVector label_shape(const Variable& x) {
  DimVector sizes(x.sizes());
  sizes.erase(x.dim() == 1 ? 0 : 1);
  return sizes;
}
Variable signs(const Variable& x) {
  Variable t = ones(x.sizes(), x.options());
  for (std::int64_t i = 0; i < t.numel(); i += 2) t.flatten()[i] = -1;
  return t;
}
const Domain kProbability{0.05, 0.95};

OpRow named(OpRow row, const std::string& suffix) {
  row.name += suffix;
  return row;
}

std::vector<OpRow> rows() {
  std::vector<OpRow> list;
  const Shapes scores1{{5}}, scores2{{4, 5}}, scores3{{3, 5, 2, 3}}, wide{{3, 33}},
      columns{{2, 3, 19}};
  const std::pair<Reduction::Reduction, std::string> reductions[] = {
      {Reduction::None, "_none"}, {Reduction::Mean, "_mean"}, {Reduction::Sum, "_sum"}};
  // Not a structured binding: clang 14 lets no lambda capture one.
  for (const auto& choice : reductions) {
    const auto reduction = choice.first;
    const std::string& name = choice.second;
    list.push_back(named(row("cross_entropy",
                             [=](const Variable& x) {
                               return cross_entropy_loss(x, labels(label_shape(x), 5, true), {},
                                                         reduction);
                             },
                             {scores1, scores2, scores3, wide}),
                         name));
    list.push_back(named(row("cross_entropy_smoothed",
                             [=](const Variable& x) {
                               const Variable w =
                                   linspace(0.5, 2, x.size(x.dim() == 1 ? 0 : 1), x.options());
                               return cross_entropy_loss(x, labels(label_shape(x), 3, true), w,
                                                         reduction, -100, 0.1);
                             },
                             {scores2, scores3, columns}),
                         name));
    list.push_back(named(row("cross_entropy_probabilities",
                             [=](const Variable& x, const Variable& q) {
                               const Variable w = linspace(0.5, 2, x.size(1), x.options());
                               return cross_entropy_loss(x, q, w, reduction, -100, 0.1);
                             },
                             {{{4, 5}, {4, 5}}, {{2, 3, 4}, {2, 3, 4}}}, {{-2, 2}, kProbability}),
                         name));
    list.push_back(named(row("nll",
                             [=](const Variable& x) {
                               const Variable w =
                                   linspace(0.5, 2, x.size(x.dim() == 1 ? 0 : 1), x.options());
                               return nll_loss(x, labels(label_shape(x), 5, true), w, reduction);
                             },
                             {scores1, scores2, scores3}),
                         name));
    const Shapes two{{3, 5}, {3, 5}};
    const auto add = [&](const char* op, auto f, std::vector<Domain> domains = {}) {
      list.push_back(
          named(row(
                    op, [=](const Variable& x, const Variable& y) { return f(x, y, reduction); },
                    {two}, std::move(domains)),
                name));
    };
    add("mse", [](auto& x, auto& y, auto r) { return mse_loss(x, y, r); });
    add("l1", [](auto& x, auto& y, auto r) { return l1_loss(x, y, r); }, {{-2, 0}, {0.1, 2}});
    add("smooth_l1", [](auto& x, auto& y, auto r) { return smooth_l1_loss(x, y, r, 0.7); },
        {{-2, -1}, {-0.2, 2}});
    add("smooth_l1_near", [](auto& x, auto& y, auto r) { return smooth_l1_loss(x, y, r, 3.7); },
        {{-2, -0.2}, {0, 1}});
    add("huber", [](auto& x, auto& y, auto r) { return huber_loss(x, y, r, 0.7); },
        {{-2, -1}, {-0.2, 2}});
    add("bce", [](auto& x, auto& y, auto r) { return binary_cross_entropy(x, y, {}, r); },
        {kProbability, kProbability});
    add("bce_with_logits",
        [](auto& x, auto& y, auto r) {
          return binary_cross_entropy_with_logits(x, y, linspace(0.5, 2, 5, x.options()),
                                                  linspace(1, 3, 5, x.options()), r);
        },
        {{-3, 3}, kProbability});
    add("kl_div", [](auto& x, auto& y, auto r) { return kl_div(x, y, r); },
        {{-2, 2}, kProbability});
    add("kl_div_log", [](auto& x, auto& y, auto r) { return kl_div(x, y, r, true); });
    add("poisson_nll",
        [](auto& x, auto& y, auto r) { return poisson_nll_loss(x, y, true, true, 1e-8, r); },
        {{-1, 1}, {1.2, 4}});
    add("poisson_nll_rate",
        [](auto& x, auto& y, auto r) { return poisson_nll_loss(x, y, false, false, 1e-8, r); },
        {{0.3, 2}, {0.2, 4}});
    add("margin_ranking",
        [](auto& x, auto& y, auto r) { return margin_ranking_loss(x, y, signs(x), 0.1, r); },
        {{-2, -1}, {0.2, 2}});
    add("cosine_embedding",
        [](auto& x, auto& y, auto r) {
          return cosine_embedding_loss(x, y, signs(x.select(1, 0)), 0.1, r);
        },
        {{0.2, 2}, {0.1, 2}});
    list.push_back(named(
        row("hinge_embedding",
            [=](const Variable& x) { return hinge_embedding_loss(x, signs(x), 1.0, reduction); },
            {{{3, 5}}}, {{-2, 2, {1}}}),
        name));
    list.push_back(
        named(row("soft_margin",
                  [=](const Variable& x) { return soft_margin_loss(x, signs(x), reduction); },
                  {{{3, 5}}}),
              name));
    list.push_back(named(row("multi_margin",
                             [=](const Variable& x) {
                               const Variable w = linspace(0.5, 2, x.size(-1), x.options());
                               return multi_margin_loss(x, labels(label_shape(x), 5), 2, 0.3, w,
                                                        reduction);
                             },
                             {{{3, 5}}, {{5}}}),
                         name));
    list.push_back(
        named(row("ctc",
                  [=](const Variable& x) {
                    const Variable targets = tensor({1, 2, 2, 3, 1, 1, 4}, kLong);
                    return ctc_loss(x, targets, {5, 3, 4}, {3, 2, 2}, 0, reduction, true);
                  },
                  {{{5, 3, 5}}}),
              name));
    list.push_back(named(row("multilabel_margin",
                             [=](const Variable& x) {
                               Variable t = full(x.sizes(), -1, kLong);
                               t.select(-1, 0).fill_(3);
                               t.select(-1, 1).fill_(1);
                               return multilabel_margin_loss(x, t, reduction);
                             },
                             {{{3, 5}}, {{5}}}),
                         name));
    list.push_back(named(row("multilabel_soft_margin",
                             [=](const Variable& x, const Variable& t) {
                               return multilabel_soft_margin_loss(
                                   x, t, linspace(0.5, 2, 5, x.options()), reduction);
                             },
                             {two}, {{-2, 2}, kProbability}),
                         name));
    list.push_back(named(row("triplet_margin",
                             [=](const Variable& a, const Variable& p, const Variable& n) {
                               return triplet_margin_loss(a, p, n, 3, 2, 1e-6, true, reduction);
                             },
                             {{{3, 5}, {3, 5}, {3, 5}}}),
                         name));
    list.push_back(
        named(row("gaussian_nll",
                  [=](const Variable& x, const Variable& t, const Variable& v) {
                    return gaussian_nll_loss(x, t, v, true, 1e-6, reduction);
                  },
                  {{{3, 5}, {3, 5}, {3, 5}}, {{3, 5}, {3, 5}, {3}}}, {{-2, 2}, {-2, 2}, {0.3, 2}}),
              name));
  }
  return list;
}
TAPEDECK_OP_TABLE(Losses, rows());

TEST(CrossEntropy, IsTheNegativeLogSoftmaxAtTheLabel) {
  const Variable x = random_tensor({4, 5, 3}, {-3, 3}, 1);
  const Variable t = labels({4, 3}, 5, true), w = linspace(0.5, 2, 5, kFloat64);
  const Variable logp = x.log_softmax(1);
  EXPECT_TRUE(cross_entropy_loss(x, t).allclose(nll_loss(logp, t), 1e-13, 1e-13));
  EXPECT_TRUE(cross_entropy_loss(x, t, w).allclose(nll_loss(logp, t, w), 1e-13, 1e-13));
  EXPECT_TRUE(cross_entropy_loss(x, t, {}, Reduction::None)
                  .allclose(nll_loss(logp, t, {}, Reduction::None), 1e-13, 1e-13));
  // Labels as one-hot probabilities.
  const Variable all = labels({4, 3}, 5);
  Variable q = zeros({4, 5, 3}, kFloat64);
  q.scatter_(1, all.unsqueeze(1), 1.0);
  EXPECT_TRUE(cross_entropy_loss(x, all).allclose(cross_entropy_loss(x, q), 1e-13, 1e-13));
  EXPECT_TRUE(
      cross_entropy_loss(x, all, {}, Reduction::None, -100, 0.2)
          .allclose(cross_entropy_loss(x, q, {}, Reduction::None, -100, 0.2), 1e-12, 1e-12));
}

TEST(CrossEntropy, IsFiniteForHugeScoresAndExactForOneClass) {
  const Variable x = tensor({1000.0f, -1000.0f, 1000.0f, 0.0f}).view({2, 2}).requires_grad_();
  const Variable loss = cross_entropy_loss(x, tensor({1, 0}).to(kLong));
  EXPECT_FLOAT_EQ(loss.item<float>(), 1000.0f);
  loss.backward();
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
  const Variable one = full({3, 1}, 7.5).requires_grad_();
  const Variable zero = cross_entropy_loss(one, zeros({3}, kLong));
  zero.backward();
  EXPECT_EQ(zero.item<float>(), 0.0f);
  EXPECT_TRUE(one.grad().equal(zeros({3, 1})));
}

TEST(CrossEntropy, ASecondBackwardOnARetainedGraphGivesTheIdenticalGradient) {
  const Variable x = random_tensor({7, 10}, {-3, 3}, 1, false, kFloat32).requires_grad_();
  const Variable loss = cross_entropy_loss(x, labels({7}, 10));
  const Variable first = autograd::grad({loss}, {x}, {}, true)[0];
  const Variable second = autograd::grad({loss}, {x}, {}, true)[0];
  EXPECT_TRUE(first.equal(second));
}

TEST(CrossEntropy, TheSameBitsWithAnyNumberOfThreads) {
  const Variable x = random_tensor({64, 1000}, {-3, 3}, 1, false, kFloat32).requires_grad_();
  const auto run = [&](int threads) {
    const int before = get_num_threads();
    set_num_threads(threads);
    const Variable g = autograd::grad({cross_entropy_loss(x, labels({64}, 1000))}, {x})[0];
    set_num_threads(before);
    return g;
  };
  EXPECT_TRUE(run(1).equal(run(3)));
}

template <typename F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(CrossEntropy, ErrorsSayWhatWasExpected) {
  const Variable x = ones({2, 10});
  EXPECT_THAT(message_of([&] {
                cross_entropy_loss(x, tensor({3, 10}).to(kLong));
              }),
              HasSubstr("cross_entropy_loss: Target 10 is out of bounds: expected labels from 0 to "
                        "9 (input [2, 10], target [2])"));
  EXPECT_THROW(cross_entropy_loss(x, tensor({3, -1}).to(kLong)), IndexError);
  EXPECT_THAT(message_of([&] {
                nll_loss(x, tensor({3, 10}).to(kLong));
              }),
              HasSubstr("nll_loss: Target 10 is out of bounds"));
  EXPECT_THAT(message_of([&] { cross_entropy_loss(x, zeros({3}, kLong)); }),
              HasSubstr("cross_entropy_loss: expected labels of shape [2], got target [3] (input "
                        "[2, 10])"));
  EXPECT_THAT(message_of([&] { cross_entropy_loss(x, ones({2})); }),
              HasSubstr("cross_entropy_loss: expected integer labels, got target of dtype Float"));
  EXPECT_THAT(message_of([&] { cross_entropy_loss(x, zeros({2}, kLong), ones({3})); }),
              HasSubstr("cross_entropy_loss: expected a weight for each of 10 classes"));
  EXPECT_THAT(message_of([&] {
                multi_margin_loss(x, tensor({3, -1}).to(kLong));
              }),
              HasSubstr("multi_margin_loss: Target -1 is out of bounds"));
  EXPECT_THAT(message_of([&] { binary_cross_entropy(x * 2, x); }),
              HasSubstr("all elements of input should be between 0 and 1"));
  EXPECT_THAT(message_of([&] { gaussian_nll_loss(x, x, -x); }), HasSubstr("negative"));
  EXPECT_THAT(message_of([&] { mse_loss(x, x, 7); }), HasSubstr("mse_loss: 7 is not a reduction"));
}

TEST(Losses, AreFiniteAtTheEndsOfTheirDomains) {
  const Variable x = tensor({-1000.0f, 0.0f, 1000.0f}).requires_grad_();
  const Variable t = tensor({1.0f, 0.5f, 0.0f});
  for (const Variable& loss :
       {binary_cross_entropy_with_logits(x, t), soft_margin_loss(x, t * 2 - 1)}) {
    const Variable g = autograd::grad({loss}, {x})[0];
    EXPECT_TRUE(loss.isfinite().item<bool>());
    EXPECT_TRUE(g.isfinite().all().item<bool>());
  }
  // At 0 the gradient is that of the limit.
  const Variable g =
      autograd::grad({binary_cross_entropy_with_logits(x, t, {}, {}, Reduction::Sum)}, {x})[0];
  EXPECT_TRUE(g.allclose(tensor({-1.0f, 0.0f, 1.0f})));
  const Variable p = tensor({0.0f, 1.0f}).requires_grad_();
  const Variable q = tensor({1.0f, 0.0f});
  EXPECT_FLOAT_EQ(binary_cross_entropy(p, q).item<float>(), 100.0f);
  EXPECT_TRUE(autograd::grad({binary_cross_entropy(p, q)}, {p})[0].isfinite().all().item<bool>());
  const Variable none = tensor({0.0f, 0.3f}).requires_grad_();
  const Variable kl = kl_div(zeros({2}), none, Reduction::Sum);
  EXPECT_TRUE(autograd::grad({kl}, {none})[0].isfinite().all().item<bool>());
}

TEST(SumSquaredError, DividesByTheRows) {
  const Variable x = random_tensor({4, 3, 5}, {-2, 2}, 1), y = random_tensor({4, 3, 5}, {-2, 2}, 2);
  EXPECT_TRUE(sum_squared_error(x, y).allclose((x - y).square().sum() / 4));
}

// The probability of `wanted` by adding up all ways to choose a class for each step.
double spelled(const Variable& probabilities, const std::vector<std::int64_t>& wanted) {
  const std::int64_t T = probabilities.size(0), C = probabilities.size(1);
  std::int64_t paths = 1;
  for (std::int64_t t = 0; t < T; ++t) paths *= C;
  double total = 0;
  for (std::int64_t path = 0; path < paths; ++path) {
    double p = 1;
    std::int64_t rest = path, before = -1;
    std::vector<std::int64_t> labels;
    for (std::int64_t t = 0; t < T; ++t, rest /= C) {
      const std::int64_t c = rest % C;
      p *= probabilities[t][c].item<double>();
      if (c != 0 && c != before) labels.push_back(c);
      before = c;
    }
    if (labels == wanted) total += p;
  }
  return total;
}

TEST(CtcLoss, AddsUpAllAlignments) {
  manual_seed(3);
  const Variable x = randn({5, 3, 3}, kFloat64).log_softmax(2);
  const Variable y =
      ctc_loss(x, tensor({1, 1, 2, 1, 2}, kInt32), {5, 4, 2}, {2, 3, 0}, 0, Reduction::None);
  const Variable p = x.exp();
  EXPECT_NEAR(y[0].item<double>(), -std::log(spelled(p.select(1, 0), {1, 1})), 1e-12);
  EXPECT_NEAR(y[1].item<double>(), -std::log(spelled(p.select(1, 1).narrow(0, 0, 4), {2, 1, 2})),
              1e-12);
  EXPECT_NEAR(y[2].item<double>(), -std::log(spelled(p.select(1, 2).narrow(0, 0, 2), {})), 1e-12);
  // Without a batch, and with labels in rows.
  EXPECT_TRUE(
      ctc_loss(x.select(1, 0), tensor({1, 1}, kLong), {5}, {2}, 0, Reduction::None).allclose(y[0]));
  EXPECT_TRUE(ctc_loss(x, tensor({1, 1, 0, 2, 1, 2, 0, 0, 0}, kLong).view({3, 3}), {5, 4, 2},
                       {2, 3, 0}, 0, Reduction::None)
                  .allclose(y));
  EXPECT_NEAR(ctc_loss(x, tensor({1, 1, 2, 1, 2}, kLong), {5, 4, 2}, {2, 3, 0}).item<double>(),
              (y[0] / 2 + y[1] / 3 + y[2]).item<double>() / 3, 1e-12);
}

TEST(CtcLoss, LengthsOfAnyBatchAsATensor) {
  const std::int64_t batch = 40;
  const Variable x = log_softmax(randn({6, batch, 4}, kFloat64), 2);
  const Variable targets = randint(1, 4, {batch, 2}, kLong);
  const std::vector<std::int64_t> steps(batch, 6), lengths(batch, 2);
  EXPECT_TRUE(equal(ctc_loss(x, targets, full({batch}, 6, kLong), full({batch}, 2, kLong)),
                    ctc_loss(x, targets, steps, lengths)));
}

TEST(CtcLoss, TooFewStepsForTheLabels) {
  const Variable x = randn({3, 2, 4}, kFloat64).log_softmax(2).detach().requires_grad_();
  const Variable targets = tensor({1, 1, 1, 2}, kLong).view({2, 2});
  const auto loss = [&](bool zero_infinity) {
    return ctc_loss(x, targets, {2, 3}, {2, 2}, 0, Reduction::None, zero_infinity);
  };
  EXPECT_TRUE(std::isinf(loss(false)[0].item<double>()));
  EXPECT_EQ(loss(true)[0].item<double>(), 0);
  loss(true).sum().backward();
  EXPECT_EQ(x.grad().select(1, 0).abs().sum().item<double>(), 0);
  EXPECT_NEAR(x.grad().select(1, 1).sum().item<double>(), -3, 1e-12);
}

TEST(CtcLoss, ErrorsSayWhatIsWrong) {
  const Variable x = zeros({4, 2, 3});
  const Variable targets = tensor({1, 2, 2}, kLong);
  EXPECT_THAT(
      message_of([&] {
        ctc_loss(x, targets, {4, 5}, {1, 2});
      }),
      HasSubstr("ctc_loss: Expected input_lengths to have value at most 4, but got value 5"));
  EXPECT_THAT(message_of([&] {
                ctc_loss(x, targets, {4}, {1, 2});
              }),
              HasSubstr("ctc_loss: input_lengths must be of size batch_size, 2, got [4]"));
  EXPECT_THAT(message_of([&] {
                ctc_loss(x, targets, {4, 4}, {1, 1});
              }),
              HasSubstr("ctc_loss: Expected tensor to have size 2 at dimension 0"));
  EXPECT_THAT(message_of([&] {
                ctc_loss(x, targets, {4, 4}, {1, 2}, 3);
              }),
              HasSubstr("ctc_loss: blank must be in label range"));
  EXPECT_THAT(message_of([&] {
                ctc_loss(x, targets + 1, {4, 4}, {1, 2});
              }),
              HasSubstr("ctc_loss: Target 3 is out of bounds for 3 classes"));
}

TEST(NllLoss, IgnoredLabelsLosePositiveZeros) {
  const Variable losses = nll_loss(
      full({2, 3}, -1.5), tensor({std::int64_t{-100}, std::int64_t{1}}), {}, Reduction::None);
  EXPECT_EQ(losses[0].item<float>(), 0);
  EXPECT_FALSE(std::signbit(losses[0].item<float>()));
  EXPECT_EQ(losses[1].item<float>(), 1.5F);
}

}  // namespace
}  // namespace tapedeck
