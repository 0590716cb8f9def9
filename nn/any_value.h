#pragma once

#include <any>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace tapedeck::nn {

namespace detail {
[[noreturn]] void wrong_any_cast(const std::type_info& wanted, const std::type_info& held);
[[noreturn]] void wrong_return_type(const std::type_info& wanted, const std::type_info& held);
}  // namespace detail

/// A value of any copyable type: what goes into and comes out of an AnyModule.
class AnyValue {
 public:
  template <typename T>
  requires(!std::is_same_v<std::decay_t<T>, AnyValue>)  //
      explicit AnyValue(T&& value)
      : value_(std::forward<T>(value)) {}

  /// The value, or null where it is of another type.
  template <typename T>
  T* try_get() {
    static_assert(std::is_same_v<T, std::decay_t<T>>, "AnyValue stores decayed types");
    return std::any_cast<T>(&value_);
  }
  /// A copy of the value. \throws Error that names both types where it is of another one.
  template <typename T>
  T get() {
    T* value = try_get<T>();
    if (!value) detail::wrong_any_cast(typeid(T), type_info());
    return *value;
  }
  const std::type_info& type_info() const noexcept { return value_.type(); }

 private:
  std::any value_;
};

}  // namespace tapedeck::nn
