#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/comparison.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set; the loops are plain
// ones that the compiler vectorises for it.
#include <hwy/highway.h>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/binary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

template <BinaryOp op, typename T>
HWY_INLINE bool Holds(T a, T b) {
  if constexpr (op == BinaryOp::Eq) return a == b;
  if constexpr (op == BinaryOp::Ne) return a != b;
  if constexpr (op == BinaryOp::Lt) return a < b;
  if constexpr (op == BinaryOp::Le) return a <= b;
  if constexpr (op == BinaryOp::Gt) return a > b;
  if constexpr (op == BinaryOp::Ge) return a >= b;
  if constexpr (op == BinaryOp::LogicalAnd) return (a != T{}) & (b != T{});
  if constexpr (op == BinaryOp::LogicalOr) return (a != T{}) | (b != T{});
  if constexpr (op == BinaryOp::LogicalXor) return (a != T{}) != (b != T{});
}

template <BinaryOp op, typename T>
void Row(void* out_row, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
  const T* const a = static_cast<const T*>(in[0]);
  const T* const b = static_cast<const T*>(in[1]);
  bool* const out = static_cast<bool*>(out_row);
  if (scalars == 0) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = Holds<op>(a[i], b[i]);
  } else if (scalars == 2) {
    const T value = *b;
    for (std::int64_t i = 0; i < n; ++i) out[i] = Holds<op>(a[i], value);
  } else {
    const T value = *a;
    for (std::int64_t i = 0; i < n; ++i) out[i] = Holds<op>(value, b[i]);
  }
}

RowLoop Find(BinaryOp op, ScalarType dtype) {
  return dispatch_all(dtype, "comparison", [op](auto tag) -> RowLoop {
    using T = typename decltype(tag)::type;
    switch (op) {
      case BinaryOp::Eq:
        return Row<BinaryOp::Eq, T>;
      case BinaryOp::Ne:
        return Row<BinaryOp::Ne, T>;
      case BinaryOp::Lt:
        return Row<BinaryOp::Lt, T>;
      case BinaryOp::Le:
        return Row<BinaryOp::Le, T>;
      case BinaryOp::Gt:
        return Row<BinaryOp::Gt, T>;
      case BinaryOp::Ge:
        return Row<BinaryOp::Ge, T>;
      case BinaryOp::LogicalAnd:
        return Row<BinaryOp::LogicalAnd, T>;
      case BinaryOp::LogicalOr:
        return Row<BinaryOp::LogicalOr, T>;
      case BinaryOp::LogicalXor:
        return Row<BinaryOp::LogicalXor, T>;
      default:
        return nullptr;
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

HWY_EXPORT(Find);

RowLoop find_comparison(BinaryOp op, ScalarType dtype) {
  return HWY_DYNAMIC_DISPATCH(Find)(op, dtype);
}

}  // namespace tapedeck::kernels
#endif
