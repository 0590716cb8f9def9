#include <tapedeck/ops/kernels/max_pool_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/max_pool_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Indices have the values' width while the window is searched.
template <class D>
HWY_INLINE void StoreIndices(D d, hn::Vec<hn::RebindToSigned<D>> v, std::int64_t* to) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    hn::StoreU(v, hn::RebindToSigned<D>(), to);
#if HWY_TARGET == HWY_SCALAR
  } else {
    *to = hn::GetLane(v);
    (void)d;
  }
#else
  } else {
    const hn::Half<hn::RebindToSigned<D>> half;
    const hn::Rebind<std::int64_t, decltype(half)> wide;
    hn::StoreU(hn::PromoteTo(wide, hn::LowerHalf(half, v)), wide, to);
    hn::StoreU(hn::PromoteTo(wide, hn::UpperHalf(half, v)), wide, to + hn::Lanes(d) / 2);
  }
#endif
}

// The best so far of as many windows as a vector has lanes, and where it was found, as the place of
// its tap in the plane relative to the window's own place.
template <class D, bool kIndices>
struct Best {
  hn::Vec<D> value;
  hn::Vec<hn::RebindToSigned<D>> index;

  HWY_INLINE void Offer(D d, hn::Vec<D> v, std::int64_t place) {
    const auto better = hn::Or(hn::Gt(v, value), hn::IsNaN(v));
    value = hn::IfThenElse(better, v, value);
    if constexpr (kIndices) {
      const hn::RebindToSigned<D> di;
      using I = hn::TFromD<decltype(di)>;
      index = hn::IfThenElse(hn::RebindMask(di, better), hn::Set(di, static_cast<I>(place)), index);
    }
    (void)d;
  }
};

template <int kStride, bool kIndices, class D, typename T>
HWY_INLINE void Windows(D d, const MaxPoolRow<T>& row, std::int64_t output) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const std::int64_t column = row.column + output * kStride;
  Best<D, kIndices> best;
  best.value = hn::Set(d, -static_cast<T>(__builtin_inff()));
  best.index = hn::Set(di, static_cast<I>(row.row_begin * row.width));
  for (std::int64_t h = row.row_begin; h < row.row_end; h += row.row_step) {
    const T* at = row.plane + h * row.width + column;
    const std::int64_t place = h * row.width;
    if constexpr (kStride == 1) {
      for (std::int64_t k = 0; k < row.taps; ++k)
        best.Offer(d, hn::LoadU(d, at + k * row.dilation), place + k * row.dilation);
    } else {
      hn::Vec<D> even, odd;
      std::int64_t k = 0;
      if (row.dilation == 1)
        for (; k + 1 < row.taps; k += 2) {
          hn::LoadInterleaved2(d, at + k, even, odd);
          best.Offer(d, even, place + k);
          best.Offer(d, odd, place + k + 1);
        }
      for (; k < row.taps; ++k) {
        hn::LoadInterleaved2(d, at + k * row.dilation, even, odd);
        best.Offer(d, even, place + k * row.dilation);
      }
    }
  }
  hn::StoreU(best.value, d, row.values + output);
  if constexpr (kIndices) {
    const auto lanes = hn::Iota(di, 0);
    const auto steps = kStride == 2 ? hn::Add(lanes, lanes) : lanes;
    const auto index = hn::Add(best.index, hn::Add(steps, hn::Set(di, static_cast<I>(column))));
    StoreIndices(d, index, row.indices + output);
  }
}

// The last vector overlaps the one before where the outputs do not divide.
template <int kStride, bool kIndices, class D, typename T>
HWY_INLINE void Row(D d, const MaxPoolRow<T>& row) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t output = 0;
  for (; output + lanes <= row.outputs; output += lanes) Windows<kStride, kIndices>(d, row, output);
  if (output < row.outputs) Windows<kStride, kIndices>(d, row, row.outputs - lanes);
}

template <int kStride, bool kIndices, typename T>
HWY_INLINE void WidestRow(const MaxPoolRow<T>& row) {
  const hn::CappedTag<T, 16> d16;
  const hn::CappedTag<T, 8> d8;
  const hn::CappedTag<T, 4> d4;
  if (row.outputs >= static_cast<std::int64_t>(hn::Lanes(d16)))
    Row<kStride, kIndices>(d16, row);
  else if (row.outputs >= static_cast<std::int64_t>(hn::Lanes(d8)))
    Row<kStride, kIndices>(d8, row);
  else
    Row<kStride, kIndices>(d4, row);
}

template <typename T>
HWY_INLINE void AnyRow(const MaxPoolRow<T>& row) {
  if (row.stride == 2)
    row.indices ? WidestRow<2, true>(row) : WidestRow<2, false>(row);
  else
    row.indices ? WidestRow<1, true>(row) : WidestRow<1, false>(row);
}

template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> LoadIndices(D, const std::int64_t* from) {
  const hn::RebindToSigned<D> di;
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    return hn::LoadU(di, from);
#if HWY_TARGET == HWY_SCALAR
  } else {
    return hn::Set(di, static_cast<std::int32_t>(*from));
  }
#else
  } else {
    // the low words of two vectors, which are in order again after the concatenation
    const auto low = hn::LoadU(di, reinterpret_cast<const std::int32_t*>(from));
    const auto high = hn::LoadU(di, reinterpret_cast<const std::int32_t*>(from) + hn::Lanes(di));
    return hn::ConcatEven(di, high, low);
  }
#endif
}

template <class D, typename T>
HWY_INLINE void Pairs(D d, const T* grad, const std::int64_t* indices, std::int64_t index,
                      std::int64_t width, T* row0, T* row1) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const auto lanes = hn::Iota(di, static_cast<I>(0));
  const auto first = hn::Add(hn::Add(lanes, lanes), hn::Set(di, static_cast<I>(index)));
  const auto place = hn::Sub(LoadIndices(d, indices), first);
  const auto g = hn::LoadU(d, grad);
  const auto at = [&](std::int64_t offset) HWY_ATTR {
    const auto here = hn::Eq(place, hn::Set(di, static_cast<I>(offset)));
    return hn::IfThenElseZero(hn::RebindMask(d, here), g);
  };
  hn::StoreInterleaved2(at(0), at(1), d, row0);
  hn::StoreInterleaved2(at(width), at(width + 1), d, row1);
}

template <typename T>
HWY_INLINE void PairsRow(const T* grad, const std::int64_t* indices, std::int64_t outputs,
                         std::int64_t index, std::int64_t width, T* row0, T* row1) {
  const hn::CappedTag<T, 16> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t o = 0;
  if (outputs >= lanes) {
    for (; o + lanes <= outputs; o += lanes)
      Pairs(d, grad + o, indices + o, index + 2 * o, width, row0 + 2 * o, row1 + 2 * o);
    if (o == outputs) return;
    o = outputs - lanes;
    Pairs(d, grad + o, indices + o, index + 2 * o, width, row0 + 2 * o, row1 + 2 * o);
    return;
  }
  for (; o < outputs; ++o) {
    const std::int64_t place = indices[o] - index - 2 * o;
    row0[2 * o] = place == 0 ? grad[o] : T{0};
    row0[2 * o + 1] = place == 1 ? grad[o] : T{0};
    row1[2 * o] = place == width ? grad[o] : T{0};
    row1[2 * o + 1] = place == width + 1 ? grad[o] : T{0};
  }
}

void RowF32(const MaxPoolRow<float>& row) { AnyRow(row); }
void RowF64(const MaxPoolRow<double>& row) { AnyRow(row); }
void PairsF32(const float* grad, const std::int64_t* indices, std::int64_t outputs,
              std::int64_t index, std::int64_t width, float* row0, float* row1) {
  PairsRow(grad, indices, outputs, index, width, row0, row1);
}
void PairsF64(const double* grad, const std::int64_t* indices, std::int64_t outputs,
              std::int64_t index, std::int64_t width, double* row0, double* row1) {
  PairsRow(grad, indices, outputs, index, width, row0, row1);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(RowF32);
HWY_EXPORT(RowF64);
HWY_EXPORT(PairsF32);
HWY_EXPORT(PairsF64);

template <>
void max_pool_row(const MaxPoolRow<float>& row) {
  HWY_DYNAMIC_DISPATCH(RowF32)(row);
}
template <>
void max_pool_row(const MaxPoolRow<double>& row) {
  HWY_DYNAMIC_DISPATCH(RowF64)(row);
}
template <>
void max_pool_pairs_backward(const float* grad, const std::int64_t* indices, std::int64_t outputs,
                             std::int64_t index, std::int64_t width, float* row0, float* row1) {
  HWY_DYNAMIC_DISPATCH(PairsF32)(grad, indices, outputs, index, width, row0, row1);
}
template <>
void max_pool_pairs_backward(const double* grad, const std::int64_t* indices, std::int64_t outputs,
                             std::int64_t index, std::int64_t width, double* row0, double* row1) {
  HWY_DYNAMIC_DISPATCH(PairsF64)(grad, indices, outputs, index, width, row0, row1);
}

}  // namespace tapedeck::kernels

#endif
