#include <tapedeck/ops/kernels/sort.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <tests/support/arrays.h>

namespace tapedeck {
namespace {

using namespace testing;

template <typename T>
class SortTest : public ::testing::Test {};
using SortedTypes = ::testing::Types<float, double, std::int64_t, std::int32_t, std::uint8_t>;
TYPED_TEST_SUITE(SortTest, SortedTypes);

// NaN lies above everything.
template <typename T>
bool less(T a, T b) {
  if (b != b) return a == a;
  return a < b;
}

// Few values, so that many are equal; among floats zeros of both signs, infinities and NaNs.
template <typename T>
Array with_ties(std::int64_t rows, std::int64_t columns) {
  Array a = random_array({rows, columns}, dtype_of<T>, 7, 0, 9);
  T* const data = a.data<T>();
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    data[i] = static_cast<T>(std::floor(static_cast<double>(data[i])));
    if constexpr (std::is_signed_v<T>) data[i] = static_cast<T>(data[i] - 4);
    if constexpr (std::is_floating_point_v<T>) {
      if (i % 11 == 3) data[i] = std::numeric_limits<T>::quiet_NaN();
      if (i % 13 == 5) data[i] = -T{0};
      if (i % 17 == 7) data[i] = (i % 2 ? 1 : -1) * std::numeric_limits<T>::infinity();
    }
  }
  return a;
}

TYPED_TEST(SortTest, IsStableForEveryLength) {
  using T = TypeParam;
  for (const std::int64_t n : {1, 2, 3, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257, 700})
    for (const bool descending : {false, true})
      for (const std::int64_t dim : {0, 1}) {
        const Array x = dim == 0 ? with_ties<T>(n, 3) : with_ties<T>(3, n);
        const auto [sorted, order] = kernels::sort(x, dim, descending);
        for (std::int64_t line = 0; line < 3; ++line) {
          const auto at = [&](const Array& a) { return a.select(1 - dim, line); };
          const std::vector<T> from = values<T>(at(x)), got = values<T>(at(sorted));
          std::vector<std::int64_t> expected(from.size());
          std::iota(expected.begin(), expected.end(), 0);
          std::stable_sort(expected.begin(), expected.end(), [&](std::int64_t i, std::int64_t j) {
            return descending ? less(from[j], from[i]) : less(from[i], from[j]);
          });
          EXPECT_EQ(values<std::int64_t>(at(order)), expected) << n << " along " << dim;
          for (std::size_t i = 0; i < got.size(); ++i) {
            const T want = from[static_cast<std::size_t>(expected[i])];
            EXPECT_TRUE(got[i] == want || (got[i] != got[i] && want != want));
          }
        }
      }
}

TYPED_TEST(SortTest, OrdersTheEndsOfTheRange) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  const std::vector<T> ends = {Limits::max(), T{1}, Limits::lowest(), T{0}};
  Array x = Array::empty({4}, dtype_of<T>);
  std::copy(ends.begin(), ends.end(), x.data<T>());
  const bool is_signed = Limits::lowest() < T{0};
  EXPECT_EQ(values<T>(kernels::sort(x, 0, false).first),
            (is_signed ? std::vector<T>{Limits::lowest(), 0, 1, Limits::max()}
                       : std::vector<T>{0, 0, 1, Limits::max()}));
}

TYPED_TEST(SortTest, TopkTakesTheFirstOfTheSorted) {
  using T = TypeParam;
  for (const bool largest : {false, true})
    for (const std::int64_t k : {1, 5, 40}) {
      const Array x = with_ties<T>(500, 2);
      const std::vector<T> best = values<T>(kernels::topk(x, k, 0, largest, true).first);
      const std::vector<T> all = values<T>(kernels::sort(x, 0, largest).first.slice(0, 0, k, 1));
      ASSERT_EQ(best.size(), all.size());
      for (std::size_t i = 0; i < best.size(); ++i)
        EXPECT_TRUE(best[i] == all[i] || (best[i] != best[i] && all[i] != all[i])) << i;
    }
}

}  // namespace
}  // namespace tapedeck
