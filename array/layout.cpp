#include <tapedeck/array/layout.h>

#include <algorithm>

namespace tapedeck {

DimVector memory_order(const Array& array) {
  const DimVector& sizes = array.sizes();
  const DimVector& strides = array.strides();
  DimVector order;
  for (std::int64_t i = 0; i < array.dim(); ++i)
    if (sizes[i] != 1) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return strides[a] > strides[b]; });
  return order;
}

Array in_order(const Array& array, const DimVector& order) {
  DimVector sizes, strides;
  for (std::int64_t axis : order) {
    sizes.push_back(array.sizes()[axis]);
    strides.push_back(array.strides()[axis]);
  }
  return array.as_strided(sizes, strides, array.offset());
}

DimVector dense_strides_like(const Array& array) {
  if (array.is_contiguous()) return contiguous_strides(array.sizes());
  DimVector order;
  for (std::int64_t i = 0; i < array.dim(); ++i) order.push_back(i);
  // Broadcast axes have no place of their own in memory: they stay where they are among the others.
  for (std::size_t i = 1; i < order.size(); ++i)
    for (std::size_t j = i; j > 0; --j) {
      const std::int64_t left = array.strides()[order[j - 1]];
      const std::int64_t right = array.strides()[order[j]];
      if (left == 0 || right == 0 || left >= right) break;
      std::swap(order[j - 1], order[j]);
    }
  DimVector strides(order.size());
  std::int64_t step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = step;
    step *= std::max<std::int64_t>(array.sizes()[order[i]], 1);
  }
  return strides;
}

Array empty_preserving(const Array& array, ScalarType dtype) {
  const Array fresh = Array::empty(array.sizes(), dtype);
  return fresh.as_strided(array.sizes(), dense_strides_like(array), 0);
}

}  // namespace tapedeck
