#pragma once

#include <optional>
#include <string_view>

#include <tapedeck/autograd/variable.h>

// Functions of two tensors or numbers beyond sums and products, element by element, with
// broadcasting and type promotion.

namespace tapedeck {

/// \throws Error for an integer to a negative integer number.
Variable pow(const Variable& self, Scalar exponent);
Variable pow(const Variable& self, const Variable& exponent);
Variable pow(Scalar self, const Variable& exponent);
/// The larger and the smaller; NaN where one is. Where both are equal each gets half the gradient.
Variable maximum(const Variable& self, const Variable& other);
Variable minimum(const Variable& self, const Variable& other);
/// The same; max and min of one tensor are in reduction.h.
Variable max(const Variable& self, const Variable& other);
Variable min(const Variable& self, const Variable& other);
/// The angle of the points (other, self).
Variable atan2(const Variable& self, const Variable& other);
inline Variable arctan2(const Variable& self, const Variable& other) { return atan2(self, other); }
/// What is left of self after whole multiples of other, with self's sign.
Variable fmod(const Variable& self, const Variable& other);
Variable fmod(const Variable& self, Scalar other);
/// The same with other's sign, as Python's %.
Variable remainder(const Variable& self, const Variable& other);
Variable remainder(const Variable& self, Scalar other);
Variable remainder(Scalar self, const Variable& other);
/// The quotient rounded down; without a gradient. Integers stay integers.
Variable floor_divide(const Variable& self, const Variable& other);
Variable floor_divide(const Variable& self, Scalar other);
/// The quotient, not rounded or rounded by "trunc" or "floor" (then without a gradient, and
/// integers stay integers). \throws Error for any other mode.
Variable div(const Variable& self, const Variable& other,
             std::optional<std::string_view> rounding_mode);
Variable div(const Variable& self, Scalar other, std::optional<std::string_view> rounding_mode);

inline Variable divide(const Variable& self, const Variable& other,
                       std::optional<std::string_view> rounding_mode) {
  return div(self, other, rounding_mode);
}
inline Variable divide(const Variable& self, Scalar other,
                       std::optional<std::string_view> rounding_mode) {
  return div(self, other, rounding_mode);
}

inline Variable operator%(const Variable& a, const Variable& b) { return remainder(a, b); }
inline Variable operator%(const Variable& a, Scalar b) { return remainder(a, b); }

}  // namespace tapedeck
