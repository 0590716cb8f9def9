#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/reduce_sums.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/fold_lanes-inl.h>
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

// In lanes: the sum of term(x) over so few elements that it stays in their own precision.
template <class Term, class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> SumOfSteps(D d, const Term& term, const T* in, std::int64_t n) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, term(d, hn::LoadU(d, in + i)));
    s1 = hn::Add(s1, term(d, hn::LoadU(d, in + i + lanes)));
    s2 = hn::Add(s2, term(d, hn::LoadU(d, in + i + 2 * lanes)));
    s3 = hn::Add(s3, term(d, hn::LoadU(d, in + i + 3 * lanes)));
  }
  auto sum = hn::Add(hn::Add(s0, s1), hn::Add(s2, s3));
  for (; i + lanes <= n; i += lanes) sum = hn::Add(sum, term(d, hn::LoadU(d, in + i)));
  // A whole vector that ends where the run does, without what has been added, costs less than a
  // part of one.
  if (i < n && n >= lanes)
    sum = hn::Add(sum, hn::IfThenZeroElse(hn::FirstN(d, static_cast<std::size_t>(lanes - (n - i))),
                                          term(d, hn::LoadU(d, in + n - lanes))));
  else if (i < n)
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n)),
                                          term(d, LoadPart(d, in, n))));
  return sum;
}

// Pairs of lanes in float64.
template <class D>
HWY_INLINE hn::Vec<D64> WideSum([[maybe_unused]] D d, hn::Vec<D> sum) {
  const D64 d64;
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    return sum;
  } else {
#if HWY_TARGET == HWY_SCALAR
    return hn::PromoteTo(d64, sum);
#else
    const hn::Half<D> half;
    return hn::Add(hn::PromoteTo(d64, hn::LowerHalf(half, sum)),
                   hn::PromoteTo(d64, hn::UpperHalf(half, sum)));
#endif
  }
}

// In lanes: the sum of term(x) over a run. The last steps take what would not fill others.
template <class Term, typename T>
HWY_INLINE hn::Vec<D64> SumOfRun(const Term& term, const T* in, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const std::int64_t most = 4 * static_cast<std::int64_t>(hn::Lanes(d)) * kSteps;
  auto total = hn::Zero(D64());
  for (; n >= most + most / kSteps; n -= most, in += most)
    total = hn::Add(total, WideSum(d, SumOfSteps(d, term, in, most)));
  return hn::Add(total, WideSum(d, SumOfSteps(d, term, in, n)));
}

template <class Term, typename T>
double SumRun(const Term& term, const T* in, std::int64_t n) {
  return hn::GetLane(hn::SumOfLanes(D64(), SumOfRun(term, in, n)));
}

template <class Term, typename T>
void SumRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n) {
  const Term term(0.0);
  auto* const sums = static_cast<double*>(acc);
  const auto add = [](auto x, auto y) HWY_ATTR { return hn::Add(x, y); };
  FoldLanesOfRows(
      D64(), count, add,
      [&](std::int64_t r) HWY_ATTR {
        return SumOfRun(term, reinterpret_cast<const T*>(static_cast<const char*>(in) + r * stride),
                        n);
      },
      [&](std::int64_t r, const double* folds, std::int64_t rows)
          HWY_ATTR { MergeFolds(add, folds, rows, sums + r); });
}

// sums[k] += v[k]
template <typename T>
HWY_INLINE void AddTo(double* sums, const T* v, std::int64_t n) {
  const D64 d64;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  for (std::int64_t k = 0; k + lanes <= n; k += lanes)
    hn::StoreU(hn::Add(hn::LoadU(d64, sums + k), Wide(v + k)), d64, sums + k);
}

// In vectors: term() over so few rows that their sum stays in the elements' own precision, of
// `many` vectors of columns side by side.
template <int many, class Term, class D, typename T = hn::TFromD<D>>
HWY_INLINE void SumColumns(D d, const Term& term, const char* base, std::int64_t stride,
                           std::int64_t rows, T* to) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sums[many];
  HWY_UNROLL(4)
  for (int k = 0; k < many; ++k) sums[k] = hn::Zero(d);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* const row = reinterpret_cast<const T*>(base + r * stride);
    HWY_UNROLL(4)
    for (int k = 0; k < many; ++k)
      sums[k] = hn::Add(sums[k], term(d, hn::LoadU(d, row + k * lanes)));
  }
  HWY_UNROLL(4)
  for (int k = 0; k < many; ++k) hn::StoreU(sums[k], d, to + k * lanes);
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
    const auto from = [=](std::int64_t j) { return base + j * std::int64_t{sizeof(T)}; };
    std::int64_t j = 0;
    for (; j + 4 * lanes <= n; j += 4 * lanes) {
      SumColumns<4>(d, term, from(j), stride, rows, buffer);
      AddTo(sums + j, buffer, 4 * lanes);
    }
    for (; j + lanes <= n; j += lanes) {
      SumColumns<1>(d, term, from(j), stride, rows, buffer);
      AddTo(sums + j, buffer, lanes);
    }
    if (j == n) continue;
    // The last columns by a vector that overlaps the one before, of whose sums they are the end.
    if (n >= lanes) {
      SumColumns<1>(d, term, from(n - lanes), stride, rows, buffer);
      for (std::int64_t k = lanes - (n - j); k < lanes; ++k, ++j)
        sums[j] += static_cast<double>(buffer[k]);
      continue;
    }
    for (; j < n; ++j) {
      SumColumns<1>(hn::CappedTag<T, 1>(), term, from(j), stride, rows, buffer);
      sums[j] += static_cast<double>(buffer[0]);
    }
  }
}

// The sums or means over so few rows that they are added up in the elements' own precision: the
// bits that SumRows() and a rounding to T give.
template <bool mean, typename T>
void SumFewRows(void* out, const void* in, std::int64_t stride, std::int64_t count,
                std::int64_t n) {
  const char* const base = static_cast<const char*>(in);
  T* const sums = static_cast<T*>(out);
  const auto add = [&](auto d, std::int64_t j) HWY_ATTR {
    const auto from = [&](std::int64_t r) HWY_ATTR {
      return hn::LoadU(d, reinterpret_cast<const T*>(base + r * stride) + j);
    };
    auto sum = hn::Zero(d);
    for (std::int64_t r = 0; r < count; ++r) sum = hn::Add(sum, from(r));
    if constexpr (mean) sum = hn::Div(sum, hn::Set(d, static_cast<T>(count)));
    hn::StoreU(sum, d, sums + j);
  };
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) add(d, j);
  for (; j < n; ++j) add(hn::CappedTag<T, 1>(), j);
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

// Eight rows at a time: the accumulators stay in the cache, and rows are read in order.
void IntegerSumRows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                    std::int64_t n) {
  constexpr std::int64_t kRows = 8;
  const hn::ScalableTag<std::int64_t> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto* const sums = static_cast<std::int64_t*>(acc);
  for (std::int64_t first = 0; first < count; first += kRows) {
    const std::int64_t rows = HWY_MIN(kRows, count - first);
    const char* const base = static_cast<const char*>(in) + first * stride;
    const auto add = [&](auto tag, std::int64_t j) HWY_ATTR {
      auto sum = hn::LoadU(tag, sums + j);
      for (std::int64_t r = 0; r < rows; ++r)
        sum = hn::Add(sum,
                      hn::LoadU(tag, reinterpret_cast<const std::int64_t*>(base + r * stride) + j));
      hn::StoreU(sum, tag, sums + j);
    };
    std::int64_t j = 0;
    for (; j + lanes <= n; j += lanes) add(d, j);
    for (; j < n; ++j) add(hn::CappedTag<std::int64_t, 1>(), j);
  }
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
      return {SumRuns<Value, T>, SumRows<Value, T>, SumFewRows<false, T>, kSteps};
    case ReduceOp::Mean:
      return {SumRuns<Value, T>, SumRows<Value, T>, SumFewRows<true, T>, kSteps};
    case ReduceOp::Norm1:
      return {SumRuns<Magnitude, T>, SumRows<Magnitude, T>};
    case ReduceOp::Norm2:
      return {SumRuns<SquaredDeviation, T>, SumRows<SquaredDeviation, T>};
    default:
      return {};
  }
}

// Of bytes, and of bools, which are bytes that hold 0 or 1.
void ByteSumRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  for (std::int64_t c = 0; c < count; ++c) {
    const auto* const run =
        reinterpret_cast<const std::uint8_t*>(static_cast<const char*>(in) + c * stride);
    std::int64_t i = 0;
    std::uint64_t sum = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::ScalableTag<std::uint8_t> d;
    const hn::Repartition<std::uint64_t, decltype(d)> wide;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    auto s0 = hn::Zero(wide), s1 = s0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      s0 = hn::Add(s0, hn::SumsOf8(hn::LoadU(d, run + i)));
      s1 = hn::Add(s1, hn::SumsOf8(hn::LoadU(d, run + i + lanes)));
    }
    sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(s0, s1)));
#endif
    for (; i < n; ++i) sum += run[i];
    static_cast<std::int64_t*>(acc)[c] += static_cast<std::int64_t>(sum);
  }
}
// As many rows at a time as 16 bits hold the sums of.
void ByteSumRows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  constexpr std::int64_t kColumns = 64, kRows = 256;
  auto* const sums = static_cast<std::int64_t*>(acc);
  for (std::int64_t j = 0; j < n; j += kColumns) {
    const std::int64_t columns = HWY_MIN(kColumns, n - j);
    for (std::int64_t first = 0; first < count; first += kRows) {
      std::uint16_t some[kColumns] = {};
      for (std::int64_t r = first; r < HWY_MIN(count, first + kRows); ++r) {
        const auto* const row =
            reinterpret_cast<const std::uint8_t*>(static_cast<const char*>(in) + r * stride) + j;
        if (columns == kColumns)  // a number that the compiler knows becomes whole vectors
          for (std::int64_t k = 0; k < kColumns; ++k)
            some[k] = static_cast<std::uint16_t>(some[k] + row[k]);
        else
          for (std::int64_t k = 0; k < columns; ++k)
            some[k] = static_cast<std::uint16_t>(some[k] + row[k]);
      }
      for (std::int64_t k = 0; k < columns; ++k) sums[j + k] += some[k];
    }
  }
}

SimdReducer FindSums(ReduceOp op, ScalarType dtype) {
  if (dtype == ScalarType::Long)
    return op == ReduceOp::Sum ? SimdReducer{IntegerSumRuns, IntegerSumRows} : SimdReducer{};
  if (dtype == ScalarType::Byte || dtype == ScalarType::Bool)
    return op == ReduceOp::Sum ? SimdReducer{ByteSumRuns, ByteSumRows} : SimdReducer{};
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}
SimdReducer FindMoments(ScalarType dtype) {
  if (dtype == ScalarType::Float) return {MomentRuns<float>, MomentRows<float>};
  return {MomentRuns<double>, MomentRows<double>};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {
HWY_EXPORT(FindSums);
HWY_EXPORT(FindMoments);
}  // namespace

SimdReducer find_simd_sums(ReduceOp op, ScalarType dtype) {
  return dtype == ScalarType::Int ? SimdReducer{} : HWY_DYNAMIC_DISPATCH(FindSums)(op, dtype);
}
SimdReducer find_simd_moments(ScalarType dtype) { return HWY_DYNAMIC_DISPATCH(FindMoments)(dtype); }

}  // namespace tapedeck::kernels
#endif
