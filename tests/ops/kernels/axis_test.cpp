#include <tapedeck/ops/kernels/axis.h>
#include <tapedeck/ops/kernels/scan.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck {
namespace {

using namespace testing;
using kernels::AxisView;
using Shape = std::vector<std::int64_t>;

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {{},     {6},       {4, 7},       {5, 40},
                                         {2, 3}, {3, 5, 2}, {2, 600, 3},  {3, 4, 35},
                                         {0, 3}, {4, 1, 6}, {2, 3, 5, 7}, {1, 1}};
  return all;
}

// Calls check(x in some layout, dim, lines of the axis) for every shape, layout and axis; element i
// of line (o, k) is element (o, i, k) of the row-major values.
template <typename T, typename F>
void for_each_axis(F check, double low = -3, double high = 3) {
  for (const Shape& shape : shapes()) {
    const Array a = random_array(shape, dtype_of<T>, 1, low, high);
    const auto dims = std::max<std::int64_t>(1, a.dim());
    for (std::int64_t dim = -dims; dim < dims; ++dim)
      for (const Array& x : layouts_of(a)) check(x, dim);
  }
}

// The result of f on each line, put where the line was.
template <typename T>
std::vector<T> along(const Array& x, std::int64_t dim,
                     std::function<std::vector<double>(const std::vector<double>&)> f) {
  const AxisView view(x.sizes(), dim, "test");
  const std::vector<T> from = values<T>(x);
  std::vector<T> to(from.size());
  for (std::int64_t o = 0; o < view.outer; ++o)
    for (std::int64_t k = 0; k < view.inner; ++k) {
      std::vector<double> line;
      for (std::int64_t i = 0; i < view.axis; ++i)
        line.push_back(from[(o * view.axis + i) * view.inner + k]);
      line = f(line);
      for (std::int64_t i = 0; i < view.axis; ++i)
        to[(o * view.axis + i) * view.inner + k] = static_cast<T>(line[i]);
    }
  return to;
}

std::vector<double> softmax_of(std::vector<double> x) {
  double sum = 0;
  for (double& v : x) sum += v = std::exp(v);
  for (double& v : x) v /= sum;
  return x;
}

template <typename T>
class AxisTest : public ::testing::Test {};
using FloatTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(AxisTest, FloatTypes);

TYPED_TEST(AxisTest, Softmax) {
  using T = TypeParam;
  const double e = sizeof(T) == 4 ? 2e-6 : 1e-14;
  for_each_axis<T>([&](const Array& x, std::int64_t dim) {
    const Array y = kernels::softmax(x, dim), z = kernels::log_softmax(x, dim);
    expect_close(y, along<T>(x, dim, softmax_of), e, e);
    expect_close(z,
                 along<T>(x, dim,
                          [](auto& line) {
                            auto s = softmax_of(line);
                            for (double& v : s) v = std::log(v);
                            return s;
                          }),
                 e, e);
  });
}

// Slabs that go through a buffer, and columns for more than one of them.
TYPED_TEST(AxisTest, SoftmaxOfManyColumns) {
  using T = TypeParam;
  const double e = sizeof(T) == 4 ? 2e-6 : 1e-14;
  const Array x = random_array({2, 41, 259}, dtype_of<T>, 1);
  expect_close(kernels::softmax(x, 1), along<T>(x, 1, softmax_of), e, e);
}

TYPED_TEST(AxisTest, SoftmaxBackwardIsTheJacobianTransposed) {
  using T = TypeParam;
  const double e = sizeof(T) == 4 ? 1e-5 : 1e-12;
  // The last has slabs that go through a buffer, and columns for more than one.
  for (const Shape& shape : {Shape{7}, Shape{3, 21}, Shape{2, 5, 19}, Shape{2, 41, 259}}) {
    const Array x = random_array(shape, kFloat64, 1), g = random_array(shape, kFloat64, 2);
    for (std::int64_t dim = 0; dim < x.dim(); ++dim) {
      const Array y = kernels::softmax(x, dim), z = kernels::log_softmax(x, dim);
      const AxisView view(x.sizes(), dim, "test");
      std::vector<T> soft, logged;
      for (std::int64_t at = 0; at < x.numel(); ++at) {
        const std::int64_t base = at - at / view.inner % view.axis * view.inner;
        const double s = y.data<double>()[at];
        double sum = 0, log_sum = 0;
        for (std::int64_t i = 0; i < view.axis; ++i) {
          const std::int64_t j = base + i * view.inner;
          const double same = j == at, sj = y.data<double>()[j], gj = g.data<double>()[j];
          sum += gj * sj * (same - s);
          log_sum += gj * (same - s);
        }
        soft.push_back(static_cast<T>(sum));
        logged.push_back(static_cast<T>(log_sum));
      }
      const auto as = [](const Array& a) { return kernels::cast(a, dtype_of<T>); };
      for (const Array& grad : layouts_of(as(g))) {
        expect_close(kernels::softmax_backward(grad, as(y), dim), soft, e, e);
        expect_close(kernels::log_softmax_backward(grad, as(z), dim), logged, e, e);
      }
    }
  }
}

TYPED_TEST(AxisTest, SoftmaxOfExtremes) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  const Array x = array_of<T>({1000, 0, -1000, -kInf, 1000, 0, NAN, 0}, {2, 4});
  for (const Array& a : {x, kernels::contiguous(x.transpose(0, 1)).transpose(0, 1)}) {
    const auto y = values<T>(kernels::softmax(a, 1)), z = values<T>(kernels::log_softmax(a, 1));
    EXPECT_EQ((std::vector<T>{y[0], y[1], y[2], y[3]}), (std::vector<T>{1, 0, 0, 0}));
    EXPECT_EQ((std::vector<T>{z[0], z[1], z[2], z[3]}), (std::vector<T>{0, -1000, -2000, -kInf}));
    for (int i = 4; i < 8; ++i) EXPECT_TRUE(std::isnan(y[i]) && std::isnan(z[i])) << i;
  }
  // One channel: exactly zero, and so is its gradient.
  const Array one = random_array({5, 1, 3}, dtype_of<T>, 1);
  const Array z = kernels::log_softmax(one, 1);
  EXPECT_EQ(values<T>(z), std::vector<T>(15, 0));
  EXPECT_EQ(values<T>(kernels::log_softmax_backward(one, z, 1)), std::vector<T>(15, 0));
}

TYPED_TEST(AxisTest, MaxAndMinAlong) {
  using T = TypeParam;
  for_each_axis<T>(
      [](const Array& x, std::int64_t dim) {
        const AxisView view(x.sizes(), dim, "test");
        if (view.axis == 0) return;
        const auto all = values<T>(x);
        for (const bool largest : {true, false}) {
          const auto [best, index] =
              largest ? kernels::max_along(x, dim, false) : kernels::min_along(x, dim, true);
          EXPECT_EQ(index.dtype(), kInt64);
          const auto got = values<T>(best);
          const auto at = values<std::int64_t>(index);
          ASSERT_EQ(best.numel(), view.outer * view.inner);
          for (std::int64_t r = 0; r < best.numel(); ++r) {
            const std::int64_t base = r / view.inner * view.axis * view.inner + r % view.inner;
            std::int64_t first = 0;
            for (std::int64_t i = 1; i < view.axis; ++i) {
              const T v = all[base + i * view.inner], b = all[base + first * view.inner];
              if (largest ? v > b : v < b) first = i;
            }
            EXPECT_EQ(at[r], first);
            EXPECT_EQ(got[r], all[base + first * view.inner]);
          }
        }
      },
      0, 5);
}

TEST(Axis, TiesGoToTheFirstIndexAndNaNWins) {
  const Array x = array_of<float>({1, 3, 3, 2, NAN, 9, NAN, 1}, {2, 4});
  for (const Array& a : layouts_of(x)) {
    const auto [best, at] = kernels::max_along(a, 1, false);
    EXPECT_EQ(values<std::int64_t>(at), (std::vector<std::int64_t>{1, 0}));
    EXPECT_TRUE(std::isnan(values<float>(best)[1]));
    const auto columns = kernels::min_along(a, 0, false);
    EXPECT_EQ(values<std::int64_t>(columns.second), (std::vector<std::int64_t>{1, 0, 1, 1}));
  }
  const Array b = array_of<bool>({false, true, true}, {3});
  EXPECT_EQ(values<std::int64_t>(kernels::max_along(b, 0, false).second)[0], 1);
  EXPECT_THROW(kernels::max_along(Array::empty({3, 0}, kFloat32), 1, false), IndexError);
}

// The best at each place of rows of any number of vectors, with its like behind it.
TYPED_TEST(AxisTest, PlacesOfExtremesInRows) {
  using T = TypeParam;
  for (std::int64_t n = 1; n < 40; ++n)
    for (const bool nan : {false, true}) {
      const Array x = random_array({n, n}, dtype_of<T>, 1, 0, 5);
      const T best = nan ? std::numeric_limits<T>::quiet_NaN() : T{9};
      for (std::int64_t r = 0; r < n; ++r)
        for (const std::int64_t i : {r, (r + n) / 2, n - 1}) x.data<T>()[r * n + i] = best;
      const auto [values_of_rows, at] = kernels::max_along(x, 1, false);
      for (std::int64_t r = 0; r < n; ++r) {
        EXPECT_EQ(at.data<std::int64_t>()[r], r) << n;
        EXPECT_EQ(std::isnan(values_of_rows.data<T>()[r]), nan) << n;
      }
    }
}

TEST(Axis, ExtremesOfIntegersAndOfManyColumns) {
  for (const Shape& shape : {Shape{37, 77}, {3, 19, 41}, {5, 300}}) {
    const Array x = random_array(shape, kInt64, 1, -9, 9), same = kernels::cast(x, kFloat64);
    for (std::int64_t dim = 0; dim < x.dim(); ++dim)
      for (const bool largest : {true, false}) {
        const auto along = largest ? kernels::max_along : kernels::min_along;
        const auto [best, at] = along(x, dim, false);
        const auto [wanted, place] = along(same, dim, false);
        EXPECT_EQ(values<double>(kernels::cast(best, kFloat64)), values<double>(wanted));
        EXPECT_EQ(values<std::int64_t>(at), values<std::int64_t>(place));
      }
  }
  // The first NaN of a column stays, wherever in a vector it stands.
  const Array y = random_array({9, 50}, kFloat32, 1, -9, 9);
  for (std::int64_t j = 0; j < 50; j += 3)
    for (const std::int64_t i : {j % 5 + 1, j % 5 + 3})
      y.data<float>()[i * 50 + j] = std::numeric_limits<float>::quiet_NaN();
  const auto [best, at] = kernels::min_along(y, 0, false);
  for (std::int64_t j = 0; j < 50; j += 3) {
    EXPECT_TRUE(std::isnan(best.data<float>()[j]));
    EXPECT_EQ(at.data<std::int64_t>()[j], j % 5 + 1);
  }
}

TYPED_TEST(AxisTest, Scans) {
  using T = TypeParam;
  const double e = sizeof(T) == 4 ? 1e-6 : 1e-14;
  for_each_axis<T>(
      [&](const Array& x, std::int64_t dim) {
        expect_close(kernels::cumsum(x, dim),
                     along<T>(x, dim,
                              [](auto line) {
                                double s = 0;
                                for (double& v : line) v = s += v;
                                return line;
                              }),
                     e, e);
        expect_close(kernels::cumprod(x, dim),
                     along<T>(x, dim,
                              [](auto line) {
                                double s = 1;
                                for (double& v : line) v = s *= v;
                                return line;
                              }),
                     e, e);
      },
      0.9, 1.1);
  const Array n = array_of<std::int64_t>({3, -1, 4}, {3});
  EXPECT_EQ(values<std::int64_t>(kernels::cumsum(n, 0)), (std::vector<std::int64_t>{3, 2, 6}));
  EXPECT_EQ(values<std::int64_t>(kernels::cumprod(n, 0)), (std::vector<std::int64_t>{3, -3, -12}));
}

TYPED_TEST(AxisTest, ScansOfShortRows) {
  using T = TypeParam;
  for (std::int64_t n = 1; n < 12; ++n) {
    const Array x = kernels::full({7, n}, 2, dtype_of<T>);
    const Array sums = kernels::cumsum(x, 1), products = kernels::cumprod(x, 1);
    const Array backwards = kernels::cumsum(x, 1, kernels::Direction::Backward);
    for (std::int64_t k = 0; k < 7 * n; ++k) {
      const std::int64_t i = k % n;
      EXPECT_EQ(sums.data<T>()[k], static_cast<T>(2 * (i + 1))) << n;
      EXPECT_EQ(backwards.data<T>()[k], static_cast<T>(2 * (n - i))) << n;
      EXPECT_EQ(products.data<T>()[k], std::ldexp(T{1}, static_cast<int>(i + 1))) << n;
    }
  }
}

TYPED_TEST(AxisTest, ScansOfFewColumns) {
  using T = TypeParam;
  for (std::int64_t columns = 2; columns < 8; ++columns)
    for (const std::int64_t n : {1, 2, 9}) {
      const Array x = kernels::cast(random_array({3, n, columns}, kInt64, 3, -9, 9), dtype_of<T>);
      const Array sums = kernels::cumsum(x, 1);
      const Array backwards = kernels::cumsum(x, 1, kernels::Direction::Backward);
      for (std::int64_t plane = 0; plane < 3; ++plane)
        for (std::int64_t column = 0; column < columns; ++column) {
          const auto at = [&](std::int64_t i) { return (plane * n + i) * columns + column; };
          T total = 0;
          for (std::int64_t i = 0; i < n; ++i)
            ASSERT_EQ(sums.data<T>()[at(i)], total += x.data<T>()[at(i)]) << n << ' ' << columns;
          for (std::int64_t i = 0; i < n; total -= x.data<T>()[at(i++)])
            ASSERT_EQ(backwards.data<T>()[at(i)], total) << n << ' ' << columns;
        }
    }
}

TYPED_TEST(AxisTest, ScansOfAnyNumberOfRows) {
  using T = TypeParam;
  for (const std::int64_t n : {31, 32, 33, 64, 65, 300})
    for (std::int64_t rows = 1; rows < 8; ++rows) {
      const Array x = kernels::cast(random_array({rows, n}, kInt64, 3, -9, 9), dtype_of<T>);
      const Array sums = kernels::cumsum(x, 1);
      const Array backwards = kernels::cumsum(x, 1, kernels::Direction::Backward);
      for (std::int64_t r = 0; r < rows; ++r) {
        T total = 0;
        for (std::int64_t i = r * n; i < (r + 1) * n; ++i) {
          total += x.data<T>()[i];
          ASSERT_EQ(sums.data<T>()[i], total) << n << ' ' << rows;
        }
        for (std::int64_t i = r * n; i < (r + 1) * n; total -= x.data<T>()[i++])
          ASSERT_EQ(backwards.data<T>()[i], total) << n << ' ' << rows;
      }
    }
}

TYPED_TEST(AxisTest, RunningBest) {
  using T = TypeParam;
  for (const bool largest : {false, true})
    for_each_axis<T>(
        [&](const Array& x, std::int64_t dim) {
          // Few values, so that many are equal, and a NaN in some lines.
          Array rounded = kernels::clone(x);
          for (std::int64_t i = 0; i < x.numel(); ++i) {
            T& value = rounded.data<T>()[i];
            value = i % 29 == 17 ? std::numeric_limits<T>::quiet_NaN() : std::round(value);
          }
          const auto [best, places] = kernels::running_best(rounded, dim, largest, "test");
          const AxisView view(x.sizes(), dim, "test");
          const std::vector<T> from = values<T>(rounded), got = values<T>(best);
          const std::vector<std::int64_t> at = values<std::int64_t>(places);
          for (std::int64_t line = 0; line < view.outer * view.inner; ++line) {
            std::int64_t last = 0;
            const auto place = [&](std::int64_t i) {
              return static_cast<std::size_t>((line / view.inner * view.axis + i) * view.inner +
                                              line % view.inner);
            };
            for (std::int64_t i = 0; i < view.axis; ++i) {
              const T v = from[place(i)], b = from[place(last)];
              if (std::isnan(v) || (!std::isnan(b) && (largest ? v >= b : v <= b))) last = i;
              ASSERT_EQ(at[place(i)], last);
              const T want = from[place(last)];
              EXPECT_TRUE(got[place(i)] == want || (std::isnan(got[place(i)]) && std::isnan(want)));
            }
          }
        },
        -4, 4);
}

// Rows of any number of vectors: all of ties, zeros of both signs among them, of a record at each
// place, with NaNs, and of infinities. Values have the sign of the element that the index says.
TYPED_TEST(AxisTest, RunningBestOfRows) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  for (const bool largest : {false, true})
    for (std::int64_t n = 1; n < 150; n += n < 70 ? 1 : 13) {
      const std::int64_t rows = 6;
      Array x = random_array({rows, n}, dtype_of<T>, 3, -1, 1);
      T* const from = x.data<T>();
      for (std::int64_t i = 0; i < n; ++i) {
        from[n + i] = i % 3 == 0 ? T{0} : i % 5 == 0 ? T{-1} : -T{0};
        from[2 * n + i] = static_cast<T>(i);
        from[3 * n + i] = static_cast<T>(-i);
        from[4 * n + i] = i % 3 == 0 ? kInf : -kInf;
      }
      from[5 * n + n / 2] = kNan;
      const auto [best, places] = kernels::running_best(x, 1, largest, "test");
      for (std::int64_t row = 0; row < rows; ++row) {
        std::int64_t last = row * n;
        for (std::int64_t i = row * n; i < (row + 1) * n; ++i) {
          const T v = from[i], b = from[last];
          if (std::isnan(v) || (!std::isnan(b) && (largest ? v >= b : v <= b))) last = i;
          ASSERT_EQ(places.template data<std::int64_t>()[i], last - row * n) << row << ' ' << n;
          const T got = best.template data<T>()[i];
          ASSERT_EQ(std::memcmp(&got, from + last, sizeof(T)), 0) << row << ' ' << n;
        }
      }
    }
}

// Of any number of columns, with ties, zeros of both signs and NaNs among them.
TYPED_TEST(AxisTest, RunningBestOfColumns) {
  using T = TypeParam;
  constexpr std::int64_t n = 23;
  for (const bool largest : {false, true})
    for (std::int64_t columns = 2; columns < 36; columns += columns < 20 ? 1 : 5) {
      Array x = random_array({2, n, columns}, dtype_of<T>, 3, -3, 3);
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        T& value = x.data<T>()[i];
        value = i % 31 == 30 ? std::numeric_limits<T>::quiet_NaN() : std::round(value);
      }
      const auto [best, places] = kernels::running_best(x, 1, largest, "test");
      for (std::int64_t column = 0; column < 2 * columns; ++column) {
        const std::int64_t first = column / columns * n * columns + column % columns;
        std::int64_t last = first;
        for (std::int64_t i = 0, at = first; i < n; ++i, at += columns) {
          const T v = x.data<T>()[at], b = x.data<T>()[last];
          if (std::isnan(v) || (!std::isnan(b) && (largest ? v >= b : v <= b))) last = at;
          ASSERT_EQ(places.template data<std::int64_t>()[at], (last - first) / columns) << columns;
          const T got = best.template data<T>()[at];
          ASSERT_EQ(std::memcmp(&got, x.data<T>() + last, sizeof(T)), 0) << columns;
        }
      }
    }
}

TYPED_TEST(AxisTest, LogSumExp) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  const Array x = array_of<T>({1000, 1000, -kInf, -kInf, kInf, 0}, {3, 2});
  const auto y = values<T>(kernels::logsumexp(x, {1}, false));
  EXPECT_NEAR(y[0], 1000 + std::log(2.0), 1e-4);
  EXPECT_EQ(y[1], -kInf);
  EXPECT_EQ(y[2], kInf);
  const Array all = kernels::logsumexp(random_array({3, 5}, dtype_of<T>, 1), {0, 1}, true);
  EXPECT_EQ(all.sizes(), IntArrayRef({1, 1}));
  EXPECT_EQ(values<T>(kernels::logsumexp(Array::empty({2, 0}, dtype_of<T>), {1}, false)),
            (std::vector<T>{-kInf, -kInf}));
}

TEST(Axis, SameBitsOnAnyNumberOfThreads) {
  const Array x = random_array({37, 211, 19}, kFloat32, 7);
  for (const std::int64_t dim : {0, 1, 2}) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
      const ThreadCount guard(threads);
      results.push_back(values<float>(kernels::softmax(x, dim)));
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
  }
}

}  // namespace
}  // namespace tapedeck
