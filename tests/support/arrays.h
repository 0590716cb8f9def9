#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/array/array.h>
#include <tapedeck/array/parallel.h>

namespace tapedeck::testing {

/// The elements of `array` in row-major order of its indices, read one by one through the strides.
template <typename T>
std::vector<T> values(const Array& array) {
  std::vector<T> out;
  std::vector<std::int64_t> index(static_cast<std::size_t>(array.dim()), 0);
  for (std::int64_t i = 0; i < array.numel(); ++i) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * array.strides()[d];
    out.push_back(array.data<T>()[offset]);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < array.sizes()[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

/// A row-major array of these elements.
template <typename T>
Array array_of(const std::vector<T>& elements, IntArrayRef sizes) {
  Array out = Array::empty(sizes, dtype_of<T>);
  EXPECT_EQ(out.numel(), static_cast<std::int64_t>(elements.size()));
  for (std::size_t i = 0; i < elements.size(); ++i) out.data<T>()[i] = elements[i];
  return out;
}

/// Uniform values of [low, high), the same for the same seed; integers are floored.
Array random_array(IntArrayRef sizes, ScalarType dtype, std::uint64_t seed, double low = -2,
                   double high = 2);

/// `array` again under other layouts: row-major, with its axes stored in reverse order, as every
/// second element of a larger array, and at an offset.
std::vector<Array> layouts_of(const Array& array);

/// EXPECTs equal shapes and |actual - expected| <= atol + rtol * |expected|, NaN equal to NaN.
template <typename T>
void expect_close(const Array& actual, const std::vector<T>& expected, double rtol, double atol) {
  const std::vector<T> got = values<T>(actual);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double x = static_cast<double>(got[i]), y = static_cast<double>(expected[i]);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (x == y) continue;
    EXPECT_LE(std::abs(x - y), atol + rtol * std::abs(y))
        << "element " << i << ": " << x << " for " << y;
  }
}

/// Sets the number of threads while it lives.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : previous_(get_num_threads()) { set_num_threads(threads); }
  ~ThreadCount() { set_num_threads(previous_); }

 private:
  int previous_;
};

}  // namespace tapedeck::testing
