#include <tapedeck/ops/kernels/copy.h>

#include <limits>

#include <tests/support/arrays.h>

namespace tapedeck {
namespace {

using namespace testing;
using kernels::cast;
using kernels::contiguous;
using kernels::copy;
using kernels::fill;
using kernels::full;

template <typename T>
class CopyTest : public ::testing::Test {};
using AllTypes = ::testing::Types<float, double, std::int64_t, std::int32_t, std::uint8_t, bool>;
TYPED_TEST_SUITE(CopyTest, AllTypes);

TYPED_TEST(CopyTest, EveryLayoutIntoEveryLayout) {
  using T = TypeParam;
  const std::vector<std::vector<std::int64_t>> shapes = {
      {},     {5},       {3, 7},      {67, 35},     {2, 3, 5},  {3, 5, 2, 7}, {4, 1, 6},
      {0, 3}, {1100, 2}, {3, 70, 18}, {9, 6, 4, 4}, {40, 2, 5}, {6, 14, 14},  {2, 3, 300}};
  for (const auto& sizes : shapes) {
    const Array a = random_array(sizes, dtype_of<T>, 1, 0, 100);
    const std::vector<T> expected = values<T>(a);
    for (const Array& src : layouts_of(a))
      for (Array dst : layouts_of(random_array(sizes, dtype_of<T>, 2, 0, 100))) {
        copy(src, dst);
        EXPECT_EQ(values<T>(dst), expected) << dst.sizes().ref() << dst.strides().ref();
      }
  }
}

TYPED_TEST(CopyTest, RepeatsRowsAndSkipsElements) {
  using T = TypeParam;
  for (const std::int64_t row : {3, 9, 40, 100}) {
    const Array x = random_array({12, 2 * row}, dtype_of<T>, 4, 0, 100);
    const Array repeated = x.unsqueeze(1).expand({12, 3, 2 * row});
    const Array skipped = x.slice(0, 0, 12, 2).slice(1, 0, 2 * row, 2);
    Array y = full({12, 3, 2 * row}, 0, dtype_of<T>), z = full({6, row}, 0, dtype_of<T>);
    copy(repeated, y);
    copy(skipped, z);
    for (std::int64_t i = 0; i < y.numel(); ++i)
      ASSERT_EQ(y.data<T>()[i], x.data<T>()[i / (6 * row) * 2 * row + i % (2 * row)]);
    for (std::int64_t i = 0; i < z.numel(); ++i)
      ASSERT_EQ(z.data<T>()[i], x.data<T>()[i / row * 4 * row + i % row * 2]);
  }
}

// Behind the last of them there is nothing.
TYPED_TEST(CopyTest, EverySecondElementOfRowsOfAnyLength) {
  using T = TypeParam;
  for (const std::int64_t rows : {1, 3})
    for (std::int64_t n = 1; n < 150; n += n < 40 ? 1 : 23) {
      const Array x = random_array({rows, 2 * n - 1}, dtype_of<T>, 4, 0, 100);
      const Array all = full({rows, n + 1}, 1, dtype_of<T>);
      Array y = all.slice(1, 0, n, 1);
      copy(x.slice(1, 0, 2 * n - 1, 2), y);
      for (std::int64_t i = 0; i < rows * (n + 1); ++i) {
        const std::int64_t row = i / (n + 1), place = i % (n + 1);
        const T expected = place < n ? x.data<T>()[row * (2 * n - 1) + 2 * place] : T{1};
        ASSERT_EQ(all.data<T>()[i], expected) << rows << ' ' << n << ' ' << i;
      }
    }
}

TYPED_TEST(CopyTest, RepeatsShortRowsManyTimes) {
  using T = TypeParam;
  for (const std::int64_t row : {2, 5, 64, 700})
    for (const std::int64_t times : {2, 3, 31, 32, 33, 1025}) {
      if (row * times > 50000) continue;
      const Array x = random_array({1, row}, dtype_of<T>, 4, 0, 100);
      Array y = full({times, row}, 0, dtype_of<T>);
      copy(x.expand({times, row}), y);
      for (std::int64_t i = 0; i < y.numel(); ++i)
        ASSERT_EQ(y.data<T>()[i], x.data<T>()[i % row]) << row << ' ' << times;
    }
}

TYPED_TEST(CopyTest, WritesNothingButTheView) {
  using T = TypeParam;
  Array base = full({6, 8}, 1, dtype_of<T>);
  Array view = base.slice(0, 1, 6, 2).slice(1, 2, 6, 3);  // rows 1 3 5, columns 2 5
  fill(view, 0);
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 8; ++j)
      EXPECT_EQ(base.data<T>()[i * 8 + j], T(!(i % 2 == 1 && (j == 2 || j == 5))));
}

TYPED_TEST(CopyTest, Broadcasts) {
  using T = TypeParam;
  const Array row = random_array({1, 5}, dtype_of<T>, 3, 0, 100);
  for (Array dst : layouts_of(full({2, 3, 5}, 0, dtype_of<T>))) {
    copy(row, dst);
    const auto got = values<T>(dst);
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], row.data<T>()[i % 5]);
  }
}

TYPED_TEST(CopyTest, ShortRunsThatRepeatOrSkip) {
  using T = TypeParam;
  const Array column = random_array({1100, 1}, dtype_of<T>, 5, 0, 100);
  for (Array dst : layouts_of(full({1100, 3}, 0, dtype_of<T>))) {
    copy(column, dst);
    const auto got = values<T>(dst);
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], column.data<T>()[i / 3]);
  }
  const Array base = random_array({2, 1200, 3, 4}, dtype_of<T>, 6, 0, 100);
  const Array skips = base.slice(1, 1, 1200, 2).slice(3, 0, 4, 2);
  Array dst = full(skips.sizes(), 0, dtype_of<T>);
  copy(skips, dst);
  EXPECT_EQ(values<T>(dst), values<T>(skips));
}

// Each element as a run, any number of times, into rows of which the next one keeps what it has.
TYPED_TEST(CopyTest, RepeatsElementsOfAColumn) {
  using T = TypeParam;
  for (const std::int64_t run : {2, 3, 5, 8, 10, 16, 17})
    for (const std::int64_t n : {1, 2, 7, 40, 3000}) {
      const Array column = random_array({n, 1}, dtype_of<T>, 1, 0, 9);
      const Array all = full({n + 1, run}, 1, dtype_of<T>);
      Array rows = all.slice(0, 0, n, 1);
      copy(column.expand({n, run}), rows);
      const T* const got = all.data<T>();
      for (std::int64_t i = 0; i < (n + 1) * run; ++i)
        ASSERT_EQ(got[i], i < n * run ? column.data<T>()[i / run] : T{1}) << run << ' ' << i;

      const std::int64_t pitch = run + 2;  // rows with gaps, which stay what they are
      const Array wide = full({n, pitch}, 1, dtype_of<T>);
      Array apart = wide.slice(1, 1, run + 1, 1);
      copy(column.expand({n, run}), apart);
      for (std::int64_t i = 0; i < n * pitch; ++i) {
        const bool gap = i % pitch == 0 || i % pitch == pitch - 1;
        ASSERT_EQ(wide.data<T>()[i], gap ? T{1} : column.data<T>()[i / pitch]) << run << ' ' << i;
      }
    }
}

TYPED_TEST(CopyTest, Converts) {
  using T = TypeParam;
  const Array a = random_array({5, 9}, kFloat64, 4, -3, 100);
  for (const Array& src : layouts_of(a)) {
    const Array converted = cast(src, dtype_of<T>);
    EXPECT_EQ(converted.dtype(), dtype_of<T>);
    const auto from = values<double>(a);
    const auto to = values<T>(converted);
    for (std::size_t i = 0; i < to.size(); ++i) {
      if constexpr (std::is_same_v<T, bool>)
        EXPECT_EQ(to[i], from[i] != 0);
      else if constexpr (std::is_integral_v<T>)
        EXPECT_EQ(to[i], static_cast<T>(static_cast<std::int64_t>(from[i])));
      else
        EXPECT_EQ(to[i], static_cast<T>(from[i]));
    }
    for (Array dst : layouts_of(full({5, 9}, 0, dtype_of<T>))) {
      copy(src, dst);
      EXPECT_EQ(values<T>(dst), to);
    }
  }
}

TEST(Copy, ToBoolIsNotZero) {
  const Array a = array_of<float>({0, 0.25f, -1, NAN}, {4});
  EXPECT_EQ(values<bool>(cast(a, kBool)), (std::vector<bool>{false, true, true, true}));
  EXPECT_EQ(values<bool>(full({2}, 0.5, kBool)), (std::vector<bool>{true, true}));
}

TEST(Copy, OverlappingViewsBehaveAsIfCopiedFirst) {
  Array a = array_of<float>({0, 1, 2, 3, 4, 5}, {6});
  Array tail = a.slice(0, 1, 6, 1);
  copy(a.slice(0, 0, 5, 1), tail);
  EXPECT_EQ(values<float>(a), (std::vector<float>{0, 0, 1, 2, 3, 4}));

  Array m = array_of<float>({0, 1, 2, 3}, {2, 2});
  copy(m.transpose(0, 1), m);
  EXPECT_EQ(values<float>(m), (std::vector<float>{0, 2, 1, 3}));
}

TEST(Copy, LargeTransposeOnAnyNumberOfThreads) {
  const Array a = random_array({3, 301, 517}, kFloat32, 5);
  const Array t = a.permute({2, 0, 1});
  for (int threads : {1, 2, 3}) {
    const ThreadCount guard(threads);
    EXPECT_EQ(values<float>(contiguous(t)), values<float>(t));
  }
}

TEST(Copy, PastTheCaches) {
  const std::int64_t n = (std::int64_t{24} << 18) + 3;
  const Array x = random_array({n}, kFloat32, 5);
  for (int threads : {1, 2}) {
    const ThreadCount guard(threads);
    EXPECT_EQ(values<float>(kernels::clone(x)), values<float>(x));
  }
}

TEST(Copy, ContiguousKeepsTheHandle) {
  const Array a = full({2, 3}, 1.5, kFloat32);
  EXPECT_TRUE(contiguous(a).same_view(a));
  EXPECT_FALSE(contiguous(a.transpose(0, 1)).shares_storage(a));
  EXPECT_TRUE(cast(a, kFloat32).same_view(a));
}

TEST(Copy, Errors) {
  Array dst = Array::empty({2, 3}, kFloat32);
  try {
    copy(Array::empty({2, 4}, kFloat32), dst);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(std::string(e.what()), ::testing::HasSubstr("[2, 4] to [2, 3]"));
  }
  Array expanded = Array::empty({1, 3}, kFloat32).expand({2, 3});
  EXPECT_THROW(fill(expanded, 1), Error);
  EXPECT_THROW(copy(dst, expanded), Error);
}

TEST(Fill, Constants) {
  EXPECT_EQ(values<float>(full({2}, std::numeric_limits<double>::infinity(), kFloat32)),
            std::vector<float>(2, std::numeric_limits<float>::infinity()));
  EXPECT_EQ(values<std::int64_t>(full({3}, std::int64_t{1} << 60, kInt64)),
            std::vector<std::int64_t>(3, std::int64_t{1} << 60));
  EXPECT_EQ(values<double>(kernels::zeros({2, 2}, kFloat64)), std::vector<double>(4, 0));
  EXPECT_EQ(values<std::int32_t>(kernels::ones({}, kInt32)), std::vector<std::int32_t>(1, 1));
}

}  // namespace
}  // namespace tapedeck
