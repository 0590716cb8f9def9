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

// The RowsLoop of an operation.
template <class Op, typename T>
void UnaryRows(void* out_rows, const void* const* in, unsigned /*scalars*/, std::int64_t n,
               std::int64_t rows, const std::int64_t* strides, const double* params) {
  const Op op(hn::ScalableTag<T>(), params);
  auto* out = static_cast<char*>(out_rows);
  const auto* from = static_cast<const char*>(in[0]);
  for (std::int64_t r = 0; r < rows; ++r, out += strides[0], from += strides[1])
    MapRow(op, reinterpret_cast<const T*>(from), reinterpret_cast<T*>(out), n);
}

struct OneRow {
  using Loop = RowLoop;
  template <class Op, typename T>
  static constexpr Loop of = UnaryRow<Op, T>;
};
struct SeveralRows {
  using Loop = RowsLoop;
  template <class Op, typename T>
  static constexpr Loop of = UnaryRows<Op, T>;
};

template <class Form, typename T>
typename Form::Loop FindFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::Neg:
      return Form::template of<NegOp, T>;
    case UnaryOp::Abs:
      return Form::template of<AbsOp, T>;
    case UnaryOp::Sign:
      return Form::template of<SignOp, T>;
    case UnaryOp::Square:
      return Form::template of<SquareOp, T>;
    case UnaryOp::Cube:
      return Form::template of<CubeOp, T>;
    case UnaryOp::Relu:
      return Form::template of<ReluOp, T>;
    case UnaryOp::Sqrt:
      return Form::template of<SqrtOp, T>;
    case UnaryOp::Rsqrt:
      return Form::template of<RsqrtOp, T>;
    case UnaryOp::Reciprocal:
      return Form::template of<ReciprocalOp, T>;
    case UnaryOp::Floor:
      return Form::template of<FloorOp, T>;
    case UnaryOp::Ceil:
      return Form::template of<CeilOp, T>;
    case UnaryOp::Round:
      return Form::template of<RoundOp, T>;
    case UnaryOp::Trunc:
      return Form::template of<TruncOp, T>;
    case UnaryOp::Frac:
      return Form::template of<FracOp, T>;
    case UnaryOp::Clamp:
      return Form::template of<ClampOp<T>, T>;
    case UnaryOp::LeakyRelu:
      return Form::template of<LeakyReluOp<T>, T>;
    case UnaryOp::Threshold:
      return Form::template of<ThresholdOp<T>, T>;
    case UnaryOp::Hardshrink:
      return Form::template of<HardshrinkOp<T>, T>;
    case UnaryOp::Softshrink:
      return Form::template of<SoftshrinkOp<T>, T>;
    case UnaryOp::Hardsigmoid:
      return Form::template of<HardsigmoidOp, T>;
    case UnaryOp::Hardswish:
      return Form::template of<HardswishOp, T>;
    case UnaryOp::Softsign:
      return Form::template of<SoftsignOp, T>;
    default:
      return nullptr;
  }
}

RowLoop Find(UnaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<OneRow, float>(op) : FindFor<OneRow, double>(op);
}
RowsLoop FindRows(UnaryOp op, ScalarType dtype) {
  if (op == UnaryOp::Rsqrt) return nullptr;  // a root and a division: not cheap
  return dtype == ScalarType::Float ? FindFor<SeveralRows, float>(op)
                                    : FindFor<SeveralRows, double>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_FIND(find_simd_arithmetic, UnaryOp);

namespace {
HWY_EXPORT(FindRows);
}  // namespace
RowsLoop find_simd_arithmetic_rows(UnaryOp op, ScalarType dtype) {
  return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(FindRows)(op, dtype) : nullptr;
}

}  // namespace tapedeck::kernels
#endif
