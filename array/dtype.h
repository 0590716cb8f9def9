#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>

namespace tapedeck {

/// Element type of an Array, chosen at run time. The values are those of PyTorch's c10::ScalarType.
enum class ScalarType : std::int8_t {
  Byte = 0,    ///< std::uint8_t
  Int = 3,     ///< std::int32_t
  Long = 4,    ///< std::int64_t
  Float = 6,   ///< float
  Double = 7,  ///< double
  Bool = 11,   ///< bool
  Undefined = 127,
};

using Dtype = ScalarType;

inline constexpr ScalarType kUInt8 = ScalarType::Byte, kByte = kUInt8;
inline constexpr ScalarType kInt32 = ScalarType::Int, kInt = kInt32;
inline constexpr ScalarType kInt64 = ScalarType::Long, kLong = kInt64;
inline constexpr ScalarType kFloat32 = ScalarType::Float, kFloat = kFloat32, kF32 = kFloat32;
inline constexpr ScalarType kFloat64 = ScalarType::Double, kDouble = kFloat64, kF64 = kFloat64;
inline constexpr ScalarType kBool = ScalarType::Bool;

namespace detail {
// Of the types by their values. A table: it is looked up wherever an Array is addressed.
inline constexpr std::uint8_t kElementSizes[] = {1, 0, 0, 4, 8, 0, 4, 8, 0, 0, 0, 1};
}  // namespace detail

/// Bytes of one element; 0 for Undefined.
constexpr std::int64_t element_size(ScalarType dtype) {
  const auto index = static_cast<std::uint8_t>(dtype);
  return index < sizeof detail::kElementSizes ? detail::kElementSizes[index] : 0;
}

constexpr bool is_floating_point(ScalarType dtype) {
  return dtype == ScalarType::Float || dtype == ScalarType::Double;
}
constexpr bool is_integral(ScalarType dtype, bool include_bool) {
  return dtype == ScalarType::Byte || dtype == ScalarType::Int || dtype == ScalarType::Long ||
         (include_bool && dtype == ScalarType::Bool);
}

/// PyTorch's name of the type: "Float", "Long", ...
const char* to_string(ScalarType dtype);
inline const char* toString(ScalarType dtype) { return to_string(dtype); }
std::ostream& operator<<(std::ostream& out, ScalarType dtype);

/// The type that holds the values of both, by PyTorch's promotion rules for tensors of equal
/// category: bool < uint8 < int32 < int64 < float32 < float64.
ScalarType promote_types(ScalarType a, ScalarType b);

/// Whether a result of dtype `from` may be stored in place in a tensor of dtype `to`: PyTorch's
/// rule, by category.
bool can_cast(ScalarType from, ScalarType to);

/// The ScalarType of a C++ element type.
template <typename T>
inline constexpr ScalarType dtype_of = ScalarType::Undefined;
template <>
inline constexpr ScalarType dtype_of<std::uint8_t> = ScalarType::Byte;
template <>
inline constexpr ScalarType dtype_of<std::int32_t> = ScalarType::Int;
template <>
inline constexpr ScalarType dtype_of<std::int64_t> = ScalarType::Long;
template <>
inline constexpr ScalarType dtype_of<long long> = ScalarType::Long;
template <>
inline constexpr ScalarType dtype_of<float> = ScalarType::Float;
template <>
inline constexpr ScalarType dtype_of<double> = ScalarType::Double;
template <>
inline constexpr ScalarType dtype_of<bool> = ScalarType::Bool;

/// A dtype as tensors tell it: a ScalarType that also knows the name of its C++ type, and prints as
/// that ("float", "long int"), as in libtorch. In messages it prints as the ScalarType does.
class TypeMeta {
 public:
  constexpr TypeMeta() = default;
  explicit constexpr TypeMeta(ScalarType dtype) : dtype_(dtype) {}
  template <typename T>
  static constexpr TypeMeta Make() {
    return TypeMeta(dtype_of<T>);
  }
  constexpr operator ScalarType() const { return dtype_; }
  constexpr ScalarType toScalarType() const { return dtype_; }
  constexpr bool isScalarType() const { return dtype_ != ScalarType::Undefined; }
  constexpr bool isScalarType(ScalarType dtype) const { return dtype_ == dtype; }
  template <typename T>
  constexpr bool Match() const {
    return dtype_ == dtype_of<T>;
  }
  std::size_t itemsize() const { return static_cast<std::size_t>(element_size(dtype_)); }
  const char* name() const;

 private:
  ScalarType dtype_ = ScalarType::Undefined;
};
std::ostream& operator<<(std::ostream& out, TypeMeta dtype);

/// The dtype that floating-point values get where none is asked for (float32 unless changed).
TypeMeta get_default_dtype();
/// Changes it for the whole process. \throws Error unless `dtype` is float32 or float64.
void set_default_dtype(ScalarType dtype);

}  // namespace tapedeck
