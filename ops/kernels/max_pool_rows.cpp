#include <tapedeck/ops/kernels/max_pool_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/max_pool_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>

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

// The best so far of as many windows as a vector has lanes, without their places: by an instruction
// that may lose a NaN, and a sum, which keeps it.
template <class D>
struct QuickBest {
  hn::Vec<D> value, sum;
  HWY_INLINE void Offer(D, hn::Vec<D> v, std::int64_t) {
    value = hn::Max(v, value);
    sum = hn::Add(sum, v);
  }
  // Infinities of both signs make a NaN of the sum, too.
  HWY_INLINE bool MayHaveLost(D d) const { return !hn::AllFalse(d, hn::IsNaN(sum)); }
};

// The best so far, NaNs among them, and the tap where it was found, as its distance in the plane
// from the window's first.
template <class D, bool kIndices>
struct Best {
  hn::Vec<D> value;
  hn::Vec<hn::RebindToSigned<D>> place;

  HWY_INLINE void Offer(D, hn::Vec<D> v, std::int64_t at) {
    const auto better = hn::Or(hn::Gt(v, value), hn::IsNaN(v));
    value = hn::IfThenElse(better, v, value);
    if constexpr (kIndices) {
      const hn::RebindToSigned<D> di;
      const auto here = hn::Set(di, static_cast<hn::TFromD<decltype(di)>>(at));
      place = hn::IfThenElse(hn::RebindMask(di, better), here, place);
    }
  }
};

// Every kStride-th element, of each of the first kStride ones on.
template <int kStride, class D, typename T>
HWY_INLINE void LoadApart(D d, const T* from, hn::Vec<D> (&parts)[kStride]) {
  if constexpr (kStride == 2)
    hn::LoadInterleaved2(d, from, parts[0], parts[1]);
  else if constexpr (kStride == 3)
    hn::LoadInterleaved3(d, from, parts[0], parts[1], parts[2]);
  else
    hn::LoadInterleaved4(d, from, parts[0], parts[1], parts[2], parts[3]);
}

// Offers every tap of kVectors vectors of windows, of which the first begins at `output`. A kStride
// of 0 stands for any.
template <int kStride, int kVectors, class State, class D, typename T>
HWY_INLINE void OfferTaps(D d, const MaxPoolPlane<T>& plane, const PoolWindow& rows,
                          std::int64_t output, State* best) {
  const std::int64_t stride = kStride == 0 ? plane.stride : kStride;
  const std::int64_t apart = static_cast<std::int64_t>(hn::Lanes(d)) * stride;
  const T* in = plane.in + output * stride;
  const std::int64_t taps = plane.taps, dilation = plane.dilation;
  for (std::int64_t h = rows.begin; h < rows.end; h += rows.step) {
    const T* at = in + h * plane.pitch;
    const std::int64_t place = h * plane.width;
    if constexpr (kStride == 0) {
      const hn::RebindToSigned<D> di;
      using I = hn::TFromD<decltype(di)>;
      const auto steps = hn::Mul(hn::Iota(di, I{0}), hn::Set(di, static_cast<I>(stride)));
      for (std::int64_t k = 0; k < taps; ++k)
        for (int v = 0; v < kVectors; ++v)
          best[v].Offer(d, hn::GatherIndex(d, at + v * apart + k * dilation, steps),
                        place + k * dilation);
    } else if constexpr (kStride == 1) {
      for (std::int64_t k = 0; k < taps; ++k)
        for (int v = 0; v < kVectors; ++v)
          best[v].Offer(d, hn::LoadU(d, at + v * apart + k * dilation), place + k * dilation);
    } else {
      hn::Vec<D> parts[kStride];
      std::int64_t k = 0;
      if (dilation == 1) {
        for (; k + kStride <= taps; k += kStride)
          for (int v = 0; v < kVectors; ++v) {
            LoadApart<kStride>(d, at + v * apart + k, parts);
            for (int i = 0; i < kStride; ++i) best[v].Offer(d, parts[i], place + k + i);
          }
        if (k < taps)
          for (int v = 0; v < kVectors; ++v) {
            LoadApart<kStride>(d, at + v * apart + k, parts);
            for (int i = 0; i < kStride - 1; ++i)
              if (k + i < taps) best[v].Offer(d, parts[i], place + k + i);
          }
        continue;
      }
      for (; k < taps; ++k)
        for (int v = 0; v < kVectors; ++v) {
          LoadApart<kStride>(d, at + v * apart + k * dilation, parts);
          best[v].Offer(d, parts[0], place + k * dilation);
        }
    }
  }
}

template <int kStride, bool kIndices, class D, typename T>
HWY_INLINE void Windows(D d, const MaxPoolPlane<T>& plane, const PoolWindow& rows,
                        std::int64_t output, T* values, std::int64_t* indices) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const auto lanes = hn::Iota(di, static_cast<I>(0));
  const std::int64_t stride = kStride == 0 ? plane.stride : kStride;
  const auto steps = kStride == 1   ? lanes
                     : kStride == 2 ? hn::Add(lanes, lanes)
                                    : hn::Mul(lanes, hn::Set(di, static_cast<I>(stride)));
  const auto column =
      hn::Add(steps, hn::Set(di, static_cast<I>(plane.first_column + output * stride)));
  Best<D, kIndices> best;
  best.value = hn::Set(d, -static_cast<T>(__builtin_inff()));
  if constexpr (kIndices)
    best.place = hn::Add(hn::Sub(hn::LoadU(di, plane.first_inside + output), column),
                         hn::Set(di, static_cast<I>(rows.begin * plane.width)));
  OfferTaps<kStride, 1>(d, plane, rows, output, &best);
  hn::StoreU(best.value, d, values);
  if constexpr (kIndices) StoreIndices(d, hn::Add(best.place, column), indices);
}

// The values alone, of kVectors vectors.
template <int kStride, int kVectors, class D, typename T>
HWY_INLINE void Values(D d, const MaxPoolPlane<T>& plane, const PoolWindow& rows,
                       std::int64_t output, T* values) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  QuickBest<D> best[kVectors];
  for (auto& of : best) of = {hn::Set(d, -static_cast<T>(__builtin_inff())), hn::Zero(d)};
  OfferTaps<kStride, kVectors>(d, plane, rows, output, best);
  for (int v = 0; v < kVectors; ++v) {
    if (HWY_LIKELY(!best[v].MayHaveLost(d)))
      hn::StoreU(best[v].value, d, values + v * lanes);
    else
      Windows<kStride, false>(d, plane, rows, output + v * lanes, values + v * lanes, nullptr);
  }
}

// The last vector overlaps the one before where the outputs do not divide; fewer outputs than lanes
// are computed as a whole vector beside the arrays.
template <int kStride, bool kIndices, class D, typename T>
HWY_INLINE void Row(D d, const MaxPoolPlane<T>& plane, const PoolWindow& rows, T* values,
                    std::int64_t* indices) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t outputs = plane.outputs;
  if (outputs < lanes) {
    HWY_ALIGN T some_values[kMaxPoolMostLanes];
    HWY_ALIGN std::int64_t some_indices[kMaxPoolMostLanes];
    if constexpr (kIndices)
      Windows<kStride, true>(d, plane, rows, 0, some_values, some_indices);
    else
      Values<kStride, 1>(d, plane, rows, 0, some_values);
    for (std::int64_t i = 0; i < outputs; ++i) values[i] = some_values[i];
    if constexpr (kIndices)
      for (std::int64_t i = 0; i < outputs; ++i) indices[i] = some_indices[i];
    return;
  }
  std::int64_t done = 0;
  if constexpr (!kIndices)
    for (; done + 4 * lanes <= outputs; done += 4 * lanes)
      Values<kStride, 4>(d, plane, rows, done, values + done);
  for (; done < outputs; done += lanes) {
    const std::int64_t o = done + lanes <= outputs ? done : outputs - lanes;
    if constexpr (kIndices)
      Windows<kStride, true>(d, plane, rows, o, values + o, indices + o);
    else
      Values<kStride, 1>(d, plane, rows, o, values + o);
  }
}

template <int kStride, bool kIndices, class D, typename T>
HWY_INLINE void Rows(D d, MaxPoolPlane<T> plane) {
  for (std::int64_t p = 0; p < plane.planes; ++p, plane.in += plane.apart)
    for (std::int64_t r = 0; r < plane.output_rows; ++r) {
      Row<kStride, kIndices>(d, plane, plane.rows[r], plane.values, plane.indices);
      plane.values += plane.outputs;
      if constexpr (kIndices) plane.indices += plane.outputs;
    }
}

template <int kStride, bool kIndices, typename T>
void Plane(const MaxPoolPlane<T>& plane) {
  const hn::CappedTag<T, 16> d16;
  const hn::CappedTag<T, 8> d8;
  const hn::CappedTag<T, 4> d4;
  if (plane.outputs >= static_cast<std::int64_t>(hn::Lanes(d16)))
    Rows<kStride, kIndices>(d16, plane);
  else if (plane.outputs >= static_cast<std::int64_t>(hn::Lanes(d8)))
    Rows<kStride, kIndices>(d8, plane);
  else
    Rows<kStride, kIndices>(d4, plane);
}

template <bool kIndices, typename T>
HWY_INLINE void AnyStride(const MaxPoolPlane<T>& plane) {
  switch (plane.dilation == 1 || plane.stride <= 2 ? plane.stride : 0) {
    case 1:
      return Plane<1, kIndices>(plane);
    case 2:
      return Plane<2, kIndices>(plane);
    case 3:
      return Plane<3, kIndices>(plane);
    case 4:
      return Plane<4, kIndices>(plane);
    default:
      return Plane<0, kIndices>(plane);
  }
}
template <typename T>
HWY_INLINE void AnyPlane(const MaxPoolPlane<T>& plane) {
  plane.indices ? AnyStride<true>(plane) : AnyStride<false>(plane);
}

// kVectors vectors of channels side by side, whose steps do not wait for each other.
template <bool kIndices, int kVectors, class D, typename T>
HWY_INLINE void ChannelsOf(D d, const T* image, std::int64_t width, std::int64_t C,
                           const PoolWindow& row, const PoolWindow& column, T* values,
                           std::int64_t* indices) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  Best<D, kIndices> best[kVectors];
  for (auto& of : best) {
    of.value = hn::Set(d, -static_cast<T>(__builtin_inff()));
    if constexpr (kIndices)
      of.place = hn::Set(di, static_cast<I>(row.begin * width + column.begin));
  }
  for (std::int64_t h = row.begin; h < row.end; h += row.step)
    for (std::int64_t w = column.begin; w < column.end; w += column.step) {
      const std::int64_t at = h * width + w;
      for (int v = 0; v < kVectors; ++v)
        best[v].Offer(d, hn::LoadU(d, image + at * C + v * lanes), at);
    }
  for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(best[v].value, d, values + v * lanes);
    if constexpr (kIndices) StoreIndices(d, best[v].place, indices + v * lanes);
  }
}

// The last vector overlaps the one before.
template <bool kIndices, class D, typename T>
HWY_INLINE void ChannelsIn(D d, const T* image, std::int64_t width, std::int64_t C,
                           const PoolWindow& row, const PoolWindow& column, T* values,
                           std::int64_t* indices) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t c = 0;
  for (; c + 4 * lanes <= C; c += 4 * lanes)
    ChannelsOf<kIndices, 4>(d, image + c, width, C, row, column, values + c,
                            kIndices ? indices + c : nullptr);
  for (; c < C; c += lanes) {
    const std::int64_t at = std::min(c, C - lanes);
    ChannelsOf<kIndices, 1>(d, image + at, width, C, row, column, values + at,
                            kIndices ? indices + at : nullptr);
  }
}

template <bool kIndices, typename T>
HWY_INLINE void Channels(const T* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                         const PoolWindow& column, T* values, std::int64_t* indices) {
  const hn::CappedTag<T, kMaxPoolMostLanes> d16;
  const hn::CappedTag<T, 8> d8;
  if (C >= static_cast<std::int64_t>(hn::Lanes(d16)))
    ChannelsIn<kIndices>(d16, image, width, C, row, column, values, indices);
  else
    ChannelsIn<kIndices>(d8, image, width, C, row, column, values, indices);
}
template <typename T>
HWY_INLINE void AnyChannels(const T* image, std::int64_t width, std::int64_t C,
                            const PoolWindow& row, const PoolWindow& column, T* values,
                            std::int64_t* indices) {
  if (indices)
    Channels<true>(image, width, C, row, column, values, indices);
  else
    Channels<false>(image, width, C, row, column, values, indices);
}

// The best of one window of at least a vector's columns, none left out, whose place is the first of
// the best; false where it has a NaN. Rows end in vectors that overlap the ones before.
template <class D, typename T>
HWY_INLINE bool WindowIn(D d, const T* plane, std::int64_t width, const PoolWindow& row,
                         const PoolWindow& column, T* value, std::int64_t* index) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto iota = hn::Iota(di, I{0});
  auto best = hn::Set(d, -static_cast<T>(__builtin_inff())), sum = hn::Zero(d);
  auto place = hn::Set(di, static_cast<I>(row.begin * width + column.begin));
  for (std::int64_t h = row.begin; h < row.end; ++h)
    for (std::int64_t w = column.begin; w < column.end; w += lanes) {
      const std::int64_t at = h * width + std::min(w, column.end - lanes);
      const auto v = hn::LoadU(d, plane + at);
      const auto better = hn::Gt(v, best);
      best = hn::IfThenElse(better, v, best);
      place = hn::IfThenElse(hn::RebindMask(di, better),
                             hn::Add(iota, hn::Set(di, static_cast<I>(at))), place);
      sum = hn::Add(sum, v);
    }
  if (HWY_UNLIKELY(!hn::AllFalse(d, hn::IsNaN(sum)))) return false;
  const auto greatest = hn::MaxOfLanes(d, best);
  const auto is_best = hn::RebindMask(di, hn::Eq(best, greatest));
  HWY_ALIGN I places[kMaxPoolMostLanes];
  hn::Store(hn::IfThenElse(is_best, place, hn::Set(di, hwy::HighestValue<I>())), di, places);
  I first = places[0];
  for (std::int64_t i = 1; i < lanes; ++i) first = std::min(first, places[i]);
  *value = hn::GetLane(greatest);
  if (index != nullptr) *index = first;
  return true;
}

template <typename T>
HWY_INLINE bool AnyWindow(const T* plane, std::int64_t width, const PoolWindow& row,
                          const PoolWindow& column, T* value, std::int64_t* index) {
  const hn::CappedTag<T, kMaxPoolMostLanes> d16;
  const hn::CappedTag<T, 8> d8;
  const hn::CappedTag<T, 4> d4;
  const std::int64_t columns = column.end - column.begin;
  if (columns >= static_cast<std::int64_t>(hn::Lanes(d16)))
    return WindowIn(d16, plane, width, row, column, value, index);
  if (columns >= static_cast<std::int64_t>(hn::Lanes(d8)))
    return WindowIn(d8, plane, width, row, column, value, index);
  if (columns >= static_cast<std::int64_t>(hn::Lanes(d4)))
    return WindowIn(d4, plane, width, row, column, value, index);
  return false;
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
HWY_INLINE bool Pairs(D d, const T* grad, const std::int64_t* indices, std::int64_t index,
                      std::int64_t width, T* row0, T* row1) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const auto lanes = hn::Iota(di, static_cast<I>(0));
  const auto first = hn::Add(hn::Add(lanes, lanes), hn::Set(di, static_cast<I>(index)));
  const auto place = hn::Sub(LoadIndices(d, indices), first);
  const auto g = hn::LoadU(d, grad);
  const auto is = [&](std::int64_t offset) HWY_ATTR {
    return hn::RebindMask(d, hn::Eq(place, hn::Set(di, static_cast<I>(offset))));
  };
  const auto m0 = is(0), m1 = is(1), m2 = is(width), m3 = is(width + 1);
  hn::StoreInterleaved2(hn::IfThenElseZero(m0, g), hn::IfThenElseZero(m1, g), d, row0);
  hn::StoreInterleaved2(hn::IfThenElseZero(m2, g), hn::IfThenElseZero(m3, g), d, row1);
  return hn::AllTrue(d, hn::Or(hn::Or(m0, m1), hn::Or(m2, m3)));
}

template <class D, typename T>
HWY_INLINE bool PairsOf(D d, const T* grad, const std::int64_t* indices, std::int64_t outputs,
                        std::int64_t index, std::int64_t width, T* row0, T* row1) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  bool all = true;
  const auto pairs = [&](std::int64_t o) HWY_ATTR {
    all &= Pairs(d, grad + o, indices + o, index + 2 * o, width, row0 + 2 * o, row1 + 2 * o);
  };
  std::int64_t o = 0;
  for (; o + lanes <= outputs; o += lanes) pairs(o);
  if (o < outputs) pairs(outputs - lanes);
  return all;
}

template <typename T>
HWY_INLINE bool PairsRow(const T* grad, const std::int64_t* indices, std::int64_t outputs,
                         std::int64_t index, std::int64_t width, T* row0, T* row1) {
  const hn::CappedTag<T, 16> d16;
  const hn::CappedTag<T, 8> d8;
  const hn::CappedTag<T, 4> d4;
  if (outputs >= static_cast<std::int64_t>(hn::Lanes(d16)))
    return PairsOf(d16, grad, indices, outputs, index, width, row0, row1);
  if (outputs >= static_cast<std::int64_t>(hn::Lanes(d8)))
    return PairsOf(d8, grad, indices, outputs, index, width, row0, row1);
  if (outputs >= static_cast<std::int64_t>(hn::Lanes(d4)))
    return PairsOf(d4, grad, indices, outputs, index, width, row0, row1);
  bool all = true;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::int64_t place = indices[o] - index - 2 * o;
    row0[2 * o] = place == 0 ? grad[o] : T{0};
    row0[2 * o + 1] = place == 1 ? grad[o] : T{0};
    row1[2 * o] = place == width ? grad[o] : T{0};
    row1[2 * o + 1] = place == width + 1 ? grad[o] : T{0};
    all &= place == 0 || place == 1 || place == width || place == width + 1;
  }
  return all;
}

void PlaneF32(const MaxPoolPlane<float>& plane) { AnyPlane(plane); }
void PlaneF64(const MaxPoolPlane<double>& plane) { AnyPlane(plane); }
void ChannelsF32(const float* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                 const PoolWindow& column, float* values, std::int64_t* indices) {
  AnyChannels(image, width, C, row, column, values, indices);
}
void ChannelsF64(const double* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                 const PoolWindow& column, double* values, std::int64_t* indices) {
  AnyChannels(image, width, C, row, column, values, indices);
}
bool WindowF32(const float* plane, std::int64_t width, const PoolWindow& row,
               const PoolWindow& column, float* value, std::int64_t* index) {
  return AnyWindow(plane, width, row, column, value, index);
}
bool WindowF64(const double* plane, std::int64_t width, const PoolWindow& row,
               const PoolWindow& column, double* value, std::int64_t* index) {
  return AnyWindow(plane, width, row, column, value, index);
}
bool PairsF32(const float* grad, const std::int64_t* indices, std::int64_t outputs,
              std::int64_t index, std::int64_t width, float* row0, float* row1) {
  return PairsRow(grad, indices, outputs, index, width, row0, row1);
}
bool PairsF64(const double* grad, const std::int64_t* indices, std::int64_t outputs,
              std::int64_t index, std::int64_t width, double* row0, double* row1) {
  return PairsRow(grad, indices, outputs, index, width, row0, row1);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(PlaneF32);
HWY_EXPORT(PlaneF64);
HWY_EXPORT(ChannelsF32);
HWY_EXPORT(ChannelsF64);
HWY_EXPORT(WindowF32);
HWY_EXPORT(WindowF64);
HWY_EXPORT(PairsF32);
HWY_EXPORT(PairsF64);

template <>
void max_pool_planes(const MaxPoolPlane<float>& plane) {
  HWY_DYNAMIC_DISPATCH(PlaneF32)(plane);
}
template <>
void max_pool_planes(const MaxPoolPlane<double>& plane) {
  HWY_DYNAMIC_DISPATCH(PlaneF64)(plane);
}
template <>
void max_of_channels(const float* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                     const PoolWindow& column, float* values, std::int64_t* indices) {
  HWY_DYNAMIC_DISPATCH(ChannelsF32)(image, width, C, row, column, values, indices);
}
template <>
void max_of_channels(const double* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                     const PoolWindow& column, double* values, std::int64_t* indices) {
  HWY_DYNAMIC_DISPATCH(ChannelsF64)(image, width, C, row, column, values, indices);
}
template <>
bool max_of_window(const float* plane, std::int64_t width, const PoolWindow& row,
                   const PoolWindow& column, float* value, std::int64_t* index) {
  return HWY_DYNAMIC_DISPATCH(WindowF32)(plane, width, row, column, value, index);
}
template <>
bool max_of_window(const double* plane, std::int64_t width, const PoolWindow& row,
                   const PoolWindow& column, double* value, std::int64_t* index) {
  return HWY_DYNAMIC_DISPATCH(WindowF64)(plane, width, row, column, value, index);
}
template <>
bool max_pool_pairs_backward(const float* grad, const std::int64_t* indices, std::int64_t outputs,
                             std::int64_t index, std::int64_t width, float* row0, float* row1) {
  return HWY_DYNAMIC_DISPATCH(PairsF32)(grad, indices, outputs, index, width, row0, row1);
}
template <>
bool max_pool_pairs_backward(const double* grad, const std::int64_t* indices, std::int64_t outputs,
                             std::int64_t index, std::int64_t width, double* row0, double* row1) {
  return HWY_DYNAMIC_DISPATCH(PairsF64)(grad, indices, outputs, index, width, row0, row1);
}

}  // namespace tapedeck::kernels

#endif
