#include <tapedeck/ops/pool3d.h>

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>

#include <tests/support/message_of.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using namespace testing_support;
using tapedeck::testing::message_of;
using ::testing::HasSubstr;

std::vector<OpRow> rows() {
  std::vector<OpRow> list;
  const std::vector<Shapes> shapes{{{2, 3, 5, 7, 6}}, {{2, 5, 3, 4}}};
  list.push_back(row(
      "max_pool3d", [](const Variable& x) { return max_pool3d(x, 2); }, shapes));
  list.push_back(row(
      "max_pool3d_strided",
      [](const Variable& x) {
        return max_pool3d(x, {3, 2, 2}, {2, 1, 3}, {1, 0, 1}, {1, 2, 1}, true);
      },
      shapes));
  list.push_back(row(
      "avg_pool3d", [](const Variable& x) { return avg_pool3d(x, 2); }, shapes));
  list.push_back(row(
      "avg_pool3d_strided",
      [](const Variable& x) {
        return avg_pool3d(x, {3, 2, 2}, {2, 1, 3}, {1, 0, 1}, true, false);
      },
      shapes));
  list.push_back(row(
      "adaptive_avg_pool3d",
      [](const Variable& x) {
        return adaptive_avg_pool3d(x, {2, 3, 1});
      },
      shapes));
  list.push_back(row(
      "adaptive_max_pool3d",
      [](const Variable& x) {
        return std::get<0>(adaptive_max_pool3d(x, {2, 3, 1}));
      },
      shapes));
  list.push_back(row(
      "fractional_max_pool3d",
      [](const Variable& x) {
        const Variable samples =
            linspace(0, 0.9, x.numel() / (x.size(-1) * x.size(-2) * x.size(-3)) * 3, x.options());
        return std::get<0>(fractional_max_pool3d(x, {2, 1, 2}, {3, 2, 2},
                                                 samples.view({-1, x.size(-4), 3}).detach()));
      },
      shapes));
  namespace F = nn::functional;
  list.push_back(row(
      "adaptive_max_pool3d_with_indices",
      [](const Variable& x) {
        return std::get<0>(F::adaptive_max_pool3d_with_indices(
            x, F::AdaptiveMaxPool3dFuncOptions({std::nullopt, 2, 1})));
      },
      shapes));
  list.push_back(row(
      "fractional_max_pool2d_with_indices",
      [](const Variable& x) {
        const Variable samples = linspace(0, 0.9, 12, x.options()).view({2, 3, 2}).detach();
        return std::get<0>(F::fractional_max_pool2d_with_indices(
            x,
            F::FractionalMaxPool2dFuncOptions({2, 3}).output_ratio(0.6)._random_samples(samples)));
      },
      {{{2, 3, 5, 7}}}));
  list.push_back(row(
      "fractional_max_pool3d_with_indices",
      [](const Variable& x) {
        const Variable samples = linspace(0, 0.9, 9, x.options()).view({1, 3, 3}).detach();
        return std::get<0>(F::fractional_max_pool3d_with_indices(
            x, F::FractionalMaxPool3dFuncOptions(2).output_ratio(0.5)._random_samples(samples)));
      },
      {{{3, 5, 6, 7}}}));
  list.push_back(row(
      "max_unpool3d",
      [](const Variable& x) {
        const auto [y, at] = F::max_pool3d_with_indices(x, F::MaxPool3dFuncOptions(2));
        return F::max_unpool3d(y, at,
                               F::MaxUnpool3dFuncOptions(2).output_size(
                                   x.sizes().slice(static_cast<std::size_t>(x.dim() - 3)).vec()));
      },
      shapes));
  list.push_back(row(
      "dropout3d",
      [](const Variable& x) {
        manual_seed(5);
        return F::dropout3d(x, F::Dropout3dFuncOptions().p(0.4));
      },
      shapes));
  return list;
}

TAPEDECK_OP_TABLE(Pool3dOps, rows());

// One window after the other: kernel {3, 2, 2}, stride {2, 1, 3}, padding {1, 0, 1}.
TEST(Pool3d, EqualsTheDefinition) {
  const std::int64_t size[] = {5, 4, 6}, kernel[] = {3, 2, 2}, stride[] = {2, 1, 3},
                     pad[] = {1, 0, 1};
  const Variable x = randn({1, 1, 5, 4, 6}, kFloat64);
  const auto [y, indices] = max_pool3d_with_indices(x, kernel, stride, pad);
  const Variable mean = avg_pool3d(x, kernel, stride, pad);
  const Variable inside = avg_pool3d(x, kernel, stride, pad, false, false);
  const Variable halves = avg_pool3d(x, kernel, stride, pad, false, true, 2);
  ASSERT_EQ(y.sizes(), (IntArrayRef{1, 1, 3, 3, 3}));
  for (std::int64_t o = 0; o < 27; ++o) {
    const std::int64_t at[] = {o / 9, o / 3 % 3, o % 3};
    double best = -std::numeric_limits<double>::infinity(), sum = 0;
    std::int64_t place = -1, count = 0;
    for (std::int64_t k = 0; k < 12; ++k) {
      const std::int64_t step[] = {k / 4, k / 2 % 2, k % 2};
      std::int64_t p[3];
      bool ok = true;
      for (int i = 0; i < 3; ++i) {
        p[i] = at[i] * stride[i] + step[i] - pad[i];
        ok = ok && p[i] >= 0 && p[i] < size[i];
      }
      if (!ok) continue;
      const double value = x[0][0][p[0]][p[1]][p[2]].item<double>();
      sum += value;
      ++count;
      if (value > best) {
        best = value;
        place = (p[0] * size[1] + p[1]) * size[2] + p[2];
      }
    }
    EXPECT_EQ(y.flatten()[o].item<double>(), best);
    EXPECT_EQ(indices.flatten()[o].item<std::int64_t>(), place);
    EXPECT_NEAR(mean.flatten()[o].item<double>(), sum / 12, 1e-12);
    EXPECT_NEAR(inside.flatten()[o].item<double>(), sum / static_cast<double>(count), 1e-12);
    EXPECT_NEAR(halves.flatten()[o].item<double>(), sum / 2, 1e-12);
  }
}

TEST(Pool3d, OfEqualElementsTheFirstIsTaken) {
  const auto [y, indices] = max_pool3d_with_indices(ones({1, 4, 4, 4}), 2);
  EXPECT_EQ(indices.flatten()[0].item<std::int64_t>(), 0);
  EXPECT_EQ(indices.flatten()[7].item<std::int64_t>(), 2 * 16 + 2 * 4 + 2);
  EXPECT_EQ(std::get<1>(adaptive_max_pool3d(ones({1, 4, 4, 4}), 1)).item<std::int64_t>(), 0);
}

TEST(Pool3d, ModulesUndoOneAnother) {
  nn::MaxPool3d pool(nn::MaxPool3dOptions(2));
  nn::MaxUnpool3d unpool(2);
  const Variable x = rand({2, 3, 4, 6, 2});
  const auto [y, indices] = pool->forward_with_indices(x);
  const Variable z = unpool(y, indices);
  EXPECT_EQ(z.sizes(), x.sizes());
  EXPECT_TRUE(equal(pool(z), y));
  EXPECT_TRUE(equal(z.where(z != 0, x), x));
  const std::vector<std::int64_t> size{5, 7, 3};
  EXPECT_EQ(unpool->forward(y, indices, size).sizes(), (IntArrayRef{2, 3, 5, 7, 3}));
  EXPECT_TRUE(allclose(nn::AdaptiveAvgPool3d(1)(x).flatten(), x.mean({2, 3, 4}).flatten()));
  nn::AdaptiveMaxPool3d best(nn::AdaptiveMaxPool3dOptions({std::nullopt, 1, 1}));
  EXPECT_TRUE(equal(best(x).flatten(2), x.amax({3, 4})));
  EXPECT_EQ(nn::AvgPool3d(2)(x).sizes(), (IntArrayRef{2, 3, 2, 3, 1}));
}

TEST(Pool3d, ErrorsNameTheShapes) {
  EXPECT_THAT(message_of([] {
                max_pool3d(rand({2, 3, 4}), 2);
              }),
              HasSubstr("max_pool3d: expected an input of 4 (unbatched) or 5 dimensions"));
  EXPECT_THAT(message_of([] {
                avg_pool3d(rand({2, 3, 4, 4}), {2, 2});
              }),
              HasSubstr("expected kernel_size of one number or three, got [2, 2]"));
}

TEST(FractionalMaxPool, WindowsAreSpreadByTheSamples) {
  // Along 7 elements, windows of 2: steps of 2.5 from 1.25 on, and the last one at the end.
  const Variable x = arange(7, kFloat64).view({1, 1, 7}).expand({1, 3, 7}).clone();
  const auto [y, at] =
      fractional_max_pool2d(x, {1, 2}, {3, 3}, tensor({0.5, 0.0}, kFloat64).view({1, 1, 2}));
  EXPECT_TRUE(y[0][0].equal(tensor({1., 3., 6.}, kFloat64)));
  EXPECT_TRUE(at[0][2].equal(tensor({14 + 1, 14 + 3, 14 + 6}, kLong)));
}

TEST(FractionalMaxPool, IsTheLargestOfEachWindow) {
  manual_seed(2);
  const Variable x = randn({2, 3, 5, 6, 7}, kFloat64), samples = rand({2, 3, 3}, kFloat64);
  const auto [y, at] = fractional_max_pool3d(x, {2, 3, 2}, {3, 2, 4}, samples);
  const std::int64_t in[] = {5, 6, 7}, kernel[] = {2, 3, 2}, out[] = {3, 2, 4};
  for (std::int64_t p = 0; p < 6; ++p) {
    const Variable volume = x.flatten(0, 1)[p], sample = samples.flatten(0, 1)[p];
    const auto start = [&](int axis, std::int64_t o) {
      const double u = sample[axis].item<double>();
      const double step =
          static_cast<double>(in[axis] - kernel[axis]) / static_cast<double>(out[axis] - 1);
      return o == out[axis] - 1 ? in[axis] - kernel[axis]
                                : static_cast<std::int64_t>((static_cast<double>(o) + u) * step) -
                                      static_cast<std::int64_t>(u * step);
    };
    for (std::int64_t d = 0; d < 3; ++d)
      for (std::int64_t h = 0; h < 2; ++h)
        for (std::int64_t w = 0; w < 4; ++w) {
          const double largest = volume.narrow(0, start(0, d), 2)
                                     .narrow(1, start(1, h), 3)
                                     .narrow(2, start(2, w), 2)
                                     .max()
                                     .item<double>();
          EXPECT_EQ(y.flatten(0, 1)[p][d][h][w].item<double>(), largest);
          const auto place = at.flatten(0, 1)[p][d][h][w].item<std::int64_t>();
          EXPECT_EQ(volume.flatten()[place].item<double>(), largest);
        }
  }
}

TEST(FractionalMaxPool, ErrorsSayWhatIsWrong) {
  const Variable x = zeros({1, 2, 4, 5});
  EXPECT_THAT(message_of([&] {
                fractional_max_pool2d(x, 3, 3, rand({1, 2, 2}));
              }),
              HasSubstr("fractional_max_pool2d: expected sizes above zero with output + kernel - 1 "
                        "<= input, got input [1, 2, 4, 5], kernel [3], output [3]"));
  EXPECT_THAT(message_of([&] {
                fractional_max_pool2d(x, 2, 2, rand({1, 2, 3}));
              }),
              HasSubstr("fractional_max_pool2d: expected random_samples of shape [1, 2, 2]"));
  EXPECT_THAT(message_of([&] {
                fractional_max_pool2d(x, 2, 2, ones({1, 2, 2}));
              }),
              HasSubstr("fractional_max_pool2d: expected random_samples in [0, 1), got 1"));
  EXPECT_THAT(message_of([&] { nn::FractionalMaxPool2d m(3); }),
              HasSubstr("FractionalMaxPool2d requires specifying either an output size"));
}

}  // namespace
}  // namespace tapedeck
