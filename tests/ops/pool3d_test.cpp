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
  namespace F = nn::functional;
  list.push_back(row(
      "adaptive_max_pool3d_with_indices",
      [](const Variable& x) {
        return std::get<0>(F::adaptive_max_pool3d_with_indices(
            x, F::AdaptiveMaxPool3dFuncOptions({std::nullopt, 2, 1})));
      },
      shapes));
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

}  // namespace
}  // namespace tapedeck
