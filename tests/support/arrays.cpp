#include <tests/support/arrays.h>

#include <cmath>
#include <random>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::testing {

template <typename T>
std::vector<T> values(const Array& array) {
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(array.numel()));
  const T* data = array.data<T>();
  std::vector<std::int64_t> index(static_cast<std::size_t>(array.dim()), 0);
  for (std::int64_t i = 0; i < array.numel(); ++i) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * array.strides()[d];
    out.push_back(data[offset]);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < array.sizes()[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

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

// Here and not in the header, because here they are optimised, which the tests are not.
#define TAPEDECK_INSTANTIATE(T)                                                                   \
  template std::vector<T> values<T>(const Array& array);                                          \
  template void expect_close<T>(const Array& actual, const std::vector<T>& expected, double rtol, \
                                double atol);
TAPEDECK_INSTANTIATE(bool)
TAPEDECK_INSTANTIATE(std::uint8_t)
TAPEDECK_INSTANTIATE(std::int32_t)
TAPEDECK_INSTANTIATE(std::int64_t)
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

Array random_array(IntArrayRef sizes, ScalarType dtype, std::uint64_t seed, double low,
                   double high) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  Array out = Array::empty(sizes, dtype);
  dispatch_all(dtype, "random_array", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < out.numel(); ++i) {
      const double value = uniform(generator);
      if constexpr (std::is_same_v<T, bool>)
        out.data<T>()[i] = value > (low + high) / 2;
      else if constexpr (std::is_integral_v<T>)
        out.data<T>()[i] = static_cast<T>(static_cast<std::int64_t>(std::floor(value)));
      else
        out.data<T>()[i] = static_cast<T>(value);
    }
  });
  return out;
}

std::vector<Array> layouts_of(const Array& array) {
  std::vector<Array> out = {array};
  if (array.dim() == 0) return out;
  const auto with_values = [&](Array view) {
    kernels::copy(array, view);
    out.push_back(view);
  };

  DimVector reversed(array.sizes()), order(array.sizes());
  for (std::size_t d = 0; d < order.size(); ++d) {
    order[d] = static_cast<std::int64_t>(order.size() - 1 - d);
    reversed[d] = array.sizes()[order[d]];
  }
  with_values(Array::empty(reversed, array.dtype()).permute(order));

  DimVector doubled(array.sizes());
  for (auto& size : doubled) size *= 2;
  Array spread = Array::empty(doubled, array.dtype());
  kernels::fill(spread, 1);
  Array odd = spread;
  for (std::int64_t d = 0; d < array.dim(); ++d) odd = odd.slice(d, d % 2, doubled[d], 2);
  with_values(odd);

  DimVector longer(array.sizes());
  longer[0] += 3;
  Array padded = Array::empty(longer, array.dtype());
  kernels::fill(padded, 1);
  with_values(padded.slice(0, 2, 2 + array.sizes()[0], 1));
  return out;
}

}  // namespace tapedeck::testing
