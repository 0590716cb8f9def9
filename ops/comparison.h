#pragma once

#include <tapedeck/autograd/variable.h>

// Comparisons and logic, element by element with broadcasting and type promotion. They give bool
// tensors (the bitwise ones keep the promoted dtype) and have no gradient.

namespace tapedeck {

Variable eq(const Variable& self, const Variable& other);
Variable eq(const Variable& self, Scalar other);
Variable ne(const Variable& self, const Variable& other);
Variable ne(const Variable& self, Scalar other);
Variable lt(const Variable& self, const Variable& other);
Variable lt(const Variable& self, Scalar other);
Variable le(const Variable& self, const Variable& other);
Variable le(const Variable& self, Scalar other);
Variable gt(const Variable& self, const Variable& other);
Variable gt(const Variable& self, Scalar other);
Variable ge(const Variable& self, const Variable& other);
Variable ge(const Variable& self, Scalar other);
inline Variable not_equal(const Variable& a, const Variable& b) { return ne(a, b); }
inline Variable less(const Variable& a, const Variable& b) { return lt(a, b); }
inline Variable less_equal(const Variable& a, const Variable& b) { return le(a, b); }
inline Variable greater(const Variable& a, const Variable& b) { return gt(a, b); }
inline Variable greater_equal(const Variable& a, const Variable& b) { return ge(a, b); }
inline Variable not_equal(const Variable& a, Scalar b) { return ne(a, b); }
inline Variable less(const Variable& a, Scalar b) { return lt(a, b); }
inline Variable less_equal(const Variable& a, Scalar b) { return le(a, b); }
inline Variable greater(const Variable& a, Scalar b) { return gt(a, b); }
inline Variable greater_equal(const Variable& a, Scalar b) { return ge(a, b); }

/// Of the elements' truth (x != 0).
Variable logical_and(const Variable& self, const Variable& other);
Variable logical_or(const Variable& self, const Variable& other);
Variable logical_xor(const Variable& self, const Variable& other);
Variable logical_not(const Variable& self);
/// Of bool and integers. \throws TypeError for floating dtypes.
Variable bitwise_and(const Variable& self, const Variable& other);
Variable bitwise_and(const Variable& self, Scalar other);
Variable bitwise_or(const Variable& self, const Variable& other);
Variable bitwise_or(const Variable& self, Scalar other);
Variable bitwise_xor(const Variable& self, const Variable& other);
Variable bitwise_xor(const Variable& self, Scalar other);
Variable bitwise_not(const Variable& self);

Variable isnan(const Variable& self);
Variable isinf(const Variable& self);
Variable isfinite(const Variable& self);
/// |self - other| <= atol + rtol |other|, or equal; NaN equals NaN with `equal_nan`.
/// \throws Error for different dtypes.
Variable isclose(const Variable& self, const Variable& other, double rtol = 1e-05,
                 double atol = 1e-08, bool equal_nan = false);
/// Whether isclose holds everywhere.
bool allclose(const Variable& self, const Variable& other, double rtol = 1e-05, double atol = 1e-08,
              bool equal_nan = false);
/// Whether both have the same shape and elements, compared in their common dtype.
bool equal(const Variable& self, const Variable& other);
/// The truth of the only element. \throws Error for more or none.
bool is_nonzero(const Variable& self);

inline Variable operator==(const Variable& a, const Variable& b) { return eq(a, b); }
inline Variable operator==(const Variable& a, Scalar b) { return eq(a, b); }
inline Variable operator==(Scalar a, const Variable& b) { return eq(b, a); }
inline Variable operator!=(const Variable& a, const Variable& b) { return ne(a, b); }
inline Variable operator!=(const Variable& a, Scalar b) { return ne(a, b); }
inline Variable operator!=(Scalar a, const Variable& b) { return ne(b, a); }
inline Variable operator<(const Variable& a, const Variable& b) { return lt(a, b); }
inline Variable operator<(const Variable& a, Scalar b) { return lt(a, b); }
inline Variable operator<(Scalar a, const Variable& b) { return gt(b, a); }
inline Variable operator<=(const Variable& a, const Variable& b) { return le(a, b); }
inline Variable operator<=(const Variable& a, Scalar b) { return le(a, b); }
inline Variable operator<=(Scalar a, const Variable& b) { return ge(b, a); }
inline Variable operator>(const Variable& a, const Variable& b) { return gt(a, b); }
inline Variable operator>(const Variable& a, Scalar b) { return gt(a, b); }
inline Variable operator>(Scalar a, const Variable& b) { return lt(b, a); }
inline Variable operator>=(const Variable& a, const Variable& b) { return ge(a, b); }
inline Variable operator>=(const Variable& a, Scalar b) { return ge(a, b); }
inline Variable operator>=(Scalar a, const Variable& b) { return le(b, a); }
inline Variable operator&(const Variable& a, const Variable& b) { return bitwise_and(a, b); }
inline Variable operator&(const Variable& a, Scalar b) { return bitwise_and(a, b); }
inline Variable operator&(Scalar a, const Variable& b) { return bitwise_and(b, a); }
inline Variable operator|(const Variable& a, const Variable& b) { return bitwise_or(a, b); }
inline Variable operator|(const Variable& a, Scalar b) { return bitwise_or(a, b); }
inline Variable operator|(Scalar a, const Variable& b) { return bitwise_or(b, a); }
inline Variable operator^(const Variable& a, const Variable& b) { return bitwise_xor(a, b); }
inline Variable operator^(const Variable& a, Scalar b) { return bitwise_xor(a, b); }
inline Variable operator^(Scalar a, const Variable& b) { return bitwise_xor(b, a); }

}  // namespace tapedeck
