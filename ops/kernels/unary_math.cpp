#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/unary_math.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <cmath>

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
// f of float32 elements in float64, whose errors a float does not show: powers of the base have
// whole logarithms, and nothing cancels near zeros.
template <class D, class V, class F>
HWY_INLINE V InDouble(D d, V x, F f) {
  const hn::Repartition<double, D> wide;
  const hn::Half<D> half;
  const auto low = f(wide, hn::PromoteTo(wide, hn::LowerHalf(half, x)));
  const auto high = f(wide, hn::PromoteTo(wide, hn::UpperHalf(half, x)));
  return hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
}
#define TAPEDECK_DOUBLE_OP(Name, ...) \
  TAPEDECK_UNARY_OP(Name, InDouble(d, x, [](auto w, auto z) HWY_ATTR { return __VA_ARGS__; }))
TAPEDECK_DOUBLE_OP(Exp2Op, vec::Exp(w, hn::Mul(z, vec::C(w, 0.69314718055994530942))))
TAPEDECK_DOUBLE_OP(Log2Op, hn::Mul(vec::Log(w, z), vec::C(w, 1.44269504088896340736)))
TAPEDECK_DOUBLE_OP(Log10Op, hn::Mul(vec::Log(w, z), vec::C(w, 0.43429448190325182765)))
TAPEDECK_DOUBLE_OP(TanOp, hn::Div(vec::Sin(w, z), vec::Cos(w, z)))
// sinh is x + x^3 / 6 where the difference of the exponentials would cancel.
template <class D, class V>
HWY_INLINE V SinhByExp(D d, V x) {
  const V e = vec::Exp(d, x), half = vec::C(d, 0.5);
  const V apart = hn::Mul(half, hn::Sub(e, hn::Div(vec::C(d, 1), e)));
  const V cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), vec::C(d, 1.0 / 6)), x, x);
  return hn::IfThenElse(hn::Lt(hn::Abs(x), vec::C(d, 1e-3)), cubic, apart);
}
TAPEDECK_DOUBLE_OP(SinhOp, SinhByExp(w, z))
template <class D, class V>
HWY_INLINE V CoshByExp(D d, V x) {
  const V e = vec::Exp(d, x);
  return hn::Mul(vec::C(d, 0.5), hn::Add(e, hn::Div(vec::C(d, 1), e)));
}
TAPEDECK_DOUBLE_OP(CoshOp, CoshByExp(w, z))
// Good to seven digits by the polynomials in -log(1 - x^2) of M. Giles, "Approximating the erfinv
// function" (2010), and then a step of Newton's, which leaves nothing that a float shows.
template <class D, class V>
HWY_INLINE V ErfinvByNewton(D d, V x) {
  constexpr double kNear[] = {2.81022636e-08,  3.43273939e-07, -3.5233877e-06,
                              -4.39150654e-06, 0.00021858087,  -0.00125372503,
                              -0.00417768164,  0.246640727,    1.50140941};
  constexpr double kFar[] = {-0.000200214257, 0.000100950558, 0.00134934322,
                             -0.00367342844,  0.00573950773,  -0.0076224613,
                             0.00943887047,   1.00167406,     2.83297682};
  const V one = vec::C(d, 1);
  const V w = hn::Neg(vec::Log(d, hn::Mul(hn::Sub(one, x), hn::Add(one, x))));
  const V by_near = vec::Polynomial(d, hn::Sub(w, vec::C(d, 2.5)), kNear);
  const V by_far = vec::Polynomial(d, hn::Sub(hn::Sqrt(w), vec::C(d, 3)), kFar);
  const V y = hn::Mul(x, hn::IfThenElse(hn::Lt(w, vec::C(d, 5)), by_near, by_far));
  const V slope = hn::Mul(vec::C(d, 0.88622692545275801365), vec::Exp(d, hn::Mul(y, y)));
  const V better = hn::NegMulAdd(hn::Sub(vec::Erf(d, y), x), slope, y);
  return hn::IfThenElse(hn::Eq(hn::Abs(x), one), hn::CopySign(vec::Infinity(d), x), better);
}
TAPEDECK_DOUBLE_OP(ErfinvOp, ErfinvByNewton(w, z))
#undef TAPEDECK_DOUBLE_OP

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
    case UnaryOp::Erfinv:
      return UnaryRow<ErfinvOp, float>;
    default:
      return nullptr;
  }
}
#else
RowLoop FindInDouble(UnaryOp) { return nullptr; }
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
      return sizeof(T) == 4 ? FindInDouble(op) : nullptr;
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
