#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/unary_special.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <cmath>
#include <iterator>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/special_functions.h>
#include <tapedeck/ops/kernels/unary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET != HWY_SCALAR
// B_2k / (2k (2k - 1)) from k = 8 down to 1: of Stirling's series.
constexpr double kStirling[] = {-3617.0 / 122400, 1.0 / 156,  -691.0 / 360360, 1.0 / 1188,
                                -1.0 / 1680,      1.0 / 1260, -1.0 / 360,      1.0 / 12};
// log Gamma(x) for x >= 0, off by some 1e-15: by Stirling's series from 8 on, to which
// Gamma(x + 8) = x (x + 1) ... (x + 7) Gamma(x) leads.
template <class V>
HWY_INLINE V LgammaOfPositive(D64 d, V x) {
  const V one = vec::C(d, 1), eight = vec::C(d, 8);
  const auto is_large = hn::Ge(x, eight);
  V product = x;
  HWY_UNROLL(8)
  for (int k = 1; k < 8; ++k) product = hn::Mul(product, hn::Add(x, vec::C(d, k)));
  const V at = hn::IfThenElse(is_large, x, hn::Add(x, eight)), inverse = hn::Div(one, at);
  const V series = hn::Mul(inverse, vec::Polynomial(d, hn::Mul(inverse, inverse), kStirling));
  const V log = vec::Log(d, at), half_log_two_pi = vec::C(d, 0.91893853320467274178);
  const V main = hn::Sub(hn::MulSub(hn::Sub(at, vec::C(d, 0.5)), log, at),
                         vec::Log(d, hn::IfThenElse(is_large, one, product)));
  const V y = hn::Add(main, hn::Add(series, half_log_two_pi));
  const auto is_zero = hn::Or(hn::Eq(x, one), hn::Eq(x, vec::C(d, 2)));
  return hn::IfThenElse(hn::Eq(x, vec::Infinity(d)), x, hn::IfThenZeroElse(is_zero, y));
}
// Left of 0 by the reflection Gamma(x) Gamma(1 - x) = pi / sin(pi x).
template <class V>
HWY_INLINE V LgammaByStirling(D64 d, V x) {
  const auto is_negative = hn::Lt(x, hn::Zero(d));
  if (HWY_LIKELY(hn::AllFalse(d, is_negative))) return LgammaOfPositive(d, x);
  const V y = LgammaOfPositive(d, hn::IfThenElse(is_negative, hn::Sub(vec::C(d, 1), x), x));
  const V turn = hn::Mul(vec::C(d, 3.14159265358979323846), hn::Sub(x, hn::Round(x)));
  const V sine = vec::Log(d, hn::Abs(hn::Sin(d, turn)));
  const V mirrored = hn::Sub(hn::Sub(vec::C(d, 1.14472988584940017414), sine), y);
  const V finite = hn::IfThenElse(is_negative, mirrored, y);
  return hn::IfThenElse(hn::Eq(hn::Abs(x), vec::Infinity(d)), hn::Abs(x), finite);
}

// The sum of 1 / power(x + k) over k < 8, by which series from 8 on serve x in [0, 8), as one
// quotient.
template <class V, class F>
HWY_INLINE V SumOfEightInverses(D64 d, V x, F power) {
  V bottom = power(x), top = vec::C(d, 1);
  HWY_UNROLL(8)
  for (int k = 1; k < 8; ++k) {
    const V factor = power(hn::Add(x, vec::C(d, k)));
    top = hn::MulAdd(top, factor, bottom);
    bottom = hn::Mul(bottom, factor);
  }
  return hn::Div(top, bottom);
}
// pi (x - n) for the integer n next to x: sines and cosines of pi x are up to a sign those of it.
template <class V>
HWY_INLINE V TurnFromInteger(D64 d, V x) {
  return hn::Mul(vec::C(d, 3.14159265358979323846), hn::Sub(x, hn::Round(x)));
}
template <class V>
HWY_INLINE V NanAtPoles(D64 d, V x, V y) {
  return hn::IfThenElse(hn::Eq(x, hn::Round(x)), vec::C(d, std::nan("")), y);
}

// B_2k / 2k from k = 9 down to 1 (Abramowitz and Stegun 6.3.18).
constexpr double kDigamma[] = {43867.0 / 14364, -3617.0 / 8160, 1.0 / 12,
                               -691.0 / 32760,  1.0 / 132,      -1.0 / 240,
                               1.0 / 252,       -1.0 / 120,     1.0 / 12};
template <class V>
HWY_INLINE V DigammaOfPositive(D64 d, V x) {
  const V eight = vec::C(d, 8);
  const auto is_large = hn::Ge(x, eight);
  const V steps = SumOfEightInverses(d, x, [](V at) HWY_ATTR { return at; });
  const V at = hn::IfThenElse(is_large, x, hn::Add(x, eight));
  const V inverse = hn::Div(vec::C(d, 1), at), square = hn::Mul(inverse, inverse);
  const V series =
      hn::MulAdd(vec::C(d, 0.5), inverse, hn::Mul(square, vec::Polynomial(d, square, kDigamma)));
  return hn::Sub(hn::Sub(vec::Log(d, at), series), hn::IfThenZeroElse(is_large, steps));
}
// Left of 0 by digamma(x) = digamma(1 - x) - pi / tan(pi x).
template <class V>
HWY_INLINE V Digamma(D64 d, V x) {
  const auto is_negative = hn::Lt(x, hn::Zero(d));
  if (HWY_LIKELY(hn::AllFalse(d, is_negative))) return DigammaOfPositive(d, x);
  const V y = DigammaOfPositive(d, hn::IfThenElse(is_negative, hn::Sub(vec::C(d, 1), x), x));
  const V turn = TurnFromInteger(d, x);
  const V cotangent = hn::Div(hn::Cos(d, turn), hn::Sin(d, turn));
  const V mirrored = hn::NegMulAdd(vec::C(d, 3.14159265358979323846), cotangent, y);
  return hn::IfThenElse(is_negative, NanAtPoles(d, x, mirrored), y);
}

// B_2k from k = 10 down to 1 (Abramowitz and Stegun 6.4.12).
constexpr double kTrigamma[] = {-174611.0 / 330, 43867.0 / 798, -3617.0 / 510, 7.0 / 6,
                                -691.0 / 2730,   5.0 / 66,      -1.0 / 30,     1.0 / 42,
                                -1.0 / 30,       1.0 / 6};
template <class V>
HWY_INLINE V TrigammaOfPositive(D64 d, V x) {
  const V eight = vec::C(d, 8);
  const auto is_large = hn::Ge(x, eight);
  const V steps = SumOfEightInverses(d, x, [](V at) HWY_ATTR { return hn::Mul(at, at); });
  const V at = hn::IfThenElse(is_large, x, hn::Add(x, eight));
  const V inverse = hn::Div(vec::C(d, 1), at), square = hn::Mul(inverse, inverse);
  const V rest = hn::MulAdd(inverse, vec::Polynomial(d, square, kTrigamma), vec::C(d, 0.5));
  return hn::Add(hn::MulAdd(square, rest, inverse), hn::IfThenZeroElse(is_large, steps));
}
// Left of 0 by trigamma(x) = pi^2 / sin(pi x)^2 - trigamma(1 - x).
template <class V>
HWY_INLINE V Trigamma(D64 d, V x) {
  const auto is_mirrored = hn::Le(x, hn::Zero(d));
  if (HWY_LIKELY(hn::AllFalse(d, is_mirrored))) return TrigammaOfPositive(d, x);
  const V y = TrigammaOfPositive(d, hn::IfThenElse(is_mirrored, hn::Sub(vec::C(d, 1), x), x));
  const V root = hn::Div(vec::C(d, 3.14159265358979323846), hn::Sin(d, TurnFromInteger(d, x)));
  return hn::IfThenElse(is_mirrored, NanAtPoles(d, x, hn::MulSub(root, root, y)), y);
}

// Of an order n whose powers lose little by multiplication: as special_functions.cpp has it.
constexpr int kHighestOrder = 8;
class PolygammaOp {
 public:
  template <class D>
  PolygammaOp(D, const double* p) : s_(static_cast<int>(p[0]) + 1) {
    for (int k = 2; k < s_; ++k) size_ *= k;
    if (s_ % 2) size_ = -size_;
    double factor = s_ / 2.0;
    for (int k = 1; k <= kTerms; ++k) {
      series_[kTerms - k] = kTrigamma[kTerms - k] * factor;
      factor *= (s_ + 2.0 * k - 1) * (s_ + 2.0 * k) / ((2.0 * k + 1) * (2.0 * k + 2));
    }
  }
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return InDouble(d, x, [this](auto w, auto z) HWY_ATTR { return this->InFloat64(w, z); });
  }

 private:
  static constexpr int kTerms = std::size(kTrigamma), kFirst = 12;

  template <class V>
  HWY_INLINE V InFloat64(D64 d, V x) const {
    const V zero = hn::Zero(d), one = vec::C(d, 1), size = vec::C(d, size_);
    const auto is_negative = hn::Le(x, zero);
    if (HWY_LIKELY(hn::AllFalse(d, is_negative))) return hn::Mul(size, Zeta(d, x));
    // The terms of x = rest - n left of 0 are those of 1 - rest, ..., n - rest, up to a sign.
    const V rest = hn::Sub(x, hn::Round(x));
    const V left = hn::Sub(Zeta(d, hn::Sub(one, rest)), Zeta(d, hn::Sub(one, x)));
    const V near = hn::Add(hn::Div(one, Power(d, rest, s_)), s_ % 2 ? hn::Neg(left) : left);
    const auto from = hn::IfThenElse(is_negative, hn::Add(one, rest), x);
    const V right = Zeta(d, from);
    const V y = hn::Add(right, hn::IfThenElseZero(is_negative, near));
    return hn::Mul(size, hn::IfThenElse(is_negative, NanAtPoles(d, x, y), y));
  }
  // The sum of (x + k)^-s over k >= 0 for x > 0: the first terms, then Euler and Maclaurin's
  // formula.
  template <class V>
  HWY_NOINLINE V Zeta(D64 d, V x) const {
    const V one = vec::C(d, 1), far = hn::Add(x, vec::C(d, kFirst));
    const V inverse = hn::Div(one, far), square = hn::Mul(inverse, inverse);
    const V before = hn::Div(one, Power(d, far, s_ - 1));
    V rest = vec::C(d, series_[0]);
    for (int k = 1; k < kTerms; ++k) rest = hn::MulAdd(rest, square, vec::C(d, series_[k]));
    rest = hn::MulAdd(inverse, rest, vec::C(d, 0.5));
    V sum = hn::MulAdd(hn::Mul(before, inverse), rest, hn::Mul(before, vec::C(d, 1.0 / (s_ - 1))));
    // The largest term last, for it may cancel with that of the other side.
    for (int k = kFirst - 1; k >= 0; --k)
      sum = hn::Add(sum, hn::Div(one, Power(d, hn::Add(x, vec::C(d, k)), s_)));
    return sum;
  }
  template <class V>
  static HWY_INLINE V Power(D64 d, V x, int exponent) {
    V power = vec::C(d, 1);
    for (; exponent != 0; exponent /= 2, x = hn::Mul(x, x))
      if (exponent % 2) power = hn::Mul(power, x);
    return power;
  }

  int s_;
  double size_ = 1, series_[kTerms];
};

// The x with erf(x) = y: good to seven digits by polynomials in -log(1 - y^2) and its root (M.
// Giles, "Approximating the erfinv function", 2010; the second one interpolates up to the largest
// y < 1 of float64), and then a step of Halley's, which triples them.
constexpr double kErfinvNear[] = {2.81022636e-08,  3.43273939e-07, -3.5233877e-06,
                                  -4.39150654e-06, 0.00021858087,  -0.00125372503,
                                  -0.00417768164,  0.246640727,    1.50140941};
constexpr double kErfinvFar[] = {9.42093211931e-07,  -2.42733874541e-06, -9.64251413671e-06,
                                 4.01833435741e-05,  -4.05870759362e-05, 1.8556393381e-05,
                                 -0.000100063980292, 0.000349817311103,  -0.000881208718215,
                                 0.00125157579411,   1.00949540655,      3.83978418499};
template <class V>
HWY_INLINE V Erfinv(D64 d, V y) {
  const V one = vec::C(d, 1), size = hn::Abs(y), rest = hn::Sub(one, size);
  const V w = hn::Neg(vec::Log(d, hn::Mul(rest, hn::Add(one, size))));
  const V near = vec::Polynomial(d, hn::Sub(w, vec::C(d, 2.5)), kErfinvNear);
  const V far = vec::Polynomial(d, hn::Sub(hn::Sqrt(w), vec::C(d, 4)), kErfinvFar);
  const V x = hn::Mul(size, hn::IfThenElse(hn::Lt(w, vec::C(d, 5)), near, far));
  const V e = vec::ExpOfMinusSquare(d, x, 1);
  const auto parts = vec::ErfOrErfc(d, x, e);
  // Near 1 the difference of the complements keeps the digits that 1 - y has.
  const V error =
      hn::IfThenElse(parts.is_erf, hn::Sub(parts.value, size), hn::Sub(rest, parts.value));
  const V newton = hn::Div(hn::Mul(error, vec::C(d, 0.88622692545275801365)), e);
  const V better = hn::Sub(x, hn::Div(newton, hn::MulAdd(x, newton, one)));
  return hn::CopySign(hn::IfThenElse(hn::Eq(size, one), vec::Infinity(d), better), y);
}

TAPEDECK_DOUBLE_OP(LgammaOp, LgammaByStirling(w, z))
TAPEDECK_DOUBLE_OP(DigammaOp, Digamma(w, z))
TAPEDECK_DOUBLE_OP(TrigammaOp, Trigamma(w, z))
TAPEDECK_DOUBLE_OP(ErfinvOp, Erfinv(w, z))

template <typename T>
void PolygammaRow(void* out, const void* const* in, unsigned scalars, std::int64_t n,
                  const double* params) {
  const int order = static_cast<int>(params[0]);
  if (order == 0) return UnaryRow<DigammaOp, T>(out, in, scalars, n, params);
  if (order == 1) return UnaryRow<TrigammaOp, T>(out, in, scalars, n, params);
  if (order <= kHighestOrder) return UnaryRow<PolygammaOp, T>(out, in, scalars, n, params);
  const T* const x = static_cast<const T*>(in[0]);
  for (std::int64_t i = 0; i < n; ++i)
    static_cast<T*>(out)[i] = static_cast<T>(polygamma(order, x[i]));
}

template <typename T>
RowLoop FindFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::Erfinv:
      return UnaryRow<ErfinvOp, T>;
    case UnaryOp::Lgamma:
      // Near its zeros at 1 and 2 this is good to float's precision.
      return sizeof(T) == 4 ? UnaryRow<LgammaOp, float> : nullptr;
    case UnaryOp::Polygamma:
      return PolygammaRow<T>;
    default:
      return nullptr;
  }
}

RowLoop Find(UnaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}
#else
RowLoop Find(UnaryOp, ScalarType) { return nullptr; }
#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_FIND(find_simd_special, UnaryOp);

}  // namespace tapedeck::kernels
#endif
