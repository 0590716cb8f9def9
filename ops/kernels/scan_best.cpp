#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/scan_best.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/scan_loops.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Of as many columns as there are lanes.
template <bool largest, class D, typename T = hn::TFromD<D>>
HWY_INLINE void BestOfLanes(D d, const T* from, T* to, std::int64_t* index, std::int64_t n,
                            std::int64_t step) {
  const hn::RebindToSigned<D> places;
  using Place = hn::TFromD<decltype(places)>;
  const hn::Rebind<std::int64_t, D> wide;
  auto best = hn::LoadU(d, from);
  auto place = hn::Zero(places);
  for (std::int64_t i = 0; i < n; ++i, from += step, to += step, index += step) {
    const auto x = hn::LoadU(d, from);
    const auto reaches = largest ? hn::Ge(x, best) : hn::Le(x, best);
    const auto takes_over = hn::Or(reaches, hn::IsNaN(x));
    best = hn::IfThenElse(takes_over, x, best);
    place = hn::IfThenElse(hn::RebindMask(places, takes_over),
                           hn::Set(places, static_cast<Place>(i)), place);
    hn::StoreU(best, d, to);
    if constexpr (sizeof(T) == 8)
      hn::StoreU(place, places, index);
    else
      hn::StoreU(hn::PromoteTo(wide, place), wide, index);
  }
}
template <bool largest, std::int64_t lanes, typename T>
void BestOfColumns(const T* from, T* to, std::int64_t* index, std::int64_t n, std::int64_t step,
                   std::int64_t columns) {
  const hn::CappedTag<T, lanes> d;
  for (; columns >= lanes; columns -= lanes, from += lanes, to += lanes, index += lanes)
    BestOfLanes<largest>(d, from, to, index, n, step);
  if constexpr (lanes > 1) BestOfColumns<largest, lanes / 2>(from, to, index, n, step, columns);
}
template <bool largest, typename T>
void FewColumns(const void* from, void* to, std::int64_t* index, std::int64_t n, std::int64_t step,
                std::int64_t columns) {
  constexpr std::int64_t kMost = hn::MaxLanes(hn::ScalableTag<std::int64_t>());
  BestOfColumns<largest, kMost>(static_cast<const T*>(from), static_cast<T*>(to), index, n, step,
                                columns);
}

BestOfColumnsLoop FindColumns(bool largest, ScalarType dtype) {
  if (dtype == ScalarType::Float)
    return largest ? FewColumns<true, float> : FewColumns<false, float>;
  return largest ? FewColumns<true, double> : FewColumns<false, double>;
}

#if HWY_TARGET != HWY_SCALAR
// Of two that are equal, zeros of both signs for example, the instructions return the second.
template <bool largest, class V>
HWY_INLINE V BestOfTwo(V earlier, V later) {
  return largest ? hn::Max(earlier, later) : hn::Min(earlier, later);
}

// NaNs go one by one, and so do elements that fill no vector.
template <bool largest, typename T>
HWY_INLINE void ElementsSoFar(const T* from, T* to, std::int64_t* index, std::int64_t i,
                              std::int64_t end, T& best, std::int64_t& place) {
  for (; i < end; ++i) {
    const T x = from[i];
    if ((best == best && (largest ? x >= best : x <= best)) || x != x) {
      best = x;
      place = i;
    }
    to[i] = best;
    index[i] = place;
  }
}

template <bool largest, typename T>
class BestSoFar {
  using D = hn::ScalableTag<T>;
  using Places = hn::RebindToSigned<D>;
  using Place = hn::TFromD<Places>;
  using V = hn::Vec<D>;
  using P = hn::Vec<Places>;
  static constexpr std::int64_t kLanes = hn::MaxLanes(D());
  static constexpr int kSteps = kLanes == 16 ? 4 : kLanes == 8 ? 3 : kLanes == 4 ? 2 : 1;
  // Vectors of which mostly none is better than what was before them.
  static constexpr std::int64_t kTogether = 4;
  // Of fewer elements at the end of a row each is looked at.
  static constexpr std::int64_t kWorthAVector = HWY_MIN(kLanes, 9);

  // For each lane of T, or of its places, another one.
  template <class Tag>
  using Lanes = decltype(hn::SetTableIndices(Tag(), static_cast<const Place*>(nullptr)));
  template <class Tag>
  struct Moves {
    Lanes<Tag> before[kSteps], last;  // the lane one, two, four ... before each, or the first
    Moves() : last(Of([](std::int64_t) { return kLanes - 1; })) {
      for (int step = 0; step < kSteps; ++step)
        before[step] = Of([=](std::int64_t k) { return HWY_MAX(0, k - (1 << step)); });
    }
    template <class F>
    static HWY_INLINE Lanes<Tag> Of(F lane_for) {
      HWY_ALIGN Place lanes[kLanes];
      for (std::int64_t k = 0; k < kLanes; ++k) lanes[k] = static_cast<Place>(lane_for(k));
      return hn::SetTableIndices(Tag(), lanes);
    }
  };

 public:
  static void Rows(const T* from, T* to, std::int64_t* index, std::int64_t n, std::int64_t rows) {
    const D d;
    const Places places;
    const Moves<D> moves;
    const Moves<Places> place_moves;
    for (; rows > 0; --rows, from += n, to += n, index += n) {
      V best = hn::Set(d, from[0]);
      P place = hn::Zero(places);
      std::int64_t i = 0;
      for (; i + kTogether * kLanes <= n; i += kTogether * kLanes)
        if (!Keep(from + i, to + i, index + i, best, place))
          Vectors<kTogether>(moves, place_moves, from, to, index, i, kTogether * kLanes, best,
                             place);
      for (; i < n && n - i >= kWorthAVector; i += kLanes)
        Vectors<1>(moves, place_moves, from, to, index, i, HWY_MIN(kLanes, n - i), best, place);
      if (i >= n) continue;
      T best_element = hn::GetLane(best);
      std::int64_t place_element = hn::GetLane(place);
      ElementsSoFar<largest>(from, to, index, i, n, best_element, place_element);
    }
  }

 private:
  // Writes the best so far to kTogether vectors, if they have nothing better.
  static HWY_INLINE bool Keep(const T* from, T* to, std::int64_t* index, V best, P place) {
    const D d;
    const auto is_worse = [&](std::int64_t k) HWY_ATTR {
      const V x = hn::LoadU(d, from + k * kLanes);
      return largest ? hn::Lt(x, best) : hn::Gt(x, best);
    };
    auto all = is_worse(0);
    for (std::int64_t k = 1; k < kTogether; ++k) all = hn::And(all, is_worse(k));
    if (!hn::AllTrue(d, all)) return false;
    for (std::int64_t k = 0; k < kTogether; ++k) {
      hn::StoreU(best, d, to + k * kLanes);
      StorePlaces(place, index + k * kLanes, kLanes);
    }
    return true;
  }

  // `count` vectors from element i on, the last of which may be a part of one: of each lane and
  // those before it the best, in as many steps as the lanes double; then where it is. Lanes behind
  // the part change nothing before them.
  template <std::int64_t count>
  static HWY_INLINE void Vectors(const Moves<D>& moves, const Moves<Places>& place_moves,
                                 const T* from, T* to, std::int64_t* index, std::int64_t i,
                                 std::int64_t elements, V& best, P& place) {
    const D d;
    const Places places;
    const auto left = [=](std::int64_t k) { return elements - k * kLanes; };
    auto nans = hn::IsNaN(best);
    for (std::int64_t k = 0; k < count; ++k)
      nans = hn::Or(nans, hn::IsNaN(LoadUpTo(d, from + i + k * kLanes, left(k))));
    if (HWY_UNLIKELY(!hn::AllFalse(d, nans))) {
      T best_element = hn::GetLane(best);
      std::int64_t place_element = hn::GetLane(place);
      ElementsSoFar<largest>(from, to, index, i, i + elements, best_element, place_element);
      best = hn::Set(d, best_element);
      place = hn::Set(places, static_cast<Place>(place_element));
      return;
    }
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t at = i + k * kLanes;
      const V x = LoadUpTo(d, from + at, left(k));
      V y = x;
      for (int step = 0; step < kSteps; ++step)
        y = BestOfTwo<largest>(hn::TableLookupLanes(y, moves.before[step]), y);
      y = BestOfTwo<largest>(best, y);
      const auto is_best = hn::RebindMask(places, hn::Eq(x, y));
      P where = hn::IfThenElseZero(is_best, hn::Iota(places, static_cast<Place>(at)));
      for (int step = 0; step < kSteps; ++step)
        where = hn::Max(where, hn::TableLookupLanes(where, place_moves.before[step]));
      where = hn::Max(where, place);
      StoreUpTo(d, y, to + at, left(k));
      StorePlaces(where, index + at, left(k));
      best = hn::TableLookupLanes(y, moves.last);
      place = hn::TableLookupLanes(where, place_moves.last);
    }
  }

  // The first n > 0 of them.
  static HWY_INLINE void StorePlaces(P where, std::int64_t* index, std::int64_t n) {
    const Places places;
    if constexpr (sizeof(T) == 8) {
      StoreUpTo(places, where, index, n);
    } else {
      constexpr std::int64_t kHalf = kLanes / 2;
      const hn::Repartition<std::int64_t, Places> wide;
      const hn::Half<Places> half;
      StoreUpTo(wide, hn::PromoteTo(wide, hn::LowerHalf(half, where)), index, n);
      if (n > kHalf)
        StoreUpTo(wide, hn::PromoteTo(wide, hn::UpperHalf(half, where)), index + kHalf, n - kHalf);
    }
  }
};

template <bool largest, typename T>
void BestSoFarRows(const void* from, void* to, std::int64_t* index, std::int64_t n,
                   std::int64_t rows) {
  BestSoFar<largest, T>::Rows(static_cast<const T*>(from), static_cast<T*>(to), index, n, rows);
}

BestSoFarLoop Find(bool largest, ScalarType dtype) {
  if (dtype == ScalarType::Float)
    return largest ? BestSoFarRows<true, float> : BestSoFarRows<false, float>;
  return largest ? BestSoFarRows<true, double> : BestSoFarRows<false, double>;
}
#else
BestSoFarLoop Find(bool, ScalarType) { return nullptr; }
#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {
HWY_EXPORT(Find);
HWY_EXPORT(FindColumns);
}  // namespace

BestSoFarLoop find_best_so_far(bool largest, ScalarType dtype) {
  return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(Find)(largest, dtype) : nullptr;
}
BestOfColumnsLoop find_best_of_columns(bool largest, ScalarType dtype) {
  return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(FindColumns)(largest, dtype) : nullptr;
}

}  // namespace tapedeck::kernels
#endif
