#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/best_columns.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/reducer.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Whether x takes the place of the best so far: the first NaN stays.
template <bool largest, class D, class V>
HWY_INLINE hn::Mask<D> Beats(D /*d*/, V x, V best) {
  const auto beyond = largest ? hn::Gt(x, best) : hn::Lt(x, best);
  if constexpr (hwy::IsFloat<hn::TFromD<D>>())
    return hn::AndNot(hn::IsNaN(best), hn::Or(beyond, hn::IsNaN(x)));
  else
    return beyond;
}

template <bool largest, typename T>
void BestOfColumns(const void* in, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                   void* best, std::int64_t* index) {
  const hn::ScalableTag<T> d;
  // Places are counted in integers of the elements' size, so that one mask serves both.
  const hn::RebindToSigned<decltype(d)> di;
  using Place = hn::TFromD<decltype(di)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T* const first = static_cast<const T*>(in);
  HWY_ALIGN Place places[2 * HWY_MAX_BYTES / sizeof(T)];
  const auto put_places = [&](std::int64_t j, std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k) index[j + k] = places[k];
  };
  std::int64_t j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) {
    const T* row = first + j;
    auto b0 = hn::LoadU(d, row), b1 = hn::LoadU(d, row + lanes);
    auto at0 = hn::Zero(di), at1 = at0;
    for (std::int64_t r = 1; r < rows; ++r) {
      row += stride;
      const auto x0 = hn::LoadU(d, row), x1 = hn::LoadU(d, row + lanes);
      const auto here = hn::Set(di, static_cast<Place>(r));
      const auto m0 = Beats<largest>(d, x0, b0), m1 = Beats<largest>(d, x1, b1);
      b0 = hn::IfThenElse(m0, x0, b0);
      b1 = hn::IfThenElse(m1, x1, b1);
      at0 = hn::IfThenElse(hn::RebindMask(di, m0), here, at0);
      at1 = hn::IfThenElse(hn::RebindMask(di, m1), here, at1);
    }
    hn::StoreU(b0, d, static_cast<T*>(best) + j);
    hn::StoreU(b1, d, static_cast<T*>(best) + j + lanes);
    hn::Store(at0, di, places);
    hn::Store(at1, di, places + lanes);
    put_places(j, 2 * lanes);
  }
  for (; j < columns; j += lanes) {
    const std::int64_t n = HWY_MIN(lanes, columns - j);
    const T* const row = first + j;
    auto b = LoadPart(d, row, n);
    auto at = hn::Zero(di);
    const auto take = [&](auto& best_so_far, auto& place, auto x, auto x_place) HWY_ATTR {
      const auto m = Beats<largest>(d, x, best_so_far);
      best_so_far = hn::IfThenElse(m, x, best_so_far);
      place = hn::IfThenElse(hn::RebindMask(di, m), x_place, place);
    };
    // Four parts of the rows side by side, whose steps do not wait for each other.
    const std::int64_t part = rows / 4;
    std::int64_t r = 1;
    if (part > 1) {
      const auto start = [&](std::int64_t k)
                             HWY_ATTR { return LoadPart(d, row + k * part * stride, n); };
      auto b1 = start(1), b2 = start(2), b3 = start(3);
      auto at1 = hn::Set(di, static_cast<Place>(part));
      auto at2 = hn::Set(di, static_cast<Place>(2 * part));
      auto at3 = hn::Set(di, static_cast<Place>(3 * part));
      for (; r < part; ++r) {
        const auto here = hn::Set(di, static_cast<Place>(r));
        const T* const x = row + r * stride;
        take(b, at, LoadPart(d, x, n), here);
        take(b1, at1, LoadPart(d, x + part * stride, n),
             hn::Add(here, hn::Set(di, static_cast<Place>(part))));
        take(b2, at2, LoadPart(d, x + 2 * part * stride, n),
             hn::Add(here, hn::Set(di, static_cast<Place>(2 * part))));
        take(b3, at3, LoadPart(d, x + 3 * part * stride, n),
             hn::Add(here, hn::Set(di, static_cast<Place>(3 * part))));
      }
      take(b, at, b1, at1);
      take(b, at, b2, at2);
      take(b, at, b3, at3);
      r = 4 * part;
    }
    for (; r < rows; ++r)
      take(b, at, LoadPart(d, row + r * stride, n), hn::Set(di, static_cast<Place>(r)));
    StorePart(d, b, static_cast<T*>(best) + j, n);
    hn::Store(at, di, places);
    put_places(j, n);
  }
}

template <typename T>
BestColumnsLoop FindFor(bool largest) {
  return largest ? BestOfColumns<true, T> : BestOfColumns<false, T>;
}

BestColumnsLoop FindBestColumns(bool largest, ScalarType dtype) {
  if (dtype == ScalarType::Float) return FindFor<float>(largest);
  return dtype == ScalarType::Double ? FindFor<double>(largest) : FindFor<std::int64_t>(largest);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {
HWY_EXPORT(FindBestColumns);
}

BestColumnsLoop find_best_columns(bool largest, ScalarType dtype) {
  if (is_floating_point(dtype) || dtype == ScalarType::Long)
    return HWY_DYNAMIC_DISPATCH(FindBestColumns)(largest, dtype);
  return nullptr;
}

}  // namespace tapedeck::kernels
#endif
