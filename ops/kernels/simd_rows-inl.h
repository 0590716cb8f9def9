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
#if HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(n)), d, from);
#else
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)] = {};
  std::memcpy(buffer, from, static_cast<std::size_t>(n) * sizeof(T));
  return hn::Load(d, buffer);
#endif
}
// The same with `rest` after them.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadPartOr(D d, T rest, const T* from, std::int64_t n) {
  return hn::IfThenElse(hn::FirstN(d, static_cast<std::size_t>(n)), LoadPart(d, from, n),
                        hn::Set(d, rest));
}
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StorePart(D d, hn::Vec<D> v, T* to, std::int64_t n) {
#if HWY_TARGET <= HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(n)), d, to);
#else
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, buffer);
  std::memcpy(to, buffer, static_cast<std::size_t>(n) * sizeof(T));
#endif
}

// An operation without parameters.
struct Plain {
  template <class D>
  Plain(D, const double*) {}
};
// Defines the operation `Name` of a vector x, or of a and b, as an expression of these, the tag d
// and the element type T.
#define TAPEDECK_UNARY_OP(Name, ...)                           \
  struct Name : Plain {                                        \
    using Plain::Plain;                                        \
    template <class D, class V, class T = hn::TFromD<D>>       \
    HWY_INLINE V operator()([[maybe_unused]] D d, V x) const { \
      return __VA_ARGS__;                                      \
    }                                                          \
  };
#define TAPEDECK_BINARY_OP(Name, ...)                               \
  struct Name : Plain {                                             \
    using Plain::Plain;                                             \
    template <class D, class V, class T = hn::TFromD<D>>            \
    HWY_INLINE V operator()([[maybe_unused]] D d, V a, V b) const { \
      return __VA_ARGS__;                                           \
    }                                                               \
  };

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
  const T* a = static_cast<const T*>(in[0]);
  const T* b = static_cast<const T*>(in[1]);
  T* const out = static_cast<T*>(out_row);
  // An operand that is one number stands in a vector of its own, and its pointer stays there: one
  // loop serves every combination, and the operation is compiled into it twice, not six times.
  HWY_ALIGN T repeated_a[HWY_MAX_BYTES / sizeof(T)], repeated_b[HWY_MAX_BYTES / sizeof(T)];
  const bool a_moves = (scalars & 1U) == 0, b_moves = (scalars & 2U) == 0;
  if (!a_moves) {
    hn::Store(hn::Set(d, *a), d, repeated_a);
    a = repeated_a;
  }
  if (!b_moves) {
    hn::Store(hn::Set(d, *b), d, repeated_b);
    b = repeated_b;
  }
  const std::int64_t step_a = a_moves ? lanes : 0, step_b = b_moves ? lanes : 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes, a += step_a, b += step_b)
    hn::StoreU(op(d, hn::LoadU(d, a), hn::LoadU(d, b)), d, out + i);
  if (i < n) StorePart(d, op(d, LoadPart(d, a, n - i), LoadPart(d, b, n - i)), out + i, n - i);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
