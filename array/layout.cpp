#include <tapedeck/array/layout.h>

#include <algorithm>
#include <utility>
#include <vector>

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

namespace {

// 0 where the array does not tell: the axis is repeated.
std::int64_t stride_along(const Array& array, IntArrayRef shape, std::size_t axis) {
  const std::size_t missing = shape.size() - array.sizes().size();
  if (axis < missing || array.sizes()[axis - missing] != shape[axis]) return 0;
  return array.strides()[axis - missing];
}

// Positive where axis `a` lies outside of axis `b`, negative where inside.
int compare_axes(std::size_t a, std::size_t b, IntArrayRef shape,
                 std::span<const Array* const> arrays) {
  for (const Array* array : arrays) {
    const std::int64_t outer = stride_along(*array, shape, a);
    const std::int64_t inner = stride_along(*array, shape, b);
    if (outer == 0 || inner == 0) continue;
    if (outer != inner) return outer > inner ? 1 : -1;
    if (shape[a] > shape[b]) return 1;
  }
  return 0;
}

}  // namespace

DimVector dense_strides_like(IntArrayRef shape, std::span<const Array* const> arrays) {
  // The axes from the innermost one on: an insertion sort, which leaves those that nothing tells
  // apart as they are.
  const std::size_t dims = shape.size();
  std::vector<std::size_t> order(dims);
  for (std::size_t i = 0; i < dims; ++i) order[i] = dims - 1 - i;
  for (std::size_t i = 1; i < dims; ++i)
    for (std::size_t at = i, before = i; before-- > 0;) {
      const int comparison = compare_axes(order[before], order[at], shape, arrays);
      if (comparison < 0) break;
      if (comparison == 0) continue;
      std::swap(order[before], order[at]);
      at = before;
    }
  DimVector strides(dims);
  std::int64_t step = 1;
  for (const std::size_t axis : order) {
    strides[axis] = step;
    step *= std::max<std::int64_t>(shape[axis], 1);
  }
  // Arrays that all are like this already also say what the strides of unit axes are.
  const bool alike = std::all_of(arrays.begin(), arrays.end(), [&](const Array* array) {
    return array->sizes() == shape && array->strides() == arrays.front()->strides();
  });
  if (!alike || arrays.empty()) return strides;
  const DimVector& own = arrays.front()->strides();
  for (std::size_t i = 0; i < dims; ++i)
    if (shape[i] != 1 && own[i] != strides[i]) return strides;
  return own;
}

bool is_dense(const Array& array) {
  const Array* const arrays[] = {&array};
  const DimVector dense = dense_strides_like(array.sizes(), arrays);
  for (std::int64_t i = 0; i < array.dim(); ++i)
    if (array.sizes()[i] != 1 && array.strides()[i] != dense[i]) return false;
  return true;
}

Array empty_preserving(IntArrayRef shape, std::span<const Array* const> arrays, ScalarType dtype) {
  return Array::empty(shape, dtype).as_strided(shape, dense_strides_like(shape, arrays), 0);
}

Array empty_preserving(const Array& array, ScalarType dtype) {
  const Array* const arrays[] = {&array};
  return empty_preserving(array.sizes(), arrays, dtype);
}

}  // namespace tapedeck
