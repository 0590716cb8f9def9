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

using D64 = hn::ScalableTag<double>;

// Lanes(D64) elements as float64.
template <typename T>
HWY_INLINE hn::Vec<D64> Wide(const T* from) {
  const D64 d64;
  if constexpr (sizeof(T) == 8) {
    return hn::LoadU(d64, from);
  } else {
    const hn::Rebind<T, D64> d;
    return hn::PromoteTo(d64, hn::LoadU(d, from));
  }
}

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
// Moves kSize bytes where `bytes` has that bit.
template <std::int64_t kSize>
HWY_INLINE void MoveIf(std::int64_t bytes, const std::uint8_t*& from, std::uint8_t*& to) {
  if (!(bytes & kSize)) return;
  std::memcpy(to, from, kSize);
  from += kSize;
  to += kSize;
}
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StorePart([[maybe_unused]] D d, hn::Vec<D> v, T* to, std::int64_t n) {
#if HWY_TARGET < HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(n)), d, to);
#elif HWY_TARGET == HWY_SCALAR
  if (n > 0) *to = hn::GetLane(v);  // one element is all of it
#else
  if (n >= static_cast<std::int64_t>(hn::Lanes(d))) return hn::StoreU(v, d, to);
  // By moves of fixed sizes: the masked store of AVX2 is dozens of instructions in some CPUs.
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, buffer);
  const auto* from = reinterpret_cast<const std::uint8_t*>(buffer);
  auto* at = reinterpret_cast<std::uint8_t*>(to);
  const std::int64_t bytes = n * std::int64_t{sizeof(T)};
  MoveIf<16>(bytes, from, at);
  MoveIf<8>(bytes, from, at);
  if constexpr (sizeof(T) <= 4) MoveIf<4>(bytes, from, at);
  if constexpr (sizeof(T) <= 2) MoveIf<2>(bytes, from, at);
  if constexpr (sizeof(T) <= 1) MoveIf<1>(bytes, from, at);
#endif
}

// The larger and the smaller of two, and b where that is NaN. The instructions return b where
// either is, the scalar functions the other one.
template <class V>
HWY_INLINE V MaxOrNaN(V a, V b) {
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::IsNaN(b), b, hn::Max(a, b));
#else
  return hn::Max(a, b);
#endif
}
template <class V>
HWY_INLINE V MinOrNaN(V a, V b) {
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::IsNaN(b), b, hn::Min(a, b));
#else
  return hn::Min(a, b);
#endif
}

// to[i] += from[i] for i < n.
template <typename T>
HWY_INLINE void AddRow(const T* from, std::int64_t n, T* to) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  if (n < kLanes) return StorePart(d, hn::Add(LoadPart(d, to, n), LoadPart(d, from, n)), to, n);
  // Added before the others are written, of which some may be among these.
  const auto last = hn::Add(hn::LoadU(d, to + n - kLanes), hn::LoadU(d, from + n - kLanes));
  for (std::int64_t i = 0; i + kLanes < n; i += kLanes)
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::LoadU(d, from + i)), d, to + i);
  hn::StoreU(last, d, to + n - kLanes);
}

// The first n > 0 elements, or a whole vector where there are more.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadUpTo(D d, const T* from, std::int64_t n) {
  return n >= static_cast<std::int64_t>(hn::Lanes(d)) ? hn::LoadU(d, from) : LoadPart(d, from, n);
}
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StoreUpTo(D d, hn::Vec<D> v, T* to, std::int64_t n) {
  if (n >= static_cast<std::int64_t>(hn::Lanes(d)))
    hn::StoreU(v, d, to);
  else
    StorePart(d, v, to, n);
}

// The last vector of a row of n > 0 elements: all of them where they are fewer than a vector.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StoreLast(D d, hn::Vec<D> v, T* row, std::int64_t n) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (n >= lanes)
    hn::StoreU(v, d, row + n - lanes);
  else
    StorePart(d, v, row, n);
}

// The last `left` of the elements of a row that are not written yet, of which v is the last vector.
// Vectors of 64 bytes mostly lie across two lines of the cache, and a part of one is written
// sooner.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StoreRest(D d, hn::Vec<D> v, T* row, std::int64_t n,
                          [[maybe_unused]] std::int64_t left) {
#if HWY_TARGET < HWY_AVX2
  const hn::Half<D> half;
  const hn::Half<decltype(half)> quarter;
  const auto in_half = static_cast<std::int64_t>(hn::Lanes(half)), in_quarter = in_half / 2;
  if (left <= in_quarter)
    return hn::StoreU(hn::UpperHalf(quarter, hn::UpperHalf(half, v)), quarter,
                      row + n - in_quarter);
  if (left <= in_half) return hn::StoreU(hn::UpperHalf(half, v), half, row + n - in_half);
#endif
  hn::StoreU(v, d, row + n - static_cast<std::int64_t>(hn::Lanes(d)));
}

// A row of fewer elements than lanes as one vector, in an order that StoreShort() knows: two parts
// that overlap. Masks would do, but a masked load waits for a masked store of the row before, whose
// whole vector it meets.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadShort(D d, const T* row, std::int64_t n) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(D()) >= 4) {
    const hn::Half<D> half;
    const hn::Half<decltype(half)> quarter;
    const auto in_half = static_cast<std::int64_t>(hn::Lanes(half)), in_quarter = in_half / 2;
    if (n >= in_half)
      return hn::Combine(d, hn::LoadU(half, row + n - in_half), hn::LoadU(half, row));
    if (n >= in_quarter)
      return hn::ZeroExtendVector(
          d, hn::Combine(half, hn::LoadU(quarter, row + n - in_quarter), hn::LoadU(quarter, row)));
  }
#endif
  return LoadPart(d, row, n);
}
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StoreShort(D d, hn::Vec<D> v, T* row, std::int64_t n) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(D()) >= 4) {
    const hn::Half<D> half;
    const hn::Half<decltype(half)> quarter;
    const auto in_half = static_cast<std::int64_t>(hn::Lanes(half)), in_quarter = in_half / 2;
    if (n >= in_half) {
      hn::StoreU(hn::LowerHalf(half, v), half, row);
      hn::StoreU(hn::UpperHalf(half, v), half, row + n - in_half);
      return;
    }
    if (n >= in_quarter) {
      const auto low = hn::LowerHalf(half, v);
      hn::StoreU(hn::LowerHalf(quarter, low), quarter, row);
      hn::StoreU(hn::UpperHalf(quarter, low), quarter, row + n - in_quarter);
      return;
    }
  }
#endif
  StorePart(d, v, row, n);
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

#if HWY_TARGET != HWY_SCALAR
// f of elements in float64: of float32 ones in two halves, for operations whose errors there no
// float shows.
template <class D, class V, class F>
HWY_INLINE V InDouble(D d, V x, F f) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    return f(d, x);
  } else {
    const hn::Repartition<double, D> wide;
    const hn::Half<D> half;
    const auto low = f(wide, hn::PromoteTo(wide, hn::LowerHalf(half, x)));
    const auto high = f(wide, hn::PromoteTo(wide, hn::UpperHalf(half, x)));
    return hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
  }
}
// A unary operation as an expression of a tag w of float64 and a vector z.
#define TAPEDECK_DOUBLE_OP(Name, ...) \
  TAPEDECK_UNARY_OP(Name, InDouble(d, x, [](auto w, auto z) HWY_ATTR { return __VA_ARGS__; }))
#endif

// out[i] = op(a[i])
template <class Op, typename T>
HWY_INLINE void MapRow(const Op& op, const T* a, T* out, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (n < lanes) return StoreShort(d, op(d, LoadShort(d, a, n)), out, n);
  // The last vector overlaps the one before it, and is read before `out`, which may be `a`, is
  // written.
  const auto last = hn::LoadU(d, a + n - lanes);
  std::int64_t i = 0;
  // Two at a time: over `a` in place, loads and stores of single vectors hinder each other.
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a0 = hn::LoadU(d, a + i), a1 = hn::LoadU(d, a + i + lanes);
    hn::StoreU(op(d, a0), d, out + i);
    hn::StoreU(op(d, a1), d, out + i + lanes);
  }
  if (i + lanes <= n) {
    hn::StoreU(op(d, hn::LoadU(d, a + i)), d, out + i);
    i += lanes;
  }
  if (i < n) StoreRest(d, op(d, last), out, n, n - i);
}

template <class Op, typename T>
void UnaryRow(void* out, const void* const* in, unsigned /*scalars*/, std::int64_t n,
              const double* params) {
  const Op op(hn::ScalableTag<T>(), params);
  MapRow(op, static_cast<const T*>(in[0]), static_cast<T*>(out), n);
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
  // loop serves every combination, and the operation is compiled into it four times, not twelve.
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
  // As in UnaryRow: read before `out`, which may be an operand, is written.
  const auto last_of = [&](const T* from, bool moves)
                           HWY_ATTR { return hn::LoadU(d, moves ? from + n - lanes : from); };
  if (n < lanes) {
    const auto all_a = a_moves ? LoadShort(d, a, n) : hn::LoadU(d, a);
    const auto all_b = b_moves ? LoadShort(d, b, n) : hn::LoadU(d, b);
    return StoreShort(d, op(d, all_a, all_b), out, n);
  }
  const auto last_a = last_of(a, a_moves), last_b = last_of(b, b_moves);
  std::int64_t i = 0;
  // Two at a time, as in UnaryRow.
  for (; i + 2 * lanes <= n; i += 2 * lanes, a += 2 * step_a, b += 2 * step_b) {
    const auto a0 = hn::LoadU(d, a), a1 = hn::LoadU(d, a + step_a);
    const auto b0 = hn::LoadU(d, b), b1 = hn::LoadU(d, b + step_b);
    hn::StoreU(op(d, a0, b0), d, out + i);
    hn::StoreU(op(d, a1, b1), d, out + i + lanes);
  }
  if (i + lanes <= n) {
    hn::StoreU(op(d, hn::LoadU(d, a), hn::LoadU(d, b)), d, out + i);
    i += lanes;
  }
  if (i < n) StoreRest(d, op(d, last_a, last_b), out, n, n - i);
}

// The same for operations that are so cheap that an operand which is one number stays in a
// register.
template <class Op, typename T>
void CheapBinaryRow(void* out, const void* const* in, unsigned scalars, std::int64_t n,
                    const double* params) {
  if (scalars != 1 && scalars != 2) return BinaryRow<Op, T>(out, in, scalars, n, params);
  const Op op(hn::ScalableTag<T>(), params);
  const T* const a = static_cast<const T*>(in[0]);
  const T* const b = static_cast<const T*>(in[1]);
  const auto number = hn::Set(hn::ScalableTag<T>(), scalars == 1 ? *a : *b);
  if (scalars == 1)
    MapRow([&](auto d, auto x) HWY_ATTR { return op(d, number, x); }, b, static_cast<T*>(out), n);
  else
    MapRow([&](auto d, auto x) HWY_ATTR { return op(d, x, number); }, a, static_cast<T*>(out), n);
}

// Its RowsLoop.
template <class Op, typename T>
void CheapBinaryRows(void* out_rows, const void* const* in, unsigned scalars, std::int64_t n,
                     std::int64_t rows, const std::int64_t* strides, const double* params) {
  const hn::ScalableTag<T> d;
  const Op op(d, params);
  auto* out = static_cast<char*>(out_rows);
  const auto *a = static_cast<const char*>(in[0]), *b = static_cast<const char*>(in[1]);
  const auto row = [](const char* at) HWY_ATTR { return reinterpret_cast<const T*>(at); };
  for (std::int64_t r = 0; r < rows; ++r, out += strides[0], a += strides[1], b += strides[2]) {
    if (scalars == 0) {
      const void* const both[] = {a, b};
      BinaryRow<Op, T>(out, both, 0, n, params);
      continue;
    }
    const auto number = hn::Set(d, *row(scalars == 1 ? a : b));
    if (scalars == 1)
      MapRow([&](auto tag, auto x) HWY_ATTR { return op(tag, number, x); }, row(b),
             reinterpret_cast<T*>(out), n);
    else
      MapRow([&](auto tag, auto x) HWY_ATTR { return op(tag, x, number); }, row(a),
             reinterpret_cast<T*>(out), n);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
