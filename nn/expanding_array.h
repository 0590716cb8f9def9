#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <vector>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/array/error.h>

namespace tapedeck {

namespace detail {
[[noreturn]] void wrong_value_count(std::size_t expected, std::size_t got);
}

/// D values, given one by one or as a single one for all: `3` or `{3, 5}`.
template <std::size_t D, typename T = std::int64_t>
class ExpandingArray {
 public:
  /// \throws Error unless there are D values.
  ExpandingArray(std::initializer_list<T> values) : ExpandingArray(ArrayRef<T>(values)) {}
  ExpandingArray(std::vector<T> values) : ExpandingArray(ArrayRef<T>(values)) {}
  ExpandingArray(ArrayRef<T> values) {
    if (values.size() != D) detail::wrong_value_count(D, values.size());
    for (std::size_t i = 0; i < D; ++i) values_[i] = values[i];
  }
  ExpandingArray(T value) : single_(true) { values_.fill(value); }
  ExpandingArray(const std::array<T, D>& values) : values_(values) {}

  std::array<T, D>& operator*() { return values_; }
  const std::array<T, D>& operator*() const { return values_; }
  std::array<T, D>* operator->() { return &values_; }
  const std::array<T, D>* operator->() const { return &values_; }
  operator ArrayRef<T>() const { return values_; }
  std::size_t size() const noexcept { return D; }
  /// Whether one value was given for all.
  bool is_single() const noexcept { return single_; }

  friend bool operator==(const ExpandingArray& a, const ExpandingArray& b) {
    return a.values_ == b.values_;
  }

 protected:
  std::array<T, D> values_;
  bool single_ = false;
};

/// Prints "3" where D is 1, else "[3, 5]".
template <std::size_t D, typename T>
std::ostream& operator<<(std::ostream& out, const ExpandingArray<D, T>& array) {
  if constexpr (D == 1) return out << array->at(0);
  const char* separator = "[";
  for (const T& value : *array) {
    out << separator << value;
    separator = ", ";
  }
  return out << "]";
}

/// As ExpandingArray, of values that may be missing: `{7, nullopt}`.
template <std::size_t D, typename T = std::int64_t>
class ExpandingArrayWithOptionalElem : public ExpandingArray<D, std::optional<T>> {
 public:
  using ExpandingArray<D, std::optional<T>>::ExpandingArray;
  ExpandingArrayWithOptionalElem(std::initializer_list<T> values)
      : ExpandingArrayWithOptionalElem(ArrayRef<T>(values)) {}
  ExpandingArrayWithOptionalElem(std::vector<T> values)
      : ExpandingArrayWithOptionalElem(ArrayRef<T>(values)) {}
  ExpandingArrayWithOptionalElem(ArrayRef<T> values)
      : ExpandingArray<D, std::optional<T>>(std::nullopt) {
    if (values.size() != D) detail::wrong_value_count(D, values.size());
    this->single_ = false;
    for (std::size_t i = 0; i < D; ++i) this->values_[i] = values[i];
  }
  ExpandingArrayWithOptionalElem(T value)
      : ExpandingArray<D, std::optional<T>>(std::optional<T>(value)) {}
};

/// Prints "None" for a missing value.
template <std::size_t D, typename T>
std::ostream& operator<<(std::ostream& out, const ExpandingArrayWithOptionalElem<D, T>& array) {
  if (D > 1) out << "[";
  const char* separator = "";
  for (const std::optional<T>& value : *array) {
    out << separator;
    if (value)
      out << *value;
    else
      out << "None";
    separator = ", ";
  }
  if (D > 1) out << "]";
  return out;
}

}  // namespace tapedeck
