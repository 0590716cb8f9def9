#include <tapedeck/ops/kernels/tap_sums.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/tap_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Every step-th element.
template <int kStep, class D, typename T>
HWY_INLINE hn::Vec<D> LoadStep(D d, const T* from) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (kStep == 2) {
    const hn::Vec<D> low = hn::LoadU(d, from);
    return hn::ConcatEven(d, hn::LoadU(d, from + hn::Lanes(d)), low);
  }
#endif
  return hn::LoadU(d, from);
}

// Some vectors of one output row: enough chains to keep the FMA units busy.
template <int kVectors, int kStep, class D, typename T>
HWY_INLINE void SumTaps(D d, const TapPlane<T>& in, const T* weights, T init, const T* at,
                        const std::int64_t* places, T* out) {
  hn::Vec<D> sum[kVectors];
  HWY_UNROLL(4)
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::Set(d, init);
  for (std::int64_t t = 0; t < in.taps; ++t) {
    const T* tap = at + in.offsets[t];
    const auto w = hn::Set(d, weights[t]);
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v)
      sum[v] = hn::MulAdd(w, LoadStep<kStep>(d, tap + kStep * places[v]), sum[v]);
  }
  HWY_UNROLL(4)
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, out + places[v]);
}

// Rows of at least one vector: the last one overlaps the one before where the columns do not
// divide.
template <int kStep, class D, typename T>
HWY_INLINE void WholeRows(D d, const TapPlane<T>& in, const T* weights, T init, T* out,
                          std::int64_t out_row_step) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t vectors = (in.columns + lanes - 1) / lanes, last = in.columns - lanes;
  for (std::int64_t r = 0; r < in.rows; ++r) {
    const T* row = in.plane + r * in.row_step;
    T* to = out + r * out_row_step;
    for (std::int64_t v = 0; v < vectors; v += 4) {
      std::int64_t places[4];
      for (std::int64_t i = 0; i < 4; ++i)
        places[i] = (v + i) * lanes < last ? (v + i) * lanes : last;
      switch (vectors - v) {
        case 1:
          SumTaps<1, kStep>(d, in, weights, init, row, places, to);
          break;
        case 2:
          SumTaps<2, kStep>(d, in, weights, init, row, places, to);
          break;
        case 3:
          SumTaps<3, kStep>(d, in, weights, init, row, places, to);
          break;
        default:
          SumTaps<4, kStep>(d, in, weights, init, row, places, to);
          break;
      }
    }
  }
}

// Rows whose elements lie apart, or are fewer than a vector: through a buffer.
template <int kStep, class D, typename T>
HWY_INLINE void SpreadRows(D d, const TapPlane<T>& in, const T* weights, T init, T* out,
                           std::int64_t out_row_step, std::int64_t out_column_step) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t places[4] = {0, lanes, 2 * lanes, 3 * lanes};
  HWY_ALIGN T buffer[4 * kTapOverrun];
  for (std::int64_t r = 0; r < in.rows; ++r) {
    const T* row = in.plane + r * in.row_step;
    T* to = out + r * out_row_step;
    for (std::int64_t c = 0; c < in.columns; c += 4 * lanes) {
      const std::int64_t left = in.columns - c;
      if (left > 2 * lanes)
        SumTaps<4, kStep>(d, in, weights, init, row + kStep * c, places, buffer);
      else if (left > lanes)
        SumTaps<2, kStep>(d, in, weights, init, row + kStep * c, places, buffer);
      else
        SumTaps<1, kStep>(d, in, weights, init, row + kStep * c, places, buffer);
      for (std::int64_t i = 0; i < left && i < 4 * lanes; ++i)
        to[(c + i) * out_column_step] = buffer[i];
    }
  }
}

template <int kStep, typename T>
HWY_INLINE void TapSumsOf(const TapPlane<T>& in, const T* weights, T init, T* out,
                          std::int64_t out_row_step, std::int64_t out_column_step) {
  const hn::CappedTag<T, kTapOverrun> d;
  const hn::CappedTag<T, 8> d8;
  const hn::CappedTag<T, 4> d4;
  if (out_column_step != 1 || in.columns < 4)
    SpreadRows<kStep>(d, in, weights, init, out, out_row_step, out_column_step);
  else if (in.columns >= static_cast<std::int64_t>(hn::Lanes(d)))
    WholeRows<kStep>(d, in, weights, init, out, out_row_step);
  else if (in.columns >= static_cast<std::int64_t>(hn::Lanes(d8)))
    WholeRows<kStep>(d8, in, weights, init, out, out_row_step);
  else
    WholeRows<kStep>(d4, in, weights, init, out, out_row_step);
}

template <typename T>
void TapSums(const TapPlane<T>& in, const T* weights, T init, T* out, std::int64_t out_row_step,
             std::int64_t out_column_step) {
  if (in.column_step == 2)
    TapSumsOf<2>(in, weights, init, out, out_row_step, out_column_step);
  else
    TapSumsOf<1>(in, weights, init, out, out_row_step, out_column_step);
}

// One row of pairs: each kind in its own sums, interleaved as they are stored.
template <class D, typename T>
HWY_INLINE void PairRow(D d, const TapPair<T>& in, const T* row, T init, T* out) {
  using V = hn::Vec<D>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t c = 0; c < in.columns; c += 2 * lanes) {
    V sum[2];
    for (int kind = 0; kind < 2; ++kind) {
      sum[kind] = hn::Set(d, init);
      for (std::int64_t t = 0; t < in.taps[kind]; ++t)
        sum[kind] = hn::MulAdd(hn::Set(d, in.weights[kind][t]),
                               hn::LoadU(d, row + c / 2 + in.offsets[kind][t]), sum[kind]);
    }
    const std::int64_t count = in.columns - c;
    if (count >= 2 * lanes) {
      hn::StoreInterleaved2(sum[0], sum[1], d, out + c);
      continue;
    }
    HWY_ALIGN T buffer[2 * kTapOverrun];
    hn::StoreInterleaved2(sum[0], sum[1], d, buffer);
    for (std::int64_t i = 0; i < count; i += lanes) {
      const auto mask = hn::FirstN(d, static_cast<std::size_t>(HWY_MIN(lanes, count - i)));
      hn::BlendedStore(hn::Load(d, buffer + i), mask, d, out + c + i);
    }
  }
}

template <typename T>
void PairSums(const TapPair<T>& in, T init, T* out, std::int64_t out_row_step) {
  const hn::CappedTag<T, kTapOverrun> d;
  const hn::CappedTag<T, 8> narrow;
  for (std::int64_t r = 0; r < in.rows; ++r) {
    const T* const row = in.plane + r * in.row_step;
    if (in.columns > 16)
      PairRow(d, in, row, init, out + r * out_row_step);
    else
      PairRow(narrow, in, row, init, out + r * out_row_step);
  }
}

// kTaps sums over the whole plane: grad is loaded once for all of them.
template <int kTaps, int kStep, typename T>
HWY_INLINE void DotTaps(const TapPlane<T>& in, const std::int64_t* offsets, const T* grad,
                        std::int64_t grad_row_step, double* sums) {
  const hn::CappedTag<T, kTapOverrun> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sum[kTaps];
  HWY_UNROLL(9)
  for (int t = 0; t < kTaps; ++t) sum[t] = hn::Zero(d);
  // Both factors are masked: what lies beyond the row may be infinite.
  const std::int64_t whole = in.columns / lanes * lanes;
  const auto rest = hn::FirstN(d, static_cast<std::size_t>(in.columns - whole));
  for (std::int64_t r = 0; r < in.rows; ++r) {
    const T* row = in.plane + r * in.row_step;
    const T* g = grad + r * grad_row_step;
    for (std::int64_t c = 0; c < whole; c += lanes) {
      const auto v = hn::LoadU(d, g + c);
      HWY_UNROLL(9)
      for (int t = 0; t < kTaps; ++t)
        sum[t] = hn::MulAdd(v, LoadStep<kStep>(d, row + kStep * c + offsets[t]), sum[t]);
    }
    if (whole == in.columns) continue;
    const auto v = hn::MaskedLoad(rest, d, g + whole);
    HWY_UNROLL(9)
    for (int t = 0; t < kTaps; ++t) {
      const auto x = hn::IfThenElseZero(rest, LoadStep<kStep>(d, row + kStep * whole + offsets[t]));
      sum[t] = hn::MulAdd(v, x, sum[t]);
    }
  }
  HWY_UNROLL(9)
  for (int t = 0; t < kTaps; ++t) sums[t] += hn::GetLane(hn::SumOfLanes(d, sum[t]));
}

template <int kTaps, int kStep, typename T>
HWY_INLINE void DotTapsOf(int taps, const TapPlane<T>& in, const std::int64_t* offsets,
                          const T* grad, std::int64_t grad_row_step, double* sums) {
  if (taps == kTaps) return DotTaps<kTaps, kStep>(in, offsets, grad, grad_row_step, sums);
  if constexpr (kTaps > 1)
    DotTapsOf<kTaps - 1, kStep>(taps, in, offsets, grad, grad_row_step, sums);
}

template <typename T>
void TapDots(const TapPlane<T>& in, const T* grad, std::int64_t grad_row_step, double* sums) {
  constexpr std::int64_t kMost = 9;
  std::int64_t passes = (in.taps + kMost - 1) / kMost;
  for (std::int64_t t = 0; t < in.taps; --passes) {
    const std::int64_t taps = (in.taps - t + passes - 1) / passes;
    if (in.column_step == 2)
      DotTapsOf<kMost, 2>(static_cast<int>(taps), in, in.offsets + t, grad, grad_row_step,
                          sums + t);
    else
      DotTapsOf<kMost, 1>(static_cast<int>(taps), in, in.offsets + t, grad, grad_row_step,
                          sums + t);
    t += taps;
  }
}

template <typename T>
HWY_INLINE void JoinPairs(const T* even, const T* odd, std::int64_t n, T* out) {
  const hn::CappedTag<T, kTapOverrun> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreInterleaved2(hn::LoadU(d, even + i), hn::LoadU(d, odd + i), d, out + 2 * i);
  for (; i < n; ++i) {
    out[2 * i] = even[i];
    out[2 * i + 1] = odd[i];
  }
}

void JoinPairsF32(const float* even, const float* odd, std::int64_t n, float* out) {
  JoinPairs(even, odd, n, out);
}
void JoinPairsF64(const double* even, const double* odd, std::int64_t n, double* out) {
  JoinPairs(even, odd, n, out);
}
void TapSumsF32(const TapPlane<float>& in, const float* weights, float init, float* out,
                std::int64_t out_row_step, std::int64_t out_column_step) {
  TapSums(in, weights, init, out, out_row_step, out_column_step);
}
void TapSumsF64(const TapPlane<double>& in, const double* weights, double init, double* out,
                std::int64_t out_row_step, std::int64_t out_column_step) {
  TapSums(in, weights, init, out, out_row_step, out_column_step);
}
void PairSumsF32(const TapPair<float>& in, float init, float* out, std::int64_t out_row_step) {
  PairSums(in, init, out, out_row_step);
}
void PairSumsF64(const TapPair<double>& in, double init, double* out, std::int64_t out_row_step) {
  PairSums(in, init, out, out_row_step);
}
void TapDotsF32(const TapPlane<float>& in, const float* grad, std::int64_t step, double* sums) {
  TapDots(in, grad, step, sums);
}
void TapDotsF64(const TapPlane<double>& in, const double* grad, std::int64_t step, double* sums) {
  TapDots(in, grad, step, sums);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(TapSumsF32);
HWY_EXPORT(TapSumsF64);
HWY_EXPORT(PairSumsF32);
HWY_EXPORT(PairSumsF64);
HWY_EXPORT(TapDotsF32);
HWY_EXPORT(TapDotsF64);
HWY_EXPORT(JoinPairsF32);
HWY_EXPORT(JoinPairsF64);

template <>
void join_pairs(const float* even, const float* odd, std::int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(JoinPairsF32)(even, odd, n, out);
}
template <>
void join_pairs(const double* even, const double* odd, std::int64_t n, double* out) {
  HWY_DYNAMIC_DISPATCH(JoinPairsF64)(even, odd, n, out);
}

template <>
void tap_sums(const TapPlane<float>& in, const float* weights, float init, float* out,
              std::int64_t out_row_step, std::int64_t out_column_step) {
  HWY_DYNAMIC_DISPATCH(TapSumsF32)(in, weights, init, out, out_row_step, out_column_step);
}
template <>
void tap_sums(const TapPlane<double>& in, const double* weights, double init, double* out,
              std::int64_t out_row_step, std::int64_t out_column_step) {
  HWY_DYNAMIC_DISPATCH(TapSumsF64)(in, weights, init, out, out_row_step, out_column_step);
}
template <>
void tap_pair_sums(const TapPair<float>& in, float init, float* out, std::int64_t out_row_step) {
  HWY_DYNAMIC_DISPATCH(PairSumsF32)(in, init, out, out_row_step);
}
template <>
void tap_pair_sums(const TapPair<double>& in, double init, double* out, std::int64_t out_row_step) {
  HWY_DYNAMIC_DISPATCH(PairSumsF64)(in, init, out, out_row_step);
}
template <>
void tap_dots(const TapPlane<float>& in, const float* grad, std::int64_t step, double* sums) {
  HWY_DYNAMIC_DISPATCH(TapDotsF32)(in, grad, step, sums);
}
template <>
void tap_dots(const TapPlane<double>& in, const double* grad, std::int64_t step, double* sums) {
  HWY_DYNAMIC_DISPATCH(TapDotsF64)(in, grad, step, sums);
}

}  // namespace tapedeck::kernels

#endif
