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

TAPEDECK_DISPATCH_FIND(find_simd_math, UnaryOp);

}  // namespace tapedeck::kernels
#endif
