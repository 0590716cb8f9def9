#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/integral_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/unary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

TAPEDECK_UNARY_OP(NegOp, hn::Neg(x))
TAPEDECK_UNARY_OP(AbsOp, hn::Abs(x))
TAPEDECK_UNARY_OP(ReluOp, hn::Max(x, hn::Zero(d)))

TAPEDECK_BINARY_OP(AddOp, hn::Add(a, b))
TAPEDECK_BINARY_OP(SubOp, hn::Sub(a, b))
TAPEDECK_BINARY_OP(MaximumOp, hn::Max(a, b))
TAPEDECK_BINARY_OP(MinimumOp, hn::Min(a, b))
TAPEDECK_BINARY_OP(AndOp, hn::And(a, b))
TAPEDECK_BINARY_OP(OrOp, hn::Or(a, b))
TAPEDECK_BINARY_OP(XorOp, hn::Xor(a, b))

template <typename T>
RowLoop FindUnaryFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::Neg:
      return UnaryRow<NegOp, T>;
    case UnaryOp::Abs:
      return UnaryRow<AbsOp, T>;
    case UnaryOp::Relu:
      return UnaryRow<ReluOp, T>;
    default:
      return nullptr;
  }
}

template <typename T>
RowLoop FindBinaryFor(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return BinaryRow<AddOp, T>;
    case BinaryOp::Sub:
      return BinaryRow<SubOp, T>;
    case BinaryOp::Maximum:
      return BinaryRow<MaximumOp, T>;
    case BinaryOp::Minimum:
      return BinaryRow<MinimumOp, T>;
    case BinaryOp::BitwiseAnd:
      return BinaryRow<AndOp, T>;
    case BinaryOp::BitwiseOr:
      return BinaryRow<OrOp, T>;
    case BinaryOp::BitwiseXor:
      return BinaryRow<XorOp, T>;
    default:
      return nullptr;
  }
}

RowLoop FindUnary(UnaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Long ? FindUnaryFor<std::int64_t>(op)
                                   : FindUnaryFor<std::int32_t>(op);
}
RowLoop FindBinary(BinaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Long ? FindBinaryFor<std::int64_t>(op)
                                   : FindBinaryFor<std::int32_t>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {
HWY_EXPORT(FindUnary);
HWY_EXPORT(FindBinary);

bool has_vectors(ScalarType dtype) { return dtype == ScalarType::Long || dtype == ScalarType::Int; }
}  // namespace

RowLoop find_simd_integral(UnaryOp op, ScalarType dtype) {
  return has_vectors(dtype) ? HWY_DYNAMIC_DISPATCH(FindUnary)(op, dtype) : nullptr;
}
RowLoop find_simd_integral(BinaryOp op, ScalarType dtype) {
  return has_vectors(dtype) ? HWY_DYNAMIC_DISPATCH(FindBinary)(op, dtype) : nullptr;
}

}  // namespace tapedeck::kernels
#endif
