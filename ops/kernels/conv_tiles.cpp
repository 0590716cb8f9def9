#include <tapedeck/ops/kernels/conv_tiles.h>

#include <cstring>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/conv_tiles.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/operands-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/transpose-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Two vectors of weights, a broadcast input and this many pixels times two sums: all registers.
// With one vector of weights there have to be enough sums that none waits for the one before it.
// Scalars times three vectors of an outer product likewise; they divide a vector.
#if HWY_TARGET == HWY_AVX3
constexpr int kTilePixels = 14, kNarrowTilePixels = 28, kOuterScalars = 8;
#elif HWY_TARGET == HWY_SCALAR
constexpr int kTilePixels = 6, kNarrowTilePixels = 6, kOuterScalars = 1;
#else
constexpr int kTilePixels = 6, kNarrowTilePixels = 12, kOuterScalars = 4;
#endif

// A pointer that is computed before what reads through it: a product that adds two registers for
// the address of its operand is two steps to many a CPU, not one.
template <typename T>
HWY_INLINE const T* InRegister(const T* pointer) {
  asm("" : "+r"(pointer));
  return pointer;
}

template <typename T>
constexpr int kLanes = static_cast<int>(hn::MaxLanes(hn::ScalableTag<T>()));

// Whether two neighbouring scalars come with one load, and a shuffle broadcasts each. Where tiles
// have one vector, a load for every product is what limits them on a CPU with a datapath of 512
// bits; on others, shuffles would take turns with products.
enum class Broadcast { kEach, kPairs };

#if HWY_TARGET == HWY_AVX3
// Even lanes have the first scalar, odd ones the second.
template <class D>
HWY_INLINE hn::Vec<D> LoadPair(D d, const hn::TFromD<D>* scalars) {
  if constexpr (sizeof(*scalars) == sizeof(double)) {
    return hn::LoadDup128(d, scalars);
  } else {
    double pair;
    std::memcpy(&pair, scalars, sizeof(pair));
    return hn::BitCast(d, hn::Set(hn::Repartition<double, D>(), pair));
  }
}
#endif

// acc[i] += scalars[i] * x for i < kCount.
template <Broadcast kBroadcast, int kCount, class D>
HWY_INLINE void MulAddScalars(D d, const hn::TFromD<D>* scalars, hn::Vec<D> x,
                              hn::Vec<D> (&acc)[kCount][1]) {
  constexpr int kPaired = kBroadcast == Broadcast::kPairs ? kCount / 2 * 2 : 0;
#if HWY_TARGET == HWY_AVX3
  HWY_UNROLL(kNarrowTilePixels)
  for (int i = 0; i < kPaired; i += 2) {
    const auto pair = LoadPair(d, scalars + i);
    acc[i][0] = hn::MulAdd(hn::DupEven(pair), x, acc[i][0]);
    acc[i + 1][0] = hn::MulAdd(hn::DupOdd(pair), x, acc[i + 1][0]);
  }
#endif
  HWY_UNROLL(kNarrowTilePixels)
  for (int i = kPaired; i < kCount; ++i)
    acc[i][0] = hn::MulAdd(hn::Set(d, scalars[i]), x, acc[i][0]);
}

// What the taps of one group add to the sums of a tile.
template <Broadcast kBroadcast, int kPixels, int kVectors, bool kBlocked, class D, typename T>
HWY_INLINE void MulAddTaps(D d, const ChannelRun<T>& run, const T* in, const T* weights,
                           hn::Vec<D> (&acc)[kPixels][kVectors]) {
  constexpr int kBlock = kVectors * kLanes<T>, kStep = kBlocked ? kLanes<T> : 1;
  std::int64_t t = 0;
#if HWY_TARGET == HWY_AVX3
  if constexpr (kBroadcast == Broadcast::kPairs && kBlocked) {
    static_assert(kVectors == 1);
    // Taps are neighbours.
    for (; t + 2 <= run.taps; t += 2, weights += 2 * kBlock) {
      const auto first = hn::LoadU(d, weights), second = hn::LoadU(d, weights + kBlock);
      HWY_UNROLL(kNarrowTilePixels)
      for (int p = 0; p < kPixels; ++p) {
        const auto pair = LoadPair(d, in + t + p * kStep);
        acc[p][0] = hn::MulAdd(hn::DupEven(pair), first, acc[p][0]);
        acc[p][0] = hn::MulAdd(hn::DupOdd(pair), second, acc[p][0]);
      }
    }
  }
#endif
  const std::int64_t tap_step = kBlocked ? 1 : run.tap_step;
  for (; t < run.taps; ++t, weights += tap_step * kBlock) {
    const T* const at = kBlocked ? in + t : InRegister(in + run.offsets[t * tap_step]);
    hn::Vec<D> w[kVectors];
    for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weights + v * kLanes<T>);
    if constexpr (kVectors == 1 && !kBlocked) {
      MulAddScalars<kBroadcast>(d, at, w[0], acc);
    } else {
      HWY_UNROLL(kNarrowTilePixels)
      for (int p = 0; p < kPixels; ++p) MulAddRow<kVectors == 2>(d, p, at + p * kStep, w, acc[p]);
    }
  }
}

template <Broadcast kBroadcast, int kPixels, int kVectors, bool kBlocked, typename T>
void ChannelTile(const ChannelRun<T>& run, const T* in, T* sums) {
  const hn::ScalableTag<T> d;
  hn::Vec<decltype(d)> acc[kPixels][kVectors];
  HWY_UNROLL(kNarrowTilePixels)
  for (int p = 0; p < kPixels; ++p)
    for (int v = 0; v < kVectors; ++v) acc[p][v] = hn::Zero(d);

  const T* weights = run.weights;
  for (std::int64_t g = 0; g < run.groups; ++g) {
    if constexpr (kBlocked) {
      // Blocks of channels lie too far apart for the CPU to foresee: without this, a core waits for
      // every one that has left the L2 cache. It has as long as two of them are multiplied.
      constexpr int kLine = 64 / sizeof(T);
      const T* const ahead = in + 2 * run.in_step;
      for (int p = 0; p < kPixels * kLanes<T>; p += kLine) hwy::Prefetch(ahead + p);
    }
    MulAddTaps<kBroadcast, kPixels, kVectors, kBlocked>(d, run, in, weights, acc);
    in += run.in_step;
    weights += run.weight_step;
  }

  const std::int64_t step = run.sums_step > 0 ? run.sums_step : kVectors * kLanes<T>;
  if (run.add) {
    HWY_UNROLL(kNarrowTilePixels)
    for (int p = 0; p < kPixels; ++p)
      for (int v = 0; v < kVectors; ++v) {
        T* const sum = sums + p * step + v * kLanes<T>;
        hn::StoreU(hn::Add(hn::LoadU(d, sum), acc[p][v]), d, sum);
      }
  } else {
    HWY_UNROLL(kNarrowTilePixels)
    for (int p = 0; p < kPixels; ++p)
      for (int v = 0; v < kVectors; ++v) hn::StoreU(acc[p][v], d, sums + p * step + v * kLanes<T>);
  }
}

template <Broadcast kBroadcast, int kPixels, int kVectors, bool kBlocked, typename T>
HWY_INLINE void ChannelTileOf(int pixels, const ChannelRun<T>& run, const T* in, T* sums) {
  if (pixels == kPixels) return ChannelTile<kBroadcast, kPixels, kVectors, kBlocked>(run, in, sums);
  if constexpr (kPixels > 1)
    ChannelTileOf<kBroadcast, kPixels - 1, kVectors, kBlocked>(pixels, run, in, sums);
}

template <Broadcast kBroadcast, int kVectors, bool kBlocked, typename T>
void ChannelTiles(const ChannelRun<T>& run) {
  constexpr int kStep = kBlocked ? kLanes<T> : 1;
  constexpr int kMost = kVectors == 1 ? kNarrowTilePixels : kTilePixels;
  std::int64_t tiles = (run.pixels + kMost - 1) / kMost;
  const T* in = run.in;
  T* sums = run.sums;
  const std::int64_t sums_step = run.sums_step > 0 ? run.sums_step : kVectors * kLanes<T>;
  for (std::int64_t left = run.pixels; left > 0; --tiles) {
    const int pixels = static_cast<int>((left + tiles - 1) / tiles);
    ChannelTileOf<kBroadcast, kMost, kVectors, kBlocked>(pixels, run, in, sums);
    in += pixels * kStep;
    sums += pixels * sums_step;
    left -= pixels;
  }
}

template <int kVectors, typename T>
void OuterTile(const OuterRun<T>& run) {
  const hn::ScalableTag<T> d;
  hn::Vec<decltype(d)> acc[kOuterScalars][kVectors];
  HWY_UNROLL(kOuterScalars)
  for (int m = 0; m < kOuterScalars; ++m)
    for (int v = 0; v < kVectors; ++v) acc[m][v] = hn::Zero(d);

  const std::int64_t block_step = run.vector_block_step, step = run.vector_step;
  for (std::int64_t i = 0; i < run.planes; ++i)
    for (std::int64_t r = 0; r < run.rows; ++r) {
      const T* vectors = run.vectors + i * run.vector_plane_step + r * run.vector_row_step;
      const T* scalars = run.scalars + i * run.scalar_plane_step + r * run.scalar_row_step;
      for (std::int64_t p = 0; p < run.pixels; ++p) {
        hn::Vec<decltype(d)> x[kVectors];
        for (int v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, vectors + v * block_step);
        HWY_UNROLL(kOuterScalars)
        for (int m = 0; m < kOuterScalars; ++m)
          MulAddRow<kVectors == 2>(d, m, scalars + m, x, acc[m]);
        vectors += step;
        scalars += kLanes<T>;
      }
    }

  HWY_UNROLL(kOuterScalars)
  for (int m = 0; m < kOuterScalars; ++m)
    for (int v = 0; v < kVectors; ++v) {
      T* const sum = run.sums + m * run.sums_step + v * kLanes<T>;
      hn::StoreU(run.add ? hn::Add(hn::LoadU(d, sum), acc[m][v]) : acc[m][v], d, sum);
    }
}

template <int kTaps, int kVectors, typename T>
void TapTile(const TapRun<T>& run, const std::int64_t* offsets, T* sums) {
  const hn::ScalableTag<T> d;
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(d));
  hn::Vec<decltype(d)> acc[kTaps][kVectors];
  HWY_UNROLL(kOuterScalars)
  for (int m = 0; m < kTaps; ++m)
    for (int v = 0; v < kVectors; ++v) acc[m][v] = hn::Zero(d);
  const std::int64_t block_step = run.vector_block_step;
  for (std::int64_t r = 0; r < run.rows; ++r) {
    const T* vectors = run.vectors + r * run.vector_row_step;
    const T* at[kTaps];
    HWY_UNROLL(kOuterScalars)
    for (int m = 0; m < kTaps; ++m) at[m] = run.scalars + r * run.scalar_row_step + offsets[m];
    for (std::int64_t p = 0; p < run.pixels; ++p) {
      hn::Vec<decltype(d)> x[kVectors];
      for (int v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, vectors + v * block_step);
      HWY_UNROLL(kOuterScalars)
      for (int m = 0; m < kTaps; ++m) {
        const auto s = hn::Set(d, at[m][p]);
        for (int v = 0; v < kVectors; ++v) acc[m][v] = hn::MulAdd(s, x[v], acc[m][v]);
      }
      vectors += kLanes;
    }
  }
  HWY_UNROLL(kOuterScalars)
  for (int m = 0; m < kTaps; ++m)
    for (int v = 0; v < kVectors; ++v) {
      T* const sum = sums + m * run.sums_step + v * kLanes;
      hn::StoreU(hn::Add(hn::LoadU(d, sum), acc[m][v]), d, sum);
    }
}

template <int kTaps, int kVectors, typename T>
HWY_INLINE void TapTileOf(std::int64_t taps, const TapRun<T>& run, const std::int64_t* offsets,
                          T* sums) {
  if (taps == kTaps) return TapTile<kTaps, kVectors>(run, offsets, sums);
  if constexpr (kTaps > 1) TapTileOf<kTaps - 1, kVectors>(taps, run, offsets, sums);
}

template <int kVectors, typename T>
void TapTiles(const TapRun<T>& run) {
  std::int64_t left = (run.taps + kOuterScalars - 1) / kOuterScalars;
  for (std::int64_t m = 0; m < run.taps; --left) {
    const std::int64_t taps = (run.taps - m + left - 1) / left;
    TapTileOf<kOuterScalars, kVectors>(taps, run, run.offsets + m, run.sums + m * run.sums_step);
    m += taps;
  }
}

// kNarrow: of tiles of pixels with one vector.
template <typename T, Broadcast kNarrow>
ConvTiles<T> TilesOf() {
  constexpr Broadcast kEach = Broadcast::kEach;
  return {kLanes<T>,
          kTilePixels,
          {ChannelTiles<kNarrow, 1, false, T>, ChannelTiles<kEach, 2, false, T>},
          {ChannelTiles<kNarrow, 1, true, T>, ChannelTiles<kEach, 2, true, T>},
          {OuterTile<1, T>, OuterTile<2, T>, OuterTile<3, T>},
          kOuterScalars,
          {TapTiles<1, T>, TapTiles<2, T>, TapTiles<3, T>},
          AddRow<T>,
          Transpose<T>};
}

template <typename T>
ConvTiles<T> Tiles() {
#if HWY_TARGET == HWY_AVX3
  if (has_512_bit_datapath()) return TilesOf<T, Broadcast::kPairs>();
#endif
  return TilesOf<T, Broadcast::kEach>();
}

ConvTiles<float> TilesF32() { return Tiles<float>(); }
ConvTiles<double> TilesF64() { return Tiles<double>(); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(ConvTiles, conv_tiles, Tiles);

}  // namespace tapedeck::kernels
#endif
