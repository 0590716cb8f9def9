#pragma once

#include <cstdint>
#include <iosfwd>
#include <type_traits>

#include <tapedeck/array/dtype.h>

namespace tapedeck {

class Scalar;

namespace detail {

/// \throws Error that names `op` where `dtype` does not hold the value: it is beyond the largest or
/// least number, or has no place there as NaN and infinity have none among integers. As in PyTorch
/// a fraction is cut off, and a negative integer counts as its size for uint8.
void check_fits(const Scalar& value, ScalarType dtype, const char* op);

}  // namespace detail

/// A number as an argument: bool, 64-bit integer or double. It takes part in type promotion by its
/// category alone, so that `float32_tensor * 2.0` stays float32.
class Scalar {
 public:
  constexpr Scalar() : Scalar(std::int64_t{0}) {}
  template <typename T>
  requires std::is_arithmetic_v<T>
  constexpr Scalar(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      kind_ = ScalarType::Bool;
      i_ = value;
    } else if constexpr (std::is_integral_v<T>) {
      kind_ = ScalarType::Long;
      i_ = static_cast<std::int64_t>(value);
    } else {
      kind_ = ScalarType::Double;
      d_ = static_cast<double>(value);
    }
  }

  template <typename T>
  constexpr T to() const {
    return kind_ == ScalarType::Double ? static_cast<T>(d_) : static_cast<T>(i_);
  }
  constexpr double toDouble() const { return to<double>(); }
  constexpr float toFloat() const { return to<float>(); }
  /// Without the fraction.
  /// \throws Error where an integer of that size does not hold the number.
  std::int64_t toLong() const {
    if (isFloatingPoint()) detail::check_fits(*this, ScalarType::Long, "Scalar::toLong");
    return to<std::int64_t>();
  }
  int toInt() const {
    detail::check_fits(*this, ScalarType::Int, "Scalar::toInt");
    return to<int>();
  }
  constexpr bool toBool() const { return kind_ == ScalarType::Double ? d_ != 0 : i_ != 0; }

  constexpr bool isFloatingPoint() const { return kind_ == ScalarType::Double; }
  constexpr bool isIntegral(bool include_bool) const {
    return kind_ == ScalarType::Long || (include_bool && isBoolean());
  }
  constexpr bool isBoolean() const { return kind_ == ScalarType::Bool; }
  /// Bool, Long or Double.
  constexpr ScalarType type() const { return kind_; }

  /// Whether it is this number; a bool is none.
  template <typename T>
  requires std::is_arithmetic_v<T>
  constexpr bool equal(T number) const {
    if constexpr (std::is_same_v<T, bool>)
      return isBoolean() && toBool() == number;
    else if constexpr (std::is_integral_v<T>)
      return !isBoolean() && (isFloatingPoint() ? d_ == static_cast<double>(number)
                                                : i_ == static_cast<std::int64_t>(number));
    else
      return !isBoolean() && toDouble() == static_cast<double>(number);
  }

  constexpr Scalar operator-() const {
    // The least integer has no negative: it stays, as in a tensor.
    return kind_ == ScalarType::Double
               ? Scalar(-d_)
               : Scalar(static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(i_)));
  }

 private:
  ScalarType kind_ = ScalarType::Long;
  union {
    std::int64_t i_ = 0;
    double d_;
  };
};

std::ostream& operator<<(std::ostream& out, const Scalar& value);

}  // namespace tapedeck
