#include <tapedeck/ops/kernels/ternary.h>

#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck::kernels {
namespace {

using namespace tapedeck::testing;

template <typename T>
class TernaryTest : public ::testing::Test {};
using FloatTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(TernaryTest, FloatTypes);

struct Shapes {
  DimVector a, b, c;
};
const Shapes kShapes[] = {
    {{}, {}, {}},
    {{7}, {7}, {7}},
    {{301}, {1}, {301}},
    {{37, 41}, {41}, {37, 1}},
    {{3, 1}, {5}, {}},
    {{2, 3, 5}, {3, 1}, {2, 1, 1}},
    {{1}, {40, 33}, {40, 1}},
    {{0, 3}, {3}, {1}},
};

// The two steps apart, which round alike but for the product with the scale.
TYPED_TEST(TernaryTest, IsTwoStepsInOne) {
  using T = TypeParam;
  const double rtol = 4 * std::numeric_limits<T>::epsilon();
  for (const Shapes& s : kShapes) {
    const Array a = random_array(s.a, dtype_of<T>, 1, 1, 2);
    const Array b = random_array(s.b, dtype_of<T>, 2, 1, 2);
    const Array c = random_array(s.c, dtype_of<T>, 3, 1, 2);
    for (const TernaryOp op : {TernaryOp::AddProduct, TernaryOp::AddQuotient}) {
      const Array inner = op == TernaryOp::AddProduct ? mul(b, c) : div(b, c);
      const Array expected = binary(BinaryOp::AddScaled, a, inner, {{0.75}});
      const std::vector<T> wanted = values<T>(expected);
      for (const Array& x : layouts_of(a))
        for (const Array& y : layouts_of(b))
          for (const Array& z : layouts_of(c)) {
            const Array out = ternary(op, expected.sizes(), x, y, z, {{0.75}});
            EXPECT_EQ(out.sizes(), expected.sizes());
            expect_close(out, wanted, rtol, 0);
          }
      for (Array out : layouts_of(zeros(expected.sizes(), dtype_of<T>))) {
        ternary_out(op, out, a, b, c, {{0.75}});
        expect_close(out, wanted, rtol, 0);
      }
    }
  }
}

TYPED_TEST(TernaryTest, OutputMayBeOrOverlapAnOperand) {
  using T = TypeParam;
  Array line = random_array({10}, dtype_of<T>, 1, 1, 2);
  Array out = line.slice(0, 1, 10, 1);
  const Array before = clone(line);
  const Array expected = ternary(TernaryOp::AddProduct, {9}, before.slice(0, 1, 10, 1),
                                 before.slice(0, 0, 9, 1), before.slice(0, 1, 10, 1), {{2}});
  ternary_out(TernaryOp::AddProduct, out, out, line.slice(0, 0, 9, 1), out, {{2}});
  EXPECT_EQ(values<T>(out), values<T>(expected));
}

// In place in some columns of a wider matrix, whose others stay, with one operand twice.
TYPED_TEST(TernaryTest, RowsOfEveryLengthWithAnOperandTwice) {
  using T = TypeParam;
  for (std::int64_t columns = 1; columns <= 40; ++columns) {
    const Array whole = random_array({5, 6, columns + 2}, dtype_of<T>, 1, 1, 2);
    for (const DimVector& sizes : {DimVector{5, 6, columns}, {5, 1, columns}, {5, 6, 1}, {columns}})
      for (const Array& b : layouts_of(random_array(sizes, dtype_of<T>, 2, 1, 2))) {
        Array changed = clone(whole), expected = clone(whole);
        Array out = changed.slice(2, 1, 1 + columns, 1);
        Array part = expected.slice(2, 1, 1 + columns, 1);
        copy(binary(BinaryOp::AddScaled, part, mul(b, b), {{0.75}}), part);
        ternary_out(TernaryOp::AddProduct, out, out, b, b, {{0.75}});
        expect_close(changed, values<T>(expected), 4 * std::numeric_limits<T>::epsilon(), 0);
      }
  }
}

// Large enough that operands which lie crosswise to the output are copied, whatever they repeat.
TYPED_TEST(TernaryTest, OutputInAnyOrderOfTheAxes) {
  using T = TypeParam;
  for (const DimVector& order : {DimVector{0, 2, 1}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    const Array x = random_array({21, 23, 19}, dtype_of<T>, 1, 1, 2).permute(order);
    for (unsigned repeats = 0; repeats < 8; ++repeats) {
      DimVector sizes = x.sizes();
      for (int d = 0; d < 3; ++d)
        if (repeats >> d & 1) sizes[d] = 1;
      Array b = random_array(sizes, dtype_of<T>, 2, 1, 2);
      if (repeats == 1) b = b.select(0, 0);
      const Array expected =
          ternary(TernaryOp::AddProduct, x.sizes(), clone(x), clone(b.expand(x.sizes())),
                  clone(b.expand(x.sizes())), {{0.75}});
      const Array out = ternary(TernaryOp::AddProduct, x.sizes(), x, b, b, {{0.75}});
      EXPECT_EQ(out.strides(), x.strides());
      EXPECT_EQ(values<T>(out), values<T>(expected));
    }
  }
}

TEST(Ternary, LargeOnAnyNumberOfThreads) {
  const Array a = random_array({300, 1001}, kFloat32, 1), b = random_array({1001}, kFloat32, 2);
  const auto run = [&](int threads) {
    const ThreadCount count(threads);
    return values<float>(ternary(TernaryOp::AddProduct, a.sizes(), a, b, a, {{-1.5}}));
  };
  EXPECT_EQ(run(1), run(3));
}

}  // namespace
}  // namespace tapedeck::kernels
