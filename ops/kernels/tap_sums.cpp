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

// kVectors neighbouring vectors of one output row: enough chains to keep the FMA units busy.
template <int kVectors, typename T>
HWY_INLINE void SumTaps(const TapPlane<T>& in, const T* weights, T init, const T* at, T* out) {
  const hn::CappedTag<T, kTapOverrun> d;
  const std::int64_t lanes = hn::Lanes(d);
  auto s0 = hn::Set(d, init), s1 = s0, s2 = s0, s3 = s0;
  for (std::int64_t t = 0; t < in.taps; ++t) {
    const T* tap = at + in.offsets[t];
    const auto w = hn::Set(d, weights[t]);
    s0 = hn::MulAdd(w, hn::LoadU(d, tap), s0);
    if constexpr (kVectors > 1) s1 = hn::MulAdd(w, hn::LoadU(d, tap + lanes), s1);
    if constexpr (kVectors > 2) s2 = hn::MulAdd(w, hn::LoadU(d, tap + 2 * lanes), s2);
    if constexpr (kVectors > 3) s3 = hn::MulAdd(w, hn::LoadU(d, tap + 3 * lanes), s3);
  }
  hn::StoreU(s0, d, out);
  if constexpr (kVectors > 1) hn::StoreU(s1, d, out + lanes);
  if constexpr (kVectors > 2) hn::StoreU(s2, d, out + 2 * lanes);
  if constexpr (kVectors > 3) hn::StoreU(s3, d, out + 3 * lanes);
}

template <typename T>
HWY_INLINE void TapSums(const TapPlane<T>& in, const T* weights, T init, T* out,
                        std::int64_t out_row_step, std::int64_t out_column_step) {
  const std::int64_t lanes = hn::Lanes(hn::CappedTag<T, kTapOverrun>());
  for (std::int64_t r = 0; r < in.rows; ++r) {
    const T* row = in.plane + r * in.row_step;
    T* to = out + r * out_row_step;
    std::int64_t c = 0;
    if (out_column_step == 1) {
      for (; c + 4 * lanes <= in.columns; c += 4 * lanes)
        SumTaps<4>(in, weights, init, row + c, to + c);
      for (; c + lanes <= in.columns; c += lanes) SumTaps<1>(in, weights, init, row + c, to + c);
    }
    HWY_ALIGN T tail[kTapOverrun];
    for (; c < in.columns; c += lanes) {
      SumTaps<1>(in, weights, init, row + c, tail);
      const std::int64_t left = in.columns - c < lanes ? in.columns - c : lanes;
      for (std::int64_t i = 0; i < left; ++i) to[(c + i) * out_column_step] = tail[i];
    }
  }
}

// kTaps accumulators over the whole plane: grad is loaded once for all of them.
template <int kTaps, typename T>
HWY_INLINE void DotTaps(const TapPlane<T>& in, const std::int64_t* offsets, const T* grad,
                        std::int64_t grad_row_step, double* sums) {
  const hn::CappedTag<T, kTapOverrun> d;
  const std::int64_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  for (std::int64_t r = 0; r < in.rows; ++r) {
    const T* row = in.plane + r * in.row_step;
    const T* g = grad + r * grad_row_step;
    std::int64_t c = 0;
    for (; c + lanes <= in.columns; c += lanes) {
      const auto v = hn::LoadU(d, g + c);
      s0 = hn::MulAdd(v, hn::LoadU(d, row + c + offsets[0]), s0);
      if constexpr (kTaps > 1) s1 = hn::MulAdd(v, hn::LoadU(d, row + c + offsets[1]), s1);
      if constexpr (kTaps > 2) s2 = hn::MulAdd(v, hn::LoadU(d, row + c + offsets[2]), s2);
      if constexpr (kTaps > 3) s3 = hn::MulAdd(v, hn::LoadU(d, row + c + offsets[3]), s3);
    }
    if (c == in.columns) continue;
    // Both factors are masked: what lies beyond may be infinite.
    const auto rest = hn::FirstN(d, static_cast<std::size_t>(in.columns - c));
    const auto v = hn::IfThenElseZero(rest, hn::LoadU(d, g + c));
    const auto tap = [&](int t) HWY_ATTR {
      return hn::IfThenElseZero(rest, hn::LoadU(d, row + c + offsets[t]));
    };
    s0 = hn::MulAdd(v, tap(0), s0);
    if constexpr (kTaps > 1) s1 = hn::MulAdd(v, tap(1), s1);
    if constexpr (kTaps > 2) s2 = hn::MulAdd(v, tap(2), s2);
    if constexpr (kTaps > 3) s3 = hn::MulAdd(v, tap(3), s3);
  }
  sums[0] += hn::GetLane(hn::SumOfLanes(d, s0));
  if constexpr (kTaps > 1) sums[1] += hn::GetLane(hn::SumOfLanes(d, s1));
  if constexpr (kTaps > 2) sums[2] += hn::GetLane(hn::SumOfLanes(d, s2));
  if constexpr (kTaps > 3) sums[3] += hn::GetLane(hn::SumOfLanes(d, s3));
}

template <typename T>
HWY_INLINE void TapDots(const TapPlane<T>& in, const T* grad, std::int64_t grad_row_step,
                        double* sums) {
  std::int64_t t = 0;
  for (; t + 4 <= in.taps; t += 4) DotTaps<4>(in, in.offsets + t, grad, grad_row_step, sums + t);
  if (in.taps - t == 3) DotTaps<3>(in, in.offsets + t, grad, grad_row_step, sums + t);
  if (in.taps - t == 2) DotTaps<2>(in, in.offsets + t, grad, grad_row_step, sums + t);
  if (in.taps - t == 1) DotTaps<1>(in, in.offsets + t, grad, grad_row_step, sums + t);
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
