// Convolutions, poolings and matrix products beside libtorch's, in float64: outputs, first and
// second gradients.
#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tapedeck/ops/conv.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/pool.h>
#include <tests/libtorch/side_by_side.h>

namespace {

using namespace tapedeck::testing_support::side_by_side;

class Geometries : public ::testing::Test {
 protected:
  void SetUp() override { torch::manual_seed(3); }
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(generator_);
  }
  List pick_pair(std::int64_t low, std::int64_t high) { return {pick(low, high), pick(low, high)}; }

 private:
  std::mt19937 generator_{11};
};

std::string text(const std::string& op, const std::vector<List>& lists) {
  std::ostringstream out;
  out << op;
  for (const List& list : lists) out << " " << at::IntArrayRef(list);
  return out.str();
}

TEST_F(Geometries, Conv2d) {
  for (int i = 0; i < 60; ++i) {
    const std::int64_t groups = pick(1, 3);
    const List x = {pick(1, 3), groups * pick(1, 2), pick(5, 11), pick(5, 13)};
    const List w = {groups * pick(1, 2), x[1] / groups, pick(1, 3), pick(1, 3)};
    const List s = pick_pair(1, 3), p = pick_pair(0, 3), d = pick_pair(1, 2);
    compare(
        text("conv2d", {x, w, s, p, d, {groups}}), {x, w, {w[0]}},
        [&](const Theirs& t) { return torch::conv2d(t[0], t[1], t[2], s, p, d, groups); },
        [&](const Ours& t) { return tapedeck::conv2d(t[0], t[1], t[2], s, p, d, groups); });
  }
}

TEST_F(Geometries, ConvTranspose2d) {
  for (int i = 0; i < 60; ++i) {
    const std::int64_t groups = pick(1, 3);
    const List x = {pick(1, 3), groups * pick(1, 2), pick(2, 6), pick(2, 7)};
    const List w = {x[1], pick(1, 2), pick(2, 3), pick(2, 3)};
    const List s = pick_pair(1, 3), p = pick_pair(0, 1), d = pick_pair(1, 2);
    const List o = {pick(0, std::max(s[0], d[0]) - 1), pick(0, std::max(s[1], d[1]) - 1)};
    compare(
        text("conv_transpose2d", {x, w, s, p, o, d, {groups}}), {x, w, {w[1] * groups}},
        [&](const Theirs& t) {
          return torch::conv_transpose2d(t[0], t[1], t[2], s, p, o, groups, d);
        },
        [&](const Ours& t) {
          return tapedeck::conv_transpose2d(t[0], t[1], t[2], s, p, o, groups, d);
        });
  }
}

TEST_F(Geometries, OneDimension) {
  for (int i = 0; i < 20; ++i) {
    const List s = {pick(1, 3)}, p = {pick(0, 2)}, d = {pick(1, 2)};
    const List o = {pick(0, std::max(s[0], d[0]) - 1)};
    compare(
        text("conv1d", {s, p, d}), {{2, 4, 11}, {6, 2, 3}, {6}},
        [&](const Theirs& t) { return torch::conv1d(t[0], t[1], t[2], s, p, d, 2); },
        [&](const Ours& t) { return tapedeck::conv1d(t[0], t[1], t[2], s, p, d, 2); });
    compare(
        text("conv_transpose1d", {s, p, o, d}), {{4, 7}, {4, 3, 3}, {6}},
        [&](const Theirs& t) { return torch::conv_transpose1d(t[0], t[1], t[2], s, p, o, 2, d); },
        [&](const Ours& t) { return tapedeck::conv_transpose1d(t[0], t[1], t[2], s, p, o, 2, d); });
  }
}

TEST_F(Geometries, SameAndValidPadding) {
  for (const std::int64_t kernel : {1, 2, 3, 4})
    for (const std::int64_t d : {1, 2})
      for (const char* padding : {"same", "valid"})
        compare(
            text(padding, {{kernel, d}}), {{2, 3, 9, 10}, {4, 3, kernel, 3}},
            [&](const Theirs& t) { return torch::conv2d(t[0], t[1], {}, 1, padding, d); },
            [&](const Ours& t) { return tapedeck::conv2d(t[0], t[1], {}, 1, padding, d); });
}

TEST_F(Geometries, NumpyConv2dOfTheNotebook) {
  compare(
      "C1", {{2, 6, 4, 4}, {4, 3, 2, 2}, {4}},
      [&](const Theirs& t) {
        return torch::conv2d(t[0], t[1], t[2], {2, 1}, {1, 3}, {2, 3}, 2);
      },
      [&](const Ours& t) {
        return tapedeck::conv2d(t[0], t[1], t[2], {2, 1}, {1, 3}, {2, 3}, 2);
      });
}

TEST_F(Geometries, MaxPool) {
  for (int i = 0; i < 60; ++i) {
    const List x = {pick(1, 2), pick(1, 3), pick(6, 20), pick(6, 40)};
    const List k = pick_pair(1, 4), s = pick_pair(1, 3), d = pick_pair(1, 2);
    const List p = {pick(0, k[0] / 2), pick(0, k[1] / 2)};
    if (d[0] * (k[0] - 1) >= x[2] || d[1] * (k[1] - 1) >= x[3]) continue;
    const bool ceil_mode = pick(0, 1) == 1;
    compare(
        text("max_pool2d", {x, k, s, p, d, {ceil_mode}}), {x},
        [&](const Theirs& t) { return torch::max_pool2d(t[0], k, s, p, d, ceil_mode); },
        [&](const Ours& t) { return tapedeck::max_pool2d(t[0], k, s, p, d, ceil_mode); });
  }
}

TEST_F(Geometries, AvgPool) {
  for (int i = 0; i < 60; ++i) {
    const List x = {pick(1, 2), pick(1, 3), pick(4, 12), pick(4, 14)};
    const List k = pick_pair(1, 4), s = pick_pair(1, 3);
    const List p = {pick(0, k[0] / 2), pick(0, k[1] / 2)};
    const bool ceil_mode = pick(0, 1) == 1, include = pick(0, 1) == 1;
    const bool fixed = pick(0, 2) == 0;
    const auto their_divisor = fixed ? c10::optional<std::int64_t>(5) : c10::nullopt;
    const auto our_divisor = fixed ? std::optional<std::int64_t>(5) : std::nullopt;
    compare(
        text("avg_pool2d", {x, k, s, p, {ceil_mode, include, fixed}}), {x},
        [&](const Theirs& t) {
          return torch::avg_pool2d(t[0], k, s, p, ceil_mode, include, their_divisor);
        },
        [&](const Ours& t) {
          return tapedeck::avg_pool2d(t[0], k, s, p, ceil_mode, include, our_divisor);
        });
  }
}

TEST_F(Geometries, AdaptivePool) {
  for (int i = 0; i < 30; ++i) {
    const List x = {pick(1, 2), pick(1, 3), pick(1, 12), pick(1, 14)}, o = pick_pair(1, 9);
    compare(
        text("adaptive_avg_pool2d", {x, o}), {x},
        [&](const Theirs& t) { return torch::adaptive_avg_pool2d(t[0], o); },
        [&](const Ours& t) { return tapedeck::adaptive_avg_pool2d(t[0], o); });
    compare(
        text("adaptive_max_pool2d", {x, o}), {x},
        [&](const Theirs& t) { return std::get<0>(torch::adaptive_max_pool2d(t[0], o)); },
        [&](const Ours& t) { return std::get<0>(tapedeck::adaptive_max_pool2d(t[0], o)); });
  }
}

TEST_F(Geometries, UnfoldAndFold) {
  for (int i = 0; i < 20; ++i) {
    const List x = {pick(1, 2), pick(1, 3), pick(5, 9), pick(5, 9)}, k = pick_pair(1, 3);
    const List d = pick_pair(1, 2), p = pick_pair(0, 2), s = pick_pair(1, 3);
    compare(
        text("im2col", {x, k, d, p, s}), {x},
        [&](const Theirs& t) { return torch::im2col(t[0], k, d, p, s); },
        [&](const Ours& t) { return tapedeck::im2col(t[0], k, d, p, s); });
    const List columns = torch::im2col(torch::zeros(x), k, d, p, s).sizes().vec();
    compare(
        text("col2im", {x, k, d, p, s}), {columns},
        [&](const Theirs& t) {
          return torch::col2im(t[0], {x[2], x[3]}, k, d, p, s);
        },
        [&](const Ours& t) {
          return tapedeck::col2im(t[0], {x[2], x[3]}, k, d, p, s);
        });
  }
  compare(
      "pixel_shuffle", {{2, 12, 3, 2}},
      [](const Theirs& t) { return torch::pixel_shuffle(t[0], 2); },
      [](const Ours& t) { return tapedeck::pixel_shuffle(t[0], 2); });
  compare(
      "pixel_unshuffle", {{2, 3, 6, 9}},
      [](const Theirs& t) { return torch::pixel_unshuffle(t[0], 3); },
      [](const Ours& t) { return tapedeck::pixel_unshuffle(t[0], 3); });
}

TEST_F(Geometries, Matmul) {
  const std::vector<std::vector<List>> shapes = {{{3}, {3}},
                                                 {{2, 3}, {3}},
                                                 {{3}, {3, 5}},
                                                 {{2, 3}, {3, 5}},
                                                 {{2, 5, 3}, {3}},
                                                 {{2, 5, 3}, {3, 7}},
                                                 {{3}, {2, 3, 5}},
                                                 {{5, 3}, {2, 3, 5}},
                                                 {{2, 1, 5, 3}, {3, 3, 2}},
                                                 {{1, 2, 3}, {5, 1, 3, 2}},
                                                 {{40, 60}, {60, 70}}};
  for (const auto& s : shapes)
    compare(
        text("matmul", s), s, [](const Theirs& t) { return torch::matmul(t[0], t[1]); },
        [](const Ours& t) { return tapedeck::matmul(t[0], t[1]); });
  for (const List& self : {List{4, 6}, List{6}, List{4, 1}, List{}})
    compare(
        text("addmm", {self}), {self, {4, 5}, {5, 6}},
        [](const Theirs& t) { return torch::addmm(t[0], t[1], t[2], 0.5, -2); },
        [](const Ours& t) { return tapedeck::addmm(t[0], t[1], t[2], 0.5, -2); });
  compare(
      "baddbmm", {{2, 4, 6}, {2, 4, 5}, {2, 5, 6}},
      [](const Theirs& t) { return torch::baddbmm(t[0], t[1], t[2], 0.5, -2); },
      [](const Ours& t) { return tapedeck::baddbmm(t[0], t[1], t[2], 0.5, -2); });
  compare(
      "addbmm", {{4, 6}, {2, 4, 5}, {2, 5, 6}},
      [](const Theirs& t) { return torch::addbmm(t[0], t[1], t[2], 0.5, -2); },
      [](const Ours& t) { return tapedeck::addbmm(t[0], t[1], t[2], 0.5, -2); });
  compare(
      "addmv", {{4}, {4, 5}, {5}},
      [](const Theirs& t) { return torch::addmv(t[0], t[1], t[2], 0.5, -2); },
      [](const Ours& t) { return tapedeck::addmv(t[0], t[1], t[2], 0.5, -2); });
  compare(
      "inner", {{2, 3, 5}, {4, 5}}, [](const Theirs& t) { return torch::inner(t[0], t[1]); },
      [](const Ours& t) { return tapedeck::inner(t[0], t[1]); });
}

TEST_F(Geometries, IndicesOfMaxPooling) {
  for (int i = 0; i < 20; ++i) {
    // few values, so that there are ties
    const auto x = torch::randint(-2, 3, {2, 2, pick(6, 20), pick(6, 40)}).to(torch::kDouble);
    const List k = pick_pair(1, 3), s = pick_pair(1, 3);
    const auto [y, at] = torch::max_pool2d_with_indices(x, k, s);
    const auto [w, indices] = tapedeck::max_pool2d_with_indices(copy_of(x), k, s);
    expect_close(y, w, "values");
    const auto ours = torch::from_blob(indices.array().raw(), at.sizes(), torch::kLong);
    EXPECT_TRUE(torch::equal(ours, at));
  }
}

}  // namespace
