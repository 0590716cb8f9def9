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

// Some vectors of one output row: enough chains to keep the FMA units busy.
template <int kVectors, class D, typename T>
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
      sum[v] = hn::MulAdd(w, hn::LoadU(d, tap + places[v]), sum[v]);
  }
  HWY_UNROLL(4)
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, out + places[v]);
}

// Rows of at least one vector: the last one overlaps the one before where the columns do not
// divide.
template <class D, typename T>
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
          SumTaps<1>(d, in, weights, init, row, places, to);
          break;
        case 2:
          SumTaps<2>(d, in, weights, init, row, places, to);
          break;
        case 3:
          SumTaps<3>(d, in, weights, init, row, places, to);
          break;
        default:
          SumTaps<4>(d, in, weights, init, row, places, to);
          break;
      }
    }
  }
}

// Rows whose elements lie apart, or are fewer than a vector: through a buffer.
template <class D, typename T>
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
        SumTaps<4>(d, in, weights, init, row + c, places, buffer);
      else if (left > lanes)
        SumTaps<2>(d, in, weights, init, row + c, places, buffer);
      else
        SumTaps<1>(d, in, weights, init, row + c, places, buffer);
      for (std::int64_t i = 0; i < left && i < 4 * lanes; ++i)
        to[(c + i) * out_column_step] = buffer[i];
    }
  }
}

template <typename T>
void TapSums(const TapPlane<T>& in, const T* weights, T init, T* out, std::int64_t out_row_step,
             std::int64_t out_column_step) {
  const hn::CappedTag<T, kTapOverrun> d;
  const hn::CappedTag<T, 8> d8;
  const hn::CappedTag<T, 4> d4;
  if (out_column_step != 1 || in.columns < 4)
    SpreadRows(d, in, weights, init, out, out_row_step, out_column_step);
  else if (in.columns >= static_cast<std::int64_t>(hn::Lanes(d)))
    WholeRows(d, in, weights, init, out, out_row_step);
  else if (in.columns >= static_cast<std::int64_t>(hn::Lanes(d8)))
    WholeRows(d8, in, weights, init, out, out_row_step);
  else
    WholeRows(d4, in, weights, init, out, out_row_step);
}

// kTaps sums over the whole plane: grad is loaded once for all of them.
template <int kTaps, typename T>
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
        sum[t] = hn::MulAdd(v, hn::LoadU(d, row + c + offsets[t]), sum[t]);
    }
    if (whole == in.columns) continue;
    const auto v = hn::MaskedLoad(rest, d, g + whole);
    HWY_UNROLL(9)
    for (int t = 0; t < kTaps; ++t) {
      const auto x = hn::IfThenElseZero(rest, hn::LoadU(d, row + whole + offsets[t]));
      sum[t] = hn::MulAdd(v, x, sum[t]);
    }
  }
  HWY_UNROLL(9)
  for (int t = 0; t < kTaps; ++t) sums[t] += hn::GetLane(hn::SumOfLanes(d, sum[t]));
}

template <int kTaps, typename T>
HWY_INLINE void DotTapsOf(int taps, const TapPlane<T>& in, const std::int64_t* offsets,
                          const T* grad, std::int64_t grad_row_step, double* sums) {
  if (taps == kTaps) return DotTaps<kTaps>(in, offsets, grad, grad_row_step, sums);
  if constexpr (kTaps > 1) DotTapsOf<kTaps - 1>(taps, in, offsets, grad, grad_row_step, sums);
}

template <typename T>
void TapDots(const TapPlane<T>& in, const T* grad, std::int64_t grad_row_step, double* sums) {
  constexpr std::int64_t kMost = 9;
  std::int64_t passes = (in.taps + kMost - 1) / kMost;
  for (std::int64_t t = 0; t < in.taps; --passes) {
    const std::int64_t taps = (in.taps - t + passes - 1) / passes;
    DotTapsOf<kMost>(static_cast<int>(taps), in, in.offsets + t, grad, grad_row_step, sums + t);
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
void tap_dots(const TapPlane<float>& in, const float* grad, std::int64_t step, double* sums) {
  HWY_DYNAMIC_DISPATCH(TapDotsF32)(in, grad, step, sums);
}
template <>
void tap_dots(const TapPlane<double>& in, const double* grad, std::int64_t step, double* sums) {
  HWY_DYNAMIC_DISPATCH(TapDotsF64)(in, grad, step, sums);
}

}  // namespace tapedeck::kernels

#endif
