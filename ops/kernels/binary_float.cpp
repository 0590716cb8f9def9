#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/binary_float.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>
#include <cmath>
#include <limits>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

TAPEDECK_BINARY_OP(AddOp, hn::Add(a, b))
TAPEDECK_BINARY_OP(SubOp, hn::Sub(a, b))
TAPEDECK_BINARY_OP(MulOp, hn::Mul(a, b))
TAPEDECK_BINARY_OP(DivOp, hn::Div(a, b))
TAPEDECK_BINARY_OP(MaximumOp, hn::IfThenElse(hn::IsNaN(a), a, MaxOrNaN(a, b)))
TAPEDECK_BINARY_OP(MinimumOp, hn::IfThenElse(hn::IsNaN(a), a, MinOrNaN(a, b)))

// The scalar function f of each pair of elements.
template <class D, class V, typename F>
HWY_INLINE V LaneByLane(D d, V a, V b, F f) {
  using T = hn::TFromD<D>;
  HWY_ALIGN T x[HWY_MAX_BYTES / sizeof(T)], y[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) x[i] = f(x[i], y[i]);
  return hn::Load(d, x);
}

// a - b trunc(a / b), exactly, with the sign of a, as std::fmod has it. The rounded quotient is at
// most one too large, and with a fused product the difference is exact either way; what that does
// not hold for goes lane by lane.
template <class D, class V>
HWY_INLINE V Fmod(D d, V a, V b) {
  using T = hn::TFromD<D>;
#if HWY_NATIVE_FMA
  const V quotient = hn::Trunc(hn::Div(a, b));
  const V bound = hn::Set(d, static_cast<T>(sizeof(T) == 4 ? 1 << 22 : 1LL << 51));
  const V infinity = hn::Set(d, std::numeric_limits<T>::infinity());
  if (HWY_LIKELY(hn::AllTrue(
          d, hn::And(hn::Lt(hn::Abs(quotient), bound), hn::Lt(hn::Abs(b), infinity))))) {
    const V r = hn::NegMulAdd(quotient, b, a);
    const V along = hn::Xor(r, hn::And(a, hn::SignBit(d)));  // negative where past a's sign
    const V back = hn::Add(r, hn::CopySign(b, a));
    return hn::CopySign(hn::IfThenElse(hn::Lt(along, hn::Zero(d)), back, r), a);
  }
#endif
  return LaneByLane(d, a, b, [](T x, T y) { return std::fmod(x, y); });
}
TAPEDECK_BINARY_OP(FmodOp, Fmod(d, a, b))
// The remainder with the sign of b.
struct RemainderOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const V zero = hn::Zero(d), r = Fmod(d, a, b);
    const auto apart = hn::Xor(hn::Lt(b, zero), hn::Lt(r, zero));
    return hn::IfThenElse(hn::And(hn::Ne(r, zero), apart), hn::Add(r, b), r);
  }
};

// NumPy's: the quotient that goes with the remainder, exact where a - b * floor(a / b) would not
// be.
template <class D, class V>
HWY_INLINE V FloorDivide(D d, V a, V b) {
  const V zero = hn::Zero(d), one = hn::Set(d, hn::TFromD<D>{1}), quotient = hn::Div(a, b);
  const V r = Fmod(d, a, b);
  const auto apart = hn::And(hn::Ne(r, zero), hn::Xor(hn::Lt(b, zero), hn::Lt(r, zero)));
  const V exact = hn::Sub(hn::Div(hn::Sub(a, r), b), hn::IfThenElseZero(apart, one));
  const V floored = hn::Floor(exact);
  const auto is_above = hn::Gt(hn::Sub(exact, floored), vec::C(d, 0.5));
  const V rounded = hn::Add(floored, hn::IfThenElseZero(is_above, one));
  const V result = hn::IfThenElse(hn::Eq(exact, zero), hn::CopySign(zero, quotient), rounded);
  return hn::IfThenElse(hn::Eq(b, zero), quotient, result);
}
TAPEDECK_BINARY_OP(FloorDivideOp, FloorDivide(d, a, b))

// The root of the sum of squares: of float32 in float64, which they neither leave nor vanish in; of
// float64 lane by lane where they might.
template <class D, class V>
HWY_INLINE V Hypot(D d, V a, V b) {
  using T = hn::TFromD<D>;
  const auto root = [](V x, V y) HWY_ATTR { return hn::Sqrt(hn::MulAdd(x, x, hn::Mul(y, y))); };
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(T) == 4) {
    const hn::Repartition<double, D> wide;
    const hn::Half<D> half;
    const auto length = [=](auto x, auto y) HWY_ATTR {
      const auto u = hn::PromoteTo(wide, x), v = hn::PromoteTo(wide, y);
      return hn::DemoteTo(half, hn::Sqrt(hn::MulAdd(u, u, hn::Mul(v, v))));
    };
    const V y = hn::Combine(d, length(hn::UpperHalf(half, a), hn::UpperHalf(half, b)),
                            length(hn::LowerHalf(half, a), hn::LowerHalf(half, b)));
    // Of an infinity it is infinite, whatever the other one is.
    const V infinity = vec::Infinity(d);
    const auto infinite = hn::Or(hn::Eq(hn::Abs(a), infinity), hn::Eq(hn::Abs(b), infinity));
    return hn::IfThenElse(infinite, infinity, y);
  }
#endif
  const V greatest = hn::Max(hn::Abs(a), hn::Abs(b)), least = hn::Min(hn::Abs(a), hn::Abs(b));
  const auto inside = hn::And(hn::Lt(greatest, vec::C(d, 1e150)),
                              hn::Or(hn::Gt(least, vec::C(d, 1e-140)), hn::Eq(least, hn::Zero(d))));
  if (sizeof(T) == 8 && HWY_LIKELY(hn::AllTrue(d, inside))) return root(a, b);
  return LaneByLane(d, a, b, [](T x, T y) { return std::hypot(x, y); });
}
TAPEDECK_BINARY_OP(HypotOp, Hypot(d, a, b))

#if HWY_TARGET != HWY_SCALAR
// |a|^b by logarithm and exponential in double precision, whose errors a float does not show.
template <class D, class V>
HWY_INLINE V PowerOfSize(D d, V size, V b) {
  const hn::Repartition<double, D> wide;
  const auto logarithm = hn::Log(wide, hn::PromoteTo(wide, hn::LowerHalf(hn::Half<D>(), size)));
  const auto high_logarithm =
      hn::Log(wide, hn::PromoteTo(wide, hn::UpperHalf(hn::Half<D>(), size)));
  const auto low = hn::Mul(logarithm, hn::PromoteTo(wide, hn::LowerHalf(hn::Half<D>(), b)));
  const auto high = hn::Mul(high_logarithm, hn::PromoteTo(wide, hn::UpperHalf(hn::Half<D>(), b)));
  return hn::Combine(d, hn::DemoteTo(hn::Half<D>(), vec::Exp(wide, high)),
                     hn::DemoteTo(hn::Half<D>(), vec::Exp(wide, low)));
}
// -power where a is negative and b odd, NaN where b is no integer.
template <class D, class V>
HWY_INLINE V WithSignOfPower(D d, V a, V b, V power) {
  const V half = hn::Mul(b, vec::C(d, 0.5));
  const V nan = hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
  const auto is_odd = hn::Ne(hn::Trunc(half), half);
  const V of_negative =
      hn::IfThenElse(hn::Ne(hn::Trunc(b), b), nan, hn::IfThenElse(is_odd, hn::Neg(power), power));
  return hn::IfThenElse(hn::Lt(a, hn::Zero(d)), of_negative, power);
}
#endif

// a^b, as std::pow has it; zeros, infinities and NaNs go lane by lane, and so does float64 without
// fused products.
template <class D, class V>
HWY_INLINE V Pow(D d, V a, V b) {
  using T = hn::TFromD<D>;
#if HWY_TARGET != HWY_SCALAR
  const V size = hn::Abs(a), infinity = vec::Infinity(d);
  if constexpr (sizeof(T) == 4) {
    const auto finite = hn::And(hn::Lt(size, infinity), hn::Lt(hn::Abs(b), infinity));
    if (HWY_LIKELY(hn::AllTrue(d, hn::And(finite, hn::Gt(size, hn::Zero(d))))))
      return WithSignOfPower(d, a, b, PowerOfSize(d, size, b));
  }
#if HWY_NATIVE_FMA
  if constexpr (sizeof(T) == 8) {
    const V least = hn::Set(d, std::numeric_limits<T>::min());
    const auto normal = hn::And(hn::Ge(size, least), hn::Lt(size, infinity));
    if (HWY_LIKELY(hn::AllTrue(d, hn::And(normal, hn::Lt(hn::Abs(b), vec::C(d, 1e300))))))
      return WithSignOfPower(d, a, b, vec::PowerOfNormal(d, size, b));
  }
#endif
#endif
  return LaneByLane(d, a, b, [](T x, T y) { return std::pow(x, y); });
}
TAPEDECK_BINARY_OP(PowOp, Pow(d, a, b))
TAPEDECK_BINARY_OP(Atan2Op, vec::Atan2(d, a, b))

// log(e^a + e^b) from the greater one, which infinities of one sign are as well.
template <class D, class V>
HWY_INLINE V LogAddExp(D d, V a, V b) {
  const V apart = hn::IfThenZeroElse(hn::Eq(a, b), hn::Abs(hn::Sub(a, b)));
  return hn::Add(hn::Max(a, b), vec::Log1pUpToOne(d, vec::Exp(d, hn::Neg(apart))));
}
TAPEDECK_BINARY_OP(LogAddExpOp, LogAddExp(d, a, b))

// 0 for a = 0, even beside an infinite logarithm, but not beside a NaN.
TAPEDECK_BINARY_OP(XlogyOp,
                   hn::IfThenZeroElse(hn::And(hn::Eq(a, hn::Zero(d)), hn::Not(hn::IsNaN(b))),
                                      hn::Mul(a, vec::Log(d, b))))

template <typename T>
RowLoop FindFor(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return CheapBinaryRow<AddOp, T>;
    case BinaryOp::Sub:
      return CheapBinaryRow<SubOp, T>;
    case BinaryOp::Mul:
      return CheapBinaryRow<MulOp, T>;
    case BinaryOp::Div:
      return CheapBinaryRow<DivOp, T>;
    case BinaryOp::Maximum:
      return CheapBinaryRow<MaximumOp, T>;
    case BinaryOp::Minimum:
      return CheapBinaryRow<MinimumOp, T>;
    case BinaryOp::Fmod:
      return BinaryRow<FmodOp, T>;
    case BinaryOp::Remainder:
      return BinaryRow<RemainderOp, T>;
    case BinaryOp::FloorDivide:
      return BinaryRow<FloorDivideOp, T>;
    case BinaryOp::Hypot:
      return BinaryRow<HypotOp, T>;
    case BinaryOp::Pow:
      return BinaryRow<PowOp, T>;
    case BinaryOp::Atan2:
      return BinaryRow<Atan2Op, T>;
    case BinaryOp::LogAddExp:
      return BinaryRow<LogAddExpOp, T>;
    case BinaryOp::Xlogy:
      return BinaryRow<XlogyOp, T>;
    default:
      return nullptr;
  }
}

RowLoop Find(BinaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}

template <typename T>
RowsLoop FindRowsFor(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return CheapBinaryRows<AddOp, T>;
    case BinaryOp::Sub:
      return CheapBinaryRows<SubOp, T>;
    case BinaryOp::Mul:
      return CheapBinaryRows<MulOp, T>;
    case BinaryOp::Div:
      return CheapBinaryRows<DivOp, T>;
    case BinaryOp::Maximum:
      return CheapBinaryRows<MaximumOp, T>;
    case BinaryOp::Minimum:
      return CheapBinaryRows<MinimumOp, T>;
    default:
      return nullptr;
  }
}

RowsLoop FindRows(BinaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindRowsFor<float>(op) : FindRowsFor<double>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
HWY_EXPORT(Find);
HWY_EXPORT(FindRows);

RowLoop find_float_arithmetic(BinaryOp op, ScalarType dtype) {
  return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(Find)(op, dtype) : nullptr;
}

RowsLoop find_float_rows(BinaryOp op, ScalarType dtype) {
  return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(FindRows)(op, dtype) : nullptr;
}

}  // namespace tapedeck::kernels
#endif
