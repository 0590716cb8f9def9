#include <tapedeck/ops/conv3d.h>

#include <gmock/gmock.h>

#include <tests/support/message_of.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using namespace testing_support;
using tapedeck::testing::message_of;
using ::testing::HasSubstr;

struct Geometry {
  std::string name;
  Shape input, weight;  // of the forward convolution
  std::vector<std::int64_t> stride, padding, dilation;
  std::int64_t groups = 1;
};
std::vector<Geometry> geometries() {
  return {{"plain", {2, 2, 3, 5, 4}, {3, 2, 2, 3, 2}, {1}, {0}, {1}},
          {"strided", {1, 2, 5, 4, 7}, {2, 2, 3, 2, 3}, {2, 1, 3}, {1, 0, 2}, {1}},
          {"dilated", {2, 1, 7, 5, 6}, {2, 1, 3, 2, 2}, {1, 2, 1}, {2, 1, 0}, {3, 2, 1}},
          {"grouped", {1, 4, 4, 3, 4}, {6, 2, 2, 1, 3}, {3, 2, 1}, {1}, {1, 1, 2}, 2},
          {"six_sides", {1, 2, 3, 4, 4}, {2, 2, 2, 3, 3}, {1}, {0, 2, 1, 0, 3, 1}, {1}},
          {"one_strided", {2, 2, 4, 3, 5}, {2, 2, 1, 1, 1}, {2}, {0}, {1}}};
}

std::vector<OpRow> rows() {
  std::vector<OpRow> list;
  for (const Geometry& g : geometries()) {
    list.push_back(row("conv3d_" + g.name,
                       [=](const Variable& x, const Variable& w, const Variable& b) {
                         return conv3d(x, w, b, g.stride, ConvPadding(g.padding), g.dilation,
                                       g.groups);
                       },
                       {{g.input, g.weight, {g.weight[0]}}}));
    const Shape output = [&] {
      const Variable y = conv3d(zeros(g.input), zeros(g.weight), {}, g.stride,
                                ConvPadding(g.padding), g.dilation, g.groups);
      return Shape(y.sizes().begin(), y.sizes().end());
    }();
    list.push_back(row("conv_transpose3d_" + g.name,
                       [=](const Variable& x, const Variable& w, const Variable& b) {
                         return conv_transpose3d(x, w, b, g.stride, ConvPadding(g.padding), 0,
                                                 g.groups, g.dilation);
                       },
                       {{output, g.weight, {g.weight[1] * g.groups}}}));
  }
  return list;
}

TAPEDECK_OP_TABLE(Conv3dOps, rows());

// A loop nest, straight from the definition.
double naive(const Variable& x, const Variable& w, const Geometry& g, const Shape& at) {
  const auto of = [](const std::vector<std::int64_t>& v, std::size_t i) {
    return v[v.size() == 1 ? 0 : i];
  };
  const auto before = [&](std::size_t i) {
    return g.padding.size() == 6 ? g.padding[2 * i] : of(g.padding, i);
  };
  const std::int64_t per_group = g.weight[1], first = at[1] / (g.weight[0] / g.groups) * per_group;
  double sum = 0;
  for (std::int64_t c = 0; c < per_group; ++c)
    for (std::int64_t kd = 0; kd < g.weight[2]; ++kd)
      for (std::int64_t kh = 0; kh < g.weight[3]; ++kh)
        for (std::int64_t kw = 0; kw < g.weight[4]; ++kw) {
          const std::int64_t k[] = {kd, kh, kw};
          std::int64_t place[3];
          bool inside = true;
          for (std::size_t i = 0; i < 3; ++i) {
            place[i] = at[i + 2] * of(g.stride, i) + k[i] * of(g.dilation, i) - before(i);
            inside = inside && place[i] >= 0 && place[i] < g.input[i + 2];
          }
          if (inside)
            sum += x[at[0]][first + c][place[0]][place[1]][place[2]].item<double>() *
                   w[at[1]][c][kd][kh][kw].item<double>();
        }
  return sum;
}

TEST(Conv3d, EqualsTheDefinition) {
  for (const Geometry& g : geometries()) {
    const Variable x = rand(g.input, kFloat64), w = rand(g.weight, kFloat64);
    const Variable y = conv3d(x, w, {}, g.stride, ConvPadding(g.padding), g.dilation, g.groups);
    for (std::int64_t n = 0; n < y.size(0); ++n)
      for (std::int64_t o = 0; o < y.size(1); ++o)
        for (std::int64_t d = 0; d < y.size(2); ++d)
          for (std::int64_t h = 0; h < y.size(3); ++h)
            for (std::int64_t v = 0; v < y.size(4); ++v)
              ASSERT_NEAR(y[n][o][d][h][v].item<double>(), naive(x, w, g, {n, o, d, h, v}), 1e-12)
                  << g.name;
  }
}

TEST(Conv3d, TransposedIsTheAdjoint) {
  for (const Geometry& g : geometries()) {
    const Variable x = rand(g.input, kFloat64), w = rand(g.weight, kFloat64);
    const Variable y = conv3d(x, w, {}, g.stride, ConvPadding(g.padding), g.dilation, g.groups);
    const Variable c = rand(y.sizes(), kFloat64);
    // What the stride leaves over at the end is output padding.
    const Variable least =
        conv_transpose3d(c, w, {}, g.stride, ConvPadding(g.padding), 0, g.groups, g.dilation);
    const std::vector<std::int64_t> more{x.size(2) - least.size(2), x.size(3) - least.size(3),
                                         x.size(4) - least.size(4)};
    const Variable z =
        conv_transpose3d(c, w, {}, g.stride, ConvPadding(g.padding), more, g.groups, g.dilation);
    ASSERT_EQ(z.sizes(), x.sizes()) << g.name;
    const double left = (y * c).sum().item<double>(), right = (x * z).sum().item<double>();
    EXPECT_NEAR(left, right, 1e-12 * std::abs(left)) << g.name;
  }
}

TEST(Conv3d, SameKeepsTheSizeAndTheBatchMayBeMissing) {
  const Variable x = rand({2, 3, 5, 4}, kFloat64), w = rand({2, 2, 3, 2, 3}, kFloat64);
  EXPECT_EQ(conv3d(x, w, {}, 1, "same").sizes(), (IntArrayRef{2, 3, 5, 4}));
  EXPECT_EQ(conv3d(x, w, {}, {2, 2, 1}, "same").sizes(), (IntArrayRef{2, 2, 3, 4}));
  EXPECT_TRUE(equal(conv3d(x, w), conv3d(x.unsqueeze(0), w)[0]));
  nn::Conv3d layer(nn::Conv3dOptions(2, 3, {3, 2, 1}).stride({1, 2, 1}).padding({1, 0, 0}));
  EXPECT_EQ(layer(rand({1, 2, 3, 4, 5})).sizes(), (IntArrayRef{1, 3, 3, 2, 5}));
  nn::ConvTranspose3d up(nn::ConvTranspose3dOptions(2, 3, 2).stride(2));
  EXPECT_EQ(up(rand({1, 2, 3, 4, 5})).sizes(), (IntArrayRef{1, 3, 6, 8, 10}));
  const std::vector<std::int64_t> size{7, 8, 11};
  EXPECT_EQ(up->forward(rand({1, 2, 3, 4, 5}), IntArrayRef(size)).sizes(),
            (IntArrayRef{1, 3, 7, 8, 11}));
}

TEST(Conv3d, ErrorsNameTheShapes) {
  EXPECT_THAT(message_of([] {
                conv3d(rand({1, 2, 3}), rand({1, 1, 1, 1, 1}));
              }),
              HasSubstr("got input [1, 2, 3] and weight [1, 1, 1, 1, 1]"));
  EXPECT_THAT(message_of([] {
                conv3d(rand({1, 1, 2, 3, 3}), rand({1, 1, 3, 1, 1}));
              }),
              HasSubstr("conv3d: the kernel spans a depth of 3, more than the padded input 2"));
  EXPECT_THAT(message_of([] {
                conv3d(rand({1, 1, 2, 3, 3}), rand({1, 1, 1, 1, 1}), {}, {1, 2});
              }),
              HasSubstr("expected stride of one number or three"));
  EXPECT_THAT(message_of([] {
                conv_transpose3d(rand({1, 1, 2, 3, 3}), rand({1, 1, 1, 1, 1}), {}, 1, 0, {1, 0, 0});
              }),
              HasSubstr("output padding must be smaller than either stride or dilation"));
}

}  // namespace
}  // namespace tapedeck
