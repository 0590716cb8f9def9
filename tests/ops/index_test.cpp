#include <tapedeck/ops/index.h>

#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/tapedeck.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using namespace indexing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::values;
using testing_support::error_of;
using testing_support::OpRow;
using testing_support::row;
using Ints = std::vector<std::int64_t>;
using V = const Variable&;

Tensor ids(Ints numbers) { return tensor(numbers); }
Tensor above(V x, Scalar limit) {
  return Tensor(kernels::binary(kernels::BinaryOp::Gt, x.array(), limit));
}
Tensor equal_to(V x, Scalar value) {
  return Tensor(kernels::binary(kernels::BinaryOp::Eq, x.array(), value));
}

std::vector<OpRow> rows() {
  const Tensor columns = tensor({{0, 2}, {-1, 0}});
  const Tensor repeated = ids({1, 1, 0});
  const Tensor mask = tensor({{true, false, true}, {false, true, true}});
  const Tensor line = tensor({{2, 0}, {1, 1}});
  return {
      row("basic",
          [](V x) {
            return x.index({1, Slice(None, None, 2), None, "...", Slice(1)});
          },
          {{{2, 3, 5, 7}}, {{2, 3, 2}}}),
      row("ellipsis",
          [](V x) {
            return x.index({Ellipsis, 0});
          },
          {{{2, 3}}, {{3}}}),
      row("bool",
          [](V x) {
            return x.index({true, 0});
          },
          {{{2, 3}}}),
      row("false", [](V x) { return x.index({false}); }, {{{2, 3}}}),
      row("tensor", [=](V x) { return x.index({repeated}); }, {{{2, 3}}, {{2}}}),
      row("matrix_of_indices",
          [=](V x) {
            return x.index({Slice(), columns});
          },
          {{{2, 3, 5}}}),
      row("two_tensors",
          [=](V x) {
            return x.index({repeated, ids({0, 2, 1})});
          },
          {{{2, 3, 5}}}),
      row("broadcast_tensors",
          [=](V x) {
            return x.index({columns, ids({0, 2})});
          },
          {{{3, 3, 2}}}),
      row("apart",
          [=](V x) {
            return x.index({repeated, Slice(), ids({4, 0, 4})});
          },
          {{{2, 3, 5}}}),
      row("tensor_and_integer",
          [=](V x) {
            return x.index({1, Slice(1), repeated});
          },
          {{{2, 3, 2}}}),
      row("mask", [=](V x) { return x.index({mask}); }, {{{2, 3}}, {{2, 3, 5}}}),
      row("mask_behind",
          [=](V x) {
            return x.index({Slice(), mask});
          },
          {{{5, 2, 3}}}),
      row("no_index", [](V x) { return x.index({ids({})}); }, {{{2, 3}}}),
      row("index_put", [=](V x, V v) { return index_put(x, {{mask}}, v); },
          {{{2, 3}, {4}}, {{2, 3}, {}}, {{2, 3, 5}, {4, 1}}}),
      row("index_put_places",
          [=](V x, V v) {
            return index_put(x, {std::nullopt, ids({2, 0})}, v);
          },
          {{{2, 3}, {2, 2}}, {{2, 3, 5}, {2, 1}}}),
      row("index_put_accumulate", [=](V x, V v) { return index_put(x, {{repeated}}, v, true); },
          {{{2, 3}, {3, 3}}, {{2, 3}, {3}}, {{2}, {}}}),
      row("index_put_inplace",
          [=](V x, V v) {
            const Tensor y = x.clone();
            y.index_put_({Slice(), 1}, v);
            y.index_put_({0, ids({0, 2})}, v.sum());
            return y;
          },
          {{{2, 3}, {2}}, {{2, 3}, {1}}}),
      row("gather", [=](V x) { return x.gather(1, line); }, {{{2, 3}}, {{5, 3}}}),
      row("gather_first", [=](V x) { return x.gather(0, line); }, {{{3, 2}}, {{3, 4}}}),
      row("gather_scalar", [](V x) { return x.gather(0, tensor(0)); }, {{{}}}),
      row("scatter",
          [](V x, V s) {
            return x.scatter(1, tensor({{2, 0}, {1, 0}}), s);
          },
          {{{2, 3}, {2, 2}}, {{2, 3}, {5, 4}}, {{3, 3}, {2, 2}}}),
      row("scatter_with_add", [=](V x, V s) { return scatter(x, 1, line, s, "add"); },
          {{{2, 3}, {2, 2}}, {{2, 3}, {3, 4}}}),
      row("scatter_with_multiply", [=](V x, V s) { return scatter(x, 1, line, s, "multiply"); },
          {{{2, 3}, {2, 2}}, {{2, 3}, {3, 4}}}),
      row("scatter_value_with_multiply",
          [=](V x) {
            const Tensor y = x * 1;
            return y.scatter_(1, line, 2.5, "multiply");
          },
          {{{2, 3}}}),
      row("scatter_value", [=](V x) { return x.scatter(1, line, 3.5); }, {{{2, 3}}}),
      row("scatter_add", [=](V x, V s) { return x.scatter_add(1, line, s); },
          {{{2, 3}, {2, 2}}, {{2, 3}, {3, 4}}}),
      row("scatter_add_first", [=](V x, V s) { return x.scatter_add(0, line, s); },
          {{{3, 2}, {2, 2}}}),
      row("index_select", [=](V x) { return x.index_select(1, repeated); },
          {{{2, 3, 5}}, {{2, 2}}}),
      row("index_select_scalar", [](V x) { return x.index_select(0, tensor(0)); }, {{{}}}),
      row("index_add", [=](V x, V s) { return x.index_add(1, repeated, s, 2.5); },
          {{{2, 3}, {2, 3}}, {{2, 3, 5}, {2, 3, 5}}}),
      row("index_fill",
          [](V x) {
            return x.index_fill(-1, ids({0, -1}), 3);
          },
          {{{2, 3}}, {{2, 5}}}),
      row("index_fill_tensor", [](V x, V v) { return index_fill(x, 0, ids({1}), v); },
          {{{2, 3}, {}}}),
      row("index_copy",
          [](V x, V s) {
            return x.index_copy(1, ids({2, 0}), s);
          },
          {{{2, 3}, {2, 2}}, {{2, 3, 5}, {2, 2, 5}}}),
      row("put",
          [](V x, V s) {
            return put(x, tensor({{2, 0}, {1, 4}}), s);
          },
          {{{2, 3}, {2, 2}}, {{5}, {4}}}),
      row("put_accumulate",
          [=](V x, V s) {
            const Tensor y = x * 1;
            return y.put_(line, s, true);
          },
          {{{2, 3}, {2, 2}}}),
      row("take",
          [=](V x) {
            return x.take(tensor({{0, 5}, {-1, 0}}));
          },
          {{{2, 3}}}),
      row("take_along_dim",
          [=](V x) {
            return x.take_along_dim(tensor({{1, 0, 1, 1}}), 1);
          },
          {{{2, 3}}}),
      row("take_along_all", [=](V x) { return x.take_along_dim(columns * columns, std::nullopt); },
          {{{2, 3}}}),
      row("masked_fill", [=](V x) { return x.masked_fill(mask, 2); },
          {{{2, 3}}, {{5, 2, 3}}, {{3}}}),
      row("masked_fill_tensor", [=](V x, V v) { return x.masked_fill(mask, v); }, {{{2, 3}, {}}}),
      row("masked_select", [=](V x) { return x.masked_select(mask); },
          {{{2, 3}}, {{4, 2, 3}}, {{2, 1}}}),
      row("masked_scatter", [=](V x, V s) { return x.masked_scatter(mask, s); },
          {{{2, 3}, {4}}, {{2, 3}, {3, 2}}, {{2, 3}, {7}}}),
  };
}
TAPEDECK_OP_TABLE(IndexOps, rows());

const Tensor x = arange(24).reshape({2, 3, 4});

TEST(Index, BasicForms) {
  EXPECT_THAT(values<std::int64_t>(x.index({1, 2, 3}).array()), ElementsAre(23));
  EXPECT_THAT(values<std::int64_t>(x.index({-1, Slice(0, 2), -1}).array()), ElementsAre(15, 19));
  EXPECT_THAT(values<std::int64_t>(x.index({"...", 1}).array()), ElementsAre(1, 5, 9, 13, 17, 21));
  EXPECT_THAT(values<std::int64_t>(x.index({0, Slice(None, None, 2), Slice(1, None, 2)}).array()),
              ElementsAre(1, 3, 9, 11));
  EXPECT_EQ(x.index({None, 0, None}).sizes(), (Ints{1, 1, 3, 4}));
  EXPECT_EQ(x.index({Ellipsis, None}).sizes(), (Ints{2, 3, 4, 1}));
  EXPECT_EQ(x.index({Slice(5, 9)}).sizes(), (Ints{0, 3, 4}));
  EXPECT_EQ(x.index({Slice(-2, -1)}).sizes(), (Ints{1, 3, 4}));
  EXPECT_EQ(x.index({true}).sizes(), (Ints{1, 2, 3, 4}));
  EXPECT_EQ(x.index({false}).sizes(), (Ints{0, 2, 3, 4}));
  EXPECT_EQ(x.index({tensor(1)}).sizes(), (Ints{3, 4}));
  EXPECT_TRUE(x.index({Slice(), 1}).is_alias_of(x));
  EXPECT_FALSE(x.index({Ellipsis}).is_same(x));
  EXPECT_EQ(x[1][tensor(2)][Scalar(3)].item<int>(), 23);
}

TEST(Index, AdvancedForms) {
  EXPECT_THAT(values<std::int64_t>(x.index({ids({1, 0}), ids({2, -1}), 0}).array()),
              ElementsAre(20, 8));
  EXPECT_EQ(x.index({Slice(), ids({0, 2}), Slice()}).sizes(), (Ints{2, 2, 4}));
  EXPECT_EQ(x.index({ids({0, 1}), Slice(), ids({3, 0})}).sizes(), (Ints{2, 3}));
  EXPECT_THAT(values<std::int64_t>(x.index({ids({0, 1}), Slice(), ids({3, 0})}).array()),
              ElementsAre(3, 7, 11, 12, 16, 20));
  EXPECT_EQ(x.index({tensor({{0}, {1}}), ids({0, 1, 2})}).sizes(), (Ints{2, 3, 4}));
  EXPECT_THAT(values<std::int64_t>(x.index({above(x, 20)}).array()), ElementsAre(21, 22, 23));
  EXPECT_THAT(values<std::int64_t>(x.index({tensor({false, true}), Slice(), 0}).array()),
              ElementsAre(12, 16, 20));
  EXPECT_EQ(x.index({0, tensor({true, false, true})}).sizes(), (Ints{2, 4}));
  EXPECT_EQ(x.transpose(0, 2).index({ids({3, 0})}).sizes(), (Ints{2, 3, 2}));
}

TEST(IndexPut, Forms) {
  const Tensor y = zeros({3, 4});
  y.index_put_({1}, 1);
  y.index_put_({Slice(), 2}, tensor({2., 3., 4.}));
  y.index_put_({ids({0, 2}), ids({0, 0})}, tensor({5., 6.}));
  y.index_put_({equal_to(y, 1)}, 7.5);
  y.index_put_({Ellipsis, -1}, tensor({{8.}}).expand({1, 3}));
  EXPECT_THAT(values<float>(y.array()), ElementsAre(5, 0, 2, 8, 7.5, 7.5, 3, 8, 6, 0, 4, 8));
  y[0] = zeros({4});
  y[1][1] = 9;
  EXPECT_THAT(values<float>(y.array()), ElementsAre(0, 0, 0, 0, 7.5, 9, 3, 8, 6, 0, 4, 8));
  y.index_put_({{ids({1, 1, 1})}}, ones({1, 4}), /*accumulate=*/true);
  EXPECT_THAT(values<float>(y[1].array()), ElementsAre(10.5, 12, 6, 11));
  y.index_put_({false}, 100);
  y.index_put_({None, 2}, 0);
  EXPECT_THAT(values<float>(y[2].array()), ElementsAre(0, 0, 0, 0));
}

// One number where a mask is true, as masked_fill does it: of any dtype, under any part of the
// axes.
TEST(IndexPut, OneNumberUnderAMask) {
  const Tensor y = zeros({2, 3});
  y.index_put_({tensor({true, false})}, tensor(2));
  y.index_put_({Slice(), tensor({false, false, true})}, tensor({{3.0}}, kFloat64));
  EXPECT_TRUE(equal(y, tensor({{2.f, 2.f, 3.f}, {0.f, 0.f, 3.f}})));
  EXPECT_TRUE(equal(index_put(y, {tensor(false)}, tensor(7.f)), y));
  EXPECT_TRUE(equal(index_put(y, {tensor(true)}, tensor(7.f)), full({2, 3}, 7)));
}

TEST(Put, NumbersElementsInRowMajorOrder) {
  const Tensor y = zeros({3, 2}).t();
  y.put_(tensor({1, -1}), tensor({2.f, 3.f}));
  EXPECT_TRUE(equal(y, tensor({{0.f, 2.f, 0.f}, {0.f, 0.f, 3.f}})));
  EXPECT_THAT(error_of<Error>([&] {
                y.put_(tensor({0, 1}), tensor({1.f}));
              }),
              HasSubstr("put_(): Expected source and index to have the same number of elements"));
  EXPECT_THAT(error_of<TypeError>([&] { y.put_(tensor({0}), tensor({1})); }),
              HasSubstr("put_(): self and source expected to have the same dtype"));
  EXPECT_THAT(error_of<IndexError>([&] { y.put_(tensor({6}), tensor({1.f})); }),
              HasSubstr("out of bounds"));
}

TEST(Scatter, ReducesByName) {
  const Tensor y = full({2, 3}, 2.0);
  y.scatter_(1, tensor({{0, 0, 2}}), tensor({{3.f, 5.f, 7.f}}), "multiply");
  y.scatter_(0, tensor({{1, 1, 1}}), 10, "add");
  EXPECT_TRUE(equal(y, tensor({{30.f, 2.f, 14.f}, {12.f, 12.f, 12.f}})));
  EXPECT_THAT(error_of<Error>([&] { y.scatter_(0, tensor({{1}}), 1, "mean"); }),
              HasSubstr("scatter(): reduce argument must be either add or multiply, got mean"));
}

TEST(IndexPut, ReachesGradientsThroughViews) {
  const Tensor a = ones({2, 3}, requires_grad()), b = ones({2}, requires_grad());
  const Tensor y = a * 2;
  y.index_put_({Slice(), ids({0, 2})}, b.unsqueeze(1) * 3);
  y.sum().backward();
  EXPECT_THAT(values<float>(a.grad().array()), ElementsAre(0, 2, 0, 0, 2, 0));
  EXPECT_THAT(values<float>(b.grad().array()), ElementsAre(6, 6));
}

TEST(Index, Errors) {
  EXPECT_EQ(error_of<IndexError>([] {
              x.index({0, 5});
            }),
            "index 5 is out of bounds for dimension 1 with size 3 (shape [3, 4])");
  EXPECT_EQ(error_of<IndexError>([] {
              x.index({ids({0, 5})});
            }),
            "index: index 5 is out of bounds for dimension 0 with size 2");
  EXPECT_EQ(error_of<IndexError>([] {
              x.index({Slice(), ids({-4})});
            }),
            "index: index -4 is out of bounds for dimension 1 with size 3");
  EXPECT_EQ(error_of<IndexError>([] {
              x.index({0, 0, 0, 0});
            }),
            "index: too many indices for tensor of dimension 3 (got 4)");
  EXPECT_EQ(error_of<IndexError>([] {
              x.index({"...", 0, "..."});
            }),
            "index: an index can only have a single ellipsis ('...')");
  EXPECT_EQ(error_of<IndexError>([] {
              x.index({tensor({true, false, true})});
            }),
            "index: the shape of the mask [3] at index 0 does not match the shape of the indexed "
            "tensor [2, 3, 4] at index 0");
  EXPECT_EQ(error_of<IndexError>([] { x.index({tensor({0.5})}); }),
            "index: tensors used as indices must be long, byte or bool tensors, got Float");
  EXPECT_EQ(error_of<IndexError>([] {
              x.index({ids({0, 1}), ids({0, 1, 2})});
            }),
            "index: shape mismatch: indexing tensors could not be broadcast together with shapes "
            "[2], [3]");
  EXPECT_EQ(error_of<ValueError>([] { x.index({Slice(None, None, -1)}); }),
            "index: step must be greater than zero, got -1");
  EXPECT_EQ(error_of<ValueError>([] { Slice(0, 1, 0); }), "slice step cannot be zero");
  EXPECT_EQ(error_of<ValueError>([] { x.index({".."}); }),
            "Expected \"...\" to represent an ellipsis index, but got \"..\"");
  EXPECT_EQ(
      error_of<IndexError>([] { tensor(1).index({0}); }),
      "index: invalid index of a 0-dim tensor: too many indices for tensor of dimension 0 (got "
      "1)");
  EXPECT_EQ(error_of<IndexError>([] {
              zeros({2, 0}).index({Slice(), tensor({0, 1})});
            }),
            "index: index 0 is out of bounds for dimension with size 0 (dimension 1)");
  const Tensor y = zeros({2, 3});
  EXPECT_EQ(error_of<Error>([&] {
              y.index_put_({Slice(), 0}, zeros({3}));
            }),
            "index_put_: shape mismatch: value tensor of shape [3] cannot be broadcast to indexing "
            "result of shape [2]");
  EXPECT_EQ(error_of<Error>([&] {
              y.index_put_({ids({0, 1})}, zeros({2}));
            }),
            "index_put_: shape mismatch: value tensor of shape [2] cannot be broadcast to indexing "
            "result of shape [2, 3]");
  EXPECT_EQ(error_of<TypeError>([&] { y.index_put_({ids({0})}, tensor(1)); }),
            "index_put_: expected the source and destination dtypes to match, got Float for the "
            "destination and Long for the source");
  EXPECT_THROW(y.index_put_({ids({0, 7})}, 1), IndexError);
  EXPECT_EQ(y.sum().item<float>(), 0);
}

TEST(Indexing, Prints) {
  std::ostringstream out;
  out << std::vector<TensorIndex>{None, Ellipsis, 3, true, Slice(1, 7, 2)};
  EXPECT_EQ(out.str(), "(None, ..., 3, true, 1:7:2)");
}

TEST(Gather, OfNothingTakesAnIndexOfAnyDtypeAndHasAGradient) {
  const Tensor source = rand({3}).requires_grad_();
  const Tensor y = source.gather(0, zeros({0}, kFloat32));
  EXPECT_EQ(y.sizes(), (IntArrayRef{0}));
  y.sum().backward();
  EXPECT_TRUE(source.grad().equal(zeros({3})));
}

// Long enough rows for whole vectors and what is left of them; the index as it lies, and
// transposed.
TEST(Gather, AlongEitherAxisOfLongRows) {
  const Tensor source = rand({67, 67}), places = randint(67, {67, 67}, kLong);
  for (const Tensor& index : {places, places.t(), places.slice(1, 0, 67, 2)})
    for (const std::int64_t dim : {0, 1}) {
      const Tensor y = source.gather(dim, index), back = zeros({67, 67}).scatter_add(dim, index, y);
      Tensor expected = zeros({67, 67});
      for (std::int64_t i = 0; i < index.size(0); ++i)
        for (std::int64_t j = 0; j < index.size(1); ++j) {
          const std::int64_t at = index[i][j].item<std::int64_t>();
          const Tensor from = dim == 0 ? source[at][j] : source[i][at];
          ASSERT_EQ(y[i][j].item<float>(), from.item<float>()) << dim << ' ' << i << ' ' << j;
          Tensor to = dim == 0 ? expected[at][j] : expected[i][at];
          to += from;
        }
      EXPECT_TRUE(back.equal(expected)) << dim;
    }
}

// Sums of what goes to one place one after the other, in that order: 1 + 2^-24 + 2^-24 is 1.
TEST(Gather, AddsRunsForOnePlaceInOrder) {
  for (const std::int64_t size : {1, 2, 5, 40}) {
    const Tensor runs = cat({zeros({3}, kLong), full({30}, size - 1, kLong), zeros({7}, kLong)});
    const Tensor index = stack({runs, runs.flip(0), randint(size, {40}, kLong)});
    const Tensor y = where(rand({3, 40}) > 0.5, ones({3, 40}), full({3, 40}, 0x1p-24));
    Tensor expected = ones({3, size});
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t j = 0; j < 40; ++j) {
        Tensor to = expected[i][index[i][j].item<std::int64_t>()];
        to += y[i][j];
      }
    EXPECT_TRUE(ones({3, size}).scatter_add(1, index, y).equal(expected)) << size;
    // Short rows of the same go another way.
    const Tensor parts = zeros({3, size}).scatter_add_(1, index.slice(1, 0, 31), y.slice(1, 0, 31));
    Tensor one_by_one = zeros({3, size});
    for (std::int64_t j = 0; j < 31; ++j)
      one_by_one.scatter_add_(1, index.slice(1, j, j + 1), y.slice(1, j, j + 1));
    EXPECT_TRUE(parts.equal(one_by_one)) << size;
  }
}

TEST(Gather, FindsAnIndexOutOfBoundsWhereverItStands) {
  const Tensor source = zeros({1, 37});
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{37}, kLeast, -(kLeast + 1)})
    for (std::int64_t at = 0; at < 37; ++at) {
      Tensor index = zeros({1, 37}, kLong);
      index.data_ptr<std::int64_t>()[at] = wrong;
      EXPECT_THROW(source.gather(1, index), IndexError) << wrong << " at " << at;
      Tensor out = zeros({1, 37});
      EXPECT_THROW(out.scatter_add_(1, index, ones({1, 37})), IndexError);
      EXPECT_TRUE(out.equal(source));
    }
}

TEST(Gather, FindsAnIndexOutOfBoundsBehindThousandsThatAreNot) {
  for (const Ints& sizes : {Ints{400, 37}, Ints{3, 5000}}) {
    Tensor index = randint(37, sizes, kLong);
    const Tensor target = rand({sizes[0], 37}), before = target.clone(), source = ones(sizes);
    index.select(0, -1).select(0, -2).fill_(37);
    EXPECT_EQ(error_of<IndexError>([&] { target.scatter_add(1, index, source); }),
              "scatter_add(): index 37 is out of bounds for dimension 1 with size 37");
    EXPECT_THROW(target.scatter_add_(1, index, source), IndexError);
    EXPECT_TRUE(target.equal(before));
  }
}

// One hot, summed: how often each place is meant.
TEST(Gather, AddsThousandsOfPlaces) {
  for (const Ints& sizes : {Ints{400, 37}, Ints{3, 5000}}) {
    const Tensor index = randint(50, sizes, kLong);
    const Tensor counts = zeros({sizes[0], 50}).scatter_add(1, index, ones(sizes));
    EXPECT_TRUE(counts.equal(one_hot(index, 50).sum(1).to(kFloat32)));
  }
}

// Masks that are broadcast along any axes, on elements with and without gaps.
TEST(Index, MaskedFillOfBroadcastMasks) {
  for (const std::int64_t N : {3, 40})
    for (const ScalarType dtype : {kFloat32, kFloat64, kUInt8}) {
      const Tensor wide = arange(0, N * 9 * 12).remainder(100).reshape({N, 9, 12}).to(dtype);
      for (const Tensor& of : {wide, wide.slice(2, 1, 12, 1), wide.slice(2, 0, 12, 3),
                               wide.transpose(0, 2), wide.slice(1, 2, 3, 1)}) {
        const std::int64_t A = of.size(0), B = of.size(1), C = of.size(2);
        for (const Ints& shape : {Ints{A, B, C}, Ints{B, C}, Ints{C}, Ints{A, 1, C}, Ints{B, 1},
                                  Ints{A, 1, 1}, Ints{1}}) {
          const Tensor mask = randn(shape) > 0;
          const Tensor expected = where(mask, full({}, 7, dtype), of);
          EXPECT_TRUE(equal(of.masked_fill(mask, 7), expected));
          const Tensor changed = wide.clone();
          const Tensor view = changed.as_strided(of.sizes(), of.strides(), of.storage_offset());
          view.masked_fill_(mask, 7);
          EXPECT_TRUE(equal(view, expected));
        }
      }
    }
}

// Of one element, of a few and of many of each row; of rows with and without gaps.
TEST(Index, SelectAlongTheLastAxis) {
  const Tensor wide = arange(0, 7 * 90 * 6).reshape({7, 90, 6});
  for (const Tensor& of : {wide, wide.slice(2, 1, 6, 2), wide.slice(1, 3, 80, 1), wide.flatten()})
    for (const ScalarType dtype : {kFloat32, kFloat64, kUInt8}) {
      const Tensor of_dtype = of.to(dtype);
      for (const Ints& places : {Ints{2}, Ints{1, 0, 1}, Ints{2, 2, 0, 1, 0, 1, 2, 1, 0, 2, 1}}) {
        const Tensor y = of_dtype.index_select(-1, ids(places));
        for (std::size_t j = 0; j < places.size(); ++j)
          EXPECT_TRUE(
              equal(y.select(-1, static_cast<std::int64_t>(j)), of_dtype.select(-1, places[j])));
      }
    }
  EXPECT_THROW(wide.index_select(2, ids({1, 6})), IndexError);
  EXPECT_THROW(wide.flatten().index_select(0, ids({1, -1})), IndexError);
}

TEST(Gather, Errors) {
  const Tensor y = zeros({2, 3});
  EXPECT_EQ(error_of<IndexError>([&] { y.gather(1, tensor({{3}})); }),
            "gather(): index 3 is out of bounds for dimension 1 with size 3");
  EXPECT_EQ(error_of<Error>([&] { y.gather(1, tensor({0})); }),
            "gather(): Index tensor must have the same number of dimensions as self tensor: index "
            "[1], self [2, 3]");
  EXPECT_EQ(error_of<Error>([&] {
              y.gather(1, zeros({4, 1}, kLong));
            }),
            "gather(): Expected index [4, 1] to be smaller than self [2, 3] apart from dimension "
            "1");
  EXPECT_EQ(error_of<TypeError>([&] {
              y.gather(1, zeros({1, 1}, kInt));
            }),
            "gather(): Expected dtype int64 for index, got Int");
  EXPECT_EQ(error_of<IndexError>([&] {
              y.scatter_(1, tensor({{0, -1}}), 1);
            }),
            "scatter(): index -1 is out of bounds for dimension 1 with size 3");
  EXPECT_EQ(y.sum().item<float>(), 0);
  EXPECT_EQ(error_of<IndexError>([&] { y.index_select(0, tensor({2})); }),
            "index_select: index 2 is out of bounds for dimension 0 with size 2");
  EXPECT_EQ(error_of<IndexError>([&] { y.index_select(0, tensor({{1}})); }),
            "index_select(): Index is supposed to be a vector, got 2 dimensions (shape [1, 1])");
  EXPECT_THAT(error_of<Error>([&] {
                y.index_add(1, tensor({0}), zeros({2, 2}));
              }),
              HasSubstr("expected a source of shape [2, 1] for 1 indices along dimension 1"));
}

TEST(Gather, IndicesMayBeWhatIsWritten) {
  const Tensor y = arange(5);
  y.scatter_(0, y, 1000000);
  EXPECT_THAT(values<std::int64_t>(y.array()),
              ElementsAre(1000000, 1000000, 1000000, 1000000, 1000000));
  const Tensor z = arange(3);
  z.index_put_({z}, 1000000);
  EXPECT_THAT(values<std::int64_t>(z.array()), ElementsAre(1000000, 1000000, 1000000));
}

TEST(Gather, InPlaceForms) {
  const Tensor y = zeros({2, 3});
  y.scatter_(1, tensor({{0}, {2}}), tensor({{1.}, {2.}}));
  y.scatter_add_(1, tensor({{0, 0}}), tensor({{10., 20.}}));
  y.index_add_(1, ids({1, 1}), ones({2, 2}), 0.5);
  EXPECT_THAT(values<float>(y.array()), ElementsAre(31, 1, 0, 0, 1, 2));
  y.index_fill_(0, ids({-1}), 7);
  y.index_copy_(1, ids({2}), tensor({{8.}, {9.}}));
  EXPECT_THAT(values<float>(y.array()), ElementsAre(31, 1, 8, 7, 7, 9));
  y.masked_fill_(above(y, 8), 0).masked_scatter_(equal_to(y, 7), tensor({1., 2., 3.}));
  EXPECT_THAT(values<float>(y.array()), ElementsAre(0, 1, 8, 1, 2, 0));
  EXPECT_EQ(y._version(), 7);
  const Tensor leaf = zeros({2, 2}, requires_grad());
  EXPECT_THROW(leaf.masked_fill_(ones({2, 2}, kBool), 1), Error);
  const Tensor z = leaf * 3;
  z.scatter_(1, tensor({{0}, {1}}), 5).masked_fill_(tensor({{false, true}, {false, false}}), 2);
  z.sum().backward();
  EXPECT_THAT(values<float>(leaf.grad().array()), ElementsAre(0, 0, 3, 0));
}

TEST(Mask, Values) {
  const Tensor y = tensor({{1., 0.}, {0., 4.}});
  EXPECT_THAT(values<std::int64_t>(y.nonzero().array()), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(values<std::int64_t>(where(y)[1].array()), ElementsAre(0, 1));
  EXPECT_EQ(tensor(3).nonzero().sizes(), (Ints{1, 0}));
  EXPECT_EQ(where(tensor(3)).size(), 1u);
  EXPECT_THAT(values<float>(y.masked_select(above(y, 0)).array()), ElementsAre(1, 4));
  EXPECT_EQ(error_of<Error>([&] { y.masked_scatter(above(y, 0), ones({1})); }),
            "masked_scatter: the mask has 2 elements set, but the source has only 1");
  EXPECT_EQ(error_of<TypeError>([&] {
              y.masked_fill(tensor({1, 0}), 1);
            }),
            "masked_fill: expected mask dtype to be Bool, got Long");
}

TEST(OneHot, Values) {
  EXPECT_THAT(values<std::int64_t>(one_hot(ids({2, 0})).array()), ElementsAre(0, 0, 1, 1, 0, 0));
  EXPECT_EQ(one_hot(tensor({{1, 0}}), 5).sizes(), (Ints{1, 2, 5}));
  EXPECT_EQ(error_of<Error>([] { one_hot(ids({3}), 3); }),
            "one_hot: Class values must be smaller than num_classes, got 3 for 3 classes");
  EXPECT_THROW(one_hot(ids({})), Error);
  EXPECT_EQ(one_hot(ids({}), 3).sizes(), (Ints{0, 3}));
}

}  // namespace
}  // namespace tapedeck
