#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/reduce_best.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>
#include <limits>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/fold_lanes-inl.h>
#include <tapedeck/ops/kernels/reducer.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Where v is not a number.
template <class D, class V>
HWY_INLINE hn::Mask<D> Nans(D, V v) {
  if constexpr (hwy::IsFloat<hn::TFromD<D>>())
    return hn::IsNaN(v);
  else
    return hn::Ne(v, v);
}

struct Larger {
  template <class D, class V>
  HWY_INLINE V operator()(D, V best, V x) const {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>())
      return hn::IfThenElse(hn::Or(hn::Gt(x, best), hn::IsNaN(x)), x, best);
    else
      return hn::Max(x, best);
  }
  template <class V>
  static HWY_INLINE V Quick(V best, V x) {
    return hn::Max(best, x);
  }
  // Keeps a NaN that is the best so far; x is none.
  template <class V>
  static HWY_INLINE V Merged(V x, V best) {
    if constexpr (hwy::IsFloat<hn::TFromV<V>>())
      return MaxOrNaN(x, best);
    else
      return hn::Max(x, best);
  }
  template <class D>
  static HWY_INLINE hn::TFromD<D> OfLanes(D d, hn::Vec<D> v) {
    return hn::GetLane(hn::MaxOfLanes(d, v));
  }
  template <typename T>
  HWY_INLINE T Scalar(T best, T x) const {
    return x > best || x != x ? x : best;
  }
};
struct Smaller {
  template <class D, class V>
  HWY_INLINE V operator()(D, V best, V x) const {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>())
      return hn::IfThenElse(hn::Or(hn::Lt(x, best), hn::IsNaN(x)), x, best);
    else
      return hn::Min(x, best);
  }
  template <class V>
  static HWY_INLINE V Quick(V best, V x) {
    return hn::Min(best, x);
  }
  // Keeps a NaN that is the best so far; x is none.
  template <class V>
  static HWY_INLINE V Merged(V x, V best) {
    if constexpr (hwy::IsFloat<hn::TFromV<V>>())
      return MinOrNaN(x, best);
    else
      return hn::Min(x, best);
  }
  template <class D>
  static HWY_INLINE hn::TFromD<D> OfLanes(D d, hn::Vec<D> v) {
    return hn::GetLane(hn::MinOfLanes(d, v));
  }
  template <typename T>
  HWY_INLINE T Scalar(T best, T x) const {
    return x < best || x != x ? x : best;
  }
};

// The best vectors so far, with care for NaNs.
template <class Choice, class D>
struct Careful {
  hn::Vec<D> best;
  explicit Careful(hn::Vec<D> first) : best(first) {}
  HWY_INLINE void Take(D d, hn::Vec<D> x) { best = Choice()(d, best, x); }
  HWY_INLINE void Merge(D d, const Careful& other) { Take(d, other.best); }
  HWY_INLINE bool MayHaveLost(D) const { return false; }
};
// The same by an instruction that may lose a NaN, and a sum, which keeps it: where that is one, by
// infinities of both signs perhaps, the elements are gone through again with care.
template <class Choice, class D>
struct Quick {
  hn::Vec<D> best, sum;
  explicit Quick(hn::Vec<D> first) : best(first), sum(first) {}
  HWY_INLINE void Take(D, hn::Vec<D> x) {
    best = Choice::Quick(best, x);
    if constexpr (hwy::IsFloat<hn::TFromD<D>>()) sum = hn::Add(sum, x);
  }
  HWY_INLINE void Merge(D, const Quick& other) {
    best = Choice::Quick(best, other.best);
    if constexpr (hwy::IsFloat<hn::TFromD<D>>()) sum = hn::Add(sum, other.sum);
  }
  HWY_INLINE bool MayHaveLost(D d) const { return !hn::AllFalse(d, Nans(d, sum)); }
};

// The best of each lane over the vectors of a long run, the last of which overlaps the one before.
template <class State, class D, typename T>
HWY_INLINE bool BestOfLongRun(D d, const T* run, std::int64_t n, hn::Vec<D>& best) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto first = hn::LoadU(d, run);
  State b0(first), b1(first), b2(first), b3(first);
  std::int64_t i = lanes;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    b0.Take(d, hn::LoadU(d, run + i));
    b1.Take(d, hn::LoadU(d, run + i + lanes));
    b2.Take(d, hn::LoadU(d, run + i + 2 * lanes));
    b3.Take(d, hn::LoadU(d, run + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) b0.Take(d, hn::LoadU(d, run + i));
  b1.Take(d, hn::LoadU(d, run + n - lanes));
  b0.Merge(d, b1);
  b2.Merge(d, b3);
  b0.Merge(d, b2);
  best = b0.best;
  return !b0.MayHaveLost(d);
}

template <class Choice, typename T>
T BestOf(const T* run, std::int64_t n) {
  const hn::ScalableTag<T> d;
  using D = hn::ScalableTag<T>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto best = n < lanes ? LoadPartOr(d, run[0], run, n) : hn::LoadU(d, run);
  if (n > lanes) {
    if (BestOfLongRun<Quick<Choice, D>>(d, run, n, best)) return Choice::OfLanes(d, best);
    BestOfLongRun<Careful<Choice, D>>(d, run, n, best);
  }
  if (!hn::AllFalse(d, Nans(d, best))) return std::numeric_limits<T>::quiet_NaN();
  return Choice::OfLanes(d, best);
}

// The best of each lane over a run of few vectors, the last of which overlaps the one before.
template <class Choice, class D, typename T = hn::TFromD<D>>
HWY_INLINE Quick<Choice, D> BestOfFewVectors(D d, const T* run, std::int64_t n) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (n <= lanes)
    return Quick<Choice, D>(n < lanes ? LoadPartOr(d, run[0], run, n) : hn::LoadU(d, run));
  Quick<Choice, D> best(hn::LoadU(d, run));
  for (std::int64_t i = lanes; i < n - lanes; i += lanes) best.Take(d, hn::LoadU(d, run + i));
  best.Take(d, hn::LoadU(d, run + n - lanes));
  return best;
}

template <class Choice, typename T>
void BestRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n) {
  using D = hn::ScalableTag<T>;
  const D d;
  const std::int64_t few = 16 * static_cast<std::int64_t>(hn::Lanes(d));
  T* const results = static_cast<T*>(acc);
  const auto run = [=](std::int64_t r) HWY_ATTR {
    return reinterpret_cast<const T*>(static_cast<const char*>(in) + r * stride);
  };
  const auto one_by_one = [&](std::int64_t from, std::int64_t to) HWY_ATTR {
    for (std::int64_t r = from; r < to; ++r)
      results[r] = Choice().Scalar(results[r], BestOf<Choice>(run(r), n));
  };
  if (n > few) return one_by_one(0, count);
  auto sum = hn::Zero(d);
  FoldLanesOfRows(
      d, count, [](auto x, auto y) HWY_ATTR { return Choice::Quick(x, y); },
      [&](std::int64_t r) HWY_ATTR {
        const auto state = BestOfFewVectors<Choice>(d, run(r), n);
        sum = hn::Add(sum, state.sum);
        return state.best;
      },
      [&](std::int64_t r, const T* folds, std::int64_t rows) HWY_ATTR {
        if (HWY_LIKELY(hn::AllFalse(d, Nans(d, sum))))
          return MergeFolds([](auto x, auto best) HWY_ATTR { return Choice::Merged(x, best); },
                            folds, rows, results + r);
        sum = hn::Zero(d);
        one_by_one(r, r + rows);
      });
}

// The best elements of `count` gapless rows of n, one after the other, and the first places where
// they are; a NaN is the best.
template <class Choice, typename T>
void BestWithIndex(const void* in, void* best, std::int64_t* index, std::int64_t count,
                   std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < count; ++r) {
    const T* const row = static_cast<const T*>(in) + r * n;
    if (n < lanes) {
      const auto v = LoadPartOr(d, row[0], row, n);
      const auto nans = Nans(d, v);
      const auto at_best =
          hn::AllFalse(d, nans) ? hn::Eq(v, hn::Set(d, Choice::OfLanes(d, v))) : nans;
      index[r] = static_cast<std::int64_t>(hn::FindFirstTrue(d, at_best));
      static_cast<T*>(best)[r] = row[index[r]];
      continue;
    }
    const T value = BestOf<Choice>(row, n);
    const auto wanted = hn::Set(d, value);
    const bool nan = value != value;
    const auto place_in = [&](std::int64_t at) HWY_ATTR {
      const auto v = hn::LoadU(d, row + at);
      return static_cast<std::int64_t>(hn::FindFirstTrue(d, nan ? Nans(d, v) : hn::Eq(v, wanted)));
    };
    // Of two vectors both are looked at: which one it is in, a branch would have to guess.
    std::int64_t from = 0, place = place_in(0);
    if (n <= 2 * lanes) {
      const std::int64_t other = place_in(n - lanes);
      from = place < 0 ? n - lanes : 0;
      place = place < 0 ? other : place;
    }
    while (place < 0) {
      from = HWY_MIN(from + lanes, n - lanes);
      place = place_in(from);
    }
    const std::int64_t at = from + place;
    static_cast<T*>(best)[r] = row[at];
    index[r] = at;
  }
}

// Four vectors of columns over all rows.
template <class State, class D, typename T>
HWY_INLINE bool BestOfColumns(D d, const char* base, std::int64_t stride, std::int64_t count,
                              T* results) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  State b0(hn::LoadU(d, results)), b1(hn::LoadU(d, results + lanes));
  State b2(hn::LoadU(d, results + 2 * lanes)), b3(hn::LoadU(d, results + 3 * lanes));
  for (std::int64_t r = 0; r < count; ++r) {
    const T* const row = reinterpret_cast<const T*>(base + r * stride);
    b0.Take(d, hn::LoadU(d, row));
    b1.Take(d, hn::LoadU(d, row + lanes));
    b2.Take(d, hn::LoadU(d, row + 2 * lanes));
    b3.Take(d, hn::LoadU(d, row + 3 * lanes));
  }
  State all = b0;
  all.Merge(d, b1);
  all.Merge(d, b2);
  all.Merge(d, b3);
  if (all.MayHaveLost(d)) return false;
  hn::StoreU(b0.best, d, results);
  hn::StoreU(b1.best, d, results + lanes);
  hn::StoreU(b2.best, d, results + 2 * lanes);
  hn::StoreU(b3.best, d, results + 3 * lanes);
  return true;
}

// One vector of columns over all rows, of which load(r) gives row r; several do not wait for each
// other.
template <class State, class D, class Load>
HWY_INLINE bool BestOfVectors(D d, std::int64_t count, const Load& load, hn::Vec<D>& best) {
  State b0(best), b1(best), b2(best), b3(best);
  std::int64_t r = 0;
  for (; r + 4 <= count; r += 4) {
    b0.Take(d, load(r));
    b1.Take(d, load(r + 1));
    b2.Take(d, load(r + 2));
    b3.Take(d, load(r + 3));
  }
  for (; r < count; ++r) b0.Take(d, load(r));
  b0.Merge(d, b1);
  b2.Merge(d, b3);
  b0.Merge(d, b2);
  best = b0.best;
  return !b0.MayHaveLost(d);
}
template <class Choice, class D, class Load>
HWY_INLINE hn::Vec<D> BestOfRows(D d, std::int64_t count, const Load& load, hn::Vec<D> results) {
  auto best = results;
  if (BestOfVectors<Quick<Choice, D>>(d, count, load, best)) return best;
  best = results;
  BestOfVectors<Careful<Choice, D>>(d, count, load, best);
  return best;
}

template <class Choice, typename T>
void BestRows(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n) {
  const hn::ScalableTag<T> d;
  using D = hn::ScalableTag<T>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  T* const results = static_cast<T*>(acc);
  const char* const base = static_cast<const char*>(in);
  std::int64_t j = 0;
  for (; j + 4 * lanes <= n; j += 4 * lanes) {
    const char* const from = base + j * std::int64_t{sizeof(T)};
    if (!BestOfColumns<Quick<Choice, D>>(d, from, stride, count, results + j))
      BestOfColumns<Careful<Choice, D>>(d, from, stride, count, results + j);
  }
  const auto row = [=](std::int64_t r)
                       HWY_ATTR { return reinterpret_cast<const T*>(base + r * stride); };
  if (n < lanes) {
    const auto load = [=](std::int64_t r) HWY_ATTR { return LoadPart(d, row(r), n); };
    return StorePart(d, BestOfRows<Choice>(d, count, load, LoadPart(d, results, n)), results, n);
  }
  // The last vector overlaps the one before: what has been chosen may be chosen again.
  for (; j < n; j += lanes) {
    const std::int64_t at = std::min(j, n - lanes);
    const auto load = [=](std::int64_t r) HWY_ATTR { return hn::LoadU(d, row(r) + at); };
    hn::StoreU(BestOfRows<Choice>(d, count, load, hn::LoadU(d, results + at)), d, results + at);
  }
}

template <typename T>
SimdReducer FindFor(ReduceOp op) {
  if (op == ReduceOp::Max) return {BestRuns<Larger, T>, BestRows<Larger, T>};
  return {BestRuns<Smaller, T>, BestRows<Smaller, T>};
}

SimdReducer FindBest(ReduceOp op, ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Float:
      return FindFor<float>(op);
    case ScalarType::Double:
      return FindFor<double>(op);
    case ScalarType::Long:
      return FindFor<std::int64_t>(op);
    case ScalarType::Int:
      return FindFor<std::int32_t>(op);
    default:
      return {};
  }
}

BestRowsLoop FindBestRows(bool largest, ScalarType dtype) {
  if (dtype == ScalarType::Long)
    return largest ? BestWithIndex<Larger, std::int64_t> : BestWithIndex<Smaller, std::int64_t>;
  if (dtype == ScalarType::Float)
    return largest ? BestWithIndex<Larger, float> : BestWithIndex<Smaller, float>;
  return largest ? BestWithIndex<Larger, double> : BestWithIndex<Smaller, double>;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {
HWY_EXPORT(FindBest);
HWY_EXPORT(FindBestRows);
}  // namespace

SimdReducer find_simd_best(ReduceOp op, ScalarType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindBest)(op, dtype);
}

BestRowsLoop find_best_rows(bool largest, ScalarType dtype) {
  if (is_floating_point(dtype) || dtype == ScalarType::Long)
    return HWY_DYNAMIC_DISPATCH(FindBestRows)(largest, dtype);
  return nullptr;
}

}  // namespace tapedeck::kernels
#endif
