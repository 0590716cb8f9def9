#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/cross_entropy_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/cross_entropy_rows.h>
#include <tapedeck/ops/kernels/fold_lanes-inl.h>
#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// f over the vectors of one gapless row, the last of which overlaps the one before.
template <class D, class F, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> FoldOfRow(D d, const T* x, std::int64_t n, const F& f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (n < lanes) return LoadPartOr(d, x[0], x, n);
  auto fold = hn::LoadU(d, x);
  for (std::int64_t i = lanes; i + lanes <= n; i += lanes) fold = f(fold, hn::LoadU(d, x + i));
  return f(fold, hn::LoadU(d, x + n - lanes));
}

// The sum in lanes of e^(x - shift) over one gapless row.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> ExponentialsOfRow(D d, const T* x, std::int64_t n, T shift) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto less = hn::Set(d, shift);
  auto sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    sum = hn::Add(sum, vec::Exp(d, hn::Sub(hn::LoadU(d, x + i), less)));
  if (i == n) return sum;
  const auto rest = vec::Exp(d, hn::Sub(LoadPart(d, x + i, n - i), less));
  return hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n - i)), rest));
}

// Gapless rows of scores: their lanes are folded some rows at a time, and so are the logarithms.
template <typename T>
void RowsLogSumExp(const T* x, std::int64_t C, std::int64_t rows, T* lse) {
  constexpr std::int64_t kTogether = 64;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  T largest[kTogether], sums[kTogether];
  std::fill_n(sums, kTogether, T{1});
  const auto max = [](auto a, auto b) HWY_ATTR { return hn::Max(a, b); };
  const auto add = [](auto a, auto b) HWY_ATTR { return hn::Add(a, b); };
  const auto put = [](T* to) HWY_ATTR {
    return [to](std::int64_t r, const T* folds, std::int64_t n)
               HWY_ATTR { std::copy_n(folds, n, to + r); };
  };
  for (std::int64_t first = 0; first < rows; first += kTogether) {
    const std::int64_t count = HWY_MIN(kTogether, rows - first);
    const T* const block = x + first * C;
    FoldLanesOfRows(
        d, count, max, [&](std::int64_t r) HWY_ATTR { return FoldOfRow(d, block + r * C, C, max); },
        put(largest));
    FoldLanesOfRows(
        d, count, add,
        [&](std::int64_t r) HWY_ATTR { return ExponentialsOfRow(d, block + r * C, C, largest[r]); },
        put(sums));
    for (std::int64_t r = 0; r < count; r += lanes)
      hn::StoreU(vec::Log(d, hn::LoadU(d, sums + r)), d, sums + r);
    for (std::int64_t r = 0; r < count; ++r) {
      *lse++ = largest[r];
      *lse++ = sums[r];
    }
  }
}

template <typename T>
void LogSumExp(const T* x, std::int64_t images, std::int64_t C, std::int64_t S, T* lse) {
  if (S == 1) return RowsLogSumExp(x, C, images, lse);
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; images > 0; --images, x += C * S, lse += 2 * S)
    for (std::int64_t s = 0; s < S; s += lanes) {
      auto largest = LoadUpTo(d, x + s, S - s);
      for (std::int64_t c = 1; c < C; ++c)
        largest = hn::Max(largest, LoadUpTo(d, x + c * S + s, S - s));
      auto sum = hn::Zero(d);
      for (std::int64_t c = 0; c < C; ++c)
        sum = hn::Add(sum, vec::Exp(d, hn::Sub(LoadUpTo(d, x + c * S + s, S - s), largest)));
      StoreUpTo(d, largest, lse + s, S - s);
      StoreUpTo(d, vec::Log(d, sum), lse + S + s, S - s);
    }
}

template <typename T>
void WeightedSums(const T* x, const T* weight, std::int64_t C, std::int64_t S, double* sums) {
  const D64 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (S == 1) {
    auto s0 = hn::Zero(d), s1 = s0;
    const auto add = [&](hn::Vec<D64> sum, std::int64_t c) HWY_ATTR {
      return weight ? hn::MulAdd(Wide(x + c), Wide(weight + c), sum) : hn::Add(sum, Wide(x + c));
    };
    std::int64_t c = 0;
    for (; c + 2 * lanes <= C; c += 2 * lanes) {
      s0 = add(s0, c);
      s1 = add(s1, c + lanes);
    }
    for (; c + lanes <= C; c += lanes) s0 = add(s0, c);
    *sums = hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
    for (; c < C; ++c)
      *sums += static_cast<double>(x[c]) * (weight ? static_cast<double>(weight[c]) : 1);
    return;
  }
  std::fill_n(sums, S, 0.0);
  for (std::int64_t c = 0; c < C; ++c, x += S) {
    const double w = weight ? static_cast<double>(weight[c]) : 1;
    std::int64_t s = 0;
    for (; s + lanes <= S; s += lanes)
      hn::StoreU(hn::MulAdd(Wide(x + s), hn::Set(d, w), hn::LoadU(d, sums + s)), d, sums + s);
    for (; s < S; ++s) sums[s] += w * static_cast<double>(x[s]);
  }
}

template <typename T>
void SoftmaxMinus(const T* x, const T* lse, const T* a, const T* b, const T* weight, bool minus,
                  std::int64_t C, std::int64_t S, T* out) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (S == 1) {
    const auto largest = hn::Set(d, lse[0]), shift = hn::Set(d, lse[1]);
    const auto scale = hn::Set(d, *a), less = hn::Set(d, *b);
    for (std::int64_t c = 0; c < C; c += lanes) {
      const auto score = hn::Sub(LoadUpTo(d, x + c, C - c), largest);
      auto v = hn::Mul(vec::Exp(d, hn::Sub(score, shift)), scale);
      if (minus) v = hn::Sub(v, weight ? hn::Mul(LoadUpTo(d, weight + c, C - c), less) : less);
      StoreUpTo(d, v, out + c, C - c);
    }
    return;
  }
  for (std::int64_t c = 0; c < C; ++c) {
    const auto w = hn::Set(d, weight ? weight[c] : T{1});
    for (std::int64_t s = 0; s < S; s += lanes) {
      const auto score = hn::Sub(LoadUpTo(d, x + c * S + s, S - s), LoadUpTo(d, lse + s, S - s));
      const auto shifted = hn::Sub(score, LoadUpTo(d, lse + S + s, S - s));
      auto v = hn::Mul(vec::Exp(d, shifted), LoadUpTo(d, a + s, S - s));
      if (minus) v = hn::Sub(v, hn::Mul(LoadUpTo(d, b + s, S - s), w));
      StoreUpTo(d, v, out + c * S + s, S - s);
    }
  }
}

CrossEntropyRows<float> RowsF32() {
  return {LogSumExp<float>, WeightedSums<float>, SoftmaxMinus<float>};
}
CrossEntropyRows<double> RowsF64() {
  return {LogSumExp<double>, WeightedSums<double>, SoftmaxMinus<double>};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(CrossEntropyRows, cross_entropy_rows, Rows);

}  // namespace tapedeck::kernels
#endif
