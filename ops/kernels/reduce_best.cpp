#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/reduce_best.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <limits>

#include <hwy/highway.h>

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
  template <class D>
  static HWY_INLINE hn::TFromD<D> OfLanes(D d, hn::Vec<D> v) {
    return hn::GetLane(hn::MinOfLanes(d, v));
  }
  template <typename T>
  HWY_INLINE T Scalar(T best, T x) const {
    return x < best || x != x ? x : best;
  }
};

template <class Choice, typename T>
T BestOf(const T* run, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Choice choose;
  std::int64_t i = HWY_MIN(n, lanes);
  auto b0 = i == lanes ? hn::LoadU(d, run) : LoadPartOr(d, run[0], run, n);
  if (n >= 8 * lanes) {
    auto b1 = b0, b2 = b0, b3 = b0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      b0 = choose(d, b0, hn::LoadU(d, run + i));
      b1 = choose(d, b1, hn::LoadU(d, run + i + lanes));
      b2 = choose(d, b2, hn::LoadU(d, run + i + 2 * lanes));
      b3 = choose(d, b3, hn::LoadU(d, run + i + 3 * lanes));
    }
    b0 = choose(d, choose(d, b0, b1), choose(d, b2, b3));
  }
  for (; i + lanes <= n; i += lanes) b0 = choose(d, b0, hn::LoadU(d, run + i));
  if (i < n) b0 = choose(d, b0, LoadPartOr(d, run[i], run + i, n - i));
  if (!hn::AllFalse(d, Nans(d, b0))) return std::numeric_limits<T>::quiet_NaN();
  return Choice::OfLanes(d, b0);
}

template <class Choice, typename T>
void BestRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n) {
  T* const results = static_cast<T*>(acc);
  for (std::int64_t c = 0; c < count; ++c)
    results[c] = Choice().Scalar(
        results[c],
        BestOf<Choice>(reinterpret_cast<const T*>(static_cast<const char*>(in) + c * stride), n));
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
    std::int64_t at = 0;
    for (; at + lanes <= n; at += lanes) {
      const auto v = hn::LoadU(d, row + at);
      if (!hn::AllFalse(d, nan ? Nans(d, v) : hn::Eq(v, wanted))) break;
    }
    while (nan ? row[at] == row[at] : row[at] != value) ++at;
    static_cast<T*>(best)[r] = row[at];
    index[r] = at;
  }
}

template <class Choice, typename T>
void BestRows(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Choice choose;
  T* const results = static_cast<T*>(acc);
  const char* const base = static_cast<const char*>(in);
  std::int64_t j = 0;
  for (; j + 4 * lanes <= n; j += 4 * lanes) {
    auto b0 = hn::LoadU(d, results + j), b1 = hn::LoadU(d, results + j + lanes);
    auto b2 = hn::LoadU(d, results + j + 2 * lanes), b3 = hn::LoadU(d, results + j + 3 * lanes);
    for (std::int64_t r = 0; r < count; ++r) {
      const T* const row = reinterpret_cast<const T*>(base + r * stride) + j;
      b0 = choose(d, b0, hn::LoadU(d, row));
      b1 = choose(d, b1, hn::LoadU(d, row + lanes));
      b2 = choose(d, b2, hn::LoadU(d, row + 2 * lanes));
      b3 = choose(d, b3, hn::LoadU(d, row + 3 * lanes));
    }
    hn::StoreU(b0, d, results + j);
    hn::StoreU(b1, d, results + j + lanes);
    hn::StoreU(b2, d, results + j + 2 * lanes);
    hn::StoreU(b3, d, results + j + 3 * lanes);
  }
  for (; j + lanes <= n; j += lanes) {
    auto best = hn::LoadU(d, results + j);
    for (std::int64_t r = 0; r < count; ++r)
      best = choose(d, best, hn::LoadU(d, reinterpret_cast<const T*>(base + r * stride) + j));
    hn::StoreU(best, d, results + j);
  }
  for (; j < n; ++j)
    for (std::int64_t r = 0; r < count; ++r)
      results[j] = choose.Scalar(results[j], reinterpret_cast<const T*>(base + r * stride)[j]);
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
