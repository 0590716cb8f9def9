#include <tapedeck/ops/kernels/sliding_taps.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/sliding_taps.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kMostTaps = 5;
// Vectors side by side whose sums registers hold, and that keep the FMA units busy.
#if HWY_TARGET == HWY_AVX3
constexpr int kMostVectors = 4;
#else
constexpr int kMostVectors = 2;
#endif

// Rows first, first + step, ... of a strip of vectors. sum[i % kTaps] gathers output row i, from
// the kTaps input rows that it reads.
template <int kTaps, int kVectors, class D, typename T>
HWY_INLINE void SumStrip(D d, const SlidingTaps<T>& in, const T* weights, T init,
                         std::int64_t count, std::int64_t rows, const T* from, T* to,
                         std::int64_t to_step) {
  using V = hn::Vec<D>;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t from_step = in.row_step * in.dilation_h, dilation = in.dilation_w;
  const V start = hn::Set(d, init);
  const std::int64_t rest = count - (kVectors - 1) * lanes;
  const auto last = hn::FirstN(d, static_cast<std::size_t>(rest));
  V sum[kTaps][kVectors];
  HWY_UNROLL(kMostTaps)
  for (int i = 0; i < kTaps; ++i) {
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) sum[i][v] = start;
  }
  const std::int64_t reads = rows + kTaps - 1;
  for (std::int64_t first = 0; first < reads; first += kTaps) {
    HWY_UNROLL(kMostTaps)
    for (int phase = 0; phase < kTaps; ++phase) {
      const std::int64_t row = first + phase;
      if (row >= reads) break;
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) sum[phase][v] = start;
      HWY_UNROLL(kMostTaps)
      for (int j = 0; j < kTaps; ++j) {
        V x[kVectors];
        HWY_UNROLL(kMostVectors)
        for (int v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, from + j * dilation + v * lanes);
        HWY_UNROLL(kMostTaps)
        for (int i = 0; i < kTaps; ++i) {
          const V w = hn::Set(d, weights[i * kTaps + j]);
          V* const s = sum[(phase - i + kTaps) % kTaps];
          HWY_UNROLL(kMostVectors)
          for (int v = 0; v < kVectors; ++v) s[v] = hn::MulAdd(w, x[v], s[v]);
        }
      }
      from += from_step;
      if (row < kTaps - 1) continue;
      const V* const done = sum[(phase + 1) % kTaps];
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors - 1; ++v) hn::StoreU(done[v], d, to + v * lanes);
      if (rest >= lanes)
        hn::StoreU(done[kVectors - 1], d, to + (kVectors - 1) * lanes);
      else
        hn::BlendedStore(done[kVectors - 1], last, d, to + (kVectors - 1) * lanes);
      to += to_step;
    }
  }
}

template <int kTaps, int kVectors, class D, typename T>
HWY_INLINE void SumStripOf(int vectors, D d, const SlidingTaps<T>& in, const T* weights, T init,
                           std::int64_t count, std::int64_t rows, const T* from, T* to,
                           std::int64_t to_step) {
  if (vectors == kVectors)
    return SumStrip<kTaps, kVectors>(d, in, weights, init, count, rows, from, to, to_step);
  if constexpr (kVectors > 1)
    SumStripOf<kTaps, kVectors - 1>(vectors, d, in, weights, init, count, rows, from, to, to_step);
}

template <int kTaps, class D, typename T>
HWY_INLINE void SumPlane(D d, const SlidingTaps<T>& in, const T* weights, T init, T* out,
                         std::int64_t out_row_step) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t widest = kMostVectors * lanes;
  for (std::int64_t first = 0; first < in.dilation_h && first < in.rows; ++first) {
    const std::int64_t rows = (in.rows - 1 - first) / in.dilation_h + 1;
    for (std::int64_t c = 0; c < in.columns; c += widest) {
      const std::int64_t count = HWY_MIN(widest, in.columns - c);
      SumStripOf<kTaps, kMostVectors>(static_cast<int>((count + lanes - 1) / lanes), d, in, weights,
                                      init, count, rows, in.plane + first * in.row_step + c,
                                      out + first * out_row_step + c, in.dilation_h * out_row_step);
    }
  }
}

template <int kTaps, typename T>
void Sums(const SlidingTaps<T>& in, const T* weights, T init, T* out, std::int64_t out_row_step) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 8> narrow;
  if (in.columns > static_cast<std::int64_t>(hn::Lanes(narrow)))
    SumPlane<kTaps>(d, in, weights, init, out, out_row_step);
  else
    SumPlane<kTaps>(narrow, in, weights, init, out, out_row_step);
}

// Every tap has a sum; an input row meets the kTaps rows of the gradient that it reaches, which
// stay in registers, row i in g[i % kTaps].
template <int kTaps, bool kWhole, class D, typename T>
HWY_INLINE void DotStrip(D d, const SlidingTaps<T>& in, std::int64_t count, std::int64_t rows,
                         const T* from, const T* grad, std::int64_t grad_step,
                         hn::Vec<D> (&sum)[kTaps][kTaps]) {
  using V = hn::Vec<D>;
  const std::int64_t from_step = in.row_step * in.dilation_h, dilation = in.dilation_w;
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(count));
  V g[kTaps];
  HWY_UNROLL(kMostTaps)
  for (int i = 0; i < kTaps; ++i) g[i] = hn::Zero(d);
  const std::int64_t reads = rows + kTaps - 1;
  for (std::int64_t first = 0; first < reads; first += kTaps) {
    HWY_UNROLL(kMostTaps)
    for (int phase = 0; phase < kTaps; ++phase) {
      const std::int64_t row = first + phase;
      if (row >= reads) break;
      if (row >= rows)
        g[phase] = hn::Zero(d);
      else if constexpr (kWhole)
        g[phase] = hn::LoadU(d, grad + row * grad_step);
      else
        g[phase] = hn::MaskedLoad(mask, d, grad + row * grad_step);
      HWY_UNROLL(kMostTaps)
      for (int j = 0; j < kTaps; ++j) {
        V x = hn::LoadU(d, from + j * dilation);
        // What lies beyond the row may be infinite.
        if constexpr (!kWhole) x = hn::IfThenElseZero(mask, x);
        HWY_UNROLL(kMostTaps)
        for (int i = 0; i < kTaps; ++i)
          sum[i][j] = hn::MulAdd(g[(phase - i + kTaps) % kTaps], x, sum[i][j]);
      }
      from += from_step;
    }
  }
}

template <int kTaps, class D, typename T>
HWY_INLINE void DotPlane(D d, const SlidingTaps<T>& in, const T* grad, std::int64_t grad_row_step,
                         double* sums) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sum[kTaps][kTaps];
  HWY_UNROLL(kMostTaps)
  for (int i = 0; i < kTaps; ++i) {
    HWY_UNROLL(kMostTaps)
    for (int j = 0; j < kTaps; ++j) sum[i][j] = hn::Zero(d);
  }
  const std::int64_t starts = HWY_MIN(in.dilation_h, in.rows);
  for (std::int64_t first = 0; first < starts; ++first) {
    const std::int64_t rows = (in.rows - 1 - first) / in.dilation_h + 1;
    const std::int64_t grad_step = in.dilation_h * grad_row_step;
    const T* const from = in.plane + first * in.row_step;
    const T* const g = grad + first * grad_row_step;
    std::int64_t c = 0;
    for (; c + lanes <= in.columns; c += lanes)
      DotStrip<kTaps, true>(d, in, lanes, rows, from + c, g + c, grad_step, sum);
    if (c < in.columns)
      DotStrip<kTaps, false>(d, in, in.columns - c, rows, from + c, g + c, grad_step, sum);
  }
  HWY_UNROLL(kMostTaps)
  for (int i = 0; i < kTaps; ++i) {
    HWY_UNROLL(kMostTaps)
    for (int j = 0; j < kTaps; ++j)
      sums[i * kTaps + j] += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum[i][j])));
  }
}

template <int kTaps, typename T>
void Dots(const SlidingTaps<T>& in, const T* grad, std::int64_t grad_row_step, double* sums) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 8> narrow;
  if (in.columns > static_cast<std::int64_t>(hn::Lanes(narrow)))
    DotPlane<kTaps>(d, in, grad, grad_row_step, sums);
  else
    DotPlane<kTaps>(narrow, in, grad, grad_row_step, sums);
}

template <int kTaps, typename T>
SlidingKernel<T> Kernel() {
  return {Sums<kTaps, T>, Dots<kTaps, T>};
}

SlidingKernel<float> Kernel3F32() { return Kernel<3, float>(); }
SlidingKernel<float> Kernel5F32() { return Kernel<5, float>(); }
SlidingKernel<double> Kernel3F64() { return Kernel<3, double>(); }
SlidingKernel<double> Kernel5F64() { return Kernel<5, double>(); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(Kernel3F32);
HWY_EXPORT(Kernel5F32);
HWY_EXPORT(Kernel3F64);
HWY_EXPORT(Kernel5F64);

template <>
const SlidingKernel<float>* sliding_kernel(std::int64_t kernel) {
  static const SlidingKernel<float> of_3 = HWY_DYNAMIC_DISPATCH(Kernel3F32)();
  static const SlidingKernel<float> of_5 = HWY_DYNAMIC_DISPATCH(Kernel5F32)();
  return kernel == 3 ? &of_3 : kernel == 5 ? &of_5 : nullptr;
}
template <>
const SlidingKernel<double>* sliding_kernel(std::int64_t kernel) {
  static const SlidingKernel<double> of_3 = HWY_DYNAMIC_DISPATCH(Kernel3F64)();
  static const SlidingKernel<double> of_5 = HWY_DYNAMIC_DISPATCH(Kernel5F64)();
  return kernel == 3 ? &of_3 : kernel == 5 ? &of_5 : nullptr;
}

}  // namespace tapedeck::kernels

#endif
