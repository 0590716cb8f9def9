#pragma once

#include <tapedeck/autograd/variable.h>

// Sums, products and quotients of tensors and numbers, element by element, with NumPy broadcasting
// and PyTorch's type promotion (promotion.h). \throws Error for shapes that do not broadcast.

namespace tapedeck {

/// self + alpha other.
Variable add(const Variable& self, const Variable& other, Scalar alpha = 1);
Variable add(const Variable& self, Scalar other, Scalar alpha = 1);
/// self - alpha other. \throws Error for bool.
Variable sub(const Variable& self, const Variable& other, Scalar alpha = 1);
Variable sub(const Variable& self, Scalar other, Scalar alpha = 1);
inline Variable subtract(const Variable& self, const Variable& other, Scalar alpha = 1) {
  return sub(self, other, alpha);
}
inline Variable subtract(const Variable& self, Scalar other, Scalar alpha = 1) {
  return sub(self, other, alpha);
}
/// alpha subtracted the other way round: other - alpha self.
Variable rsub(const Variable& self, const Variable& other, Scalar alpha = 1);
Variable rsub(const Variable& self, Scalar other, Scalar alpha = 1);
Variable mul(const Variable& self, const Variable& other);
Variable mul(const Variable& self, Scalar other);
inline Variable multiply(const Variable& self, const Variable& other) { return mul(self, other); }
inline Variable multiply(const Variable& self, Scalar other) { return mul(self, other); }
/// The true quotient: integers give the default floating dtype.
Variable div(const Variable& self, const Variable& other);
Variable div(const Variable& self, Scalar other);
inline Variable divide(const Variable& self, const Variable& other) { return div(self, other); }
inline Variable divide(const Variable& self, Scalar other) { return div(self, other); }
inline Variable true_divide(const Variable& self, const Variable& other) {
  return div(self, other);
}
inline Variable true_divide(const Variable& self, Scalar other) { return div(self, other); }
Variable neg(const Variable& self);
inline Variable negative(const Variable& self) { return neg(self); }

inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator+(const Variable& a, Scalar b) { return add(a, b); }
inline Variable operator+(Scalar a, const Variable& b) { return add(b, a); }
inline Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
inline Variable operator-(const Variable& a, Scalar b) { return sub(a, b); }
inline Variable operator-(Scalar a, const Variable& b) { return rsub(b, a); }
inline Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
inline Variable operator*(const Variable& a, Scalar b) { return mul(a, b); }
inline Variable operator*(Scalar a, const Variable& b) { return mul(b, a); }
inline Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }
inline Variable operator/(const Variable& a, Scalar b) { return div(a, b); }
Variable operator/(Scalar a, const Variable& b);

}  // namespace tapedeck
