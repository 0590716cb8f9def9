#pragma once

#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/array/array.h>
#include <tapedeck/array/parallel.h>

namespace tapedeck::testing {

/// The elements of `array` in row-major order of its indices, read one by one through the strides.
template <typename T>
std::vector<T> values(const Array& array);

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
void expect_close(const Array& actual, const std::vector<T>& expected, double rtol, double atol);

/// Sets the number of threads while it lives.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : previous_(get_num_threads()) { set_num_threads(threads); }
  ~ThreadCount() { set_num_threads(previous_); }

 private:
  int previous_;
};

}  // namespace tapedeck::testing
