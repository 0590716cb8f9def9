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

template <class Op, class D, typename T = hn::TFromD<D>>
HWY_INLINE void MapTernary(D d, hn::Vec<D> scale, const void* const* in, unsigned scalars,
                           std::int64_t n, T* out) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Op op;
  if (n < lanes) {
    const auto load = [&](unsigned k) HWY_ATTR {
      const T* const row = static_cast<const T*>(in[k]);
      return scalars >> k & 1U ? hn::Set(d, *row) : LoadShort(d, row, n);
    };
    return StoreShort(d, op(d, scale, load(0), load(1), load(2)), out, n);
  }
  // As in BinaryRow: an operand that is one number stands in a vector of its own.
  HWY_ALIGN T repeated[3][HWY_MAX_BYTES / sizeof(T)];
  const T *at[3], *end[3];
  std::int64_t step[3];
  for (unsigned k = 0; k < 3; ++k) {
    at[k] = static_cast<const T*>(in[k]);
    end[k] = at[k] + n - lanes;
    step[k] = lanes;
    if ((scalars >> k & 1U) == 0) continue;
    hn::Store(hn::Set(d, *at[k]), d, repeated[k]);
    at[k] = end[k] = repeated[k];
    step[k] = 0;
  }
  const T *a = at[0], *b = at[1], *c = at[2];
  // Read before `out`, which may be an operand, is written.
  const auto last_a = hn::LoadU(d, end[0]), last_b = hn::LoadU(d, end[1]),
             last_c = hn::LoadU(d, end[2]);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes, a += step[0], b += step[1], c += step[2])
    hn::StoreU(op(d, scale, hn::LoadU(d, a), hn::LoadU(d, b), hn::LoadU(d, c)), d, out + i);
  if (i < n) StoreRest(d, op(d, scale, last_a, last_b, last_c), out, n, n - i);
}

template <class Op, typename T>
void TernaryRow(void* out, const void* const* in, unsigned scalars, std::int64_t n,
                const double* params) {
  const hn::ScalableTag<T> d;
  MapTernary<Op>(d, hn::Set(d, static_cast<T>(params[0])), in, scalars, n, static_cast<T*>(out));
}

template <class Op, typename T>
void TernaryRows(void* out, const void* const* in, unsigned scalars, std::int64_t n,
                 std::int64_t rows, const std::int64_t* strides, const double* params) {
  const hn::ScalableTag<T> d;
  const auto scale = hn::Set(d, static_cast<T>(params[0]));
  for (std::int64_t r = 0; r < rows; ++r) {
    const void* row[3];
    for (int k = 0; k < 3; ++k) row[k] = static_cast<const char*>(in[k]) + r * strides[k + 1];
    MapTernary<Op>(d, scale, row, scalars, n,
                   reinterpret_cast<T*>(static_cast<char*>(out) + r * strides[0]));
  }
}

template <typename T>
RowLoop FindFor(TernaryOp op) {
  return op == TernaryOp::AddProduct ? TernaryRow<AddProductOp, T> : TernaryRow<AddQuotientOp, T>;
}

RowLoop Find(TernaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}

template <typename T>
RowsLoop FindRowsFor(TernaryOp op) {
  return op == TernaryOp::AddProduct ? TernaryRows<AddProductOp, T> : TernaryRows<AddQuotientOp, T>;
}

RowsLoop FindRows(TernaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindRowsFor<float>(op) : FindRowsFor<double>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_FIND(find_ternary, TernaryOp);

namespace {

HWY_EXPORT(FindRows);

RowLoops find_loops(TernaryOp op, ScalarType dtype) {
  return {find_ternary(op, dtype), RowCost::Memory, HWY_DYNAMIC_DISPATCH(FindRows)(op, dtype)};
}

}  // namespace

Array ternary(TernaryOp op, IntArrayRef shape, const Array& a, const Array& b, const Array& c,
              const OpParams& params) {
  const RowInput in[] = {a, b, c};
  Array out = empty_for_rows(shape, a.dtype(), in, 3);
  run_rows(find_loops(op, a.dtype()), params.values, out, in, 3);
  return out;
}

void ternary_out(TernaryOp op, Array& out, const Array& a, const Array& b, const Array& c,
                 const OpParams& params) {
  const auto readable = [&](const Array& operand) {
    return out.same_view(operand) || !may_overlap(out, operand) ? operand : clone(operand);
  };
  const Array from_a = readable(a), from_b = readable(b), from_c = readable(c);
  const RowInput in[] = {from_a, from_b, from_c};
  run_rows(find_loops(op, a.dtype()), params.values, out, in, 3);
}

}  // namespace tapedeck::kernels
#endif
