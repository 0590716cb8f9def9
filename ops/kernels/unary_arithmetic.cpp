#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/unary_arithmetic.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/unary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

TAPEDECK_UNARY_OP(NegOp, hn::Neg(x))
TAPEDECK_UNARY_OP(AbsOp, hn::Abs(x))
struct SignOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V zero = hn::Zero(d), one = hn::Set(d, hn::TFromD<D>{1});
    return hn::Sub(hn::IfThenElseZero(hn::Gt(x, zero), one),
                   hn::IfThenElseZero(hn::Lt(x, zero), one));
  }
};
TAPEDECK_UNARY_OP(SquareOp, hn::Mul(x, x))
TAPEDECK_UNARY_OP(CubeOp, hn::Mul(hn::Mul(x, x), x))
TAPEDECK_UNARY_OP(ReluOp, hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x))
TAPEDECK_UNARY_OP(SqrtOp, hn::Sqrt(x))
TAPEDECK_UNARY_OP(RsqrtOp, hn::Div(hn::Set(d, T{1}), hn::Sqrt(x)))
TAPEDECK_UNARY_OP(ReciprocalOp, hn::Div(hn::Set(d, T{1}), x))
TAPEDECK_UNARY_OP(FloorOp, hn::Floor(x))
TAPEDECK_UNARY_OP(CeilOp, hn::Ceil(x))
TAPEDECK_UNARY_OP(RoundOp, hn::Round(x))
TAPEDECK_UNARY_OP(TruncOp, hn::Trunc(x))
TAPEDECK_UNARY_OP(FracOp, hn::Sub(x, hn::Trunc(x)))
template <typename T>
struct ClampOp {
  template <class D>
  ClampOp(D, const double* p) : low(static_cast<T>(p[0])), high(static_cast<T>(p[1])) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V lo = hn::Set(d, low), hi = hn::Set(d, high);
    const V raised = hn::IfThenElse(hn::Lt(x, lo), lo, x);
    return hn::IfThenElse(hn::Gt(raised, hi), hi, raised);
  }
  T low, high;
};
template <typename T>
struct LeakyReluOp {
  template <class D>
  LeakyReluOp(D, const double* p) : slope(static_cast<T>(p[0])) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(x, hn::Set(d, slope)));
  }
  T slope;
};
template <typename T>
struct ThresholdOp {
  template <class D>
  ThresholdOp(D, const double* p) : bound(static_cast<T>(p[0])), value(static_cast<T>(p[1])) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenElse(hn::Le(x, hn::Set(d, bound)), hn::Set(d, value), x);
  }
  T bound, value;
};
template <typename T>
struct HardshrinkOp {
  template <class D>
  HardshrinkOp(D, const double* p) : bound(static_cast<T>(p[0])) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V high = hn::Set(d, bound);
    return hn::IfThenZeroElse(hn::And(hn::Ge(x, hn::Neg(high)), hn::Le(x, high)), x);
  }
  T bound;
};
template <typename T>
struct SoftshrinkOp {
  template <class D>
  SoftshrinkOp(D, const double* p) : bound(static_cast<T>(p[0])) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V high = hn::Set(d, bound);
    // With the sign of x, so that one comparison tells: a NaN is not within the bounds.
    const V beyond = hn::Sub(x, hn::CopySign(high, x));
    return hn::IfThenZeroElse(hn::Le(hn::Abs(x), high), beyond);
  }
  T bound;
};
struct HardsigmoidOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V zero = hn::Zero(d), six = hn::Set(d, T{6});
    V y = hn::Add(x, hn::Set(d, T{3}));
    y = hn::IfThenElse(hn::Lt(y, zero), zero, y);
    y = hn::IfThenElse(hn::Gt(y, six), six, y);
    return hn::Div(y, six);
  }
};
TAPEDECK_UNARY_OP(HardswishOp, hn::Mul(x, HardsigmoidOp(d, nullptr)(d, x)))
TAPEDECK_UNARY_OP(SoftsignOp, hn::Div(x, hn::Add(hn::Set(d, T{1}), hn::Abs(x))))

template <typename T>
RowLoop FindFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::Neg:
      return UnaryRow<NegOp, T>;
    case UnaryOp::Abs:
      return UnaryRow<AbsOp, T>;
    case UnaryOp::Sign:
      return UnaryRow<SignOp, T>;
    case UnaryOp::Square:
      return UnaryRow<SquareOp, T>;
    case UnaryOp::Cube:
      return UnaryRow<CubeOp, T>;
    case UnaryOp::Relu:
      return UnaryRow<ReluOp, T>;
    case UnaryOp::Sqrt:
      return UnaryRow<SqrtOp, T>;
    case UnaryOp::Rsqrt:
      return UnaryRow<RsqrtOp, T>;
    case UnaryOp::Reciprocal:
      return UnaryRow<ReciprocalOp, T>;
    case UnaryOp::Floor:
      return UnaryRow<FloorOp, T>;
    case UnaryOp::Ceil:
      return UnaryRow<CeilOp, T>;
    case UnaryOp::Round:
      return UnaryRow<RoundOp, T>;
    case UnaryOp::Trunc:
      return UnaryRow<TruncOp, T>;
    case UnaryOp::Frac:
      return UnaryRow<FracOp, T>;
    case UnaryOp::Clamp:
      return UnaryRow<ClampOp<T>, T>;
    case UnaryOp::LeakyRelu:
      return UnaryRow<LeakyReluOp<T>, T>;
    case UnaryOp::Threshold:
      return UnaryRow<ThresholdOp<T>, T>;
    case UnaryOp::Hardshrink:
      return UnaryRow<HardshrinkOp<T>, T>;
    case UnaryOp::Softshrink:
      return UnaryRow<SoftshrinkOp<T>, T>;
    case UnaryOp::Hardsigmoid:
      return UnaryRow<HardsigmoidOp, T>;
    case UnaryOp::Hardswish:
      return UnaryRow<HardswishOp, T>;
    case UnaryOp::Softsign:
      return UnaryRow<SoftsignOp, T>;
    default:
      return nullptr;
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

TAPEDECK_DISPATCH_FIND(find_simd_arithmetic, UnaryOp);

}  // namespace tapedeck::kernels
#endif
