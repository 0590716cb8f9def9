// Elementary functions of vectors, right everywhere: Highway's, with the ends of their ranges,
// infinities and NaN put right. Compiled once per instruction set, as simd_rows-inl.h is.

#if defined(TAPEDECK_SIMD_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_SIMD_MATH_INL_H
#undef TAPEDECK_SIMD_MATH_INL_H
#else
#define TAPEDECK_SIMD_MATH_INL_H
#endif

#include <cmath>
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

// With the coefficients from the highest one down.
template <class D, class V, std::size_t n>
HWY_INLINE V Polynomial(D d, V x, const double (&coefficients)[n]) {
  V y = C(d, coefficients[0]);
  HWY_UNROLL(16)
  for (std::size_t i = 1; i < n; ++i) y = hn::MulAdd(y, x, C(d, coefficients[i]));
  return y;
}

// exp(x) = 2^n (1 + less_one), with n where a number has its exponent.
template <class D>
struct ExpParts {
  hn::Vec<D> less_one;
  hn::Vec<hn::RebindToSigned<D>> exponent;
};
// What depends on the element type. `kRest` is q in exp(r) = 1 + r + r^2 q(r) for |r| <= log(2) /
// 2: minimax, off by 3.1e-9 of exp(r) at most, and by 1.6e-17. Log 2 comes in two parts, of which
// the products of the first and n are exact. A sum of the size of `kRounder` has been rounded to an
// integer, which its low bits hold. As far as `kNormal`, exp(x) and exp(-x) are normal numbers;
// beyond the other two exp(x) is 0, or infinite.
template <typename T>
struct ExpOf;
template <>
struct ExpOf<float> {
  static constexpr double kRest[] = {0.00138145840312, 0.00836872393598, 0.0416683887296,
                                     0.166665205736, 0.499999934439};
  static constexpr double kLog2[] = {0.693145751953125, 1.428606765330187e-6};
  static constexpr double kRounder = 12582912;
  static constexpr int kFraction = 23;
  static constexpr double kNormal = 87, kLeast = -104, kMost = 89;
};
template <>
struct ExpOf<double> {
  static constexpr double kRest[] = {2.51004110820148999e-08, 2.76201217173819332e-07,
                                     2.75572684061907954e-06, 2.48015212259864324e-05,
                                     0.000198412698630882553, 0.00138888889172587588,
                                     0.00833333333333005459,  0.0416666666666240387,
                                     0.166666666666666685,    0.500000000000000111};
  static constexpr double kLog2[] = {0.6931471805598903, 5.497923018708371e-14};
  static constexpr double kRounder = 6755399441055744;
  static constexpr int kFraction = 52;
  static constexpr double kNormal = 708, kLeast = -750, kMost = 710;
};
template <class D>
HWY_INLINE ExpParts<D> SplitExp(D d, hn::Vec<D> x) {
  using Of = ExpOf<hn::TFromD<D>>;
  const hn::RebindToSigned<D> di;
  const auto rounder = C(d, Of::kRounder);
  const auto rounded = hn::MulAdd(x, C(d, 1.44269504088896341), rounder);
  const auto n = hn::Sub(rounded, rounder);
  auto r = hn::NegMulAdd(n, C(d, Of::kLog2[0]), x);
  r = hn::NegMulAdd(n, C(d, Of::kLog2[1]), r);
  return {hn::MulAdd(hn::Mul(r, r), Polynomial(d, r, Of::kRest), r),
          hn::ShiftLeft<Of::kFraction>(hn::BitCast(di, rounded))};
}

// exp(x) for |x| <= kNormal.
template <class D, class V>
HWY_INLINE V ExpOfModerate(D d, V x) {
  const hn::RebindToSigned<D> di;
  const auto parts = SplitExp(d, x);
  const V significand = hn::Add(C(d, 1), parts.less_one);
  return hn::BitCast(d, hn::Add(hn::BitCast(di, significand), parts.exponent));
}

template <class D, class V>
HWY_INLINE V Exp(D d, V x) {
  using Of = ExpOf<hn::TFromD<D>>;
  const hn::RebindToSigned<D> di;
  if (HWY_LIKELY(hn::AllTrue(d, hn::Le(hn::Abs(x), C(d, Of::kNormal))))) return ExpOfModerate(d, x);
  // What is clamped away is 0 or infinite anyway; what is inside wants a small integer.
  const V limit = C(d, Of::kMost);
  const auto parts = SplitExp(d, hn::Min(hn::Max(x, C(d, Of::kLeast)), limit));
  // In two steps, for the exponent may be beyond those of normal numbers.
  const auto one = hn::BitCast(di, C(d, 1)), n = hn::ShiftRight<Of::kFraction>(parts.exponent);
  const auto half = hn::ShiftRight<1>(n);
  const auto power = [&](auto of) HWY_ATTR {
    return hn::BitCast(d, hn::Add(hn::ShiftLeft<Of::kFraction>(of), one));
  };
  V y = hn::Mul(hn::Mul(hn::Add(C(d, 1), parts.less_one), power(half)), power(hn::Sub(n, half)));
  y = hn::IfThenElse(hn::Ge(x, limit), Infinity(d), y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V>
HWY_INLINE V Expm1(D d, V x) {
  using T = hn::TFromD<D>;
  const hn::RebindToSigned<D> di;
  const V one = C(d, 1), limit = C(d, ExpOf<T>::kNormal);
  const auto parts = SplitExp(d, hn::Min(hn::Max(x, hn::Neg(limit)), limit));
  const V power = hn::BitCast(d, hn::Add(hn::BitCast(di, one), parts.exponent));
  V y = hn::MulAdd(power, parts.less_one, hn::Sub(power, one));
  const auto is_large = hn::Gt(x, limit);
  if (HWY_UNLIKELY(!hn::AllFalse(d, is_large))) y = hn::IfThenElse(is_large, vec::Exp(d, x), y);
  // Small ones, -0 among them, are themselves.
  const V tiny = C(d, sizeof(T) == 4 ? 1e-8 : 1e-17);
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

// q in atanh(s) = s (1 + s^2 q(s^2)) for s^2 <= 1/9: minimax, off by 4.5e-9 of atanh(s) at most,
// and by 4.9e-17.
template <typename T>
inline constexpr double kAtanhRest[] = {
    0.088698744402682957, 0.049514126590741964, 0.067931567436046711,
    0.076821477971129648, 0.090914070345094581, 0.11111096452374701,
    0.14285714528997940,  0.19999999998024856,  0.33333333333338847};
template <>
inline constexpr double kAtanhRest<float>[] = {0.1400599312459, 0.1400090270091, 0.2001076361513,
                                               0.3333320814293};
// log(1 + e) for 0 <= e <= 1: 2 atanh(e / (2 + e)).
template <class D, class V>
HWY_INLINE V Log1pUpToOne(D d, V e) {
  const V twice = hn::Div(hn::Add(e, e), hn::Add(e, C(d, 2)));
  const V square = hn::Mul(hn::Mul(twice, twice), C(d, 0.25));
  const V rest = Polynomial(d, square, kAtanhRest<hn::TFromD<D>>);
  return hn::MulAdd(hn::Mul(twice, square), rest, twice);
}

// log(1 + exp(x)) for any x.
template <class D, class V>
HWY_INLINE V LogOnePlusExp(D d, V x) {
  const V positive = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
  return hn::Add(positive, Log1pUpToOne(d, vec::Exp(d, hn::Neg(hn::Abs(x)))));
}

// Sine and cosine: the vector forms hold up to a bound, beyond which each lane goes its own way.
template <class D, class V, class Vector, class Scalar>
HWY_INLINE V WithinBound(D d, V x, Vector vector, Scalar scalar) {
  using T = hn::TFromD<D>;
  if (HWY_LIKELY(hn::AllTrue(d, hn::Lt(hn::Abs(x), C(d, 30000))))) return vector(x);
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(x, d, buffer);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) buffer[i] = scalar(buffer[i]);
  return hn::Load(d, buffer);
}
template <class D, class V>
HWY_INLINE V Sin(D d, V x) {
  using T = hn::TFromD<D>;
  return WithinBound(
      d, x, [d](V v) HWY_ATTR { return hn::Sin(d, v); }, [](T v) { return std::sin(v); });
}
template <class D, class V>
HWY_INLINE V Cos(D d, V x) {
  using T = hn::TFromD<D>;
  return WithinBound(
      d, x, [d](V v) HWY_ATTR { return hn::Cos(d, v); }, [](T v) { return std::cos(v); });
}

// The angle of (x, y), signs of zeros and infinities as std::atan2 has them.
template <class D, class V>
HWY_INLINE V Atan2(D d, V y, V x) {
  const V ay = hn::Abs(y), ax = hn::Abs(x), zero = hn::Zero(d);
  const V longer = hn::Max(ax, ay), shorter = hn::Min(ax, ay);
  // 0 / 0 is no angle at all, and the two infinities have the diagonal's.
  V ratio = hn::Div(shorter, longer);
  ratio = hn::IfThenElse(hn::Eq(longer, zero), zero, ratio);
  ratio = hn::IfThenElse(hn::Eq(shorter, Infinity(d)), C(d, 1), ratio);
  V angle = hn::Atan(d, ratio);
  angle = hn::IfThenElse(hn::Gt(ay, ax), hn::Sub(C(d, 1.57079632679489661923), angle), angle);
  const auto is_left = hn::Lt(hn::CopySign(C(d, 1), x), zero);  // -0 too
  angle = hn::IfThenElse(is_left, hn::Sub(C(d, 3.14159265358979323846), angle), angle);
  const V signed_angle = hn::CopySign(angle, y);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenElse(hn::IsNaN(y), y, signed_angle));
}

// x^2 - square, exactly, where `square` is x^2 rounded.
template <class D, class V>
HWY_INLINE V LostOfSquare([[maybe_unused]] D d, V x, V square) {
#if HWY_NATIVE_FMA
  return hn::MulSub(x, x, square);
#else
  // Dekker's: the products of halves of the significand are exact.
  using Bits = hn::TFromD<hn::RebindToUnsigned<D>>;
  constexpr int kLow = sizeof(Bits) == 4 ? 12 : 27;
  const hn::RebindToUnsigned<D> du;
  const V high = hn::And(x, hn::BitCast(d, hn::Set(du, static_cast<Bits>(~Bits{0} << kLow))));
  const V low = hn::Sub(x, high), cross = hn::Mul(high, low);
  return hn::Add(hn::Add(hn::Sub(hn::Mul(high, high), square), hn::Add(cross, cross)),
                 hn::Mul(low, low));
#endif
}

// exp(-s x^2), with what the square rounded away put back to first order; s is a power of two.
template <class D, class V>
HWY_INLINE V ExpOfMinusSquare(D d, V x, double s) {
  const V square = hn::Mul(x, x), lost = LostOfSquare(d, x, square), scale = C(d, s);
  const V e = vec::Exp(d, hn::Neg(hn::Mul(square, scale)));
  // Far out both are infinite or lost; e is 0 there.
  return hn::IfThenElse(hn::Lt(square, C(d, 1500)), hn::NegMulAdd(e, hn::Mul(lost, scale), e), e);
}

#if HWY_NATIVE_FMA && HWY_TARGET != HWY_SCALAR
// high + low, of which low is what high has rounded away.
template <class V>
struct Sum2 {
  V high, low;
};
// a + b exactly, where |a| >= |b| or a is 0.
template <class V>
HWY_INLINE Sum2<V> ExactSum(V a, V b) {
  const V sum = hn::Add(a, b);
  return {sum, hn::Add(hn::Sub(a, sum), b)};
}
template <class V>
HWY_INLINE V LostOfProduct(V a, V b, V product) {
  return hn::MulSub(a, b, product);
}
template <class V>
HWY_INLINE Sum2<V> Product2(const Sum2<V>& a, const Sum2<V>& b) {
  const V high = hn::Mul(a.high, b.high);
  const V cross = hn::MulAdd(a.low, b.high, LostOfProduct(a.high, b.high, high));
  return {high, hn::MulAdd(a.high, b.low, cross)};
}
// An integer below 2^51 as the low bits of a float64, and back.
constexpr double kToBits = 4503599627370496.0;
// 2^n for integers n above -1023.
template <class D, class V>
HWY_INLINE V PowerOfTwo(D d, V n) {
  const hn::RebindToUnsigned<D> bits;
  return hn::BitCast(d, hn::ShiftLeft<52>(hn::BitCast(bits, hn::Add(n, C(d, kToBits + 1023)))));
}

// 2/25, ..., 2/5: of 2 atanh(r) = 2 r + r^3 (2/3 + r^2 (2/5 + r^2 (2/7 + ...))).
constexpr double kAtanh[] = {2.0 / 25, 2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15,
                             2.0 / 13, 2.0 / 11, 2.0 / 9,  2.0 / 7,  2.0 / 5};
// The logarithm of normal numbers x > 0 to about 64 bits: with x = 2^k m and m near 1,
// k log 2 + 2 atanh((m - 1) / (m + 1)).
template <class D, class V>
HWY_INLINE Sum2<V> LogOfNormal(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  const V one = C(d, 1);
  // Offset by what lies between the root of 1/2 and 1, the exponent's bits are those of 2^k.
  const auto offset = hn::Add(hn::BitCast(du, x), hn::Set(du, 0x95f619980c433ULL));
  const auto exponent = hn::ShiftRight<52>(offset);
  const V k = hn::Sub(hn::BitCast(d, hn::Or(exponent, hn::BitCast(du, C(d, kToBits)))),
                      C(d, kToBits + 1023));
  const V m = hn::BitCast(
      d, hn::Add(hn::Sub(hn::BitCast(du, x), hn::ShiftLeft<52>(exponent)), hn::BitCast(du, one)));

  const V above = hn::Add(m, one), rounded = hn::Add(hn::Sub(one, above), m);
  const V below = hn::Sub(m, one), inverse = hn::Div(one, above);
  Sum2<V> r;
  r.high = hn::Mul(below, inverse);
  r.low = hn::Mul(hn::NegMulAdd(r.high, rounded, hn::NegMulAdd(r.high, above, below)), inverse);
  const Sum2<V> square = Product2(r, r);
  Sum2<V> factor =
      ExactSum(C(d, 2.0 / 3), hn::Mul(square.high, Polynomial(d, square.high, kAtanh)));
  factor.low = hn::Add(factor.low, C(d, 3.700743415417188e-17));  // of 2/3
  const Sum2<V> cubic = Product2(Product2(square, r), factor);

  // log 2 in two parts, of which the products of the first and k are exact.
  const Sum2<V> linear = ExactSum(hn::Mul(k, C(d, 0.6931471805598903)), hn::Add(r.high, r.high));
  const Sum2<V> sum = ExactSum(linear.high, cubic.high);
  const V low = hn::Add(hn::MulAdd(C(d, 2), r.low, cubic.low), hn::Add(linear.low, sum.low));
  return ExactSum(sum.high, hn::MulAdd(k, C(d, 5.497923018708371e-14), low));
}

// 1/k!, from k = 13 down to 2.
constexpr double kExp[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                           1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                           1.0 / 120,        1.0 / 24,        1.0 / 6,        1.0 / 2};
// exp(x.high + x.low), rounded once or twice.
template <class D, class V>
HWY_INLINE V ExpOfSum(D d, Sum2<V> x) {
  // Beyond the bound the result is 0 or infinite.
  const V bound = C(d, 800);
  x.low = hn::IfThenElseZero(hn::Lt(hn::Abs(x.high), bound), x.low);
  x.high = hn::Max(hn::Min(x.high, bound), hn::Neg(bound));
  const V n = hn::Round(hn::Mul(x.high, C(d, 1.4426950408889634)));
  const V near = hn::NegMulAdd(n, C(d, 0.6931471805599453), x.high);
  const V rest = hn::NegMulAdd(n, C(d, 2.3190468138462996e-17), x.low);
  const Sum2<V> r = ExactSum(near, rest);
  const V tail = hn::MulAdd(hn::Mul(r.high, r.high), Polynomial(d, r.high, kExp), r.low);
  const V e = hn::Add(C(d, 1), hn::Add(r.high, tail));
  // In two steps, for the exponent may be beyond those of normal numbers.
  const V half = hn::Floor(hn::Mul(n, C(d, 0.5)));
  return hn::Mul(hn::Mul(e, PowerOfTwo(d, half)), PowerOfTwo(d, hn::Sub(n, half)));
}

// size^b for normal numbers size > 0 of float64 and |b| < 1e300.
template <class D, class V>
HWY_INLINE V PowerOfNormal(D d, V size, V b) {
  const Sum2<V> log = LogOfNormal(d, size);
  const V high = hn::Mul(log.high, b);
  return ExpOfSum(d, Sum2<V>{high, hn::MulAdd(log.low, b, LostOfProduct(log.high, b, high))});
}
#endif

// Polynomials of W. J. Cody, Rational Chebyshev approximations for the error function, 1969.
constexpr double kErfNearTop[] = {1.85777706184603153e-1, 3.16112374387056560,
                                  1.13864154151050156e2, 3.77485237685302021e2,
                                  3.20937758913846947e3};
constexpr double kErfNearBottom[] = {1, 2.36012909523441209e1, 2.44024637934444173e2,
                                     1.28261652607737228e3, 2.84423683343917062e3};
constexpr double kErfcTop[] = {
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594,
    6.61191906371416295e1,  2.98635138197400131e2,  8.81952221241769090e2,
    1.71204761263407058e3,  2.05107837782607147e3,  1.23033935479799725e3};
constexpr double kErfcBottom[] = {1,
                                  1.57449261107098347e1,
                                  1.17693950891312499e2,
                                  5.37181101862009858e2,
                                  1.62138957456669019e3,
                                  3.29079923573345963e3,
                                  4.36261909014324716e3,
                                  3.43936767414372164e3,
                                  1.23033935480374942e3};
constexpr double kErfcFarTop[] = {1.63153871373020978e-2, 3.05326634961232344e-1,
                                  3.60344899949804439e-1, 1.25781726111229246e-1,
                                  1.60837851487422766e-2, 6.58749161529837803e-4};
constexpr double kErfcFarBottom[] = {1,
                                     2.56852019228982242,
                                     1.87295284992346725,
                                     5.27905102951428412e-1,
                                     6.05183413124413191e-2,
                                     2.33520497626869185e-3};

// For z >= 0 and e = exp(-z^2): erf(z) where z is small, erfc(z) elsewhere.
template <class V, class M>
struct ErfParts {
  V value;
  M is_erf;
};
template <class D, class V>
HWY_INLINE auto ErfOrErfc(D d, V z, V e) {
  const auto near = hn::Le(z, C(d, 0.46875));
  const V z2 = hn::Mul(z, z);
  const V top = hn::IfThenElse(near, hn::Mul(z, Polynomial(d, z2, kErfNearTop)),
                               hn::Mul(e, Polynomial(d, z, kErfcTop)));
  const V bottom =
      hn::IfThenElse(near, Polynomial(d, z2, kErfNearBottom), Polynomial(d, z, kErfcBottom));
  V value = hn::Div(top, bottom);
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    // The middle form is good to float's precision as far as erfc is not 0.
    const V one = C(d, 1), r = hn::Div(one, z2);
    const V tail =
        hn::Div(hn::Mul(r, Polynomial(d, r, kErfcFarTop)), Polynomial(d, r, kErfcFarBottom));
    const V far = hn::Mul(e, hn::Div(hn::Sub(C(d, 0.56418958354775628695), tail), z));
    value = hn::IfThenElse(hn::Gt(z, C(d, 4)), far, value);
  }
  // e is 0 there, but the polynomials may have overflowed.
  value = hn::IfThenElse(hn::Gt(z, C(d, 30)), hn::Zero(d), value);
  return ErfParts<V, decltype(near)>{value, near};
}

template <class D, class V>
HWY_INLINE V Erf(D d, V x) {
  const V z = hn::Abs(x);
  const auto parts = ErfOrErfc(d, z, ExpOfMinusSquare(d, z, 1));
  const V y = hn::IfThenElse(parts.is_erf, parts.value, hn::Sub(C(d, 1), parts.value));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x));
}
template <class D, class V>
HWY_INLINE V Erfc(D d, V x) {
  const V z = hn::Abs(x), one = C(d, 1);
  const auto parts = ErfOrErfc(d, z, ExpOfMinusSquare(d, z, 1));
  // 1 - erf(x) near 0, erfc(z) right of it, 2 - erfc(z) left of it.
  const V near = hn::Sub(one, hn::CopySign(parts.value, x));
  const V apart =
      hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(C(d, 2), parts.value), parts.value);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenElse(parts.is_erf, near, apart));
}
// exp(x^2 / 2) Phi(-x) for x >= 0, a polynomial in (x - 4.8) / (x + 4.8) that interpolates it at
// Chebyshev nodes up to x = 14.5: off by 1.4e-8 of its value at most.
constexpr double kMills[] = {0.0001567112097, -0.00010399096489, -0.0014175445529, 0.0070236982826,
                             -0.02059069376,  0.045175259905,    -0.079904986335,  0.11801647172,
                             -0.14823599779,  0.079896046903};

// Beyond it Phi(-x) is no normal number of float32, and taken for 0.
constexpr double kNormalEnd = 13.1;

// Phi(-z) and exp(-z^2 / 2) for 0 <= z <= kNormalEnd of float32.
template <class D, class V>
HWY_INLINE V NormalTail(D d, V z, V* exponential) {
  const V square = hn::Mul(z, z), lost = LostOfSquare(d, z, square), minus_half = C(d, -0.5);
  const V rounded = ExpOfModerate(d, hn::Mul(square, minus_half));
  const V e = hn::MulAdd(rounded, hn::Mul(lost, minus_half), rounded);
  *exponential = hn::IfThenElseZero(hn::Lt(z, C(d, kNormalEnd)), e);
  const V t = hn::Div(hn::Sub(z, C(d, 4.8)), hn::Add(z, C(d, 4.8)));
  return hn::Mul(*exponential, Polynomial(d, t, kMills));
}

// The normal distribution function Phi(x), and exp(-x^2 / 2) with it.
template <class D, class V>
HWY_INLINE V NormalCdf(D d, V x, V* exponential) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const V tail = NormalTail(d, hn::Min(hn::Abs(x), C(d, kNormalEnd)), exponential);
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(C(d, 1), tail));
  }
  const V half = C(d, 0.5), z = hn::Mul(hn::Abs(x), C(d, 0.70710678118654752440));
  *exponential = ExpOfMinusSquare(d, x, 0.5);
  const auto parts = ErfOrErfc(d, z, *exponential);
  const V near = hn::MulAdd(half, hn::CopySign(parts.value, x), half);
  const V tail = hn::Mul(half, parts.value);
  const V apart = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(C(d, 1), tail));
  return hn::IfThenElse(parts.is_erf, near, apart);
}

}  // namespace vec
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
