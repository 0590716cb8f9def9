#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// A value of one of a few types: what a custom function keeps beside its tensors, and what an
/// archive holds beside them. Immutable; copies share it.
class IValue {
 public:
  /// None.
  IValue() = default;
  IValue(Variable v);
  IValue(std::string v);
  IValue(const char* v) : IValue(std::string(v)) {}
  IValue(std::vector<Variable> v);
  IValue(std::vector<std::int64_t> v);
  IValue(std::vector<double> v);
  IValue(IntArrayRef v) : IValue(v.vec()) {}
  IValue(Scalar v);
  template <typename T>
  IValue(const std::optional<T>& v) : IValue(v ? IValue(*v) : IValue()) {}
  template <typename T>
  requires std::is_arithmetic_v<T> IValue(T v) : IValue(Scalar(v)) {}

  bool isNone() const { return !data_; }
  bool isTensor() const;
  bool isBool() const;
  bool isInt() const;
  bool isDouble() const;
  bool isString() const;
  bool isTensorList() const;
  bool isIntList() const;
  bool isDoubleList() const;
  bool isScalar() const { return isBool() || isInt() || isDouble(); }

  // Each \throws TypeError where something else is held.
  const Variable& toTensor() const;
  bool toBool() const;
  std::int64_t toInt() const;
  double toDouble() const;
  const std::string& toStringRef() const;
  const std::vector<Variable>& toTensorVector() const;
  std::vector<Variable> toTensorList() const { return toTensorVector(); }
  const std::vector<std::int64_t>& toIntVector() const;
  std::vector<std::int64_t> toIntList() const { return toIntVector(); }
  const std::vector<double>& toDoubleVector() const;
  Scalar toScalar() const;
  /// The same by type: of a number, a string, a tensor, a list, or an optional of one.
  template <typename T>
  T to() const {
    if constexpr (std::is_same_v<T, bool>)
      return toBool();
    else if constexpr (std::is_integral_v<T>)
      return static_cast<T>(toInt());
    else if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(toDouble());
    else if constexpr (std::is_same_v<T, std::string>)
      return toStringRef();
    else if constexpr (std::is_same_v<T, std::vector<Variable>>)
      return toTensorVector();
    else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>)
      return toIntVector();
    else if constexpr (std::is_same_v<T, std::vector<double>>)
      return toDoubleVector();
    else
      return toTensor();
  }
  template <typename T>
  std::optional<T> toOptional() const {
    return isNone() ? std::nullopt : std::optional<T>(to<T>());
  }

 private:
  struct Data;  // the types themselves are known to the .cpp alone: they are slow to compile

  template <typename T>
  bool is() const;
  template <typename T>
  const T& get(const char* wanted) const;

  std::shared_ptr<const Data> data_;
};

}  // namespace tapedeck
