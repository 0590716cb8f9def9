#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/reduce_simd.cpp"
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

// Steps that are added up in the elements' own precision before the sum goes on in float64: what a
// long chain of equal addends would lose stays near one rounding.
constexpr std::int64_t kSteps = 16;
// Elements whose mean and deviations are taken together, while they are in the cache.
constexpr std::int64_t kMomentBlock = 4096;

// Terms of a sum.
struct Value {
  template <typename T>
  explicit Value(T) {}
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return x;
  }
};
struct Magnitude {
  template <typename T>
  explicit Magnitude(T) {}
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Abs(x);
  }
};
struct SquaredDeviation {
  explicit SquaredDeviation(double center) : center_(center) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V delta = hn::Sub(x, hn::Set(d, static_cast<hn::TFromD<D>>(center_)));
    return hn::Mul(delta, delta);
  }
  double center_;
};

// The sum of term(x) over a run.
template <class Term, typename T>
double SumRun(const Term& term, const T* in, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const hn::ScalableTag<double> d64;
  const hn::Rebind<T, decltype(d64)> part;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto wide_lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)] = {};
  auto total = hn::Zero(d64);
  const auto add_to_total = [&](hn::Vec<decltype(d)> v) HWY_ATTR {
    if constexpr (sizeof(T) == 8) {
      total = hn::Add(total, v);
    } else {
      hn::Store(v, d, buffer);
      for (std::int64_t k = 0; k < lanes; k += wide_lanes)
        total = hn::Add(total, hn::PromoteTo(d64, hn::LoadU(part, buffer + k)));
    }
  };

  std::int64_t i = 0;
  while (i + 4 * lanes <= n) {
    auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
    const std::int64_t end = HWY_MIN(i + 4 * lanes * kSteps, n - 4 * lanes + 1);
    for (; i < end; i += 4 * lanes) {
      s0 = hn::Add(s0, term(d, hn::LoadU(d, in + i)));
      s1 = hn::Add(s1, term(d, hn::LoadU(d, in + i + lanes)));
      s2 = hn::Add(s2, term(d, hn::LoadU(d, in + i + 2 * lanes)));
      s3 = hn::Add(s3, term(d, hn::LoadU(d, in + i + 3 * lanes)));
    }
    add_to_total(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
  }
  if (i + lanes <= n) {
    auto s = hn::Zero(d);
    for (; i + lanes <= n; i += lanes) s = hn::Add(s, term(d, hn::LoadU(d, in + i)));
    add_to_total(s);
  }
  if (i < n)
    add_to_total(hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n - i)),
                                    term(d, LoadPart(d, in + i, n - i))));
  return hn::GetLane(hn::SumOfLanes(d64, total));
}

template <class Term, typename T>
void SumRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n) {
  const Term term(0.0);
  for (std::int64_t c = 0; c < count; ++c)
    static_cast<double*>(acc)[c] +=
        SumRun(term, reinterpret_cast<const T*>(static_cast<const char*>(in) + c * stride), n);
}

// sums[k] += v[k]
template <typename T>
HWY_INLINE void AddTo(double* sums, const T* v, std::int64_t n) {
  const hn::ScalableTag<double> d64;
  const hn::Rebind<T, decltype(d64)> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  for (std::int64_t k = 0; k + lanes <= n; k += lanes) {
    if constexpr (sizeof(T) == 8)
      hn::StoreU(hn::Add(hn::LoadU(d64, sums + k), hn::LoadU(d, v + k)), d64, sums + k);
    else
      hn::StoreU(hn::Add(hn::LoadU(d64, sums + k), hn::PromoteTo(d64, hn::LoadU(d, v + k))), d64,
                 sums + k);
  }
}

template <class Term, typename T>
void SumRows(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  double* const sums = static_cast<double*>(acc);
  const Term term(0.0);
  HWY_ALIGN T buffer[4 * HWY_MAX_BYTES / sizeof(T)];
  for (std::int64_t first = 0; first < count; first += kSteps) {
    const std::int64_t rows = HWY_MIN(kSteps, count - first);
    const char* const base = static_cast<const char*>(in) + first * stride;
    std::int64_t j = 0;
    for (; j + 4 * lanes <= n; j += 4 * lanes) {
      auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
      for (std::int64_t r = 0; r < rows; ++r) {
        const T* const row = reinterpret_cast<const T*>(base + r * stride) + j;
        s0 = hn::Add(s0, term(d, hn::LoadU(d, row)));
        s1 = hn::Add(s1, term(d, hn::LoadU(d, row + lanes)));
        s2 = hn::Add(s2, term(d, hn::LoadU(d, row + 2 * lanes)));
        s3 = hn::Add(s3, term(d, hn::LoadU(d, row + 3 * lanes)));
      }
      hn::Store(s0, d, buffer);
      hn::Store(s1, d, buffer + lanes);
      hn::Store(s2, d, buffer + 2 * lanes);
      hn::Store(s3, d, buffer + 3 * lanes);
      AddTo(sums + j, buffer, 4 * lanes);
    }
    for (; j + lanes <= n; j += lanes) {
      auto s = hn::Zero(d);
      for (std::int64_t r = 0; r < rows; ++r)
        s = hn::Add(s, term(d, hn::LoadU(d, reinterpret_cast<const T*>(base + r * stride) + j)));
      hn::Store(s, d, buffer);
      AddTo(sums + j, buffer, lanes);
    }
    const hn::CappedTag<T, 1> one;
    for (; j < n; ++j) {
      auto s = hn::Zero(one);
      for (std::int64_t r = 0; r < rows; ++r)
        s = hn::Add(s,
                    term(one, hn::LoadU(one, reinterpret_cast<const T*>(base + r * stride) + j)));
      sums[j] += static_cast<double>(hn::GetLane(s));
    }
  }
}

// What a vector of floats holds goes on in float64, as the product may leave float32's range on its
// way.
template <typename T>
double ProductOfRun(const T* in, std::int64_t n) {
  const hn::ScalableTag<double> d64;
  const hn::Rebind<T, decltype(d64)> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  const auto load = [&](const T* at) HWY_ATTR {
    if constexpr (sizeof(T) == 8)
      return hn::LoadU(d, at);
    else
      return hn::PromoteTo(d64, hn::LoadU(d, at));
  };
  auto p0 = hn::Set(d64, 1.0), p1 = p0, p2 = p0, p3 = p0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    p0 = hn::Mul(p0, load(in + i));
    p1 = hn::Mul(p1, load(in + i + lanes));
    p2 = hn::Mul(p2, load(in + i + 2 * lanes));
    p3 = hn::Mul(p3, load(in + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) p0 = hn::Mul(p0, load(in + i));
  HWY_ALIGN double of_lanes[HWY_MAX_BYTES / sizeof(double)];
  hn::Store(hn::Mul(hn::Mul(p0, p1), hn::Mul(p2, p3)), d64, of_lanes);
  double product = 1;
  for (; i < n; ++i) product *= static_cast<double>(in[i]);
  for (std::int64_t k = 0; k < lanes; ++k) product *= of_lanes[k];
  return product;
}

template <typename T>
void ProductRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  for (std::int64_t c = 0; c < count; ++c)
    static_cast<double*>(acc)[c] *=
        ProductOfRun(reinterpret_cast<const T*>(static_cast<const char*>(in) + c * stride), n);
}

template <typename T>
void ProductRows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  const hn::ScalableTag<double> d64;
  const hn::Rebind<T, decltype(d64)> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  double* const products = static_cast<double*>(acc);
  const char* const base = static_cast<const char*>(in);
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    auto product = hn::LoadU(d64, products + j);
    for (std::int64_t r = 0; r < count; ++r) {
      const T* const at = reinterpret_cast<const T*>(base + r * stride) + j;
      if constexpr (sizeof(T) == 8)
        product = hn::Mul(product, hn::LoadU(d, at));
      else
        product = hn::Mul(product, hn::PromoteTo(d64, hn::LoadU(d, at)));
    }
    hn::StoreU(product, d64, products + j);
  }
  for (; j < n; ++j)
    for (std::int64_t r = 0; r < count; ++r)
      products[j] *= static_cast<double>(reinterpret_cast<const T*>(base + r * stride)[j]);
}

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

// Sums of int64 by wrapping.
void IntegerSumRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                    std::int64_t n) {
  const hn::ScalableTag<std::int64_t> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t c = 0; c < count; ++c) {
    const auto* const run =
        reinterpret_cast<const std::int64_t*>(static_cast<const char*>(in) + c * stride);
    auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
    std::int64_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      s0 = hn::Add(s0, hn::LoadU(d, run + i));
      s1 = hn::Add(s1, hn::LoadU(d, run + i + lanes));
      s2 = hn::Add(s2, hn::LoadU(d, run + i + 2 * lanes));
      s3 = hn::Add(s3, hn::LoadU(d, run + i + 3 * lanes));
    }
    for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, hn::LoadU(d, run + i));
    if (i < n) s1 = hn::Add(s1, LoadPart(d, run + i, n - i));
    s0 = hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
    const hn::CappedTag<std::int64_t, 1> one;
    auto* const sum = static_cast<std::int64_t*>(acc) + c;
    hn::StoreU(hn::Add(hn::LoadU(one, sum), hn::Set(one, hn::GetLane(s0))), one, sum);
  }
}

void IntegerSumRows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                    std::int64_t n) {
  const hn::ScalableTag<std::int64_t> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto* const sums = static_cast<std::int64_t*>(acc);
  const auto add = [&](auto tag, std::int64_t j) HWY_ATTR {
    auto sum = hn::LoadU(tag, sums + j);
    for (std::int64_t r = 0; r < count; ++r)
      sum = hn::Add(sum, hn::LoadU(tag, reinterpret_cast<const std::int64_t*>(
                                            static_cast<const char*>(in) + r * stride) +
                                            j));
    hn::StoreU(sum, tag, sums + j);
  };
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) add(d, j);
  for (; j < n; ++j) add(hn::CappedTag<std::int64_t, 1>(), j);
}

// Each block's mean and squared deviations are taken from the elements themselves while they are in
// the cache, and blocks are merged: no difference of large squares.
template <typename T>
void MomentRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                std::int64_t n) {
  Moments* const moments = static_cast<Moments*>(acc);
  for (std::int64_t c = 0; c < count; ++c) {
    const T* const run = reinterpret_cast<const T*>(static_cast<const char*>(in) + c * stride);
    for (std::int64_t i = 0; i < n; i += kMomentBlock) {
      const std::int64_t size = HWY_MIN(kMomentBlock, n - i);
      const double sum = SumRun(Value(0.0), run + i, size);
      // The deviations are taken from a T near the mean; what that misses is put right.
      const double mean = sum / static_cast<double>(size);
      const double center = static_cast<double>(static_cast<T>(mean));
      const double about = SumRun(SquaredDeviation(center), run + i, size);
      const double off = mean - center;
      moments[c].merge({static_cast<double>(size), mean,
                        HWY_MAX(0.0, about - static_cast<double>(size) * off * off)});
      if (about != about) moments[c].m2 = about;
    }
  }
}

template <typename T>
void MomentRows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                std::int64_t n) {
  Moments* const moments = static_cast<Moments*>(acc);
  for (std::int64_t r = 0; r < count; ++r) {
    const T* const row = reinterpret_cast<const T*>(static_cast<const char*>(in) + r * stride);
    for (std::int64_t j = 0; j < n; ++j) {
      Moments& m = moments[j];
      m.count += 1;
      const double delta = static_cast<double>(row[j]) - m.mean;
      m.mean += delta / m.count;
      m.m2 += delta * (static_cast<double>(row[j]) - m.mean);
    }
  }
}

template <typename T>
SimdReducer FindFor(ReduceOp op) {
  switch (op) {
    case ReduceOp::Sum:
    case ReduceOp::Mean:
      return {SumRuns<Value, T>, SumRows<Value, T>};
    case ReduceOp::Prod:
      return {ProductRuns<T>, ProductRows<T>};
    case ReduceOp::Norm1:
      return {SumRuns<Magnitude, T>, SumRows<Magnitude, T>};
    case ReduceOp::Norm2:
      return {SumRuns<SquaredDeviation, T>, SumRows<SquaredDeviation, T>};
    case ReduceOp::Max:
      return {BestRuns<Larger, T>, BestRows<Larger, T>};
    case ReduceOp::Min:
      return {BestRuns<Smaller, T>, BestRows<Smaller, T>};
    default:
      return {};
  }
}

template <typename T>
SimdReducer FindIntegral(ReduceOp op) {
  switch (op) {
    case ReduceOp::Sum:
      if constexpr (sizeof(T) == 8) return {IntegerSumRuns, IntegerSumRows};
      return {};
    case ReduceOp::Max:
      return {BestRuns<Larger, T>, BestRows<Larger, T>};
    case ReduceOp::Min:
      return {BestRuns<Smaller, T>, BestRows<Smaller, T>};
    default:
      return {};
  }
}

SimdReducer Find(ReduceOp op, ScalarType dtype) {
  if (dtype == ScalarType::Long) return FindIntegral<std::int64_t>(op);
  if (dtype == ScalarType::Int) return FindIntegral<std::int32_t>(op);
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}
SimdReducer FindMoments(ScalarType dtype) {
  if (dtype == ScalarType::Float) return {MomentRuns<float>, MomentRows<float>};
  return {MomentRuns<double>, MomentRows<double>};
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
HWY_EXPORT(Find);
HWY_EXPORT(FindMoments);
HWY_EXPORT(FindBestRows);
}  // namespace

SimdReducer find_simd_reducer(ReduceOp op, ScalarType dtype) {
  if (is_floating_point(dtype) || dtype == ScalarType::Long || dtype == ScalarType::Int)
    return HWY_DYNAMIC_DISPATCH(Find)(op, dtype);
  return {};
}
SimdReducer find_simd_moments(ScalarType dtype) { return HWY_DYNAMIC_DISPATCH(FindMoments)(dtype); }

BestRowsLoop find_best_rows(bool largest, ScalarType dtype) {
  if (is_floating_point(dtype) || dtype == ScalarType::Long)
    return HWY_DYNAMIC_DISPATCH(FindBestRows)(largest, dtype);
  return nullptr;
}

}  // namespace tapedeck::kernels
#endif
