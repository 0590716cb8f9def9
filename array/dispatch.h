#pragma once

#include <tapedeck/array/dtype.h>
#include <tapedeck/array/error.h>

namespace tapedeck {

/// Carries an element type to a generic lambda: `[](auto tag) { using T = typename
/// decltype(tag)::type; ... }`.
template <typename T>
struct TypeTag {
  using type = T;
};

/// Calls f(TypeTag<T>) for the C++ type of any dtype.
template <typename F>
decltype(auto) dispatch_all(ScalarType dtype, const char* op, F&& f) {
  switch (dtype) {
    case ScalarType::Byte:
      return f(TypeTag<std::uint8_t>{});
    case ScalarType::Int:
      return f(TypeTag<std::int32_t>{});
    case ScalarType::Long:
      return f(TypeTag<std::int64_t>{});
    case ScalarType::Float:
      return f(TypeTag<float>{});
    case ScalarType::Double:
      return f(TypeTag<double>{});
    case ScalarType::Bool:
      return f(TypeTag<bool>{});
    case ScalarType::Undefined:
      break;
  }
  detail::fail<TypeError>(detail::str(op, ": not implemented for dtype ", dtype));
}

/// All but bool. \throws TypeError that names `op` and the dtype.
template <typename F>
decltype(auto) dispatch_numeric(ScalarType dtype, const char* op, F&& f) {
  switch (dtype) {
    case ScalarType::Byte:
      return f(TypeTag<std::uint8_t>{});
    case ScalarType::Int:
      return f(TypeTag<std::int32_t>{});
    case ScalarType::Long:
      return f(TypeTag<std::int64_t>{});
    case ScalarType::Float:
      return f(TypeTag<float>{});
    case ScalarType::Double:
      return f(TypeTag<double>{});
    default:
      break;
  }
  detail::fail<TypeError>(detail::str(op, ": not implemented for dtype ", dtype));
}

/// float32 and float64. \throws TypeError that names `op` and the dtype.
template <typename F>
decltype(auto) dispatch_floating(ScalarType dtype, const char* op, F&& f) {
  switch (dtype) {
    case ScalarType::Float:
      return f(TypeTag<float>{});
    case ScalarType::Double:
      return f(TypeTag<double>{});
    default:
      break;
  }
  detail::fail<TypeError>(detail::str(op, ": not implemented for dtype ", dtype));
}

/// uint8, int32 and int64. \throws TypeError that names `op` and the dtype.
template <typename F>
decltype(auto) dispatch_integral(ScalarType dtype, const char* op, F&& f) {
  switch (dtype) {
    case ScalarType::Byte:
      return f(TypeTag<std::uint8_t>{});
    case ScalarType::Int:
      return f(TypeTag<std::int32_t>{});
    case ScalarType::Long:
      return f(TypeTag<std::int64_t>{});
    default:
      break;
  }
  detail::fail<TypeError>(detail::str(op, ": not implemented for dtype ", dtype));
}

}  // namespace tapedeck
