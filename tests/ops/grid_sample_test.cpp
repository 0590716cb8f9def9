#include <tapedeck/ops/grid_sample.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include <tapedeck/ops/kernels/grid_sample.h>

#include <tests/support/compare.h>
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

// One point after the other, from the definition.
class Definition {
 public:
  Definition(IntArrayRef image, std::int64_t mode, std::int64_t padding, bool corners)
      : image_(image), mode_(mode), padding_(padding), corners_(corners) {}

  // The value of a plane at coordinates in the order of the axes from `axis` on, `from` pixels on.
  double value(const double* plane, const double* coordinates, std::size_t axis = 0,
               std::int64_t from = 0) const {
    if (axis == image_.size()) return plane[from];
    const double place = place_of(coordinates[axis], image_[axis]);
    const auto at = [&](double pixel) {
      if (pixel < 0 || pixel >= static_cast<double>(image_[axis])) return 0.0;
      return value(plane, coordinates, axis + 1,
                   from * image_[axis] + static_cast<std::int64_t>(pixel));
    };
    if (mode_ == 1) return at(std::nearbyint(place));
    const double low = std::floor(place), part = place - low;
    return (1 - part) * at(low) + part * at(low + 1);
  }

 private:
  double place_of(double x, std::int64_t pixels) const {
    const auto n = static_cast<double>(pixels);
    const double place = corners_ ? (x + 1) / 2 * (n - 1) : ((x + 1) * n - 1) / 2;
    if (padding_ == 0) return place;
    return std::clamp(padding_ == 1 ? place : reflected(place, n), 0.0, n - 1);
  }
  double reflected(double place, double n) const {
    const double low = corners_ ? 0 : -0.5, high = corners_ ? n - 1 : n - 0.5;
    if (low == high) return low;
    while (place < low || place > high) place = place < low ? 2 * low - place : 2 * high - place;
    return place;
  }

  IntArrayRef image_;
  std::int64_t mode_, padding_;
  bool corners_;
};

// x [N, C, image], grid [N, points, axes of the image]
void expect_the_definition(const DimVector& image, std::int64_t points, std::int64_t mode,
                           std::int64_t padding, bool corners) {
  const auto axes = static_cast<std::int64_t>(image.size());
  const std::int64_t N = 2, C = 3, pixels = numel_of(image);
  DimVector x_sizes{N, C}, grid_sizes{N, points};
  for (const std::int64_t size : image) x_sizes.push_back(size);
  for (std::int64_t d = 1; d < axes; ++d) grid_sizes.push_back(1);
  grid_sizes.push_back(axes);
  const Variable x = rand(x_sizes, kFloat64), grid = rand(grid_sizes, kFloat64) * 6 - 3;
  const Variable y = grid_sampler(x, grid, mode, padding, corners);
  const Definition definition(image, mode, padding, corners);
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t p = 0; p < points; ++p) {
      const double* const at = grid.data_ptr<double>() + (n * points + p) * axes;
      const std::vector<double> coordinates(std::make_reverse_iterator(at + axes),
                                            std::make_reverse_iterator(at));
      for (std::int64_t c = 0; c < C; ++c)
        EXPECT_NEAR(
            y.data_ptr<double>()[(n * C + c) * points + p],
            definition.value(x.data_ptr<double>() + (n * C + c) * pixels, coordinates.data()),
            1e-12);
    }
  if (mode == 1) return;  // of two pixels as near, rounding decides
  const Variable in_float = grid_sampler(x.to(kFloat32), grid.to(kFloat32), 0, padding, corners);
  EXPECT_TRUE(allclose(in_float.to(kFloat64), y, 1e-4, 1e-5));
}

TEST(GridSample, EqualsTheDefinition) {
  const DimVector images[] = {{4, 5}, {1, 7}, {3, 2, 4}};
  for (const DimVector& image : images)
    for (const std::int64_t points : {1, 3, 64, 150})
      for (std::int64_t mode = 0; mode < 2; ++mode)
        for (std::int64_t padding = 0; padding < 3; ++padding)
          for (const bool corners : {false, true}) {
            SCOPED_TRACE(::testing::Message()
                         << "image " << IntArrayRef(image) << " points " << points << " mode "
                         << mode << " padding " << padding << " corners " << corners);
            expect_the_definition(image, points, mode, padding, corners);
          }
}

// The gradients without a graph, from kernels, and those with one, from operations. Points enough
// for several blocks, channels enough for several groups.
TEST(GridSample, GradientsAreTheSameWithAGraph) {
  const std::pair<DimVector, DimVector> shapes[] = {{{2, 21, 4, 6}, {2, 9, 17, 2}},
                                                    {{17, 2, 3, 2, 4}, {17, 2, 5, 7, 3}},
                                                    {{1, 1, 1, 1}, {1, 1, 1, 2}}};
  for (const auto& [image, points] : shapes)
    for (std::int64_t mode = 0; mode < 2; ++mode)
      for (std::int64_t padding = 0; padding < 3; ++padding)
        for (const bool corners : {false, true}) {
          const Variable x = rand(image, kFloat64).requires_grad_();
          const Variable grid = (rand(points, kFloat64) * 6 - 3).requires_grad_();
          const Variable y = grid_sampler(x, grid, mode, padding, corners);
          const Variable g = rand(y.sizes(), kFloat64);
          const auto plain = autograd::grad({y}, {x, grid}, {g}, true);
          const auto graph = autograd::grad({y}, {x, grid}, {g}, true, true);
          for (std::size_t i = 0; i < 2; ++i)
            EXPECT_TRUE(allclose(plain[i], graph[i], 1e-10, 1e-10))
                << "mode " << mode << " padding " << padding << " corners " << corners << " input "
                << i;
        }
}

TEST(GridSample, NearestPixelsDoNotMoveWithTheGrid) {
  const Variable x = rand({1, 2, 3, 4}), grid = rand({1, 5, 1, 2}).requires_grad_();
  const Variable y = grid_sampler(x, grid, 1, 0, false);
  EXPECT_EQ(y.grad_fn()->name(), "GridSampler2DBackward0");
  y.sum().backward();
  EXPECT_TRUE(grid.grad().equal(zeros({1, 5, 1, 2})));
  const Variable again =
      autograd::grad({grid_sampler(x, grid, 1, 0, false).sum()}, {grid}, {}, true, true)[0];
  EXPECT_TRUE(again.equal(zeros({1, 5, 1, 2})));
}

TEST(GridSample, HooksOfTheInputsRunOnceWithAGraph) {
  int calls = 0;
  const Variable x = rand({1, 1, 3, 3}).requires_grad_(), input = x * 2;
  input.register_hook([&](const Variable&) { ++calls; });
  const Variable y = grid_sampler(input, rand({1, 2, 2, 2}), 0, 0, false).square().sum();
  autograd::grad({y}, {x}, {}, true, true);
  EXPECT_EQ(calls, 1);
}

TEST(GridSample, WithoutPointsTheGradientIsZero) {
  const Variable x = rand({2, 3, 4, 5}).requires_grad_(),
                 grid = rand({2, 0, 7, 2}).requires_grad_();
  const Variable y = grid_sampler(x, grid, 0, 0, false);
  EXPECT_EQ(y.sizes(), IntArrayRef({2, 3, 0, 7}));
  y.sum().backward();
  EXPECT_TRUE(x.grad().equal(zeros_like(x)));
  EXPECT_EQ(grid.grad().sizes(), grid.sizes());
}

// Places that are no numbers, or out of all bounds, read and write nothing outside. As in PyTorch,
// NaN is the first pixel where a place is brought to the border.
TEST(GridSample, WildPlacesStayInside) {
  const double nan = std::nan(""), inf = INFINITY;
  for (const ScalarType dtype : {kFloat32, kFloat64}) {
    const Variable x = rand({1, 2, 3, 4}, dtype).requires_grad_();
    const Variable grid = tensor({nan, nan, inf, 0., -inf, 0., 1e30, -1e30, 1e9, 5e9}, dtype)
                              .reshape({1, 5, 1, 2})
                              .requires_grad_();
    for (std::int64_t mode = 0; mode < 2; ++mode)
      for (std::int64_t padding = 0; padding < 3; ++padding)
        for (const bool corners : {false, true}) {
          const Variable y = grid_sampler(x, grid, mode, padding, corners);
          autograd::grad({y}, {x, grid}, {ones_like(y)});
          if (padding != 0) {
            EXPECT_TRUE(y.select(2, 0).select(2, 0).equal(x.select(2, 0).select(2, 0)));
          } else {
            EXPECT_TRUE(y.slice(2, 3).equal(zeros({1, 2, 2, 1}, dtype)));
          }
        }
  }
}

TEST(GridSample, ThreadsDoNotMatter) {
  const Array x = rand({3, 20, 30, 30}).array(), grid = (rand({3, 30, 30, 2}) * 3 - 1.5).array();
  const Array g = rand({3, 20, 30, 30}).array();
  EXPECT_TRUE(same_bits_for_any_threads([&] { return kernels::grid_sample(x, grid, {}); }));
  EXPECT_TRUE(same_bits_for_any_threads(
      [&] { return kernels::grid_sample_grad_input(g, x.sizes(), grid, {}); }));
  EXPECT_TRUE(
      same_bits_for_any_threads([&] { return kernels::grid_sample_grad_grid(g, x, grid, {}); }));
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
