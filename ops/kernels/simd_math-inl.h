// Elementary functions of vectors, right everywhere: Highway's, with the ends of their ranges,
// infinities and NaN put right. Compiled once per instruction set, as simd_rows-inl.h is.

#if defined(TAPEDECK_SIMD_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_SIMD_MATH_INL_H
#undef TAPEDECK_SIMD_MATH_INL_H
#else
#define TAPEDECK_SIMD_MATH_INL_H
#endif

#include <limits>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {
namespace vec {

namespace hn = hwy::HWY_NAMESPACE;

// A constant.
template <class D>
HWY_INLINE hn::Vec<D> C(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}
template <class D>
HWY_INLINE hn::Vec<D> Infinity(D d) {
  return hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity());
}

template <class D, class V>
HWY_INLINE V Exp(D d, V x) {
  constexpr bool kFloat = sizeof(hn::TFromD<D>) == 4;
  const V limit = C(d, kFloat ? 89.0 : 710.0);
  // What is clamped away is 0 or infinite anyway; the conversion inside wants a small integer.
  const V inside = hn::Min(hn::Max(x, C(d, kFloat ? -104.0 : -750.0)), limit);
  V y = hn::Exp(d, inside);
  y = hn::IfThenElse(hn::Ge(x, limit), Infinity(d), y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V>
HWY_INLINE V Expm1(D d, V x) {
  constexpr bool kFloat = sizeof(hn::TFromD<D>) == 4;
  const V limit = C(d, kFloat ? 89.0 : 710.0);
  const V inside = hn::Min(hn::Max(x, C(d, kFloat ? -104.0 : -750.0)), limit);
  V y = hn::Expm1(d, inside);
  y = hn::IfThenElse(hn::Ge(x, limit), Infinity(d), y);
  // Small ones, -0 among them, are themselves.
  const V tiny = C(d, kFloat ? 1e-8 : 1e-17);
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::Lt(hn::Abs(x), tiny)), x, y);
}

template <class D, class V>
HWY_INLINE V Log(D d, V x) {
  V y = hn::Log(d, x);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(Infinity(d)), y);
  y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)),
                     hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN()), y);
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::Eq(x, Infinity(d))), x, y);
}

template <class D, class V>
HWY_INLINE V Log1p(D d, V x) {
  // log(1 + x) with what the sum 1 + x rounded away put back.
  const V one = C(d, 1);
  const V sum = hn::Add(one, x);
  const V at_one = hn::Mul(vec::Log(d, sum), hn::Div(x, hn::Sub(sum, one)));
  const V y = hn::IfThenElse(hn::Eq(sum, one), x, at_one);
  return hn::IfThenElse(hn::Or(hn::Eq(x, Infinity(d)), hn::Le(x, C(d, -1))), vec::Log(d, sum), y);
}

template <class D, class V>
HWY_INLINE V Tanh(D d, V x) {
  // (e - 1) / (e + 1) with e = exp(2 |x|)
  const V magnitude = hn::Min(hn::Abs(x), C(d, 20));
  const V y = vec::Expm1(d, hn::Add(magnitude, magnitude));
  const V z = hn::CopySign(hn::Div(y, hn::Add(y, C(d, 2))), x);
  return hn::IfThenElse(hn::IsNaN(x), x, z);
}

// 1 / (1 + exp(-x)), from the side where nothing overflows or cancels.
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = C(d, 1);
  const V e = vec::Exp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

// log(1 + exp(x)) for any x.
template <class D, class V>
HWY_INLINE V LogOnePlusExp(D d, V x) {
  const V positive = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
  return hn::Add(positive, vec::Log1p(d, vec::Exp(d, hn::Neg(hn::Abs(x)))));
}

}  // namespace vec
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
