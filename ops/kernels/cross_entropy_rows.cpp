#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/cross_entropy_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>
#include <cmath>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/cross_entropy_rows.h>
#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// One gapless row of scores.
template <typename T>
void RowLogSumExp(const T* x, std::int64_t n, T* lse) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  T largest = x[0];
  std::int64_t i = 0;
  if (n >= lanes) {
    auto best = hn::LoadU(d, x);
    for (i = lanes; i + lanes <= n; i += lanes) best = hn::Max(best, hn::LoadU(d, x + i));
    largest = hn::GetLane(hn::MaxOfLanes(d, best));
  }
  for (; i < n; ++i) largest = HWY_MAX(largest, x[i]);

  const auto shift = hn::Set(d, largest);
  auto sum = hn::Zero(d);
  for (i = 0; i < n; i += lanes) {
    auto e = vec::Exp(d, hn::Sub(LoadUpTo(d, x + i, n - i), shift));
    if (n - i < lanes) e = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n - i)), e);
    sum = hn::Add(sum, e);
  }
  lse[0] = largest;
  lse[1] = std::log(hn::GetLane(hn::SumOfLanes(d, sum)));
}

template <typename T>
void LogSumExp(const T* x, std::int64_t C, std::int64_t S, T* lse) {
  if (S == 1) {
    RowLogSumExp(x, C, lse);
    return;
  }
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
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
