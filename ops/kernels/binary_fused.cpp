#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/binary_fused.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <cmath>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

using vec::C;

// Operators on vectors, for the loops of simd_rows-inl.h; the parameters are p0, p1, p2.
template <typename T>
struct WithParams {
  template <class D>
  WithParams(D, const double* p)
      : p0(static_cast<T>(p[0])), p1(static_cast<T>(p[1])), p2(static_cast<T>(p[2])) {}
  T p0, p1, p2;
};
template <typename T>
struct AddScaledOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    return hn::MulAdd(b, hn::Set(d, this->p0), a);
  }
};
template <typename T>
struct SigmoidBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V y) const {
    return hn::Mul(hn::Mul(g, hn::Sub(C(d, 1), y)), y);
  }
};
template <typename T>
struct TanhBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V y) const {
    return hn::Mul(g, hn::NegMulAdd(y, y, C(d, 1)));
  }
};
TAPEDECK_BINARY_OP(RsqrtBackwardOp, hn::Mul(hn::Mul(a, hn::Mul(hn::Mul(b, b), b)), C(d, -0.5)))
TAPEDECK_BINARY_OP(ReciprocalBackwardOp, hn::Neg(hn::Mul(a, hn::Mul(b, b))))
template <typename T>
struct ThresholdBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    return hn::IfThenZeroElse(hn::Le(x, hn::Set(d, this->p0)), g);
  }
};
template <typename T>
struct ClampBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    return hn::IfThenElseZero(
        hn::And(hn::Ge(x, hn::Set(d, this->p0)), hn::Le(x, hn::Set(d, this->p1))), g);
  }
};
template <typename T>
struct LeakyReluBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), g, hn::Mul(g, hn::Set(d, this->p0)));
  }
};
template <typename T>
struct ShrinkBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    const V high = hn::Set(d, this->p0);
    return hn::IfThenZeroElse(hn::And(hn::Ge(x, hn::Neg(high)), hn::Le(x, high)), g);
  }
};
// From the nearer end, so that weights of 0 and 1 give the ends exactly.
template <typename T>
struct LerpOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const bool near_a = this->p0 < T(0.5);
    const V weight = hn::Set(d, near_a ? this->p0 : this->p1);
    return hn::MulAdd(hn::Sub(b, a), weight, near_a ? a : b);
  }
};
template <typename T>
struct HuberOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const V distance = hn::Abs(hn::Sub(a, b));
    const V c = hn::Min(distance, hn::Set(d, this->p0));
    return hn::Mul(hn::Mul(hn::Set(d, this->p1), c), hn::NegMulAdd(C(d, 0.5), c, distance));
  }
};
template <typename T>
struct HuberSlopeOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    // What is not a number is neither above nor below.
    const V high = hn::Set(d, this->p0), low = hn::Neg(high), x = hn::Sub(a, b);
    const V clamped = hn::IfThenElse(hn::Gt(x, high), high, hn::IfThenElse(hn::Lt(x, low), low, x));
    return hn::Mul(hn::Set(d, this->p1), clamped);
  }
};
TAPEDECK_BINARY_OP(PreluOp, hn::IfThenElse(hn::Gt(a, hn::Zero(d)), a, hn::Mul(a, b)))
TAPEDECK_BINARY_OP(PreluSlopeOp, hn::IfThenElse(hn::Gt(a, hn::Zero(d)), C(d, 1), b))
template <typename T>
struct EluBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    const V above = hn::Set(d, this->p1);
    const auto is_below = hn::Le(x, hn::Zero(d));
    // The exponential is dear: vectors that need none go without.
    if (hn::AllFalse(d, is_below)) return hn::Mul(g, above);
    const T below = this->p0 * this->p1 * this->p2;
    const V e = vec::Exp(d, hn::Mul(x, hn::Set(d, this->p2)));
    return hn::Mul(g, hn::IfThenElse(is_below, hn::Mul(e, hn::Set(d, below)), above));
  }
};
template <typename T>
struct SoftplusBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    const V scaled = hn::Mul(x, hn::Set(d, this->p0));
    return hn::IfThenElse(hn::Gt(scaled, hn::Set(d, this->p1)), g,
                          hn::Mul(g, vec::Sigmoid(d, scaled)));
  }
};
template <typename T>
struct LogSigmoidBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    return hn::Mul(g, vec::Sigmoid(d, hn::Neg(x)));
  }
};
template <typename T>
struct SiluBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    const V s = vec::Sigmoid(d, x);
    return hn::Mul(hn::Mul(g, s), hn::MulAdd(x, hn::Sub(C(d, 1), s), C(d, 1)));
  }
};
template <typename T>
struct MishBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    const V t = vec::Tanh(d, vec::LogOnePlusExp(d, x));
    const V slope = hn::Mul(hn::NegMulAdd(t, t, C(d, 1)), vec::Sigmoid(d, x));
    return hn::Mul(g, hn::MulAdd(x, slope, t));
  }
};
// g (Phi(x) + x phi(x))
template <typename T>
struct GeluBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    V e;
    const V cdf = vec::NormalCdf(d, x, &e);
    const V density = hn::Mul(e, C(d, 0.3989422804014326779399461));
    return hn::Mul(g, hn::MulAdd(x, density, cdf));
  }
};
template <typename T>
struct GeluTanhBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    const V scale = C(d, 0.7978845608028653558798921), x2 = hn::Mul(x, x);
    const V inner = hn::Mul(scale, hn::MulAdd(hn::Mul(x2, x), C(d, 0.044715), x));
    const V t = vec::Tanh(d, inner);
    const V inner_slope = hn::Mul(scale, hn::MulAdd(x2, C(d, 3 * 0.044715), C(d, 1)));
    const V half = C(d, 0.5);
    const V left = hn::MulAdd(half, t, half);
    const V right = hn::Mul(hn::Mul(hn::Mul(half, x), hn::NegMulAdd(t, t, C(d, 1))), inner_slope);
    return hn::Mul(g, hn::Add(left, right));
  }
};
template <typename T>
struct HardtanhBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    return hn::IfThenZeroElse(
        hn::Or(hn::Le(x, hn::Set(d, this->p0)), hn::Ge(x, hn::Set(d, this->p1))), g);
  }
};
template <typename T>
struct HardsigmoidBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    return hn::IfThenElseZero(hn::And(hn::Gt(x, C(d, -3)), hn::Lt(x, C(d, 3))),
                              hn::Div(g, C(d, 6)));
  }
};
template <typename T>
struct HardswishBackwardOp : WithParams<T> {
  using WithParams<T>::WithParams;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V g, V x) const {
    const V middle = hn::Mul(g, hn::Add(hn::Div(x, C(d, 3)), C(d, 0.5)));
    const V below_three = hn::IfThenZeroElse(hn::Lt(x, C(d, -3)), middle);
    return hn::IfThenElse(hn::Le(x, C(d, 3)), below_three, g);
  }
};

struct ReachesOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const auto both_nan = hn::And(hn::IsNaN(a), hn::IsNaN(b));
    return hn::IfThenElseZero(hn::Or(hn::Eq(a, b), both_nan), C(d, 1));
  }
};

template <typename T>
RowLoop FindFor(BinaryOp op) {
  switch (op) {
    case BinaryOp::AddScaled:
      return BinaryRow<AddScaledOp<T>, T>;
    case BinaryOp::SigmoidBackward:
      return BinaryRow<SigmoidBackwardOp<T>, T>;
    case BinaryOp::TanhBackward:
      return BinaryRow<TanhBackwardOp<T>, T>;
    case BinaryOp::RsqrtBackward:
      return BinaryRow<RsqrtBackwardOp, T>;
    case BinaryOp::ReciprocalBackward:
      return BinaryRow<ReciprocalBackwardOp, T>;
    case BinaryOp::ThresholdBackward:
      return BinaryRow<ThresholdBackwardOp<T>, T>;
    case BinaryOp::ClampBackward:
      return BinaryRow<ClampBackwardOp<T>, T>;
    case BinaryOp::LeakyReluBackward:
      return BinaryRow<LeakyReluBackwardOp<T>, T>;
    case BinaryOp::Prelu:
      return BinaryRow<PreluOp, T>;
    case BinaryOp::PreluSlope:
      return BinaryRow<PreluSlopeOp, T>;
    case BinaryOp::EluBackward:
      return BinaryRow<EluBackwardOp<T>, T>;
    case BinaryOp::SoftplusBackward:
      return BinaryRow<SoftplusBackwardOp<T>, T>;
    case BinaryOp::LogSigmoidBackward:
      return BinaryRow<LogSigmoidBackwardOp<T>, T>;
    case BinaryOp::SiluBackward:
      return BinaryRow<SiluBackwardOp<T>, T>;
    case BinaryOp::MishBackward:
      return BinaryRow<MishBackwardOp<T>, T>;
    case BinaryOp::GeluBackward:
      return BinaryRow<GeluBackwardOp<T>, T>;
    case BinaryOp::GeluTanhBackward:
      return BinaryRow<GeluTanhBackwardOp<T>, T>;
    case BinaryOp::HardtanhBackward:
      return BinaryRow<HardtanhBackwardOp<T>, T>;
    case BinaryOp::HardsigmoidBackward:
      return BinaryRow<HardsigmoidBackwardOp<T>, T>;
    case BinaryOp::HardswishBackward:
      return BinaryRow<HardswishBackwardOp<T>, T>;
    case BinaryOp::ShrinkBackward:
      return BinaryRow<ShrinkBackwardOp<T>, T>;
    case BinaryOp::Lerp:
      return BinaryRow<LerpOp<T>, T>;
    case BinaryOp::Huber:
      return BinaryRow<HuberOp<T>, T>;
    case BinaryOp::HuberSlope:
      return BinaryRow<HuberSlopeOp<T>, T>;
    case BinaryOp::Reaches:
      return BinaryRow<ReachesOp, T>;
    default:
      return nullptr;
  }
}

RowLoop Find(BinaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_FIND(find_fused, BinaryOp);

}  // namespace tapedeck::kernels
#endif
