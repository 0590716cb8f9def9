#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/array/array_ref.h>

namespace tapedeck {

using std::in_place;
using std::make_optional;
using std::nullopt;
using std::nullopt_t;
using std::optional;

/// An ArrayRef or nothing. A single value is kept inside, so that one given by value lives as long
/// as this does; everything else is referred to, as ArrayRef does.
template <typename T>
class OptionalArrayRef {
 public:
  OptionalArrayRef() = default;
  OptionalArrayRef(std::nullopt_t) {}
  template <typename U>
  requires std::convertible_to<U, T> OptionalArrayRef(U&& one)
      : one_(static_cast<T>(std::forward<U>(one))), has_one_(true) {}
  OptionalArrayRef(ArrayRef<T> values) : values_(values) {}
  /// Lists of numbers: a vector, an array, a DimVector.
  template <typename List>
  requires(std::convertible_to<const List&, ArrayRef<T>> && !std::convertible_to<const List&, T> &&
           !std::same_as<List, OptionalArrayRef>) OptionalArrayRef(const List& values)
      : values_(static_cast<ArrayRef<T>>(values)) {}
  OptionalArrayRef(std::initializer_list<T> values) {
    if (values.size() == 1) {
      one_ = *values.begin();
      has_one_ = true;
    } else {
      values_ = ArrayRef<T>(values);
    }
  }
  OptionalArrayRef(std::optional<ArrayRef<T>> values) : values_(values) {}

  bool has_value() const { return has_one_ || values_.has_value(); }
  explicit operator bool() const { return has_value(); }
  /// \throws std::bad_optional_access where there is none.
  ArrayRef<T> value() const { return has_one_ ? ArrayRef<T>(one_) : values_.value(); }
  ArrayRef<T> operator*() const { return value(); }
  operator std::optional<ArrayRef<T>>() const {
    return has_value() ? std::optional(value()) : std::nullopt;
  }

 private:
  T one_{};
  bool has_one_ = false;
  std::optional<ArrayRef<T>> values_;
};

using OptionalIntArrayRef = OptionalArrayRef<std::int64_t>;

}  // namespace tapedeck
