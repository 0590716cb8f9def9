#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/unary_math.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <cmath>
#include <limits>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/unary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

TAPEDECK_UNARY_OP(ExpOp, vec::Exp(d, x))
TAPEDECK_UNARY_OP(Expm1Op, vec::Expm1(d, x))
TAPEDECK_UNARY_OP(LogOp, vec::Log(d, x))
TAPEDECK_UNARY_OP(Log1pOp, vec::Log1p(d, x))
TAPEDECK_UNARY_OP(TanhOp, vec::Tanh(d, x))
TAPEDECK_UNARY_OP(SigmoidOp, vec::Sigmoid(d, x))
TAPEDECK_UNARY_OP(SinOp, vec::Sin(d, x))
TAPEDECK_UNARY_OP(CosOp, vec::Cos(d, x))
TAPEDECK_UNARY_OP(AsinOp, hn::Asin(d, x))
TAPEDECK_UNARY_OP(AcosOp, hn::Acos(d, x))
TAPEDECK_UNARY_OP(AtanOp, hn::Atan(d, x))
TAPEDECK_UNARY_OP(ErfOp, vec::Erf(d, x))
TAPEDECK_UNARY_OP(ErfcOp, vec::Erfc(d, x))

#if HWY_TARGET != HWY_SCALAR
// exp(x) / 2 for x >= 0, infinite only where that is.
template <class V>
HWY_INLINE V HalfExp(D64 d, V x) {
  const V half = vec::C(d, 0.5), y = hn::Mul(half, vec::Exp(d, x));
  const auto is_far = hn::Gt(x, vec::C(d, 709));
  if (HWY_LIKELY(hn::AllFalse(d, is_far))) return y;
  const V root = vec::Exp(d, hn::Mul(half, x));
  return hn::IfThenElse(is_far, hn::Mul(hn::Mul(half, root), root), y);
}
template <class V>
HWY_INLINE V Cosh(D64 d, V x) {
  const V e = HalfExp(d, hn::Abs(x));
  return hn::Add(e, hn::Div(vec::C(d, 0.25), e));
}
// 1/17!, ..., 1/3!, of the series, which is taken where the exponentials would cancel.
constexpr double kSinh[] = {
    1.0 / 355687428096000, 1.0 / 1307674368000, 1.0 / 6227020800, 1.0 / 39916800,
    1.0 / 362880,          1.0 / 5040,          1.0 / 120,        1.0 / 6};
template <class V>
HWY_INLINE V Sinh(D64 d, V x) {
  const V size = hn::Abs(x), square = hn::Mul(x, x), e = HalfExp(d, size);
  const V near = hn::MulAdd(hn::Mul(square, vec::Polynomial(d, square, kSinh)), x, x);
  const V apart = hn::CopySign(hn::Sub(e, hn::Div(vec::C(d, 0.25), e)), x);
  return hn::IfThenElse(hn::Lt(size, vec::C(d, 1)), near, apart);
}

// Of numbers whose squares do not overflow.
template <class V>
HWY_INLINE V AsinhByLog(D64 d, V x) {
  const V one = vec::C(d, 1), size = hn::Abs(x), square = hn::Mul(x, x);
  const V root_above_one = hn::Div(square, hn::Add(one, hn::Sqrt(hn::Add(square, one))));
  const V y = vec::Log1p(d, hn::Add(size, root_above_one));
  return hn::IfThenElse(hn::Eq(size, vec::Infinity(d)), x, hn::CopySign(y, x));
}
template <class V>
HWY_INLINE V AcoshByLog(D64 d, V x) {
  const V one = vec::C(d, 1), above = hn::Sub(x, one);
  const V y =
      vec::Log1p(d, hn::Add(above, hn::Sqrt(hn::MulAdd(above, above, hn::Add(above, above)))));
  return hn::IfThenElse(hn::Lt(x, one), hn::Sqrt(vec::C(d, -1)), y);
}

// For float32, where exponentials of float64 neither overflow nor cancel, but for the difference
// near 0, which is x + x^3 / 6 there.
template <class V>
HWY_INLINE V SinhByExp(D64 d, V x) {
  const V e = vec::Exp(d, x), half = vec::C(d, 0.5);
  const V apart = hn::Mul(half, hn::Sub(e, hn::Div(vec::C(d, 1), e)));
  const V cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), vec::C(d, 1.0 / 6)), x, x);
  return hn::IfThenElse(hn::Lt(hn::Abs(x), vec::C(d, 1e-3)), cubic, apart);
}
template <class V>
HWY_INLINE V CoshByExp(D64 d, V x) {
  const V e = vec::Exp(d, x);
  return hn::Mul(vec::C(d, 0.5), hn::Add(e, hn::Div(vec::C(d, 1), e)));
}

// In float64 powers of the base have whole logarithms, and nothing cancels near zeros.
TAPEDECK_DOUBLE_OP(Exp2Op, vec::Exp(w, hn::Mul(z, vec::C(w, 0.69314718055994530942))))
TAPEDECK_DOUBLE_OP(Log2Op, hn::Mul(vec::Log(w, z), vec::C(w, 1.44269504088896340736)))
TAPEDECK_DOUBLE_OP(Log10Op, hn::Mul(vec::Log(w, z), vec::C(w, 0.43429448190325182765)))
TAPEDECK_DOUBLE_OP(TanOp, hn::Div(vec::Sin(w, z), vec::Cos(w, z)))
TAPEDECK_DOUBLE_OP(SinhOp, SinhByExp(w, z))
TAPEDECK_DOUBLE_OP(CoshOp, CoshByExp(w, z))
TAPEDECK_DOUBLE_OP(AsinhOp, AsinhByLog(w, z))
TAPEDECK_DOUBLE_OP(AcoshOp, AcoshByLog(w, z))
TAPEDECK_DOUBLE_OP(AtanhOp,
                   hn::Mul(vec::C(w, 0.5),
                           vec::Log1p(w, hn::Div(hn::Add(z, z), hn::Sub(vec::C(w, 1), z)))))

RowLoop FindInDouble(UnaryOp op) {
  switch (op) {
    case UnaryOp::Exp2:
      return UnaryRow<Exp2Op, float>;
    case UnaryOp::Log2:
      return UnaryRow<Log2Op, float>;
    case UnaryOp::Log10:
      return UnaryRow<Log10Op, float>;
    case UnaryOp::Tan:
      return UnaryRow<TanOp, float>;
    case UnaryOp::Sinh:
      return UnaryRow<SinhOp, float>;
    case UnaryOp::Cosh:
      return UnaryRow<CoshOp, float>;
    case UnaryOp::Asinh:
      return UnaryRow<AsinhOp, float>;
    case UnaryOp::Acosh:
      return UnaryRow<AcoshOp, float>;
    case UnaryOp::Atanh:
      return UnaryRow<AtanhOp, float>;
    default:
      return nullptr;
  }
}

TAPEDECK_UNARY_OP(SinhOf64, Sinh(d, x))
TAPEDECK_UNARY_OP(CoshOf64, Cosh(d, x))

#if HWY_NATIVE_FMA
// y, but scalar(x) in the lanes of `is_special`.
template <class V, class M, class Scalar>
HWY_INLINE V WithSpecialLanes(D64 d, V x, V y, M is_special, Scalar scalar) {
  if (HWY_LIKELY(hn::AllFalse(d, is_special))) return y;
  HWY_ALIGN double from[HWY_MAX_BYTES / sizeof(double)], to[HWY_MAX_BYTES / sizeof(double)];
  HWY_ALIGN double flags[HWY_MAX_BYTES / sizeof(double)];
  hn::Store(x, d, from);
  hn::Store(y, d, to);
  hn::Store(hn::IfThenElseZero(is_special, vec::C(d, 1)), d, flags);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i)
    if (flags[i] != 0) to[i] = scalar(from[i]);
  return hn::Load(d, to);
}
// The logarithm to a base: high + low is 1 / log(base).
template <class V, class Scalar>
HWY_INLINE V LogToBase(D64 d, V x, double high, double low, Scalar scalar) {
  const vec::Sum2<V> log = vec::LogOfNormal(d, x);
  const V factor = vec::C(d, high), y = hn::Mul(log.high, factor);
  const V lost = hn::MulAdd(log.high, vec::C(d, low), vec::LostOfProduct(log.high, factor, y));
  const auto is_normal = hn::And(hn::Ge(x, vec::C(d, std::numeric_limits<double>::min())),
                                 hn::Lt(x, vec::Infinity(d)));
  return WithSpecialLanes(d, x, hn::Add(y, hn::MulAdd(log.low, factor, lost)), hn::Not(is_normal),
                          scalar);
}
// p in tan(y) = y + y^3 p(y^2) for |y| <= pi / 8: Chebyshev's, off by 2e-21.
constexpr double kTan[] = {
    0.0000558960162408433018, 0.0000904137506501456629, 0.000240520424732831664,
    0.000589844952281113836,  0.0014558496620341708,    0.00359212721864652642,
    0.00886323555713656216,   0.0218694885356271585,    0.0539682539682592115,
    0.133333333333333313,     0.333333333333333333};
// By tan(r) = 2 u / (1 - u^2) with u = tan(r / 2), where x = n pi / 2 + r; for odd n it is
// -1 / tan(r).
template <class V>
HWY_INLINE V Tan(D64 d, V x) {
  const V n = hn::Round(hn::Mul(x, vec::C(d, 0.63661977236758134308)));
  // pi / 2 in three parts. Below the bound the first difference is exact.
  V r = hn::NegMulAdd(n, vec::C(d, 1.5707963267948966), x);
  r = hn::NegMulAdd(n, vec::C(d, 6.123233995736766e-17), r);
  r = hn::NegMulAdd(n, vec::C(d, -1.4973849048591698e-33), r);
  const V half = vec::C(d, 0.5), y = hn::Mul(half, r), square = hn::Mul(y, y);
  const V u = hn::MulAdd(hn::Mul(square, vec::Polynomial(d, square, kTan)), y, y);
  const V twice = hn::Add(u, u), rest = hn::NegMulAdd(u, u, vec::C(d, 1));
  const V half_n = hn::Mul(half, n);
  const auto is_odd = hn::Ne(hn::Round(half_n), half_n);
  const V tangent =
      hn::Div(hn::IfThenElse(is_odd, hn::Neg(rest), twice), hn::IfThenElse(is_odd, twice, rest));
  const V size = hn::Abs(x);  // halves of the smallest numbers are not exact
  const V value = hn::IfThenElse(hn::Lt(size, vec::C(d, 1e-9)), x, tangent);
  return WithSpecialLanes(d, x, value, hn::Not(hn::Lt(size, vec::C(d, 30000))),
                          [](double lane) { return std::tan(lane); });
}
TAPEDECK_UNARY_OP(Log2Of64, LogToBase(d, x, 1.4426950408889634, 2.0355273740931033e-17,
                                      [](double lane) { return std::log2(lane); }))
TAPEDECK_UNARY_OP(Log10Of64, LogToBase(d, x, 0.4342944819032518, 1.098319650216765e-17,
                                       [](double lane) { return std::log10(lane); }))
TAPEDECK_UNARY_OP(TanOf64, Tan(d, x))
#endif

RowLoop FindOf64(UnaryOp op) {
  switch (op) {
    case UnaryOp::Sinh:
      return UnaryRow<SinhOf64, double>;
    case UnaryOp::Cosh:
      return UnaryRow<CoshOf64, double>;
#if HWY_NATIVE_FMA
    case UnaryOp::Log2:
      return UnaryRow<Log2Of64, double>;
    case UnaryOp::Log10:
      return UnaryRow<Log10Of64, double>;
    case UnaryOp::Tan:
      return UnaryRow<TanOf64, double>;
#endif
    default:
      return nullptr;
  }
}
#else
RowLoop FindInDouble(UnaryOp) { return nullptr; }
RowLoop FindOf64(UnaryOp) { return nullptr; }
#endif

template <typename T>
RowLoop FindFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::Exp:
      return UnaryRow<ExpOp, T>;
    case UnaryOp::Expm1:
      return UnaryRow<Expm1Op, T>;
    case UnaryOp::Log:
      return UnaryRow<LogOp, T>;
    case UnaryOp::Log1p:
      return UnaryRow<Log1pOp, T>;
    case UnaryOp::Tanh:
      return UnaryRow<TanhOp, T>;
    case UnaryOp::Sigmoid:
      return UnaryRow<SigmoidOp, T>;
    case UnaryOp::Sin:
      return UnaryRow<SinOp, T>;
    case UnaryOp::Cos:
      return UnaryRow<CosOp, T>;
    case UnaryOp::Asin:
      return UnaryRow<AsinOp, T>;
    case UnaryOp::Acos:
      return UnaryRow<AcosOp, T>;
    case UnaryOp::Atan:
      return UnaryRow<AtanOp, T>;
    case UnaryOp::Erf:
      return UnaryRow<ErfOp, T>;
    case UnaryOp::Erfc:
      return UnaryRow<ErfcOp, T>;
    default:
      return sizeof(T) == 4 ? FindInDouble(op) : FindOf64(op);
  }
}

RowLoop Find(UnaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_FIND(find_simd_math, UnaryOp);

}  // namespace tapedeck::kernels
#endif
