// Row loops over vectors: compiled once per instruction set by the kernels that include it after
// hwy/foreach_target.h. An operation is a struct made from the call's parameters, with a call
// operator on a tag and vectors; the last, partial vector goes through the same operator, so an
// element's result does not depend on its place.

#if defined(TAPEDECK_SIMD_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_SIMD_ROWS_INL_H
#undef TAPEDECK_SIMD_ROWS_INL_H
#else
#define TAPEDECK_SIMD_ROWS_INL_H
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The first n < Lanes(d) elements, zeros after them.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadPart(D d, const T* from, std::int64_t n) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)] = {};
  std::memcpy(buffer, from, static_cast<std::size_t>(n) * sizeof(T));
  return hn::Load(d, buffer);
}
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StorePart(D d, hn::Vec<D> v, T* to, std::int64_t n) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, buffer);
  std::memcpy(to, buffer, static_cast<std::size_t>(n) * sizeof(T));
}

template <class Op, typename T>
void UnaryRow(void* out_row, const void* const* in, unsigned /*scalars*/, std::int64_t n,
              const double* params) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Op op(d, params);
  const T* const a = static_cast<const T*>(in[0]);
  T* const out = static_cast<T*>(out_row);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, hn::LoadU(d, a + i)), d, out + i);
  if (i < n) StorePart(d, op(d, LoadPart(d, a + i, n - i)), out + i, n - i);
}

template <class Op, typename T>
void BinaryRow(void* out_row, const void* const* in, unsigned scalars, std::int64_t n,
               const double* params) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Op op(d, params);
  const T* const a = static_cast<const T*>(in[0]);
  const T* const b = static_cast<const T*>(in[1]);
  T* const out = static_cast<T*>(out_row);
  std::int64_t i = 0;
  if (scalars == 0) {
    for (; i + lanes <= n; i += lanes)
      hn::StoreU(op(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
    if (i < n)
      StorePart(d, op(d, LoadPart(d, a + i, n - i), LoadPart(d, b + i, n - i)), out + i, n - i);
  } else if (scalars == 2) {
    const auto vb = hn::Set(d, *b);
    for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, hn::LoadU(d, a + i), vb), d, out + i);
    if (i < n) StorePart(d, op(d, LoadPart(d, a + i, n - i), vb), out + i, n - i);
  } else {
    const auto va = hn::Set(d, *a);
    for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, va, hn::LoadU(d, b + i)), d, out + i);
    if (i < n) StorePart(d, op(d, va, LoadPart(d, b + i, n - i)), out + i, n - i);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
