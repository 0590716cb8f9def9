#include <tapedeck/ops/kernels/reduce.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck {
namespace {

using namespace testing;
using kernels::reduce;
using kernels::ReduceOp;
using Shape = std::vector<std::int64_t>;

struct Case {
  Shape sizes, dims;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {{{}, {}},
                                        {{7}, {}},
                                        {{7}, {0}},
                                        {{3, 5}, {0}},
                                        {{3, 5}, {1}},
                                        {{3, 5}, {-1, 0}},
                                        {{70, 130}, {0}},
                                        {{70, 130}, {1}},
                                        {{2, 3, 5}, {1}},
                                        {{2, 3, 5}, {0, 2}},
                                        {{2, 3, 5, 7}, {1, 3}},
                                        {{4, 3, 9, 9}, {0, 2, 3}},
                                        {{3, 1, 5}, {1}},
                                        {{1000, 3}, {0}},
                                        {{2, 307, 10}, {1}},
                                        {{45000, 2}, {0}},
                                        {{3, 1000}, {0}},
                                        {{5, 1, 1, 6}, {0, 3}},
                                        {{3, 0, 2}, {0}},
                                        {{0, 4}, {1}}};
  return all;
}

// The groups of elements that each result is made of, in row-major order of the results.
template <typename T>
std::vector<std::vector<T>> groups(const Array& x, const Shape& dims) {
  const DimVector kept = kernels::reduced_shape(x.sizes(), dims, true, "groups");
  std::vector<std::vector<T>> out(static_cast<std::size_t>(numel_of(kept)));
  const std::vector<T> elements = values<T>(x);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    std::int64_t rest = i, group = 0, step = 1;
    for (std::int64_t d = x.dim() - 1; d >= 0; --d) {
      if (kept[d] != 1) group += rest % x.sizes()[d] * step;
      step *= kept[d];
      rest /= x.sizes()[d];
    }
    out[static_cast<std::size_t>(group)].push_back(elements[static_cast<std::size_t>(i)]);
  }
  return out;
}

template <typename T, typename Out, typename F, typename G>
void check(F compute, G naive, double rtol, double low = -2, double high = 2) {
  for (const Case& c : cases()) {
    const Array a = random_array(c.sizes, dtype_of<T>, 1, low, high);
    std::vector<Out> expected;
    for (const auto& group : groups<T>(a, c.dims)) expected.push_back(naive(group));
    for (const Array& x : layouts_of(a))
      for (const bool keepdim : {false, true}) {
        const Array out = compute(x, c.dims, keepdim);
        EXPECT_EQ(out.sizes(), kernels::reduced_shape(c.sizes, c.dims, keepdim, "check"));
        EXPECT_EQ(out.dtype(), dtype_of<Out>);
        expect_close(out, expected, rtol, rtol);
      }
  }
}

template <typename T>
class ReduceTest : public ::testing::Test {};
using FloatTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ReduceTest, FloatTypes);

template <ReduceOp op>
Array run(const Array& x, IntArrayRef dims, bool keepdim) {
  return reduce(op, x, dims, keepdim);
}

template <typename T>
double sum_of(const std::vector<T>& v) {
  double sum = 0;
  for (T x : v) sum += x;
  return sum;
}

TYPED_TEST(ReduceTest, Sums) {
  using T = TypeParam;
  const double rtol = sizeof(T) == 4 ? 1e-6 : 1e-14;
  check<T, T>(
      run<ReduceOp::Sum>, [](auto& v) { return T(sum_of(v)); }, 4 * rtol);
  check<T, T>(
      run<ReduceOp::Mean>, [](auto& v) { return T(sum_of(v) / double(v.size())); }, rtol);
  check<T, T>(
      run<ReduceOp::Prod>,
      [](auto& v) {
        double p = 1;
        for (T x : v) p *= x;
        return T(p);
      },
      rtol, 0.9, 1.1);
  check<T, T>(
      run<ReduceOp::Norm1>,
      [](auto& v) {
        double s = 0;
        for (T x : v) s += std::abs(x);
        return T(s);
      },
      rtol);
  check<T, T>(
      run<ReduceOp::Norm2>,
      [](auto& v) {
        double s = 0;
        for (T x : v) s += double(x) * x;
        return T(std::sqrt(s));
      },
      rtol);
  for (const std::int64_t correction : {0, 1})
    check<T, T>([=](const Array& x, IntArrayRef d,
                    bool keepdim) { return kernels::var(x, d, correction, keepdim); },
                [=](auto& v) {
                  const double n = double(v.size()), mean = sum_of(v) / n;
                  double s = 0;
                  for (T x : v) s += (x - mean) * (x - mean);
                  return n > correction ? T(s / (n - correction)) : T(NAN);
                },
                4 * rtol, 100, 104);
}

TYPED_TEST(ReduceTest, Extremes) {
  using T = TypeParam;
  const auto nonempty = [](auto f) {
    return [f](const Array& x, IntArrayRef dims, bool keepdim) {
      if (x.numel() > 0) return f(x, dims, keepdim);
      return Array::empty(kernels::reduced_shape(x.sizes(), dims, keepdim, "x"), x.dtype());
    };
  };
  for (const Case& c : cases()) {
    const Array a = random_array(c.sizes, dtype_of<T>, 1);
    if (a.numel() == 0) continue;
    std::vector<T> largest, smallest, magnitude;
    for (const auto& g : groups<T>(a, c.dims)) {
      largest.push_back(*std::max_element(g.begin(), g.end()));
      smallest.push_back(*std::min_element(g.begin(), g.end()));
      magnitude.push_back(std::max(std::abs(largest.back()), std::abs(smallest.back())));
    }
    for (const Array& x : layouts_of(a)) {
      EXPECT_EQ(values<T>(nonempty(run<ReduceOp::Max>)(x, c.dims, false)), largest);
      EXPECT_EQ(values<T>(nonempty(run<ReduceOp::Min>)(x, c.dims, false)), smallest);
      EXPECT_EQ(values<T>(nonempty(run<ReduceOp::NormInf>)(x, c.dims, false)), magnitude);
    }
  }
}

TYPED_TEST(ReduceTest, ExtremesPropagateNaN) {
  using T = TypeParam;
  for (const std::int64_t at : {0, 5, 64, 99}) {
    Array x = random_array({100, 9}, dtype_of<T>, 1);
    x.data<T>()[at * 9 + 4] = std::numeric_limits<T>::quiet_NaN();
    for (const ReduceOp op : {ReduceOp::Max, ReduceOp::Min, ReduceOp::NormInf}) {
      EXPECT_TRUE(std::isnan(values<T>(reduce(op, x))[0]));
      const auto columns = values<T>(reduce(op, x, {0}));
      for (int j = 0; j < 9; ++j) EXPECT_EQ(std::isnan(columns[j]), j == 4) << at;
      const auto rows = values<T>(reduce(op, x, {1}));
      for (int i = 0; i < 100; ++i) EXPECT_EQ(std::isnan(rows[i]), i == at);
    }
  }
}

// Several rows are reduced together: the number of them, their length and what one of them holds
// matter to none of the others.
TYPED_TEST(ReduceTest, RowsOfAnyLengthAndNumber) {
  using T = TypeParam;
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN(), kInf = std::numeric_limits<T>::infinity();
  const double rtol = sizeof(T) == 4 ? 1e-5 : 1e-13;
  for (std::int64_t n = 1; n < 150; n += n < 40 ? 1 : 7)
    for (const std::int64_t rows : {1, 2, 3, 4, 7}) {
      SCOPED_TRACE(::testing::Message() << rows << " rows of " << n);
      const Array x = random_array({rows, n}, dtype_of<T>, 3, 0.5, 1.5);
      std::vector<double> sums, products, norms;
      std::vector<T> largest, smallest;
      for (const auto& row : groups<T>(x, {1})) {
        sums.push_back(0), products.push_back(1), norms.push_back(0);
        for (const T v : row) {
          sums.back() += double(v), products.back() *= double(v), norms.back() += double(v) * v;
        }
        norms.back() = std::sqrt(norms.back());
        largest.push_back(*std::max_element(row.begin(), row.end()));
        smallest.push_back(*std::min_element(row.begin(), row.end()));
      }
      const auto expect_near = [&](ReduceOp op, const std::vector<double>& expected) {
        const auto got = values<T>(reduce(op, x, {1}));
        for (std::size_t r = 0; r < expected.size(); ++r)
          EXPECT_NEAR(got[r], expected[r], rtol * expected[r]);
      };
      expect_near(ReduceOp::Sum, sums);
      expect_near(ReduceOp::Prod, products);
      expect_near(ReduceOp::Norm2, norms);
      EXPECT_EQ(values<T>(reduce(ReduceOp::Max, x, {1})), largest);
      EXPECT_EQ(values<T>(reduce(ReduceOp::Min, x, {1})), smallest);

      const auto plain_products = values<T>(reduce(ReduceOp::Prod, x, {1}));
      const auto plain_sums = values<T>(reduce(ReduceOp::Sum, x, {1}));

      // One of the rows has NaN, infinities of both signs, or products out of range on their way.
      for (std::int64_t odd = 0; odd < rows; ++odd)
        for (const T what : {kNaN, kInf, T(1e30)}) {
          const Array y = kernels::clone(x);
          y.data<T>()[odd * n + n / 2] = what;
          if (what == kInf && n > 1) y.data<T>()[odd * n] = -kInf;
          if (what == T(1e30) && n > 2) {
            y.data<T>()[odd * n] = T(1e30);
            y.data<T>()[odd * n + n - 1] = T(1e-30);
          }
          const auto maxima = values<T>(reduce(ReduceOp::Max, y, {1}));
          const auto minima = values<T>(reduce(ReduceOp::Min, y, {1}));
          const auto got = values<T>(reduce(ReduceOp::Prod, y, {1}));
          const auto totals = values<T>(reduce(ReduceOp::Sum, y, {1}));
          for (std::size_t r = 0; r < largest.size(); ++r) {
            if (static_cast<std::int64_t>(r) != odd) {
              EXPECT_EQ(maxima[r], largest[r]);
              EXPECT_EQ(minima[r], smallest[r]);
              EXPECT_EQ(got[r], plain_products[r]);
              EXPECT_EQ(totals[r], plain_sums[r]);
            } else if (std::isnan(what)) {
              EXPECT_TRUE(std::isnan(maxima[r]) && std::isnan(minima[r]));
              EXPECT_TRUE(std::isnan(got[r]) && std::isnan(totals[r]));
            } else if (std::isinf(what) && n > 1) {
              EXPECT_EQ(maxima[r], kInf);
              EXPECT_EQ(minima[r], -kInf);
              EXPECT_EQ(got[r], -kInf);
              EXPECT_TRUE(std::isnan(totals[r]));
            } else if (!std::isinf(what) && n > 2) {
              double product = 1;
              for (std::int64_t k = 0; k < n; ++k)
                product *= static_cast<double>(y.data<T>()[odd * n + k]);
              EXPECT_NEAR(got[r] / product, 1, 1e-5);
            }
          }
        }
    }
}

// What an earlier part of a result's elements was is kept.
// The same over rows, of fewer and of more columns than vectors have lanes.
TYPED_TEST(ReduceTest, ExtremesOfColumns) {
  using T = TypeParam;
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN(), kInf = std::numeric_limits<T>::infinity();
  for (std::int64_t columns = 1; columns < 40; columns += columns < 20 ? 1 : 5)
    for (const std::int64_t rows : {2, 3, 5, 37}) {
      SCOPED_TRACE(::testing::Message() << rows << " rows of " << columns);
      const Array x = random_array({3, rows, columns}, dtype_of<T>, 3, -2, 0);
      const auto at = [&](std::int64_t r, std::int64_t c) -> T& {
        return x.data<T>()[(rows + r) * columns + c];
      };
      const std::int64_t last = columns - 1;
      if (columns > 2) at(rows - 1, 0) = kNaN;
      at(0, last) = -kInf;
      at(rows - 1, last) = kInf;
      const auto maxima = values<T>(reduce(ReduceOp::Max, x, {1}));
      const auto minima = values<T>(reduce(ReduceOp::Min, x, {1}));
      std::size_t i = 0;
      for (const auto& column : groups<T>(x, {1})) {
        const bool nan = std::any_of(column.begin(), column.end(), [](T v) { return v != v; });
        EXPECT_EQ(nan, std::isnan(maxima[i]) && std::isnan(minima[i]));
        if (!nan) {
          EXPECT_EQ(maxima[i], *std::max_element(column.begin(), column.end()));
          EXPECT_EQ(minima[i], *std::min_element(column.begin(), column.end()));
        }
        ++i;
      }
    }
}

TYPED_TEST(ReduceTest, NaNOfAnEarlierPart) {
  using T = TypeParam;
  for (const std::int64_t n : {3, 20, 300}) {
    const Array x = random_array({3, 7, n}, dtype_of<T>, 5);
    x.data<T>()[(0 * 7 + 2) * n + n - 1] = std::numeric_limits<T>::quiet_NaN();
    for (const ReduceOp op : {ReduceOp::Max, ReduceOp::Min, ReduceOp::Sum, ReduceOp::Prod}) {
      const auto got = values<T>(reduce(op, x, {0, 2}));
      for (int r = 0; r < 7; ++r) EXPECT_EQ(std::isnan(got[r]), r == 2);
    }
  }
}

// What leaves float32's range on its way but not in the end, zeros, and what overflows indeed.
TEST(Reduce, ProductsBeyondTheRangeOnTheirWay) {
  const std::vector<std::vector<float>> patterns = {
      {1e7F, 1e7F, 1e-7F, 1e-7F}, {1e-7F, 1e-6F, 1e7F, 1e6F}, {1e-12F, 1, 1e12F, 1}, {1, 2, 0, 3},
      {1e3F, 1e3F, 1e3F, 1e3F},   {-1, 1.5F, -1, 1}};
  for (const auto& pattern : patterns)
    for (const std::int64_t n : {3, 8, 64, 83}) {
      std::vector<float> elements;
      double expected = 1;
      for (std::int64_t i = 0; i < n; ++i) {
        elements.push_back(pattern[static_cast<std::size_t>(i % 4)]);
        expected *= static_cast<double>(elements.back());
      }
      const auto product = static_cast<float>(expected);
      const Array row = array_of<float>(elements, {1, n}).expand({70, n});
      for (const Array& x : {kernels::clone(row), kernels::clone(row.transpose(0, 1))}) {
        const std::int64_t dim = x.size(0) == n && n != 70 ? 0 : 1;
        for (const float got : values<float>(reduce(ReduceOp::Prod, x, {dim}))) {
          if (std::isinf(product) || product == 0)
            ASSERT_EQ(got, product) << n;
          else
            ASSERT_NEAR(got / product, 1, 1e-5) << n;
        }
      }
    }
}

// Long rows are multiplied in pieces.
TYPED_TEST(ReduceTest, ProductsOfLongRows) {
  using T = TypeParam;
  for (const std::int64_t n : {2047, 8192, 8193, 20003, 100000})
    for (const std::int64_t rows : {1, 40}) {
      const Array x = random_array({rows, n}, dtype_of<T>, 7, 0.99, 1.01);
      x.data<T>()[n - 1] = T(-3);
      std::size_t r = 0;
      const auto got = values<T>(reduce(ReduceOp::Prod, x, {1}));
      for (const auto& row : groups<T>(x, {1})) {
        double product = 1;
        for (const T v : row) product *= double(v);
        EXPECT_NEAR(got[r] / product, 1, sizeof(T) == 4 ? 1e-4 : 1e-10) << n;
        ++r;
      }
      for (const T got_zero :
           values<T>(reduce(ReduceOp::Prod, kernels::full({rows, n}, 0.5, dtype_of<T>), {1})))
        EXPECT_EQ(got_zero, 0) << n;
    }
}

// Integers, so that sums in any order are the same.
TYPED_TEST(ReduceTest, SumsOfColumnsOfAnyNumber) {
  using T = TypeParam;
  for (std::int64_t columns = 1; columns < 75; ++columns)
    for (const std::int64_t rows : {17, 40}) {
      const Array all =
          kernels::cast(random_array({rows, columns + 1}, kInt64, 2, -9, 9), dtype_of<T>);
      for (const Array& x : {all, all.slice(1, 0, columns, 1)}) {
        std::vector<T> sums, roots;
        for (const auto& group : groups<T>(x, {0})) {
          double squares = 0;
          for (const T v : group) squares += double(v) * double(v);
          sums.push_back(T(sum_of(group)));
          roots.push_back(T(std::sqrt(squares)));
        }
        EXPECT_EQ(values<T>(reduce(ReduceOp::Sum, x, {0})), sums) << columns;
        EXPECT_EQ(values<T>(reduce(ReduceOp::Norm2, x, {0})), roots) << columns;
      }
    }
}

// Results whose elements lie among each other are summed up a stretch of memory at a time.
TYPED_TEST(ReduceTest, SumsOfRunsAmongEachOther) {
  using T = TypeParam;
  for (const std::int64_t results : {15, 16, 20, 600}) {
    const std::int64_t outer = 180000 / results / 101;
    const Array x =
        kernels::cast(random_array({outer, results, 101}, kInt64, 2, -9, 9), dtype_of<T>);
    std::vector<T> sums;
    for (const auto& group : groups<T>(x, {0, 2})) sums.push_back(T(sum_of(group)));
    EXPECT_EQ(values<T>(reduce(ReduceOp::Sum, x, {0, 2})), sums) << results;
  }
}

TEST(Reduce, OneBoolDecides) {
  for (std::int64_t n = 1; n < 80; n += n < 40 ? 1 : 13)
    for (const bool usual : {false, true}) {
      const Array x = kernels::full({2, n}, usual, kBool);
      const auto reduced = [&](ReduceOp op) { return values<bool>(reduce(op, x, {1})); };
      for (const ReduceOp op : {ReduceOp::Any, ReduceOp::All, ReduceOp::Max, ReduceOp::Min})
        EXPECT_EQ(reduced(op), (std::vector<bool>{usual, usual})) << n;
      for (std::int64_t at = 0; at < n; ++at) {
        x.data<bool>()[n + at] = !usual;
        for (const ReduceOp op : {ReduceOp::Any, ReduceOp::Max})
          EXPECT_EQ(reduced(op), (std::vector<bool>{usual, !usual || n > 1})) << n << ' ' << at;
        for (const ReduceOp op : {ReduceOp::All, ReduceOp::Min})
          EXPECT_EQ(reduced(op), (std::vector<bool>{usual, !usual && n == 1})) << n << ' ' << at;
        x.data<bool>()[n + at] = usual;
      }
    }
}

// As bytes that came from elsewhere may be.
TEST(Reduce, AnyByteThatIsNotZeroIsTrue) {
  for (const std::int64_t n : {1, 5, 20}) {
    const Array bytes = kernels::zeros({n}, kByte);
    bytes.data<std::uint8_t>()[n / 2] = 2;
    EXPECT_EQ(values<bool>(reduce(ReduceOp::Any, bytes.reinterpret(kBool), {0}))[0], true) << n;
  }
}

TYPED_TEST(ReduceTest, InfinityAndNaNInSums) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  Array x = kernels::ones({10000, 3}, dtype_of<T>);
  x.data<T>()[3000] = kInf;
  x.data<T>()[3001] = -kInf;
  const auto columns = values<T>(kernels::sum(x, {0}));
  EXPECT_EQ(columns, (std::vector<T>{kInf, -kInf, 10000}));
  EXPECT_TRUE(std::isnan(values<T>(kernels::sum(x))[0]));
  x.data<T>()[3001] = 1;
  EXPECT_EQ(values<T>(kernels::sum(x))[0], kInf);
}

TEST(Reduce, IntegersAndBool) {
  const auto total = [](auto& v) {
    std::int64_t s = 0;
    for (auto x : v) s += x;
    return s;
  };
  check<std::uint8_t, std::int64_t>(run<ReduceOp::Sum>, total, 0, 0, 255);
  check<std::int32_t, std::int64_t>(run<ReduceOp::Sum>, total, 0, -99, 99);
  check<std::int64_t, std::int64_t>(run<ReduceOp::Sum>, total, 0, -99, 99);
  check<bool, std::int64_t>(run<ReduceOp::Sum>, total, 0);
  const auto product = [](auto& v) {
    std::uint64_t p = 1;
    for (auto x : v) p *= static_cast<std::uint64_t>(x);
    return static_cast<std::int64_t>(p);
  };
  check<std::uint8_t, std::int64_t>(run<ReduceOp::Prod>, product, 0, 0, 255);
  check<std::int64_t, std::int64_t>(run<ReduceOp::Prod>, product, 0, -99, 99);
  check<float, bool>(
      run<ReduceOp::Any>,
      [](auto& v) { return std::any_of(v.begin(), v.end(), [](float x) { return x != 0; }); }, 0, 0,
      0);
  check<bool, bool>(
      run<ReduceOp::All>,
      [](auto& v) { return std::all_of(v.begin(), v.end(), [](bool x) { return x; }); }, 0);
  const Array large = random_array({61, 130}, kInt64, 1, -99, 99);
  const Array small = random_array({61, 130}, kInt32, 1, -99, 99);
  for (const std::int64_t dim : {0, 1}) {
    std::vector<std::int64_t> highest, lowest;
    for (const auto& group : groups<std::int64_t>(large, {dim})) {
      highest.push_back(*std::max_element(group.begin(), group.end()));
      lowest.push_back(*std::min_element(group.begin(), group.end()));
    }
    EXPECT_EQ(values<std::int64_t>(reduce(ReduceOp::Max, large, {dim})), highest);
    EXPECT_EQ(values<std::int64_t>(reduce(ReduceOp::Min, large, {dim})), lowest);
    highest.clear();
    for (const auto& group : groups<std::int32_t>(small, {dim}))
      highest.push_back(*std::max_element(group.begin(), group.end()));
    const Array found = kernels::cast(reduce(ReduceOp::Max, small, {dim}), kInt64);
    EXPECT_EQ(values<std::int64_t>(found), highest);
  }
  const Array x = array_of<std::int64_t>({3, -7, 5}, {3});
  EXPECT_EQ(values<std::int64_t>(reduce(ReduceOp::Max, x))[0], 5);
  EXPECT_EQ(values<std::int64_t>(reduce(ReduceOp::Min, x))[0], -7);
  EXPECT_EQ(values<std::int64_t>(reduce(ReduceOp::Prod, x))[0], -105);
}

TEST(Reduce, TenMillionFloats) {
  const Array tenths = kernels::full({10'000'000}, 0.1, kFloat32);
  EXPECT_NEAR(values<float>(kernels::sum(tenths))[0], 1e6, 0.2);
  const Array columns = kernels::full({5'000'000, 2}, 0.1, kFloat32);
  EXPECT_NEAR(values<float>(kernels::sum(columns, {0}))[1], 5e5, 0.1);
  EXPECT_NEAR(values<float>(kernels::sum(columns.transpose(0, 1), {1}))[0], 5e5, 0.1);
  const Array ones = kernels::ones({100, 100'000}, kFloat32);
  EXPECT_EQ(values<float>(kernels::sum(ones))[0], 1e7f);
  EXPECT_EQ(values<float>(kernels::sum(ones, {1}))[3], 1e5f);
}

TEST(Reduce, VarianceOfLargeValues) {
  std::vector<float> x;
  for (int i = 0; i < 100'000; ++i) x.push_back(i % 2 == 0 ? 10000 : 10002);
  const Array rows = array_of<float>(x, {100'000});
  EXPECT_FLOAT_EQ(values<float>(kernels::var(rows, {}, 0, false))[0], 1);
  const Array columns = array_of<float>(x, {100, 1000}).transpose(0, 1);
  for (float v : values<float>(kernels::var(columns, {0}, 0, false))) EXPECT_FLOAT_EQ(v, 1);
}

TEST(Reduce, SameBitsOnAnyNumberOfThreads) {
  const Array x = random_array({37, 11, 997}, kFloat32, 7);
  const std::vector<Shape> dims = {{}, {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}};
  for (const Shape& d : dims)
    for (const Array& a : {x, x.permute({2, 0, 1})}) {
      std::vector<std::vector<float>> sums, variances;
      for (const int threads : {1, 2, 3}) {
        const ThreadCount guard(threads);
        sums.push_back(values<float>(kernels::sum(a, d)));
        variances.push_back(values<float>(kernels::var(a, d, 1, false)));
      }
      EXPECT_EQ(sums[0], sums[1]);
      EXPECT_EQ(sums[0], sums[2]);
      EXPECT_EQ(variances[0], variances[1]);
      EXPECT_EQ(variances[0], variances[2]);
    }
}

TEST(Reduce, ExpandedInput) {
  const Array row = array_of<float>({1, 2, 3}, {3});
  EXPECT_EQ(values<float>(kernels::sum(row.expand({4, 3}), {0})), (std::vector<float>{4, 8, 12}));
  EXPECT_EQ(values<float>(kernels::sum(row.expand({4, 3}))), (std::vector<float>{24}));
}

TEST(Reduce, SumTo) {
  const Array x = random_array({2, 3, 5}, kFloat64, 1);
  const std::vector<Shape> shapes = {{3, 5}, {1, 5}, {3, 1}, {2, 1, 5}, {1, 1, 1}, {}, {5}};
  for (const Shape& shape : shapes) {
    const Array out = kernels::sum_to(x, shape);
    EXPECT_EQ(out.sizes(), IntArrayRef(shape));
    EXPECT_NEAR(sum_of(values<double>(out)), sum_of(values<double>(x)), 1e-12);
  }
  EXPECT_TRUE(kernels::sum_to(x, {2, 3, 5}).same_view(x));
  EXPECT_EQ(values<double>(kernels::sum_to(x, {3, 1})), values<double>(kernels::sum(x, {0, 2})));
  EXPECT_THROW(kernels::sum_to(x, {2, 5}), Error);
}

TEST(Reduce, Nothing) {
  const Array x = Array::empty({0, 3}, kFloat32);
  EXPECT_EQ(values<float>(kernels::sum(x, {0})), (std::vector<float>(3, 0)));
  EXPECT_EQ(values<float>(reduce(ReduceOp::Prod, x, {0})), (std::vector<float>(3, 1)));
  EXPECT_TRUE(std::isnan(values<float>(reduce(ReduceOp::Mean, x))[0]));
  EXPECT_EQ(values<bool>(reduce(ReduceOp::All, x)), std::vector<bool>{true});
  EXPECT_EQ(reduce(ReduceOp::Max, x, {1}).sizes(), IntArrayRef({0}));
  try {
    reduce(ReduceOp::Max, x, {0});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(
        e.what(),
        "amax: expected the reduced dimensions to have elements, got shape [0, 3] and dims "
        "[0]");
  }
}

TEST(Reduce, Errors) {
  const Array x = Array::empty({2, 3}, kInt64);
  EXPECT_THROW(reduce(ReduceOp::Mean, x), TypeError);
  EXPECT_THROW(kernels::sum(x, {2}), IndexError);
  EXPECT_THROW(kernels::sum(x, {0, -2}), Error);
}

}  // namespace
}  // namespace tapedeck
