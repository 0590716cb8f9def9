#include <tapedeck/ops/grid_sample.h>

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include <tests/support/message_of.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using namespace testing_support;
using tapedeck::testing::message_of;
using ::testing::HasSubstr;

// Places within the image, away from those where the next pixel begins: there it has no derivative.
Variable inside(const Variable& x) { return x.tanh() * 0.9 + 0.013; }

std::vector<OpRow> rows() {
  std::vector<OpRow> list;
  const Shapes flat{{2, 3, 5, 7}, {2, 3, 2, 2}}, deep{{2, 2, 3, 2, 4}, {2, 1, 2, 2, 3}};
  for (const bool corners : {false, true})
    for (std::int64_t padding = 0; padding < 3; ++padding)
      list.push_back(row("grid_sampler_" + std::to_string(padding) + (corners ? "_corners" : ""),
                         [=](const Variable& x, const Variable& g) {
                           return grid_sampler(x, inside(g), 0, padding, corners);
                         },
                         {flat, deep}));
  list.push_back(row("grid_sampler_beyond_the_edges",
                     [](const Variable& x, const Variable& g) {
                       return grid_sampler(x, inside(g) * 2.6, 0, 2, false);
                     },
                     {flat}));
  list.push_back(
      row("grid_sampler_nearest",
          [](const Variable& x) {
            const Variable grid = linspace(-1.2, 1.2, 24, x.options()).reshape({2, 3, 2, 2});
            return grid_sampler(x, grid, 1, 0, false);
          },
          {{{2, 3, 5, 7}}}));
  list.push_back(row("affine_grid_generator",
                     [](const Variable& theta) {
                       return affine_grid_generator(theta, {2, 1, 3, 5}, false);
                     },
                     {{{2, 2, 3}}}));
  list.push_back(row("affine_grid_generator_corners",
                     [](const Variable& theta) {
                       return affine_grid_generator(theta, {2, 1, 3, 5, 2}, true);
                     },
                     {{{2, 3, 4}}}));
  list.push_back(row("pdist", [](const Variable& x) { return pdist(x); }, {{{5, 3}}, {{2, 7}}}));
  list.push_back(row("pdist_3", [](const Variable& x) { return pdist(x, 3); }, {{{4, 3}}}));
  return list;
}

TAPEDECK_OP_TABLE(GridSampleOps, rows());

TEST(GridSample, IdentityGivesTheImage) {
  const Variable x = rand({2, 3, 4, 5}, kFloat64), y = rand({1, 2, 3, 4, 5}, kFloat64);
  const Variable flat = tensor({1., 0., 0., 0., 1., 0.}, kFloat64).reshape({1, 2, 3});
  const Variable deep = eye(4, kFloat64).slice(0, 0, 3).unsqueeze(0);
  for (const bool corners : {false, true})
    for (std::int64_t mode = 0; mode < 2; ++mode) {
      const Variable grid = affine_grid_generator(flat.expand({2, 2, 3}), x.sizes(), corners);
      EXPECT_TRUE(allclose(grid_sampler(x, grid, mode, 0, corners), x, 1e-12, 1e-12));
      EXPECT_TRUE(allclose(
          grid_sampler(y, affine_grid_generator(deep, y.sizes(), corners), mode, 2, corners), y,
          1e-12, 1e-12));
    }
}

// One pixel after the other, from the definition.
TEST(GridSample, EqualsTheDefinition) {
  const std::int64_t H = 4, W = 5;
  const Variable x = rand({1, 1, H, W}, kFloat64);
  const Variable grid = rand({1, 3, 7, 2}, kFloat64) * 3 - 1.5;
  const auto pixel = [&](std::int64_t h, std::int64_t w, bool border) {
    if (border) {
      h = std::clamp<std::int64_t>(h, 0, H - 1);
      w = std::clamp<std::int64_t>(w, 0, W - 1);
    }
    return h < 0 || h >= H || w < 0 || w >= W ? 0 : x[0][0][h][w].item<double>();
  };
  for (const bool border : {false, true}) {
    const Variable y = grid_sampler(x, grid, 0, border ? 1 : 0, false);
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t j = 0; j < 7; ++j) {
        const double px = ((grid[0][i][j][0].item<double>() + 1) * W - 1) / 2;
        const double py = ((grid[0][i][j][1].item<double>() + 1) * H - 1) / 2;
        const double fx = std::floor(px), fy = std::floor(py), a = px - fx, b = py - fy;
        const auto h = static_cast<std::int64_t>(fy), w = static_cast<std::int64_t>(fx);
        const double expected =
            (1 - a) * (1 - b) * pixel(h, w, border) + a * (1 - b) * pixel(h, w + 1, border) +
            (1 - a) * b * pixel(h + 1, w, border) + a * b * pixel(h + 1, w + 1, border);
        EXPECT_NEAR(y[0][0][i][j].item<double>(), expected, 1e-12);
      }
  }
}

TEST(GridSample, ErrorsNameTheShapes) {
  EXPECT_THAT(message_of([] {
                grid_sampler(rand({1, 1, 2, 2}), rand({2, 2, 2, 2}), 0, 0, false);
              }),
              HasSubstr("got input [1, 1, 2, 2] and grid [2, 2, 2, 2]"));
  EXPECT_THAT(message_of([] {
                affine_grid_generator(rand({1, 2, 2}), {1, 1, 2, 2}, false);
              }),
              HasSubstr("got [1, 2, 2] and size [1, 1, 2, 2]"));
  EXPECT_THAT(message_of([] {
                nn::functional::affine_grid(rand({1, 2, 3}), {1, 1});
              }),
              HasSubstr("only supports 4D and 5D sizes"));
  EXPECT_THAT(message_of([] { pdist(rand({2, 2, 2})); }), HasSubstr("got: [2, 2, 2]"));
}

}  // namespace
}  // namespace tapedeck
