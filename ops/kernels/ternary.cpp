#include <tapedeck/ops/kernels/ternary.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/ternary.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/row_loop.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

struct AddProductOp {
  template <class D, class V>
  HWY_INLINE V operator()(D, V scale, V a, V b, V c) const {
    return hn::MulAdd(hn::Mul(b, c), scale, a);
  }
};
struct AddQuotientOp {
  template <class D, class V>
  HWY_INLINE V operator()(D, V scale, V a, V b, V c) const {
    return hn::MulAdd(hn::Div(b, c), scale, a);
  }
};

template <class Op, typename T>
void TernaryRow(void* out_row, const void* const* in, unsigned scalars, std::int64_t n,
                const double* params) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, static_cast<T>(params[0]));
  const Op op;
  // As in BinaryRow: an operand that is one number stands in a vector of its own.
  HWY_ALIGN T repeated[3][HWY_MAX_BYTES / sizeof(T)];
  const T* at[3];
  std::int64_t step[3];
  for (unsigned k = 0; k < 3; ++k) {
    at[k] = static_cast<const T*>(in[k]);
    step[k] = lanes;
    if ((scalars >> k & 1U) == 0) continue;
    hn::Store(hn::Set(d, *at[k]), d, repeated[k]);
    at[k] = repeated[k];
    step[k] = 0;
  }
  const T *a = at[0], *b = at[1], *c = at[2];
  T* const out = static_cast<T*>(out_row);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes, a += step[0], b += step[1], c += step[2])
    hn::StoreU(op(d, scale, hn::LoadU(d, a), hn::LoadU(d, b), hn::LoadU(d, c)), d, out + i);
  const std::int64_t rest = n - i;
  if (rest > 0)
    StorePart(d, op(d, scale, LoadPart(d, a, rest), LoadPart(d, b, rest), LoadPart(d, c, rest)),
              out + i, rest);
}

template <typename T>
RowLoop FindFor(TernaryOp op) {
  return op == TernaryOp::AddProduct ? TernaryRow<AddProductOp, T> : TernaryRow<AddQuotientOp, T>;
}

RowLoop Find(TernaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_FIND(find_ternary, TernaryOp);

Array ternary(TernaryOp op, IntArrayRef shape, const Array& a, const Array& b, const Array& c,
              const OpParams& params) {
  const RowInput in[] = {a, b, c};
  Array out = empty_for_rows(shape, a.dtype(), in, 3);
  run_rows({find_ternary(op, a.dtype()), RowCost::Memory}, params.values, out, in, 3);
  return out;
}

void ternary_out(TernaryOp op, Array& out, const Array& a, const Array& b, const Array& c,
                 const OpParams& params) {
  const auto readable = [&](const Array& operand) {
    return out.same_view(operand) || !may_overlap(out, operand) ? operand : clone(operand);
  };
  const Array from_a = readable(a), from_b = readable(b), from_c = readable(c);
  const RowInput in[] = {from_a, from_b, from_c};
  run_rows({find_ternary(op, a.dtype()), RowCost::Memory}, params.values, out, in, 3);
}

}  // namespace tapedeck::kernels
#endif
