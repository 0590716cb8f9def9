#include <tapedeck/ops/norm.h>

#include <gmock/gmock.h>

#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using namespace testing_support;
using ::testing::HasSubstr;

const Domain kAny{-2, 2};

// Float32 goes through statistics in float64: the differences below are those of the input.
OpRow with_tolerance(OpRow row, double tolerance) {
  row.float32_tolerance = tolerance;
  return row;
}

std::vector<OpRow> rows() {
  const auto batch = [](const Variable& x, const Variable& w, const Variable& b) {
    return batch_norm(x, w, b, {}, {}, true, 0.1, 1e-5);
  };
  const auto batch_running = [](const Variable& x, const Variable& w, const Variable& b) {
    const Variable mean = linspace(-1, 1, x.size(1), x.options());
    const Variable var = linspace(0.5, 2, x.size(1), x.options());
    return batch_norm(x, w, b, mean, var, false, 0.1, 1e-5);
  };
  const auto instance = [](const Variable& x, const Variable& w, const Variable& b) {
    return instance_norm(x, w, b, {}, {}, true, 0.1, 1e-5);
  };
  const auto layer = [](const Variable& x, const Variable& w, const Variable& b) {
    return layer_norm(x, w.sizes(), w, b);
  };
  const auto group = [](const Variable& x, const Variable& w, const Variable& b) {
    return group_norm(x, 2, w, b);
  };
  std::vector<OpRow> list;
  list.push_back(row("batch_norm", batch,
                     {{{3, 2, 5, 7}, {2}, {2}},
                      {{5, 3}, {3}, {3}},
                      {{3, 2, 2}, {2}, {2}},
                      {{2, 19, 3}, {19}, {19}}}));
  list.push_back(row("batch_norm_running", batch_running,
                     {{{3, 2, 5, 7}, {2}, {2}}, {{5, 3}, {3}, {3}}, {{0, 2, 3}, {2}, {2}}}));
  list.push_back(
      row("batch_norm_plain",
          [](const Variable& x) { return batch_norm(x, {}, {}, {}, {}, true, 0.1, 1e-5); },
          {{{3, 2, 5}}, {{7, 3}}}));
  list.push_back(row("instance_norm", instance, {{{2, 3, 5, 7}, {3}, {3}}, {{2, 3, 5}, {3}, {3}}}));
  list.push_back(row("layer_norm", layer,
                     {{{2, 3, 7}, {7}, {7}},
                      {{2, 3, 5}, {3, 5}, {3, 5}},
                      {{19, 33}, {33}, {33}},
                      {{0, 5}, {5}, {5}}}));
  list.push_back(row("layer_norm_plain",
                     [](const Variable& x) { return layer_norm(x, {x.size(-1)}); }, {{{2, 3, 7}}}));
  list.push_back(row("group_norm", group,
                     {{{2, 6, 5}, {6}, {6}}, {{3, 4, 2, 5}, {4}, {4}}, {{3, 4}, {4}, {4}}}));
  for (OpRow& r : list) r = with_tolerance(std::move(r), 2e-4);
  return list;
}
TAPEDECK_OP_TABLE(Normalisations, rows());

// The definition, in float64.
Variable reference(const Variable& x, IntArrayRef axes) {
  const Variable mean = x.mean(axes, true);
  const Variable var = (x - mean).square().mean(axes, true);
  return (x - mean) / (var + 1e-5).sqrt();
}

TEST(Norm, EachIsItsDefinition) {
  const Variable x = random_tensor({3, 4, 5, 7}, kAny, 1);
  const Variable w = random_tensor({4}, kAny, 2), b = random_tensor({4}, kAny, 3);
  const auto affine = [&](const Variable& y) {
    return y * w.view({1, 4, 1, 1}) + b.view({1, 4, 1, 1});
  };
  EXPECT_TRUE(batch_norm(x, w, b, {}, {}, true, 0.1, 1e-5)
                  .allclose(affine(reference(x, {0, 2, 3})), 1e-12, 1e-12));
  EXPECT_TRUE(instance_norm(x, w, b, {}, {}, true, 0.1, 1e-5)
                  .allclose(affine(reference(x, {2, 3})), 1e-12, 1e-12));
  EXPECT_TRUE(layer_norm(x, {5, 7}).allclose(reference(x, {2, 3}), 1e-12, 1e-12));
  const Variable grouped = reference(x.view({3, 2, 2, 5, 7}), {2, 3, 4}).view({3, 4, 5, 7});
  EXPECT_TRUE(group_norm(x, 2, w, b).allclose(affine(grouped), 1e-12, 1e-12));
}

TEST(BatchNorm, RunningStatisticsMoveByMomentumWithTheUnbiasedVariance) {
  const Variable x = random_tensor({3, 2, 5}, kAny, 1);
  const Variable mean = zeros({2}, kFloat64), var = ones({2}, kFloat64);
  batch_norm(x, {}, {}, mean, var, true, 0.25, 1e-5);
  EXPECT_TRUE(mean.allclose(x.mean({0, 2}) * 0.25));
  EXPECT_TRUE(var.allclose(x.var({0, 2}, true) * 0.25 + 0.75));
}

TEST(BatchNorm, ALargeMeanLosesNoDigits) {
  const Variable small = random_tensor({16, 3, 8, 8}, kAny, 1, false, kFloat64);
  const Variable shifted = (small + 1000).to(kFloat32);
  const Variable y = batch_norm(shifted, {}, {}, {}, {}, true, 0.1, 1e-5);
  const Variable expected = batch_norm(shifted.to(kFloat64), {}, {}, {}, {}, true, 0.1, 1e-5);
  EXPECT_TRUE(y.to(kFloat64).allclose(expected, 1e-4, 2e-4));
}

// Channels that lie next to each other, as in an NHWC image that was permuted.
TEST(BatchNorm, OfInnerChannels) {
  const Variable nhwc = random_tensor({3, 5, 4, 11}, kAny, 1).requires_grad_();
  const Variable w = random_tensor({11}, kAny, 2).requires_grad_();
  const Variable b = random_tensor({11}, kAny, 3).requires_grad_();
  const Variable g = random_tensor({3, 11, 5, 4}, kAny, 4);
  const auto run = [&](const Variable& x, bool training, Variable* y) {
    const Variable mean = zeros({11}, kFloat64), var = ones({11}, kFloat64);
    *y = batch_norm(x, w, b, mean, var, training, 0.1, 1e-5);
    std::vector<Variable> all = autograd::grad({*y}, {nhwc, w, b}, {g});
    all.insert(all.end(), {*y, mean, var});
    return all;
  };
  const Variable inner = nhwc.permute({0, 3, 1, 2});
  for (const bool training : {true, false}) {
    Variable y, z;
    const auto expected = run(inner.contiguous(), training, &y), got = run(inner, training, &z);
    EXPECT_EQ(z.strides(), inner.strides());
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_TRUE(got[i].allclose(expected[i], 1e-12, 1e-12)) << i;
  }
}

TEST(BatchNorm, TheSameBitsWithAnyNumberOfThreads) {
  const Variable x = random_tensor({8, 16, 33, 17}, kAny, 1, false, kFloat32).requires_grad_();
  const auto run = [&](int threads) {
    const int before = get_num_threads();
    set_num_threads(threads);
    const Variable y = batch_norm(x, {}, {}, {}, {}, true, 0.1, 1e-5);
    const Variable g = autograd::grad({y.square().sum()}, {x})[0];
    set_num_threads(before);
    return std::pair(y, g);
  };
  const auto one = run(1), three = run(3);
  EXPECT_TRUE(one.first.equal(three.first));
  EXPECT_TRUE(one.second.equal(three.second));
}

// Rows are added up some at a time, and a large mean has more digits than a float32.
TEST(LayerNorm, WeightGradientsOfManyRows) {
  const Variable x = random_tensor({1003, 37}, kAny, 1, false, kFloat64) + 100;
  const Variable w = random_tensor({37}, kAny, 2, false, kFloat64);
  const Variable b = random_tensor({37}, kAny, 3, false, kFloat64);
  const Variable g = random_tensor({1003, 37}, kAny, 4, false, kFloat64);
  const auto gradients = [&](ScalarType dtype) {
    const Variable weight = w.to(dtype).requires_grad_(), bias = b.to(dtype).requires_grad_();
    const Variable y = layer_norm(x.to(kFloat32).to(dtype), {37}, weight, bias);
    return autograd::grad({y}, {weight, bias}, {g.to(kFloat32).to(dtype)});
  };
  const auto expected = gradients(kFloat64), got = gradients(kFloat32);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(got[i].to(kFloat64).allclose(expected[i], 1e-5, 5e-4)) << i;
  const int before = get_num_threads();
  set_num_threads(3);
  const auto on_three = gradients(kFloat32);
  set_num_threads(before);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(on_three[i].equal(got[i])) << i;
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

TEST(Norm, ErrorsSayWhatWasExpected) {
  const Variable x = ones({2, 3, 5});
  EXPECT_THAT(
      message_of([&] { batch_norm(x, ones({4}), {}, {}, {}, true, 0.1, 1e-5); }),
      HasSubstr("batch_norm: expected weight to be of shape [3], got [4] (input [2, 3, 5])"));
  EXPECT_THAT(message_of([&] { batch_norm(x, {}, {}, {}, {}, false, 0.1, 1e-5); }),
              HasSubstr("batch_norm: expected running_mean and running_var"));
  EXPECT_THAT(message_of([&] { batch_norm(ones({3}), {}, {}, {}, {}, true, 0.1, 1e-5); }),
              HasSubstr("batch_norm: expected an input of at least 2 dimensions, got [3]"));
  EXPECT_THAT(message_of([&] { group_norm(x, 2); }),
              HasSubstr("to be divisible by num_groups, got input [2, 3, 5] and num_groups 2"));
  EXPECT_THAT(message_of([&] { layer_norm(x, {3}); }),
              HasSubstr("layer_norm: given normalized_shape [3], expected input with shape"));
  EXPECT_THAT(message_of([&] {
                layer_norm(ones({2, 3}, kInt64), {3});
              }),
              HasSubstr("layer_norm: not implemented for dtype Long"));
}

}  // namespace
}  // namespace tapedeck
