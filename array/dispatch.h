#pragma once

#include <cstdint>
#include <utility>

#include <tapedeck/array/dtype.h>
#include <tapedeck/array/error.h>

namespace tapedeck {

/// Carries an element type to a generic lambda: `[](auto tag) { using T = typename
/// decltype(tag)::type; ... }`.
template <typename T>
struct TypeTag {
  using type = T;
};

namespace detail {
template <typename T, typename... Rest, typename F>
decltype(auto) dispatch_among(ScalarType dtype, const char* op, F&& f) {
  if (dtype == dtype_of<T>) return f(TypeTag<T>{});
  if constexpr (sizeof...(Rest) > 0)
    return dispatch_among<Rest...>(dtype, op, std::forward<F>(f));
  else
    fail<TypeError>(str(op, ": not implemented for dtype ", dtype));
}
}  // namespace detail

/// Calls f(TypeTag<T>) for the C++ type of any dtype.
template <typename F>
decltype(auto) dispatch_all(ScalarType dtype, const char* op, F&& f) {
  return detail::dispatch_among<float, double, std::int64_t, std::int32_t, std::uint8_t, bool>(
      dtype, op, std::forward<F>(f));
}

/// All but bool. \throws TypeError that names `op` and the dtype.
template <typename F>
decltype(auto) dispatch_numeric(ScalarType dtype, const char* op, F&& f) {
  return detail::dispatch_among<float, double, std::int64_t, std::int32_t, std::uint8_t>(
      dtype, op, std::forward<F>(f));
}

/// float32 and float64. \throws TypeError that names `op` and the dtype.
template <typename F>
decltype(auto) dispatch_floating(ScalarType dtype, const char* op, F&& f) {
  return detail::dispatch_among<float, double>(dtype, op, std::forward<F>(f));
}

/// uint8, int32 and int64. \throws TypeError that names `op` and the dtype.
template <typename F>
decltype(auto) dispatch_integral(ScalarType dtype, const char* op, F&& f) {
  return detail::dispatch_among<std::int64_t, std::int32_t, std::uint8_t>(dtype, op,
                                                                          std::forward<F>(f));
}

}  // namespace tapedeck
