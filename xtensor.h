#pragma once

// The border with xtensor: any expression becomes a Variable, and a Variable is looked at as an
// xtensor array without a copy. Opt-in: <tapedeck/tapedeck.h> includes no xtensor header. Programs
// that include this one need xtensor on their include path (`target_link_libraries(... xtensor)`).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xexpression.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>

#include <tapedeck/array/array.h>
#include <tapedeck/array/error.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck {

namespace detail {

/// The element type that a Variable holds for xtensor elements of type T: T itself where there is
/// such a dtype, int64 for the integers that fit into it.
template <typename T>
constexpr auto stored_element() {
  if constexpr (dtype_of<T> != ScalarType::Undefined && !std::is_same_v<T, long long>) {
    return T();
  } else {
    static_assert(std::is_integral_v<T> && (std::is_signed_v<T> || sizeof(T) < 8),
                  "no dtype holds these elements: cast them, e.g. xt::cast<double>(expression)");
    return std::int64_t();
  }
}

/// Shape and strides as xtensor wants them: it takes unit axes for ones of stride 0.
struct XtensorLayout {
  std::vector<std::size_t> shape;
  std::vector<std::ptrdiff_t> strides;
  std::size_t span = 1;  ///< elements from the first to the last, both included

  explicit XtensorLayout(const Array& array) {
    for (std::int64_t d = 0; d < array.dim(); ++d) {
      const std::int64_t size = array.size(d);
      const std::int64_t stride = size == 1 ? 0 : array.stride(d);
      shape.push_back(static_cast<std::size_t>(size));
      strides.push_back(static_cast<std::ptrdiff_t>(stride));
      span += static_cast<std::size_t>(std::max<std::int64_t>(size - 1, 0) * stride);
    }
    if (array.numel() == 0) span = 0;
  }
};

template <typename T>
T* xtensor_elements(const Variable& v, const char* op) {
  using Element = std::remove_const_t<T>;
  static_assert(dtype_of<Element> != ScalarType::Undefined, "no dtype has these elements");
  const Array& array = v.array();
  TAPEDECK_CHECK_AS(TypeError, array.dtype() == dtype_of<Element>, op, ": tensor ", array.sizes(),
                    " has elements of dtype ", array.dtype(), ", asked for as ", dtype_of<Element>);
  // Whoever may write counts as having written: saved values of the tape notice.
  if constexpr (!std::is_const_v<T>) array.storage()->bump_version();
  return array.data<Element>();
}

}  // namespace detail

/// A new tensor, a leaf, with the elements of an xtensor expression, which is evaluated once.
/// float, double, std::int64_t, std::int32_t, std::uint8_t and bool keep their type; smaller
/// integers become int64; anything else does not compile until it is cast.
template <typename E>
Variable from_xtensor(const xt::xexpression<E>& expression, bool requires_grad = false) {
  using Element = decltype(detail::stored_element<typename E::value_type>());
  const E& e = expression.derived_cast();
  std::vector<std::int64_t> sizes;
  for (const auto size : e.shape()) sizes.push_back(static_cast<std::int64_t>(size));
  const Array array = Array::empty(sizes, dtype_of<Element>);
  const std::vector<std::size_t> shape(e.shape().begin(), e.shape().end());
  auto elements = xt::adapt<xt::layout_type::row_major>(
      array.data<Element>(), static_cast<std::size_t>(array.numel()), xt::no_ownership(), shape);
  xt::noalias(elements) = xt::cast<Element>(e);
  Variable v(array);
  if (requires_grad) v.requires_grad_();
  return v;
}

/// The elements of a tensor of any strides as an xtensor array, without a copy: `as_xtensor<float>`
/// to change them, `as_xtensor<const float>` to look. The tensor must outlive the result. Changes
/// go past the tape; a call that allows them counts as an in-place change, so that a backward that
/// needs the old values throws. \throws TypeError where the dtype is another one.
template <typename T>
auto as_xtensor(const Variable& tensor) {
  T* elements = detail::xtensor_elements<T>(tensor, "as_xtensor");
  const detail::XtensorLayout layout(tensor.array());
  return xt::adapt(elements, layout.span, xt::no_ownership(), layout.shape, layout.strides);
}
/// As above, with the number of axes known when compiling. \throws Error where it is another one.
template <typename T, std::size_t N>
auto as_xtensor(const Variable& tensor) {
  TAPEDECK_CHECK(tensor.dim() == static_cast<std::int64_t>(N), "as_xtensor: tensor ",
                 tensor.sizes(), " has ", tensor.dim(), " axes, asked for as ", N);
  T* elements = detail::xtensor_elements<T>(tensor, "as_xtensor");
  const detail::XtensorLayout layout(tensor.array());
  std::array<std::size_t, N> shape;
  std::array<std::ptrdiff_t, N> strides;
  std::copy(layout.shape.begin(), layout.shape.end(), shape.begin());
  std::copy(layout.strides.begin(), layout.strides.end(), strides.begin());
  return xt::adapt(elements, layout.span, xt::no_ownership(), shape, strides);
}
/// An unnamed tensor would not outlive the view.
template <typename T>
auto as_xtensor(Variable&& tensor) = delete;
template <typename T, std::size_t N>
auto as_xtensor(Variable&& tensor) = delete;

}  // namespace tapedeck
