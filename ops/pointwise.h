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
/// The same at that many digits after the point, or before it where negative.
Variable round(const Variable& self, std::int64_t decimals);
Variable trunc(const Variable& self);
inline Variable fix(const Variable& self) { return trunc(self); }
/// x - trunc(x); float32 and float64.
Variable frac(const Variable& self);

#define TAPEDECK_IN_PLACE(name) \
  inline Variable& name##_(Variable& self) { return self.name##_(); }
TAPEDECK_IN_PLACE(exp)
TAPEDECK_IN_PLACE(exp2)
TAPEDECK_IN_PLACE(expm1)
TAPEDECK_IN_PLACE(log)
TAPEDECK_IN_PLACE(log1p)
TAPEDECK_IN_PLACE(log2)
TAPEDECK_IN_PLACE(log10)
TAPEDECK_IN_PLACE(sqrt)
TAPEDECK_IN_PLACE(rsqrt)
TAPEDECK_IN_PLACE(square)
TAPEDECK_IN_PLACE(reciprocal)
TAPEDECK_IN_PLACE(neg)
TAPEDECK_IN_PLACE(abs)
TAPEDECK_IN_PLACE(sin)
TAPEDECK_IN_PLACE(cos)
TAPEDECK_IN_PLACE(tan)
TAPEDECK_IN_PLACE(asin)
TAPEDECK_IN_PLACE(acos)
TAPEDECK_IN_PLACE(atan)
TAPEDECK_IN_PLACE(sinh)
TAPEDECK_IN_PLACE(cosh)
TAPEDECK_IN_PLACE(erf)
TAPEDECK_IN_PLACE(erfc)
TAPEDECK_IN_PLACE(floor)
TAPEDECK_IN_PLACE(ceil)
TAPEDECK_IN_PLACE(round)
TAPEDECK_IN_PLACE(trunc)
TAPEDECK_IN_PLACE(frac)
#undef TAPEDECK_IN_PLACE

/// g (1 - y^2): the gradient of tanh from its output y.
Variable tanh_backward(const Variable& grad_output, const Variable& output);

}  // namespace tapedeck
