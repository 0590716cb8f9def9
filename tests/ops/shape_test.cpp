#include <tapedeck/ops/shape.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/errors.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using autograd::variable_list;
using ::testing::ElementsAre;
using testing::values;
using testing_support::list_row;
using testing_support::OpRow;
using testing_support::row;
using testing_support::Shape;
using Ints = std::vector<std::int64_t>;

std::vector<OpRow> rows() {
  using V = const Variable&;
  return {
      row("view",
          [](V x) {
            return x.contiguous().view({-1, 2});
          },
          {{{2, 3, 4}}, {{2}}}),
      row("reshape",
          [](V x) {
            return x.reshape({3, -1});
          },
          {{{2, 3, 5}}, {{3}}, {{3, 0, 2}}}),
      row("flatten", [](V x) { return x.flatten(1, 2); }, {{{2, 3, 5, 7}}, {{2, 3, 5}}}),
      row("flatten_all", [](V x) { return x.flatten(); }, {{{2, 3, 5}}, {{}}, {{0, 3}}}),
      row("unflatten",
          [](V x) {
            return x.unflatten(1, {3, -1});
          },
          {{{2, 6, 5}}}),
      row("ravel", [](V x) { return x.ravel(); }, {{{2, 3}}, {{}}}),
      row("squeeze", [](V x) { return x.squeeze(); }, {{{2, 1, 3, 1}}, {{1}}, {{2, 3}}}),
      row("squeeze_dim", [](V x) { return x.squeeze(1); }, {{{2, 1, 3, 1}}, {{2, 3}}}),
      row("unsqueeze", [](V x) { return x.unsqueeze(-2); }, {{{2, 3}}, {{3}}, {{0, 3}}}),
      row("transpose", [](V x) { return x.transpose(0, -1); }, {{{2, 3, 5}}, {{2, 0}}}),
      row("t", [](V x) { return x.t(); }, {{{2, 3}}, {{3}}, {{}}}),
      row("permute",
          [](V x) {
            return x.permute({2, 0, 1});
          },
          {{{2, 3, 5}}, {{2, 0, 3}}}),
      row("movedim", [](V x) { return x.movedim(0, 2); }, {{{2, 3, 5}}}),
      row("movedim_list",
          [](V x) {
            return x.movedim(Ints{0, 2}, Ints{-1, 0});
          },
          {{{2, 3, 5}}}),
      row("expand",
          [](V x) {
            return x.expand({4, 2, 3});
          },
          {{{2, 3}}, {{1, 3}}, {{4, 1, 1}}, {{}}}),
      row("select", [](V x) { return x.select(1, -2); }, {{{2, 3, 5}}, {{0, 3}}}),
      row("slice", [](V x) { return x.slice(1, 1, 6, 2); }, {{{2, 7, 3}}, {{2, 1}}}),
      row("slice_empty", [](V x) { return x.slice(0, 2, 1); }, {{{5, 2}}}),
      row("narrow", [](V x) { return x.narrow(-1, 1, 2); }, {{{2, 5}}, {{3}}}),
      row("diagonal", [](V x) { return x.diagonal(1); }, {{{3, 5}}, {{5, 2}}, {{3, 1}}}),
      row("diagonal_below", [](V x) { return x.diagonal(-1, 2, 0); }, {{{3, 2, 5}}}),
      row("unfold", [](V x) { return x.unfold(1, 3, 2); }, {{{2, 7, 3}}, {{2, 3}}}),
      row("unfold_overlapping", [](V x) { return x.unfold(0, 3, 1); }, {{{5}}, {{4, 2}}}),
      row("unfold_gaps", [](V x) { return x.unfold(0, 2, 3); }, {{{8, 2}}}),
      row("as_strided",
          [](V x) {
            return x.contiguous().as_strided({3, 2}, {1, 2}, 1);
          },
          {{{2, 5}}}),
      list_row("unbind", [](const variable_list& x) { return x[0].unbind(1); }, {{{2, 3, 5}}}),
      list_row("split", [](const variable_list& x) { return x[0].split(2, 1); },
               {{{2, 5}}, {{3, 4}}, {{2, 1}}}),
      list_row("split_sizes",
               [](const variable_list& x) {
                 return x[0].split({2, 0, 3}, 1);
               },
               {{{2, 5}}}),
      list_row("chunk", [](const variable_list& x) { return x[0].chunk(3, -1); }, {{{2, 7}}}),
      list_row("tensor_split", [](const variable_list& x) { return x[0].tensor_split(3); },
               {{{7, 2}}, {{2}}}),
      list_row("tensor_split_at",
               [](const variable_list& x) {
                 return x[0].tensor_split(Ints{1, 4, 3});
               },
               {{{7, 2}}}),
      row("one_piece_used", [](V x) { return x.split(2, 0)[1] * x.unbind(0)[0]; }, {{{4, 3}}}),
      row("atleast_3d", [](V x) { return atleast_3d(x); }, {{{}}, {{3}}, {{2, 3}}, {{2, 3, 5}}}),
      list_row("broadcast_tensors", [](const variable_list& x) { return broadcast_tensors(x); },
               {{{2, 1}, {3}, {1, 1, 1}}}),
  };
}
TAPEDECK_OP_TABLE(ShapeOps, rows());

TEST(Shape, Values) {
  const Tensor x = arange(24).reshape({2, 3, 4});
  EXPECT_EQ(x.flatten(1).sizes(), (Ints{2, 12}));
  EXPECT_EQ(x.unflatten(2, {2, 2}).sizes(), (Ints{2, 3, 2, 2}));
  EXPECT_THAT(values<std::int64_t>(x.select(1, 1).array()),
              ElementsAre(4, 5, 6, 7, 16, 17, 18, 19));
  EXPECT_THAT(values<std::int64_t>(x[1][-1].array()), ElementsAre(20, 21, 22, 23));
  EXPECT_THAT(values<std::int64_t>(x.slice(2, -3, 100, 2).select(0, 0).array()),
              ElementsAre(1, 3, 5, 7, 9, 11));
  EXPECT_THAT(values<std::int64_t>(x.diagonal(1, 1, 2).array()), ElementsAre(1, 6, 11, 13, 18, 23));
  EXPECT_THAT(values<std::int64_t>(arange(5).unfold(0, 3, 2).array()),
              ElementsAre(0, 1, 2, 2, 3, 4));
  EXPECT_EQ(x.movedim(2, 0).sizes(), (Ints{4, 2, 3}));
  EXPECT_EQ(tensor(3).unfold(0, 1, 1).sizes(), (Ints{1}));
  EXPECT_EQ(arange(7).chunk(4).size(), 4u);
  EXPECT_EQ(arange(9).chunk(4).size(), 3u);
  EXPECT_EQ(arange(0).chunk(3).size(), 3u);
  EXPECT_EQ(arange(0).split(0).size(), 1u);
  EXPECT_EQ(swapaxes(x, 0, 2).sizes(), (Ints{4, 3, 2}));
  EXPECT_EQ(adjoint(x).sizes(), (Ints{2, 4, 3}));
}

TEST(Shape, ViewsShareMemory) {
  const Tensor x = zeros({4, 6});
  x.select(0, 1).fill_(1);
  x.narrow(1, 2, 2).slice(0, 2).fill_(2);
  x.t()[5].fill_(3);
  x.diagonal(3).fill_(4);
  x.split(2, 1)[0].select(0, 3).fill_(5);
  x.unbind(1)[1].slice(0, 0, 1).fill_(6);
  const auto v = values<float>(x.array());
  EXPECT_THAT(v,
              ElementsAre(0, 6, 0, 4, 0, 3, 1, 1, 1, 1, 4, 3, 0, 0, 2, 2, 0, 4, 5, 5, 2, 2, 0, 3));
  EXPECT_TRUE(x.reshape({8, 3}).is_alias_of(x));
  EXPECT_FALSE(x.t().reshape({8, 3}).is_alias_of(x));
  EXPECT_TRUE(x.narrow(1, 2, 2).is_view());
}

TEST(Shape, ChangesThroughViewsReachGradients) {
  const Tensor x = ones({3, 4}, requires_grad());
  const Tensor y = x * 2;
  y.split(2, 1)[1].mul_(3);
  y.unbind(0)[0].fill_(0);
  y.diagonal().mul_(5);
  y.sum().backward();
  EXPECT_THAT(values<float>(x.grad().array()), ElementsAre(0, 0, 0, 0, 2, 10, 6, 6, 2, 2, 30, 6));
}

TEST(Shape, InPlaceForms) {
  const Tensor x = arange(6).reshape({2, 3}).clone();
  x.t_();
  EXPECT_EQ(x.sizes(), (Ints{3, 2}));
  x.unsqueeze_(0);
  EXPECT_EQ(x.sizes(), (Ints{1, 3, 2}));
  x.transpose_(1, 2).squeeze_();
  EXPECT_EQ(x.sizes(), (Ints{2, 3}));
  EXPECT_THAT(values<std::int64_t>(x.array()), ElementsAre(0, 1, 2, 3, 4, 5));
  const Tensor leaf = ones({2, 3}, requires_grad());
  EXPECT_THROW(leaf.t_(), Error);
  const Tensor y = leaf * 2;
  y.t_();
  (y * tensor({{1., 2.}, {3., 4.}, {5., 6.}})).sum().backward();
  EXPECT_THAT(values<float>(leaf.grad().array()), ElementsAre(2, 6, 10, 4, 8, 12));
}

TEST(Shape, Resize) {
  const Tensor x = arange(6);
  x.resize_({2, 2});
  EXPECT_THAT(values<std::int64_t>(x.array()), ElementsAre(0, 1, 2, 3));
  x.resize_({10});
  EXPECT_EQ(x.numel(), 10);
  EXPECT_EQ(x[3].item<int>(), 3);
  EXPECT_EQ(x[5].item<int>(), 5);
  // Elements keep the order in which they lie in memory.
  const Tensor columns = arange(6).reshape({2, 3}).t().clone();
  columns.resize_({7});
  EXPECT_THAT(values<std::int64_t>(columns.slice(0, 0, 6).array()), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Shape, ResizeNeverLeavesTheCallersMemory) {
  float memory[] = {1, 2, 3, 4};
  const Tensor x = from_blob(memory, {4});
  EXPECT_ERROR(x.resize_({5}), "storage that is not resizable");
  x.resize_({1, 2});
  EXPECT_EQ(x.data_ptr<float>(), memory);
}

TEST(Shape, AScalarHasNoAxisToAskFor) {
  const Tensor x = ones({});
  EXPECT_ERROR(x.size(0), "size: Dimension specified as 0 but tensor has no dimensions");
  EXPECT_ERROR(x.size(-1), "Dimension specified as -1");
  EXPECT_ERROR(x.stride(0), "stride: Dimension specified as 0");
  EXPECT_EQ(x.sum(0).dim(), 0);
}

TEST(Shape, ViewUnderAnotherDtype) {
  const Tensor x = tensor({{1.f, -2.f}, {0.5f, 4.f}});
  const Tensor bits = x.view(kInt32);
  EXPECT_THAT(values<std::int32_t>(bits.array()),
              ElementsAre(0x3f800000, std::int32_t(0xc0000000), 0x3f000000, 0x40800000));
  bits.select(0, 1).fill_(0);
  EXPECT_EQ(x.sum().item<float>(), -1);
  EXPECT_TRUE(x.view(x.dtype()).is_same(x));
  EXPECT_EQ(ones({1}).view({}).dim(), 0);

  EXPECT_EQ(x.view(kUInt8).sizes(), (Ints{2, 8}));
  EXPECT_EQ(x.view(kFloat64).sizes(), (Ints{2, 1}));
  const Tensor wide = zeros({8, 4}).slice(0, 2, 8, 2).view(kInt64);
  EXPECT_EQ(wide.sizes(), (Ints{3, 2}));
  EXPECT_EQ(wide.strides(), (Ints{4, 1}));
  EXPECT_EQ(wide.storage_offset(), 4);
  EXPECT_EQ(zeros({2, 3}).t().view(kInt32).strides(), (Ints{1, 3}));

  const auto error = [](const Tensor& y, ScalarType dtype) {
    return testing_support::error_of<Error>([&] { y.view(dtype); });
  };
  EXPECT_EQ(error(zeros({2, 3}), kFloat64),
            "view: self.size(-1) must be divisible by 2 to view Float as Double (different element "
            "sizes), but got 3 (sizes [2, 3], strides [3, 1])");
  EXPECT_EQ(error(zeros({}), kUInt8),
            "view: self.dim() cannot be 0 to view Float as Byte (different element sizes)");
  EXPECT_THAT(error(zeros({2, 4}).t(), kUInt8), ::testing::HasSubstr("self.stride(-1) must be 1"));
  EXPECT_THAT(error(zeros({8, 3}).narrow(1, 0, 2), kInt64),
              ::testing::HasSubstr("self.stride must be divisible by 2"));
  EXPECT_THAT(error(zeros({8, 4}).narrow(1, 1, 2), kInt64),
              ::testing::HasSubstr("self.storage_offset() must be divisible by 2"));
}

// In-place changes through it are seen by what the tape has saved.
TEST(Shape, ViewUnderAnotherDtypeSharesTheVersion) {
  const Tensor x = ones({3}, requires_grad()), y = x * 2, z = y * y;
  EXPECT_FALSE(y.view(kInt32).requires_grad());
  y.view(kInt32).zero_();
  EXPECT_THAT(testing_support::error_of<Error>([&] { z.sum().backward(); }),
              ::testing::HasSubstr("modified"));
}

TEST(Shape, StorageIsThatOfAllViews) {
  const Tensor x = arange(6, kFloat32).reshape({2, 3}), row = x[1];
  EXPECT_EQ(row.storage().nbytes(), 24u);
  EXPECT_EQ(row.storage().data(), x.data_ptr());
  EXPECT_EQ(row.storage().data<float>()[4], 4);
  EXPECT_EQ(row.storage().data_ptr().get(), x.storage().data_ptr().get());
  EXPECT_TRUE(row.storage().is_alias_of(x.storage()));
  EXPECT_FALSE(row.clone().storage().is_alias_of(x.storage()));
  Storage kept;
  EXPECT_FALSE(kept || kept.nbytes() > 0);
  {
    const Tensor z = ones({2});
    kept = z.storage();
    EXPECT_EQ(kept.use_count(), 2u);
  }
  EXPECT_TRUE(kept.unique());
  EXPECT_EQ(kept.data<float>()[1], 1);

  const Tensor part = zeros({1});
  part.set_(x.storage(), 1, {2, 2}, {3, 1});
  EXPECT_TRUE(equal(part, x.narrow(1, 1, 2)));
  EXPECT_THAT(testing_support::error_of<Error>([&] { part.set_(x.storage(), 3, {4}); }),
              ::testing::HasSubstr("reach outside a storage of 24 bytes"));
}

TEST(Shape, Errors) {
  const Tensor x = zeros({3, 4});
  EXPECT_EQ(testing_support::error_of<IndexError>([&] { x[5]; }),
            "select(): index 5 is out of bounds for dimension 0 with size 3 (shape [3, 4])");
  EXPECT_EQ(testing_support::error_of<IndexError>([&] { x.select(2, 0); }),
            "select: Dimension out of range (expected to be in range of [-2, 1], but got 2)");
  EXPECT_EQ(testing_support::error_of<Error>([&] { x.narrow(1, 3, 2); }),
            "narrow(): start (3) + length (2) exceeds dimension size (4) (dimension 1, shape [3, "
            "4])");
  EXPECT_EQ(testing_support::error_of<ValueError>([&] { x.slice(0, 0, 3, 0); }),
            "slice step must be positive, got 0");
  EXPECT_EQ(
      testing_support::error_of<Error>([&] {
        x.split(Ints{2, 2});
      }),
      "split: split_with_sizes expects split_sizes to sum exactly to 3 (input tensor's size at "
      "dimension 0), but got split_sizes=[2, 2]");
  EXPECT_EQ(testing_support::error_of<Error>([&] { x.split(0); }),
            "split: split_size can only be 0 if dimension size is 0, but got dimension size of 3");
  EXPECT_EQ(testing_support::error_of<Error>([&] { x.chunk(0); }),
            "chunk expects `chunks` to be greater than 0, got: 0");
  EXPECT_EQ(testing_support::error_of<Error>([&] { x.diagonal(0, 1, -1); }),
            "diagonal dimensions cannot be identical 1, -1 (shape [3, 4])");
  EXPECT_EQ(testing_support::error_of<Error>([&] { x.unfold(0, 4, 1); }),
            "unfold: maximum size for tensor at dimension 0 is 3 but size is 4 (shape [3, 4])");
  EXPECT_EQ(testing_support::error_of<Error>([&] { x.unsqueeze(0).t(); }),
            "t() expects a tensor with <= 2 dimensions, but self is 3D (shape [1, 3, 4])");
  EXPECT_THAT(testing_support::error_of<Error>([&] { x.t().view({12}); }),
              ::testing::HasSubstr("Use .reshape(...) instead"));
  EXPECT_EQ(testing_support::error_of<Error>([&] {
              x.reshape({5, -1});
            }),
            "reshape: shape [5, -1] is invalid for input of size 12");
  EXPECT_THROW(x.movedim(Ints{0, 0}, Ints{0, 1}), Error);
  const std::int64_t huge = std::int64_t{1} << 62;
  EXPECT_THAT(testing_support::error_of<Error>([&] { x.as_strided({huge}, {4}); }),
              ::testing::HasSubstr("reach outside a storage of 48 bytes"));
  EXPECT_THAT(testing_support::error_of<Error>([&] {
                ones({1}).expand({huge, 4});
              }),
              ::testing::HasSubstr("does not fit 64 bits"));
  EXPECT_EQ(x.chunk(huge + (huge - 1)).size(), 3u);
  EXPECT_THROW(unbind(tensor(1)), IndexError);
}

}  // namespace
}  // namespace tapedeck
