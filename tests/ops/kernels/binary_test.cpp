#include <tapedeck/ops/kernels/binary.h>

#include <cmath>
#include <functional>
#include <limits>

#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck {
namespace {

using namespace testing;
using kernels::binary;
using kernels::binary_out;
using kernels::BinaryOp;

using I64 = std::int64_t;
constexpr double kInf = std::numeric_limits<double>::infinity();

template <typename T>
class BinaryTest : public ::testing::Test {};
using FloatTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(BinaryTest, FloatTypes);

// The element that index i of `shape` reads from an array of `sizes`.
std::int64_t source_index(std::int64_t i, IntArrayRef shape, IntArrayRef sizes) {
  std::int64_t at = 0, step = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::size_t axis = shape.size() - 1 - d;
    const std::int64_t index = i % shape[axis];
    i /= shape[axis];
    if (d >= sizes.size()) continue;
    const std::int64_t size = sizes[sizes.size() - 1 - d];
    at += (size == 1 ? 0 : index) * step;
    step *= size;
  }
  return at;
}

template <typename T, typename Out = T, typename F>
void check(BinaryOp op, F f, double low = -2, double high = 2, double rtol = 0) {
  const struct {
    std::vector<std::int64_t> a, b;
  } shapes[] = {{{}, {}},
                {{7}, {7}},
                {{3, 5}, {3, 5}},
                {{3, 5}, {5}},
                {{3, 5}, {3, 1}},
                {{}, {3, 5}},
                {{37, 41}, {1, 41}},
                {{37, 41}, {37, 1}},
                {{2, 3, 5}, {3, 1}},
                {{2, 1, 33}, {3, 1}},
                {{1, 3}, {40, 1}},
                {{0, 3}, {1, 3}},
                {{2, 19, 4, 5}, {19, 1, 1}},
                {{301, 10}, {10}},
                {{301, 10}, {301, 1}},
                {{5, 7, 50}, {5, 1, 50}},
                {{90, 2, 3}, {2, 3}},
                {{3, 100, 1}, {3, 1, 64}},
                {{9, 11, 65}, {9, 1, 65}},
                {{3, 4, 37, 20}, {3, 1, 1, 20}},
                {{70, 90}, {70, 1}},
                {{70, 1}, {70, 90}},
                {{61, 64}, {64}},
                {{3, 1, 57}, {3, 12, 57}},
                {{6, 40}, {1}},
                {{200, 170}, {200, 170}},
                {{2, 6, 1, 30}, {1, 6, 40, 30}}};
  for (const auto& shape : shapes) {
    const Array a = random_array(shape.a, dtype_of<T>, 1, low, high);
    const Array b = random_array(shape.b, dtype_of<T>, 2, low, high);
    const DimVector sizes = broadcast_shapes(shape.a, shape.b, "check");
    std::vector<Out> expected;
    const auto x = values<T>(a), y = values<T>(b);
    for (std::int64_t i = 0; i < numel_of(sizes); ++i)
      expected.push_back(f(x[source_index(i, sizes, shape.a)], y[source_index(i, sizes, shape.b)]));
    for (const Array& left : layouts_of(a))
      for (const Array& right : layouts_of(b)) {
        const Array out = binary(op, left, right);
        EXPECT_EQ(out.sizes(), sizes);
        EXPECT_EQ(out.dtype(), dtype_of<Out>);
        expect_close(out, expected, rtol, 0);
      }
    for (Array dst : layouts_of(kernels::zeros(sizes, dtype_of<Out>))) {
      binary_out(op, dst, a, b);
      expect_close(dst, expected, rtol, 0);
    }
  }
}

TYPED_TEST(BinaryTest, Arithmetic) {
  using T = TypeParam;
  check<T>(BinaryOp::Add, [](T a, T b) { return a + b; });
  check<T>(BinaryOp::Sub, [](T a, T b) { return a - b; });
  check<T>(BinaryOp::Mul, [](T a, T b) { return a * b; });
  check<T>(BinaryOp::Div, [](T a, T b) { return a / b; });
  check<T>(BinaryOp::Maximum, [](T a, T b) { return a > b ? a : b; });
  check<T>(BinaryOp::Minimum, [](T a, T b) { return a < b ? a : b; });
  // Vectors round in another order than the library's function.
  check<T>(
      BinaryOp::Atan2, [](T a, T b) { return std::atan2(a, b); }, -2, 2,
      4 * std::numeric_limits<T>::epsilon());
  check<T>(BinaryOp::Fmod, [](T a, T b) { return std::fmod(a, b); });
}

TYPED_TEST(BinaryTest, AnglesOfZerosAndInfinities) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity(), tiny = std::numeric_limits<T>::min();
  const std::vector<T> ends = {T{0}, -T{0}, 1, -1, infinity, -infinity, tiny, -tiny};
  std::vector<T> y, x, expected;
  for (const T a : ends)
    for (const T b : ends) {
      y.push_back(a);
      x.push_back(b);
      expected.push_back(std::atan2(a, b));
    }
  const auto n = static_cast<std::int64_t>(y.size());
  const Array angles = binary(BinaryOp::Atan2, array_of(y, {n}), array_of(x, {n}));
  expect_close(angles, expected, 4 * std::numeric_limits<T>::epsilon(), 0);
  for (std::size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(std::signbit(angles.data<T>()[i]), std::signbit(expected[i])) << y[i] << " " << x[i];
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (const auto& [a, b] : {std::pair{nan, T{1}}, {T{1}, nan}, {nan, nan}})
    EXPECT_TRUE(std::isnan(binary(BinaryOp::Atan2, array_of<T>({a}, {1}), array_of<T>({b}, {1}))
                               .template data<T>()[0]));
}

TYPED_TEST(BinaryTest, Comparisons) {
  using T = TypeParam;
  check<T, bool>(BinaryOp::Lt, [](T a, T b) { return a < b; });
  check<T, bool>(BinaryOp::Ge, [](T a, T b) { return a >= b; });
  check<T, bool>(BinaryOp::LogicalXor, [](T a, T b) { return (a != 0) != (b != 0); });
}

TEST(Binary, Integers) {
  using I = std::int64_t;
  check<I>(
      BinaryOp::Add, [](I a, I b) { return a + b; }, -9, 9);
  check<std::int32_t>(
      BinaryOp::Mul, [](int a, int b) { return a * b; }, -9, 9);
  check<I>(
      BinaryOp::Sub, [](I a, I b) { return a - b; }, -9, 9);
  check<I>(
      BinaryOp::Maximum, [](I a, I b) { return a > b ? a : b; }, -9, 9);
  check<std::int32_t>(
      BinaryOp::Minimum, [](int a, int b) { return a < b ? a : b; }, -9, 9);
  check<std::int32_t>(
      BinaryOp::BitwiseAnd, [](int a, int b) { return a & b; }, -9, 9);
  check<I>(
      BinaryOp::BitwiseOr, [](I a, I b) { return a | b; }, -9, 9);
  check<std::uint8_t>(
      BinaryOp::Sub, [](int a, int b) { return std::uint8_t(a - b); }, 0, 200);
  check<I>(
      BinaryOp::BitwiseXor, [](I a, I b) { return a ^ b; }, 0, 99);
  check<I, bool>(
      BinaryOp::Eq, [](I a, I b) { return a == b; }, 0, 4);
  check<bool>(BinaryOp::Add, [](bool a, bool b) { return a || b; });
  check<bool>(BinaryOp::Mul, [](bool a, bool b) { return a && b; });
  check<bool, bool>(BinaryOp::Ne, [](bool a, bool b) { return a != b; });
}

// Every bit, the sign of zero among them, wherever vectors and single elements meet.
TYPED_TEST(BinaryTest, FmodIsExact) {
  using T = TypeParam;
  std::vector<T> x, y;
  const T large = std::ldexp(T{1}, sizeof(T) == 4 ? 30 : 60), inf = static_cast<T>(kInf);
  for (int i = 0; i < 4000; ++i) {
    const T b = static_cast<T>((i % 23 + 1) * 0.1) * (i % 2 == 0 ? 1 : -1);
    x.push_back(static_cast<T>((i * 7919) % 4001 - 2000) * (i % 3 == 0 ? b : static_cast<T>(0.37)));
    y.push_back(b);
  }
  for (const T a : {T{0}, -T{0}, large, -large, inf, std::numeric_limits<T>::denorm_min(), T{5}})
    for (const T b : {T{3}, T{-0.7}, inf, -inf, T{0}, std::numeric_limits<T>::denorm_min()}) {
      x.push_back(a);
      y.push_back(b);
    }
  const auto n = static_cast<std::int64_t>(x.size());
  const std::vector<T> found =
      values<T>(binary(BinaryOp::Fmod, array_of(x, {n}), array_of(y, {n})));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T expected = std::fmod(x[i], y[i]);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(found[i])) << x[i] << " fmod " << y[i];
    } else {
      EXPECT_EQ(found[i], expected) << x[i] << " fmod " << y[i];
      EXPECT_EQ(std::signbit(found[i]), std::signbit(expected)) << x[i] << " fmod " << y[i];
    }
  }
}

TEST(Binary, RemaindersFollowPython) {
  const Array a = array_of<I64>({7, -7, 7, -7, 6}, {5}), b = array_of<I64>({3, 3, -3, -3, -3}, {5});
  EXPECT_EQ(values<I64>(binary(BinaryOp::Remainder, a, b)), (std::vector<I64>{1, 2, -2, -1, 0}));
  EXPECT_EQ(values<I64>(binary(BinaryOp::FloorDivide, a, b)), (std::vector<I64>{2, -3, -3, 2, -2}));
  EXPECT_EQ(values<I64>(binary(BinaryOp::Fmod, a, b)), (std::vector<I64>{1, -1, 1, -1, 0}));
  const Array x = kernels::cast(a, kFloat32), y = kernels::cast(b, kFloat32);
  EXPECT_EQ(values<float>(binary(BinaryOp::Remainder, x, y)),
            (std::vector<float>{1, 2, -2, -1, 0}));
  EXPECT_EQ(values<float>(binary(BinaryOp::FloorDivide, x, y)),
            (std::vector<float>{2, -3, -3, 2, -2}));
  EXPECT_EQ(values<double>(binary(BinaryOp::FloorDivide, array_of<double>({1, -1}, {2}), 0.0)),
            (std::vector<double>{kInf, -kInf}));
}

template <typename T>
void expect_hypot(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<std::int64_t> sizes{static_cast<std::int64_t>(a.size())};
  const Array x = kernels::cast(array_of<double>(a, sizes), dtype_of<T>);
  const Array y = kernels::cast(array_of<double>(b, sizes), dtype_of<T>);
  const std::vector<T> found = values<T>(binary(BinaryOp::Hypot, x, y));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const T expected = std::hypot(static_cast<T>(a[i]), static_cast<T>(b[i]));
    const T unit = std::isfinite(expected) ? std::max(expected, std::numeric_limits<T>::min()) : 1;
    if (std::isfinite(expected))
      EXPECT_NEAR(found[i] / unit, expected / unit, 1e-6) << a[i] << " " << b[i];
    else
      EXPECT_EQ(found[i], expected) << a[i] << " " << b[i];
  }
}
TEST(Binary, HypotOfExtremes) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  std::vector<double> a = {3, 0, -0.0, inf, nan, -inf, 1e30, 1e-30, 5, 1},
                      b = {4, 0, 0, nan, inf, 2, 1e30, 0, -12, 1e-20};
  expect_hypot<float>(a, b);
  expect_hypot<double>(a, b);
  expect_hypot<double>({1e200, 1e-200, 1e300, 3e-320, 3}, {1e200, 1e-200, 1, 4e-320, 4});
  // Without anything special among them.
  a.clear();
  b.clear();
  for (int i = 0; i < 40; ++i) {
    a.push_back(i - 17.25);
    b.push_back(3.5 * i - 60);
  }
  expect_hypot<float>(a, b);
  expect_hypot<double>(a, b);
}

TEST(Binary, FloorDivisionOfWholeVectors) {
  std::vector<double> a, b;
  for (int i = 0; i < 50; ++i) {
    a.push_back((i - 25) * 0.75);
    b.push_back(i % 7 - 3.5);
  }
  const Array x = array_of<double>(a, {50}), y = array_of<double>(b, {50});
  const auto quotients = values<double>(binary(BinaryOp::FloorDivide, x, y));
  const auto rests = values<double>(binary(BinaryOp::Remainder, x, y));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(quotients[i], std::floor(a[i] / b[i]));
    EXPECT_NEAR(quotients[i] * b[i] + rests[i], a[i], 1e-12);
  }
}

TEST(Binary, IntegerExtremes) {
  constexpr I64 kMin = std::numeric_limits<I64>::min();
  const Array a = array_of<I64>({kMin}, {1}), b = array_of<I64>({-1}, {1});
  EXPECT_EQ(values<I64>(binary(BinaryOp::FloorDivide, a, b)), (std::vector<I64>{kMin}));
  EXPECT_EQ(values<I64>(binary(BinaryOp::Remainder, a, b)), (std::vector<I64>{0}));
  EXPECT_EQ(values<I64>(binary(BinaryOp::Add, a, b)),
            (std::vector<I64>{std::numeric_limits<I64>::max()}));
}

TYPED_TEST(BinaryTest, PowIsThatOfTheStandardLibrary) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> bases = {T(0.3), T(1.7), T(-2.5), 0,         T(-0.0), 1,        -1, inf,
                                -inf,   nan,    T(1e30), T(-1e-30), T(97.3), T(1e-42), -3};
  const std::vector<T> exponents = {0,       1,       -1,  2,    3,   -3,         4,  T(0.5),
                                    T(-2.5), T(7.25), inf, -inf, nan, T(-40.125), 31, T(1e8)};
  const auto columns = static_cast<std::int64_t>(exponents.size());
  // Along rows of ordinary numbers, and beside what is not ordinary.
  for (const T base : bases) {
    const Array x = array_of<T>(std::vector<T>(exponents.size(), base), {columns});
    const auto out = values<T>(binary(BinaryOp::Pow, x, array_of<T>(exponents, {columns})));
    for (std::size_t i = 0; i < exponents.size(); ++i) {
      const Array one = binary(BinaryOp::Pow, x, array_of<T>({exponents[i]}, {1}));
      const T expected = std::pow(base, exponents[i]);
      for (const T got : {out[i], values<T>(one)[5]}) {
        if (std::isnan(expected))
          EXPECT_TRUE(std::isnan(got)) << base << " ^ " << exponents[i] << " gives " << got;
        else if (std::isinf(expected) || expected == 0)
          EXPECT_EQ(got, expected) << base << " ^ " << exponents[i];
        else
          EXPECT_LE(std::abs(got / expected - 1), 2 * std::numeric_limits<T>::epsilon())
              << base << " ^ " << exponents[i];
      }
    }
  }
}

// One element for each row, or for several axes, where rows are short or hold one element.
TEST(Binary, OneElementForEachShortRow) {
  const std::vector<std::vector<std::int64_t>> outputs = {
      {40, 6, 5}, {40, 6, 1}, {7, 8, 4, 4}, {64, 3, 14, 14}, {5, 1}, {1, 9, 1, 3}};
  for (const auto& shape : outputs) {
    const auto dims = shape.size();
    for (unsigned kept = 0; kept < 1u << dims; ++kept) {
      std::vector<std::int64_t> sizes = shape;
      for (std::size_t d = 0; d < dims; ++d)
        if ((kept >> d & 1) == 0) sizes[d] = 1;
      std::vector<float> x(static_cast<std::size_t>(numel_of(shape)));
      std::vector<float> y(static_cast<std::size_t>(numel_of(sizes)));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(1000 * i);
      const Array other = array_of<float>(y, sizes);
      const auto got = values<float>(binary(BinaryOp::Sub, array_of<float>(x, shape), other));
      const auto spread = values<float>(binary(BinaryOp::Add, other.expand(shape), 0));
      for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(got[i], x[i] - spread[i]) << i;
    }
  }
}

TEST(Binary, IntegerPowers) {
  const Array a = array_of<I64>({2, -3, -1, 1, 5, 0}, {6});
  const Array b = array_of<I64>({10, 3, -3, -2, -1, 0}, {6});
  EXPECT_EQ(values<I64>(binary(BinaryOp::Pow, a, b)), (std::vector<I64>{1024, -27, -1, 1, 0, 1}));
}

TYPED_TEST(BinaryTest, MaximumAndMinimumPropagateNaN) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> x(40, 1), y(40, 2);
  x[0] = x[17] = y[3] = y[39] = nan;
  const Array a = array_of<T>(x, {40}), b = array_of<T>(y, {40});
  for (const auto op : {BinaryOp::Maximum, BinaryOp::Minimum}) {
    const auto out = values<T>(binary(op, a, b));
    for (std::size_t i = 0; i < out.size(); ++i)
      EXPECT_EQ(std::isnan(out[i]), std::isnan(x[i]) || std::isnan(y[i])) << i;
  }
}

TYPED_TEST(BinaryTest, Scalars) {
  using T = TypeParam;
  const Array a = random_array({5, 7}, dtype_of<T>, 1);
  for (const Array& x : layouts_of(a)) {
    std::vector<T> minus, from;
    for (T v : values<T>(a)) {
      minus.push_back(v - T{3});
      from.push_back(T{3} - v);
    }
    EXPECT_EQ(values<T>(binary(BinaryOp::Sub, x, 3)), minus);
    EXPECT_EQ(values<T>(binary(BinaryOp::Sub, 3, x)), from);
    Array y = x;
    binary_out(BinaryOp::Sub, y, x, 3.0);
    EXPECT_EQ(values<T>(y), minus);
    binary_out(BinaryOp::Add, y, x, 3.0);
    kernels::copy(a, y);
  }
}

TEST(Binary, InPlaceOverRowsOfEveryLength) {
  for (const ScalarType dtype : {ScalarType::Float, ScalarType::Double, ScalarType::Long})
    for (std::int64_t n = 1; n <= 70; ++n)
      for (const bool gapless : {false, true}) {
        const Array before = random_array({5, n + 2}, dtype, 9, -50, 50);
        Array after = kernels::clone(before);
        Array part = gapless ? after.slice(0, 1, 2, 1) : after.slice(1, 1, n + 1, 1);
        kernels::add_out(part, part, part);
        const auto was = values<double>(kernels::cast(before, ScalarType::Double));
        const auto is = values<double>(kernels::cast(after, ScalarType::Double));
        for (std::int64_t i = 0; i < before.numel(); ++i) {
          const std::int64_t column = i % (n + 2);
          const bool doubled = gapless ? i / (n + 2) == 1 : column >= 1 && column <= n;
          const auto at = static_cast<std::size_t>(i);
          ASSERT_EQ(is[at], was[at] * (doubled ? 2 : 1)) << n;
        }
      }
}

TEST(Binary, InPlaceOverStridedRows) {
  for (const std::int64_t columns : {40, 301, 1100})
    for (const std::int64_t step : {2, 3}) {
      const Array before = random_array({5, columns}, kFloat32, 9);
      Array after = kernels::clone(before);
      Array part = after.slice(1, 1, columns, step);
      const Array other = random_array({part.size(1), 5}, kFloat32, 10);
      kernels::mul_out(part, part, other.transpose(0, 1));
      for (std::int64_t i = 0; i < before.numel(); ++i) {
        const std::int64_t row = i / columns, column = i % columns;
        const float was = before.data<float>()[i];
        const bool is_part = column % step == 1 % step;
        const float factor = is_part ? other.data<float>()[(column - 1) / step * 5 + row] : 1;
        ASSERT_EQ(after.data<float>()[i], was * factor) << columns << " " << step;
      }
    }
}

TEST(Binary, EverySecondElementOfShortRows) {
  for (const std::int64_t n : {5, 17, 40, 63, 64, 70}) {
    const std::int64_t rows = 40000 / n;
    const Array a = random_array({rows, 2 * n - 1}, kFloat64, 1);
    const Array b = random_array({rows, n}, kFloat64, 2), row = random_array({1, n}, kFloat64, 3);
    const Array x = a.slice(1, 0, 2 * n - 1, 2);
    const auto sum = values<double>(binary(BinaryOp::Add, b, x));
    const auto product = values<double>(binary(BinaryOp::Mul, x, row));
    Array in_place = kernels::clone(a).slice(1, 0, 2 * n - 1, 2);
    kernels::mul_out(in_place, in_place, b);
    const auto changed = values<double>(in_place);
    for (std::int64_t i = 0; i < rows * n; ++i) {
      const double from = a.data<double>()[i / n * (2 * n - 1) + i % n * 2];
      const auto at = static_cast<std::size_t>(i);
      ASSERT_EQ(sum[at], b.data<double>()[i] + from) << n;
      ASSERT_EQ(product[at], from * row.data<double>()[i % n]) << n;
      ASSERT_EQ(changed[at], from * b.data<double>()[i]) << n;
    }
  }
}

// Slices of an operand that lies crosswise, where the other axis has many elements or few.
TEST(Binary, LargeCrosswiseOperands) {
  for (const std::int64_t rows : {2, 23, 300, 20000}) {
    const std::int64_t columns = 40007 * 3 / rows + 5;
    const Array a = random_array({rows, columns}, kFloat32, 1);
    const Array b = random_array({columns, rows}, kFloat32, 2);
    for (const bool into_crosswise : {false, true}) {
      const Array x = into_crosswise ? b.transpose(0, 1) : a;
      const Array sum = binary(BinaryOp::Add, x, into_crosswise ? a : b.transpose(0, 1));
      const auto got = values<float>(sum);
      for (std::int64_t i = 0; i < rows * columns; ++i)
        ASSERT_EQ(got[static_cast<std::size_t>(i)],
                  a.data<float>()[i] + b.data<float>()[i % columns * rows + i / columns])
            << rows << ' ' << i;
    }
  }
}

TEST(Binary, IntoATransposedArray) {
  const std::int64_t rows = 230, columns = 190;
  Array out = random_array({columns, rows}, kFloat32, 1);
  const Array a = kernels::clone(out), b = random_array({rows, columns}, kFloat32, 2);
  Array transposed = out.transpose(0, 1);
  kernels::sub_out(transposed, transposed, b);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      ASSERT_EQ(out.data<float>()[c * rows + r],
                a.data<float>()[c * rows + r] - b.data<float>()[r * columns + c]);
}

TEST(Binary, PowersOfFloat64AreGoodToTheLastBits) {
  const std::int64_t n = 4000;
  Array bases = random_array({n}, kFloat64, 1, -40, 40);
  for (std::int64_t i = 0; i < n; ++i) bases.data<double>()[i] = std::exp2(bases.data<double>()[i]);
  for (const double bound : {1.0, 3.0, 30.0}) {
    const Array exponents = random_array({n}, kFloat64, 2, -bound, bound);
    const auto got = values<double>(binary(BinaryOp::Pow, bases, exponents));
    for (std::int64_t i = 0; i < n; ++i) {
      const double expected = std::pow(bases.data<double>()[i], exponents.data<double>()[i]);
      const double is = got[static_cast<std::size_t>(i)];
      // A bit, or the smallest number.
      EXPECT_TRUE(is == expected || std::abs(is - expected) <= 2.3e-16 * expected + 5e-324)
          << bases.data<double>()[i] << " ^ " << exponents.data<double>()[i] << " gives " << is;
    }
  }
}

TEST(Binary, OutputMayBeOrOverlapAnOperand) {
  Array a = array_of<float>({0, 1, 2, 3, 4, 5}, {6});
  Array tail = a.slice(0, 1, 6, 1);
  kernels::add_out(tail, a.slice(0, 0, 5, 1), tail);
  EXPECT_EQ(values<float>(a), (std::vector<float>{0, 1, 3, 5, 7, 9}));
  Array m = array_of<float>({0, 1, 2, 3}, {2, 2});
  kernels::add_out(m, m, m.transpose(0, 1));
  EXPECT_EQ(values<float>(m), (std::vector<float>{0, 3, 3, 6}));
  kernels::mul_out(m, m, m.slice(0, 1, 2, 1).slice(1, 1, 2, 1));  // by its last element
  EXPECT_EQ(values<float>(m), (std::vector<float>{0, 18, 18, 36}));
}

TEST(Binary, LargeOnAnyNumberOfThreads) {
  const Array a = random_array({7, 12345}, kFloat32, 1), b = random_array({7, 1}, kFloat32, 2);
  std::vector<float> expected;
  for (std::int64_t i = 0; i < a.numel(); ++i)
    expected.push_back(a.data<float>()[i] / b.data<float>()[i / 12345]);
  for (int threads : {1, 2, 3}) {
    const ThreadCount guard(threads);
    EXPECT_EQ(values<float>(kernels::div(a, b)), expected);
  }
}

// Outputs that no cache keeps, with an end that fills no vector, from a line of the cache on and
// from the middle of one; and one that takes an operand's place.
TYPED_TEST(BinaryTest, BeyondCaches) {
  using T = TypeParam;
  const std::int64_t n = (std::int64_t{24} << 20) / std::int64_t{sizeof(T)} + 1037;
  const Array x = random_array({n}, dtype_of<T>, 1), y = random_array({n}, dtype_of<T>, 2);
  const T *const a = x.data<T>(), *const b = y.data<T>();
  const Array whole = Array::empty(n + 1, dtype_of<T>);
  for (const std::int64_t first : {0, 1}) {
    Array sum = whole.slice(0, first, first + n, 1);
    binary_out(BinaryOp::Add, sum, x, y);
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(sum.data<T>()[i], a[i] + b[i]) << i;
  }
  Array product = binary(BinaryOp::Mul, x, 3.0);
  for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(product.data<T>()[i], a[i] * 3) << i;
  binary_out(BinaryOp::Sub, product, product, x);
  for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(product.data<T>()[i], a[i] * 3 - a[i]) << i;
}

TEST(Binary, OneElementIntoMany) {
  Array out = Array::empty({3, 4}, kFloat32);
  const Array one = kernels::full({}, 2, kFloat32);
  binary_out(BinaryOp::Add, out, one.expand({3, 4}), one.expand({3, 4}));
  EXPECT_EQ(values<float>(out), std::vector<float>(12, 4));
}

template <typename F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Binary, ResultsLieInTheMemoryAsTheirOperandsDo) {
  const Array a = kernels::ones({2, 3, 5}, kFloat32).permute({2, 0, 1});  // [5, 2, 3]
  const Array row_major = kernels::ones({5, 2, 3}, kFloat32);
  EXPECT_EQ(kernels::add(a, a).strides(), a.strides());
  EXPECT_EQ(kernels::add(a, row_major).strides(), a.strides());
  EXPECT_EQ(kernels::add(row_major, a).strides(), row_major.strides());
  // What is broadcast says nothing of the axes that it repeats.
  EXPECT_EQ(kernels::add(kernels::ones({3}, kFloat32), a).strides(), a.strides());
  EXPECT_EQ(binary(BinaryOp::Gt, a, Scalar(0)).strides(), a.strides());
  EXPECT_EQ(binary(BinaryOp::Div, Scalar(1), a).strides(), a.strides());
  // A part of an array: no gaps in the result.
  EXPECT_EQ(kernels::add(a.slice(0, 0, 5, 2), a.slice(0, 0, 5, 2)).strides(), (DimVector{1, 9, 3}));
  EXPECT_EQ(kernels::add(a, row_major).permute({1, 2, 0}).is_contiguous(), true);
}

TEST(Binary, Errors) {
  const Array a = Array::empty({2, 3}, kFloat32), b = Array::empty({2, 4}, kFloat32);
  EXPECT_EQ(message_of([&] { kernels::add(a, b); }),
            "add: the shapes [2, 3] and [2, 4] do not broadcast: at dimension 1 they have 3 and 4");
  EXPECT_EQ(message_of([&] { kernels::add(a, Array::empty({3}, kFloat64)); }),
            "add: expected operands of one dtype, got Float and Double");
  EXPECT_EQ(
      message_of([&] { kernels::div(kernels::ones({2}, kInt64), kernels::ones({2}, kInt64)); }),
      "div: not implemented for dtype Long");
  EXPECT_THROW(kernels::sub(kernels::ones({2}, kBool), kernels::ones({2}, kBool)), TypeError);
  EXPECT_EQ(message_of([&] {
              binary(BinaryOp::Remainder, kernels::ones({2}, kInt64), kernels::zeros({2}, kInt64));
            }),
            "remainder: integer division by zero");
  Array row = Array::empty({3}, kFloat32);
  EXPECT_EQ(message_of([&] { kernels::add_out(row, a, a); }),
            "add: output with shape [3] doesn't match the broadcast shape [2, 3]");
  Array expanded = row.expand({2, 3});
  EXPECT_THROW(kernels::add_out(expanded, a, a), Error);
}

}  // namespace
}  // namespace tapedeck
