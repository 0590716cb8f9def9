#pragma once

#include <tapedeck/autograd/variable.h>

// Elementary functions, element by element. Integers and bool are taken to the default floating
// dtype first where the result is not an integer. Each has a method of the same name; those that
// end in `_` there work in place. \throws TypeError in place on integers for a floating result.

namespace tapedeck {

Variable exp(const Variable& self);
/// 2 to the power x.
Variable exp2(const Variable& self);
/// exp(x) - 1, exact for small x.
Variable expm1(const Variable& self);
Variable log(const Variable& self);
/// log(1 + x), exact for small x.
Variable log1p(const Variable& self);
Variable log2(const Variable& self);
Variable log10(const Variable& self);
Variable sqrt(const Variable& self);
/// 1 / sqrt(x).
Variable rsqrt(const Variable& self);
Variable square(const Variable& self);
/// 1 / x.
Variable reciprocal(const Variable& self);
Variable abs(const Variable& self);
inline Variable absolute(const Variable& self) { return abs(self); }
/// -1, 0 or 1.
Variable sign(const Variable& self);
inline Variable sgn(const Variable& self) { return sign(self); }
Variable sin(const Variable& self);
Variable cos(const Variable& self);
Variable tan(const Variable& self);
Variable asin(const Variable& self);
Variable acos(const Variable& self);
Variable atan(const Variable& self);
inline Variable arcsin(const Variable& self) { return asin(self); }
inline Variable arccos(const Variable& self) { return acos(self); }
inline Variable arctan(const Variable& self) { return atan(self); }
Variable sinh(const Variable& self);
Variable cosh(const Variable& self);
Variable tanh(const Variable& self);
Variable erf(const Variable& self);
Variable erfc(const Variable& self);
/// Rounding; its gradient is zero. Integers stay as they are.
Variable floor(const Variable& self);
Variable ceil(const Variable& self);
/// Halves go to the even neighbour.
Variable round(const Variable& self);
Variable trunc(const Variable& self);
inline Variable fix(const Variable& self) { return trunc(self); }
/// x - trunc(x); float32 and float64.
Variable frac(const Variable& self);

/// g (1 - y^2): the gradient of tanh from its output y.
Variable tanh_backward(const Variable& grad_output, const Variable& output);

}  // namespace tapedeck
