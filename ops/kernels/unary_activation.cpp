#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/unary_activation.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/unary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

TAPEDECK_UNARY_OP(LogSigmoidOp, hn::Neg(vec::LogOnePlusExp(d, hn::Neg(x))))
template <typename T>
struct SoftplusOp {
  template <class D>
  SoftplusOp(D, const double* p) : beta(static_cast<T>(p[0])), threshold(static_cast<T>(p[1])) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V scaled = hn::Mul(x, hn::Set(d, beta));
    const V y = hn::Div(vec::LogOnePlusExp(d, scaled), hn::Set(d, beta));
    return hn::IfThenElse(hn::Gt(scaled, hn::Set(d, threshold)), x, y);
  }
  T beta, threshold;
};
TAPEDECK_UNARY_OP(SiluOp, hn::Mul(x, vec::Sigmoid(d, x)))
TAPEDECK_UNARY_OP(MishOp, hn::Mul(x, vec::Tanh(d, vec::LogOnePlusExp(d, x))))
struct GeluOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    V e;
    if constexpr (sizeof(hn::TFromD<D>) == 4) {
      // x Phi(x) from the smaller of Phi(x) and Phi(-x): max(x, 0) - |x| Phi(-|x|).
      const V z = hn::Min(hn::Abs(x), vec::C(d, vec::kNormalEnd));
      return hn::NegMulAdd(z, vec::NormalTail(d, z, &e), MaxOrNaN(hn::Zero(d), x));
    }
    return hn::Mul(x, vec::NormalCdf(d, x, &e));
  }
};
struct GeluTanhOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), x), vec::C(d, 0.044715), x);
    const V t = vec::Tanh(d, hn::Mul(cubic, vec::C(d, 0.7978845608028653558798921)));
    return hn::Mul(hn::Mul(x, vec::C(d, 0.5)), hn::Add(vec::C(d, 1), t));
  }
};
template <typename T>
struct EluOp {
  template <class D>
  EluOp(D, const double* p)
      : below(static_cast<T>(p[0] * p[1])), above(static_cast<T>(p[1])), in(static_cast<T>(p[2])) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V positive = hn::Mul(x, hn::Set(d, above));
    const auto is_positive = hn::Gt(x, hn::Zero(d));
    // The exponential is dear: vectors that need none go without.
    if (hn::AllTrue(d, is_positive)) return positive;
    const V negative = hn::Mul(vec::Expm1(d, hn::Mul(x, hn::Set(d, in))), hn::Set(d, below));
    return hn::IfThenElse(is_positive, positive, negative);
  }
  T below, above, in;
};

template <typename T>
RowLoop FindFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::LogSigmoid:
      return UnaryRow<LogSigmoidOp, T>;
    case UnaryOp::Softplus:
      return UnaryRow<SoftplusOp<T>, T>;
    case UnaryOp::Silu:
      return UnaryRow<SiluOp, T>;
    case UnaryOp::Mish:
      return UnaryRow<MishOp, T>;
    case UnaryOp::Gelu:
      return UnaryRow<GeluOp, T>;
    case UnaryOp::GeluTanh:
      return UnaryRow<GeluTanhOp, T>;
    case UnaryOp::Elu:
      return UnaryRow<EluOp<T>, T>;
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

TAPEDECK_DISPATCH_FIND(find_simd_activation, UnaryOp);

}  // namespace tapedeck::kernels
#endif
