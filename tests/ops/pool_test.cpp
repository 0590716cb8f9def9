#include <tapedeck/ops/pool.h>

#include <tests/support/compare.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using testing_support::error_of;
using testing_support::OpRow;
using testing_support::random_tensor;
using testing_support::row;
using testing_support::Shape;

TAPEDECK_OP_TABLE(
    PoolOps,
    (std::vector<OpRow>{
        row("max_pool2d", [](const Variable& x) { return max_pool2d(x, 2); },
            {{{2, 3, 4, 6}}, {{2, 3, 5, 7}}, {{3, 4, 6}}, {{0, 3, 4, 6}}}),
        row("max_pool2d_overlapping",
            [](const Variable& x) {
              return max_pool2d(x, {3, 2}, {2, 1}, {1, 1}, {1, 2});
            },
            {{{2, 2, 5, 6}}}),
        row("max_pool2d_ceil", [](const Variable& x) { return max_pool2d(x, 3, 2, 1, 1, true); },
            {{{1, 2, 6, 5}}}),
        row("max_pool1d", [](const Variable& x) { return max_pool1d(x, 3, 2, 1); },
            {{{2, 3, 7}}, {{3, 7}}}),
        row("max_pool2d_with_indices",
            [](const Variable& x) { return std::get<0>(max_pool2d_with_indices(x, 2)); },
            {{{2, 3, 4, 6}}}),
        row("max_unpool2d",
            [](const Variable& x) {
              auto [y, indices] = max_pool2d_with_indices(x, 2);
              return max_unpool2d(y * y, indices, x.sizes().slice(x.sizes().size() - 2));
            },
            {{{2, 3, 4, 6}}, {{3, 4, 5}}}),
        row("avg_pool2d",
            [](const Variable& x) {
              return avg_pool2d(x, {3, 2}, {2, 1}, 1);
            },
            {{{2, 3, 5, 6}}, {{3, 5, 6}}, {{0, 3, 5, 6}}}),
        row("avg_pool2d_ceil",
            [](const Variable& x) { return avg_pool2d(x, 3, 2, 1, true, false); },
            {{{1, 2, 6, 5}}}),
        row("avg_pool2d_divisor",
            [](const Variable& x) { return avg_pool2d(x, 2, {}, 0, false, true, 3); },
            {{{1, 2, 4, 5}}}),
        row("avg_pool1d", [](const Variable& x) { return avg_pool1d(x, 3, 2, 1); },
            {{{2, 3, 7}}, {{3, 7}}}),
        row("adaptive_avg_pool2d",
            [](const Variable& x) {
              return adaptive_avg_pool2d(x, {3, 2});
            },
            {{{2, 3, 5, 7}}, {{3, 5, 7}}}),
        row("adaptive_avg_pool1d", [](const Variable& x) { return adaptive_avg_pool1d(x, 3); },
            {{{2, 3, 7}}}),
        row("adaptive_max_pool2d",
            [](const Variable& x) {
              return std::get<0>(adaptive_max_pool2d(x, {3, 2}));
            },
            {{{2, 3, 5, 7}}, {{3, 5, 7}}}),
        row("adaptive_max_pool1d",
            [](const Variable& x) { return std::get<0>(adaptive_max_pool1d(x, 3)); },
            {{{2, 3, 7}}}),
    }));

// behaviours A4
TEST(Atrous, PoolingDefaultsAndTies) {
  const Variable x = tensor({1., 1., 0., 1., 1., 2., 2., 1.}, kFloat64).view({1, 1, 2, 4});
  const auto [y, indices] = max_pool2d_with_indices(x, 2);
  EXPECT_EQ(y.sizes(), (IntArrayRef{1, 1, 1, 2}));  // the stride is the kernel
  EXPECT_EQ(indices.dtype(), kInt64);
  EXPECT_EQ((indices.accessor<std::int64_t, 4>()[0][0][0][0]), 5);
  EXPECT_EQ((indices.accessor<std::int64_t, 4>()[0][0][0][1]), 6);
  const Variable same = ones({1, 1, 4, 4}, kFloat32).requires_grad_();
  max_pool2d(same, 2).sum().backward();
  EXPECT_EQ((same.grad().accessor<float, 4>()[0][0][2][2]), 1);  // the first of four
  EXPECT_EQ((same.grad().accessor<float, 4>()[0][0][3][3]), 0);
  EXPECT_EQ(avg_pool2d(x, 2).sizes(), (IntArrayRef{1, 1, 1, 2}));
}

// behaviours B13
TEST(ConvolutionArithmetic, MaxPoolOf28) {
  for (const ScalarType dtype : {kFloat32, kFloat64}) {
    const Variable y = max_pool2d(zeros({1, 1, 28, 28}, dtype), 3, 2);
    EXPECT_EQ(y.sizes(), (IntArrayRef{1, 1, 13, 13}));
    EXPECT_EQ(y.dtype(), dtype);
  }
}

TEST(MaxPool, IndicesOfOneDimensionArePositions) {
  const auto [y, indices] =
      max_pool1d_with_indices(tensor({1., 5., 2., 7.}, kFloat64).view({1, 4}), 2);
  EXPECT_EQ(y.sizes(), (IntArrayRef{1, 2}));
  EXPECT_EQ((indices.accessor<std::int64_t, 2>()[0][1]), 3);
}

TEST(MaxPool, NothingIsRecordedWithoutGradients) {
  EXPECT_EQ(max_pool2d(zeros({1, 1, 4, 4}), 2).grad_fn(), nullptr);
  const Variable x = zeros({1, 1, 4, 4}).requires_grad_();
  EXPECT_EQ(max_pool2d(x, 2).grad_fn()->name(), "MaxPool2DWithIndicesBackward0");
  const NoGradGuard no_grad;
  EXPECT_EQ(max_pool2d(x, 2).grad_fn(), nullptr);
}

TEST(Pool, ErrorsNameTheFunctionAndTheShapesGiven) {
  const auto zero = [](const Shape& s) { return zeros(s, kFloat32); };
  EXPECT_EQ(error_of([&] {
              max_pool2d(zero({4, 4}), 2);
            }),
            "max_pool2d: expected a 3-D (unbatched) or 4-D (batched) input, got [4, 4]");
  EXPECT_EQ(error_of([&] {
              max_pool1d(zero({1, 4}), 5);
            }),
            "max_pool1d: the kernel [5] with dilation [1] does not fit the input [1, 4] with "
            "padding [0]");
  EXPECT_EQ(error_of([&] {
              avg_pool2d(zero({1, 1, 4, 4}), {1, 2, 3});
            }),
            "avg_pool2d: expected kernel_size to have 1 or 2 values, got [1, 2, 3]");
  EXPECT_EQ(error_of([&] {
              avg_pool2d(zero({1, 1, 4, 4}), 2, {}, 2);
            }),
            "avg_pool2d: padding must be at most half of the kernel, got padding [2, 2], kernel "
            "[2, 2] (input [1, 1, 4, 4])");
  EXPECT_EQ(error_of([&] {
              avg_pool2d(zero({1, 1, 4, 4}), 2, {}, 0, false, true, 0);
            }),
            "avg_pool2d: divisor_override must be positive, got 0");
  EXPECT_EQ(error_of([&] {
              adaptive_avg_pool2d(zero({1, 1, 4, 4}), 0);
            }),
            "adaptive_avg_pool2d: output_size must be positive, got [0]");
  EXPECT_EQ(error_of([&] {
              max_unpool2d(zero({1, 1, 2, 2}), zeros({1, 1, 2, 3}, kInt64), {4, 4});
            }),
            "max_unpool2d: expected indices of shape [1, 1, 2, 2], got [1, 1, 2, 3]");
}

}  // namespace
}  // namespace tapedeck
