#include <tests/support/arrays.h>

#include <cmath>
#include <random>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::testing {

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
