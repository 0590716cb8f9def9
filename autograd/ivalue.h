#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <tapedeck/array/error.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// A value of one of a few types: what a custom function keeps beside its tensors, and what an
/// archive holds beside them.
class IValue {
 public:
  IValue() = default;
  IValue(Variable v) : value_(std::move(v)) {}
  IValue(std::string v) : value_(std::move(v)) {}
  IValue(const char* v) : value_(std::string(v)) {}
  IValue(std::vector<Variable> v) : value_(std::move(v)) {}
  IValue(std::vector<std::int64_t> v) : value_(std::move(v)) {}
  IValue(std::vector<double> v) : value_(std::move(v)) {}
  IValue(IntArrayRef v) : value_(v.vec()) {}
  template <typename T>
  requires std::is_arithmetic_v<T> IValue(T v) {
    if constexpr (std::is_same_v<T, bool>)
      value_ = v;
    else if constexpr (std::is_integral_v<T>)
      value_ = static_cast<std::int64_t>(v);
    else
      value_ = static_cast<double>(v);
  }
  IValue(Scalar v) {
    if (v.isBoolean())
      value_ = v.toBool();
    else if (v.isFloatingPoint())
      value_ = v.toDouble();
    else
      value_ = v.toLong();
  }

  bool isNone() const { return is<std::monostate>(); }
  bool isTensor() const { return is<Variable>(); }
  bool isBool() const { return is<bool>(); }
  bool isInt() const { return is<std::int64_t>(); }
  bool isDouble() const { return is<double>(); }
  bool isString() const { return is<std::string>(); }
  bool isTensorList() const { return is<std::vector<Variable>>(); }
  bool isIntList() const { return is<std::vector<std::int64_t>>(); }
  bool isDoubleList() const { return is<std::vector<double>>(); }
  bool isScalar() const { return isBool() || isInt() || isDouble(); }

  const Variable& toTensor() const { return get<Variable>("a tensor"); }
  bool toBool() const { return get<bool>("a bool"); }
  std::int64_t toInt() const { return get<std::int64_t>("an int"); }
  double toDouble() const { return get<double>("a double"); }
  const std::string& toStringRef() const { return get<std::string>("a string"); }
  const std::vector<Variable>& toTensorVector() const {
    return get<std::vector<Variable>>("a list of tensors");
  }
  std::vector<Variable> toTensorList() const { return toTensorVector(); }
  const std::vector<std::int64_t>& toIntVector() const {
    return get<std::vector<std::int64_t>>("a list of ints");
  }
  std::vector<std::int64_t> toIntList() const { return toIntVector(); }
  const std::vector<double>& toDoubleVector() const {
    return get<std::vector<double>>("a list of doubles");
  }
  Scalar toScalar() const {
    if (isBool()) return toBool();
    if (isInt()) return toInt();
    return toDouble();
  }

 private:
  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(value_);
  }
  template <typename T>
  const T& get(const char* wanted) const {
    const T* value = std::get_if<T>(&value_);
    if (!value) fail(wanted);
    return *value;
  }
  [[noreturn]] void fail(const char* wanted) const;

  std::variant<std::monostate, Variable, bool, std::int64_t, double, std::string,
               std::vector<Variable>, std::vector<std::int64_t>, std::vector<double>>
      value_;
};

}  // namespace tapedeck
