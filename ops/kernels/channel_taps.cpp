#include <tapedeck/ops/kernels/channel_taps.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/channel_taps.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Sums that registers hold: enough chains to keep the FMA units busy, whose other operand comes
// from memory.
#if HWY_TARGET == HWY_AVX3
constexpr int kMostPixels = 14, kMostTaps = 14;
#else
constexpr int kMostPixels = 10, kMostTaps = 10;
#endif

// kStep: vectors from a pixel to the next, 0 for any number.
template <int kRows, int kPixels, int kStep, typename T>
HWY_INLINE void SumTile(const ChannelSums<T>& run, const T* in, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  const std::int64_t step = kStep > 0 ? kStep * kLanes : run.pixel_step;
  const std::int64_t row_step = run.in_row_step;
  V sum[kRows][kPixels];
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(kMostPixels)
    for (int p = 0; p < kPixels; ++p) sum[r][p] = hn::LoadU(d, run.init);
  }
  for (std::int64_t c = 0; c < run.channels; ++c) {
    const T* const weights = run.weights + c * run.weight_step;
    const T* const channel = in + c * run.in_step;
    for (std::int64_t t = 0; t < run.taps; ++t) {
      const V w = hn::LoadU(d, weights + run.places[t]);
      const T* row = channel + run.offsets[t];
      HWY_UNROLL(2)
      for (int r = 0; r < kRows; ++r) {
        const T* at = row;
        HWY_UNROLL(kMostPixels)
        for (int p = 0; p < kPixels; ++p) {
          sum[r][p] = hn::MulAdd(w, hn::LoadU(d, kStep > 0 ? row + p * step : at), sum[r][p]);
          at += step;
        }
        row += row_step;
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(kMostPixels)
    for (int p = 0; p < kPixels; ++p)
      hn::StoreU(sum[r][p], d, out + r * run.out_row_step + p * run.out_step);
  }
}

template <int kRows, int kPixels, int kStep, typename T>
HWY_INLINE void SumTileOf(std::int64_t pixels, const ChannelSums<T>& run, const T* in, T* out) {
  if (pixels == kPixels) return SumTile<kRows, kPixels, kStep>(run, in, out);
  if constexpr (kPixels > 1) SumTileOf<kRows, kPixels - 1, kStep>(pixels, run, in, out);
}

template <int kStep, typename T>
HWY_INLINE void SumTiles(const ChannelSums<T>& run) {
  std::int64_t r = 0;
  if (run.pixels <= kMostPixels / 2)
    for (; r + 2 <= run.rows; r += 2)
      SumTileOf<2, kMostPixels / 2, kStep>(run.pixels, run, run.in + r * run.in_row_step,
                                           run.out + r * run.out_row_step);
  for (; r < run.rows; ++r) {
    std::int64_t tiles = (run.pixels + kMostPixels - 1) / kMostPixels;
    for (std::int64_t p = 0; p < run.pixels; --tiles) {
      const std::int64_t pixels = (run.pixels - p + tiles - 1) / tiles;
      SumTileOf<1, kMostPixels, kStep>(pixels, run,
                                       run.in + r * run.in_row_step + p * run.pixel_step,
                                       run.out + r * run.out_row_step + p * run.out_step);
      p += pixels;
    }
  }
}

template <typename T>
void Sums(const ChannelSums<T>& run) {
  constexpr std::int64_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  if (run.pixel_step == kLanes)
    SumTiles<1>(run);
  else if (run.pixel_step == 2 * kLanes)
    SumTiles<2>(run);
  else
    SumTiles<0>(run);
}

template <int kTaps, typename T>
HWY_INLINE void DotTile(const ChannelDots<T>& run, const std::int64_t* offsets, T* sums) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  V sum[kTaps];
  HWY_UNROLL(kMostTaps)
  for (int t = 0; t < kTaps; ++t) sum[t] = hn::LoadU(d, sums + t * kLanes);
  for (std::int64_t r = 0; r < run.rows; ++r) {
    const T* in[kTaps];
    HWY_UNROLL(kMostTaps)
    for (int t = 0; t < kTaps; ++t) in[t] = run.in + r * run.in_row_step + offsets[t];
    const T* const grad = run.grad + r * run.grad_row_step;
    std::int64_t at = 0;
    for (std::int64_t p = 0; p < run.pixels; ++p, at += run.pixel_step) {
      const V g = hn::LoadU(d, grad + p * kLanes);
      HWY_UNROLL(kMostTaps)
      for (int t = 0; t < kTaps; ++t) sum[t] = hn::MulAdd(g, hn::LoadU(d, in[t] + at), sum[t]);
    }
  }
  HWY_UNROLL(kMostTaps)
  for (int t = 0; t < kTaps; ++t) hn::StoreU(sum[t], d, sums + t * kLanes);
}

template <int kTaps, typename T>
HWY_INLINE void DotTileOf(std::int64_t taps, const ChannelDots<T>& run, const std::int64_t* offsets,
                          T* sums) {
  if (taps == kTaps) return DotTile<kTaps>(run, offsets, sums);
  if constexpr (kTaps > 1) DotTileOf<kTaps - 1>(taps, run, offsets, sums);
}

template <typename T>
void Dots(const ChannelDots<T>& run) {
  constexpr std::int64_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  std::int64_t tiles = (run.taps + kMostTaps - 1) / kMostTaps;
  for (std::int64_t t = 0; t < run.taps; --tiles) {
    const std::int64_t taps = (run.taps - t + tiles - 1) / tiles;
    DotTileOf<kMostTaps>(taps, run, run.offsets + t, run.sums + t * kLanes);
    t += taps;
  }
}

template <typename T>
ChannelTaps<T> Taps() {
  return {static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>())), Sums<T>, Dots<T>};
}

ChannelTaps<float> TapsF32() { return Taps<float>(); }
ChannelTaps<double> TapsF64() { return Taps<double>(); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(ChannelTaps, channel_taps, Taps);

}  // namespace tapedeck::kernels
#endif
