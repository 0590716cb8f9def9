#include <tapedeck/ops/kernels/plane_taps.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/plane_taps.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/plane_overlapping-inl.h>
#include <tapedeck/ops/kernels/plane_rows-inl.h>
#include <tapedeck/ops/kernels/plane_whole-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2

// A kernel's weights, broadcast from the memory: registers would not hold more than nine.
template <int kTaps, typename T>
class Broadcasts {
 public:
  explicit Broadcasts(const T* weights) : weights_(weights) {}
  HWY_INLINE Vector<T> operator()(int i, int j) const {
    return hn::Set(hn::ScalableTag<T>(), weights_[i * kTaps + j]);
  }

 private:
  const T* const weights_;
};

// Those of one plane, or of two in half a vector each.
template <int kTaps, int kPlanes, typename T>
class WeightVectors {
 public:
  explicit WeightVectors(const T* weights) {
    const hn::ScalableTag<T> d;
    const auto upper = LanesBetween<T>(kLanes<T> / 2, kLanes<T>);
    HWY_UNROLL(kMostTaps)
    for (int i = 0; i < kTaps; ++i) {
      HWY_UNROLL(kMostTaps)
      for (int j = 0; j < kTaps; ++j) {
        const T* const at = weights + i * kTaps + j;
        weights_[i][j] = hn::Set(d, *at);
        if constexpr (kPlanes == 2)
          weights_[i][j] = hn::IfThenElse(upper, hn::Set(d, at[kTaps * kTaps]), weights_[i][j]);
      }
    }
  }
  HWY_INLINE Vector<T> operator()(int i, int j) const { return weights_[i][j]; }

 private:
  Vector<T> weights_[kTaps][kTaps];
};

template <int kPlanes, typename T>
HWY_INLINE Vector<T> InitOf(const T* init) {
  const hn::ScalableTag<T> d;
  if (!init) return hn::Zero(d);
  if constexpr (kPlanes == 1) return hn::Set(d, *init);
  return hn::IfThenElse(LanesBetween<T>(kLanes<T> / 2, kLanes<T>), hn::Set(d, init[1]),
                        hn::Set(d, init[0]));
}

// Every input row is loaded once and takes part in all the output rows that it reaches:
// sum[a] gathers row o + a, of which the last input row is still to come.
template <int kTaps, int kStride, class Columns, class Weights, typename T>
HWY_INLINE void SumRows(const PlaneWindow& s, const Columns& columns, const Weights& weights,
                        Vector<T> init, std::int64_t ahead, const T* in, T* out) {
  constexpr int kRows = (kTaps + kStride - 1) / kStride, kVectors = Columns::kWidth;
  constexpr bool kSplit = kVectors == 1 || (kVectors == 2 && kTaps == 3 && kHasMaskedStores);
  Vector<T> sum[kRows][kVectors];
  HWY_UNROLL(kMostTaps)
  for (int a = 0; a < kRows; ++a) {
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) sum[a][v] = init;
  }
  const std::int64_t in_rows = s.H, in_step = s.W, out_step = s.OW;
  std::int64_t row = (1 - kRows) * kStride - s.pad_top + kTaps - kStride;
  const T* from = in + columns.in_offset + row * in_step;
  T* to = out + columns.out_offset;
  const T* next_from = in + ahead * s.H * in_step + columns.in_offset;
  const T* next_to = out + ahead * s.OH * out_step + columns.out_offset;
  for (std::int64_t left = s.OH + kRows - 1, warm = kRows - 1; left > 0; --left, --warm) {
    HWY_UNROLL(2)
    for (int m = 0; m < kStride; ++m, ++row, from += in_step) {
      if (row < 0 || row >= in_rows) continue;
      if (ahead > 0) {
        Request<false>(next_from, kVectors * kStride);
        next_from += Columns::kPlanes * in_step;
      }
      typename Columns::Row taps(columns, from);
      // Of few vectors, a chain of this row's products and one of rows: no addition waits for long.
      Vector<T> products[kRows][kVectors];
      HWY_UNROLL(kMostTaps)
      for (int j = 0; j < kTaps; ++j) {
        Vector<T> x[kVectors];
        taps.Next(j, x);
        HWY_UNROLL(kMostTaps)
        for (int a = 0; a < kRows; ++a) {
          const int i = kTaps - kStride + m - a * kStride;
          if (i < 0) continue;
          const Vector<T> w = weights(i, j);
          HWY_UNROLL(kMostVectors)
          for (int v = 0; v < kVectors; ++v) {
            if (!kSplit)
              sum[a][v] = hn::MulAdd(w, x[v], sum[a][v]);
            else
              products[a][v] = j == 0 ? hn::Mul(w, x[v]) : hn::MulAdd(w, x[v], products[a][v]);
          }
        }
      }
      if constexpr (kSplit) {
        HWY_UNROLL(kMostTaps)
        for (int a = 0; a < kRows; ++a) {
          if (kTaps - kStride + m < a * kStride) continue;
          HWY_UNROLL(kMostVectors)
          for (int v = 0; v < kVectors; ++v) sum[a][v] = hn::Add(sum[a][v], products[a][v]);
        }
      }
    }
    if (warm <= 0) {
      columns.Store(sum[0], to);
      to += out_step;
      if (ahead > 0) {
        Request<true>(next_to, kVectors);
        next_to += Columns::kPlanes * out_step;
      }
    }
    HWY_UNROLL(kMostTaps)
    for (int a = 1; a < kRows; ++a) {
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) sum[a - 1][v] = sum[a][v];
    }
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) sum[kRows - 1][v] = init;
  }
}

// Vectors side by side whose sums registers hold.
template <int kTaps>
constexpr int kWidest = kTaps == 7 || !kHasMaskedStores ? 3 : 4;

// Planes that are run after each other. Apart from what finds the columns, and with a copy of
// these: compilers keep masks and addresses in registers of their kind then.
template <int kTaps, int kStride, class Columns, typename T>
HWY_NOINLINE void SumPlanes(const PlaneWindow& s, const Columns& at, std::int64_t planes,
                            const T* in, const T* weights, const T* init, T* out) {
  constexpr int kPlanes = Columns::kPlanes;
  const Columns columns = at;
  const std::int64_t ahead = s.far ? PlanesAhead<T>(s.H * s.W, kPlanes) : 0;
  for (std::int64_t i = 0; i < planes; i += kPlanes) {
    const Vector<T> first = InitOf<kPlanes>(init ? init + i : nullptr);
    if constexpr (kHasMaskedStores ? kTaps == 3 || kPlanes == 2 : Columns::kWidth == 1)
      SumRows<kTaps, kStride>(s, columns, WeightVectors<kTaps, kPlanes, T>(weights), first, ahead,
                              in, out);
    else
      SumRows<kTaps, kStride>(s, columns, Broadcasts<kTaps, T>(weights), first, ahead, in, out);
    in += kPlanes * s.H * s.W;
    weights += kPlanes * kTaps * kTaps;
    out += kPlanes * s.OH * s.OW;
  }
}

// Calls strip(first vector, vectors) for the parts of a row, from the last one on.
template <class OfStrip>
void ForStrips(std::int64_t vectors, std::int64_t widest, const OfStrip& strip) {
  for (std::int64_t strips = (vectors + widest - 1) / widest; strips > 0; --strips) {
    const std::int64_t width = (vectors + strips - 1) / strips;
    vectors -= width;
    strip(vectors, width);
  }
}

#if HWY_TARGET == HWY_AVX2

template <int kStride, int kVectors, typename T>
void SumStrip(std::int64_t vectors, const PlaneWindow& s, std::int64_t column, std::int64_t planes,
              const T* in, const T* weights, const T* init, T* out) {
  if (vectors == kVectors) {
    const std::int64_t last = HWY_MIN(column + (kVectors - 1) * kLanes<T>, s.OW - kLanes<T>);
    return SumPlanes<3, kStride>(s, OverlappingStrip<kStride, kVectors, T>(s, column, last), planes,
                                 in, weights, init, out);
  }
  if constexpr (kVectors > 1)
    SumStrip<kStride, kVectors - 1>(vectors, s, column, planes, in, weights, init, out);
}

template <int kTaps, int kStride, typename T>
void Sums(const PlaneWindow& s, std::int64_t planes, const T* in, const T* weights, const T* init,
          T* out) {
  static_assert(kTaps == 3);
  const bool overlaps = OverlappingStrip<kStride, 1, T>::Fits(s);
  const std::int64_t vectors = (s.OW + kLanes<T> - 1) / kLanes<T>;
  const std::int64_t widest = overlaps ? kWidest<kTaps> : 1;
  // A plane stays in the nearest cache for all of its strips.
  const std::int64_t together = vectors <= widest ? planes : 1;
  T* const end = out + planes * s.OH * s.OW;
  for (std::int64_t i = 0; i < planes; i += together)
    ForStrips(vectors, widest, [&](std::int64_t v, std::int64_t width) {
      const T* const from = in + i * s.H * s.W;
      const T* const of = weights + i * kTaps * kTaps;
      const T* const first = init ? init + i : nullptr;
      T* const to = out + i * s.OH * s.OW;
      if (overlaps)
        SumStrip<kStride, kWidest<kTaps>>(width, s, v * kLanes<T>, together, from, of, first, to);
      else
        SumPlanes<kTaps, kStride>(s, MaskedStrip<kTaps, kStride, T>(s, v * kLanes<T>, end),
                                  together, from, of, first, to);
    });
}

#else

template <int kTaps, int kStride, int kVectors, typename T>
void SumStrip(std::int64_t vectors, const PlaneWindow& s, std::int64_t column, std::int64_t planes,
              const T* in, const T* weights, const T* init, T* out) {
  if (vectors == kVectors)
    return SumPlanes<kTaps, kStride>(s, Strip<kTaps, kStride, kVectors, T>(s, column), planes, in,
                                     weights, init, out);
  if constexpr (kVectors > 1)
    SumStrip<kTaps, kStride, kVectors - 1>(vectors, s, column, planes, in, weights, init, out);
}

// Planes of so few pixels that a vector holds one; see SumPlanes().
template <int kTaps, typename T>
HWY_NOINLINE void SumFlat(const FlatPlane<kTaps, T>& flat, std::int64_t planes, const T* in,
                          std::int64_t in_step, const T* weights, const T* init, T* out,
                          std::int64_t out_step) {
  const hn::ScalableTag<T> d;
  const FlatPlane<kTaps, T> plane = flat;
  for (std::int64_t i = 0; i < planes; ++i) {
    const Vector<T> all = plane.LoadIn(in);
    // Two chains: half the time that additions wait for each other.
    Vector<T> sum[2] = {InitOf<1>(init ? init + i : nullptr), hn::Zero(d)};
    HWY_UNROLL(64)
    for (int t = 0; t < kTaps * kTaps; ++t)
      sum[t % 2] = hn::MulAdd(hn::Set(d, weights[t]), plane.Tap(all, t), sum[t % 2]);
    plane.Store(hn::Add(sum[0], sum[1]), out);
    in += in_step;
    weights += kTaps * kTaps;
    out += out_step;
  }
}

template <int kTaps, int kStride, typename T>
void Sums(const PlaneWindow& s, std::int64_t planes, const T* in, const T* weights, const T* init,
          T* out) {
  if constexpr (kTaps == 3)
    if (FlatPlane<kTaps, T>::Fits(s))
      return SumFlat(FlatPlane<kTaps, T>::Forward(s, kStride), planes, in, s.H * s.W, weights, init,
                     out, s.OH * s.OW);
  std::int64_t i = 0;
  if (planes > 1 && WholeRows<kTaps, kStride, 2, T>::Fits(s)) {
    i = planes / 2 * 2;
    SumPlanes<kTaps, kStride>(s, WholeRows<kTaps, kStride, 2, T>(s), i, in, weights, init, out);
  }
  if (WholeRows<kTaps, kStride, 1, T>::Fits(s))
    return SumPlanes<kTaps, kStride>(s, WholeRows<kTaps, kStride, 1, T>(s), planes - i,
                                     in + i * s.H * s.W, weights + i * kTaps * kTaps,
                                     init ? init + i : nullptr, out + i * s.OH * s.OW);
  const std::int64_t vectors = (s.OW + kLanes<T> - 1) / kLanes<T>;
  const bool inside = Strip<kTaps, kStride, 1, T>::IsInside(s, (vectors - 1) * kLanes<T>);
  const std::int64_t widest = inside ? kWidest<kTaps> : 1;
  // A plane stays in the nearest cache for all of its strips.
  const std::int64_t together = vectors <= widest ? planes - i : 1;
  for (; i < planes; i += together)
    ForStrips(vectors, widest, [&](std::int64_t v, std::int64_t width) {
      SumStrip<kTaps, kStride, kWidest<kTaps>>(width, s, v * kLanes<T>, together,
                                               in + i * s.H * s.W, weights + i * kTaps * kTaps,
                                               init ? init + i : nullptr, out + i * s.OH * s.OW);
    });
}

#endif

// Every row of grad_output is loaded once and takes part in the kTaps rows that it reaches: sum[i]
// gathers row 2 r - pad_top + i.
template <int kTaps, int kVectors, typename T>
HWY_INLINE void SpreadRows(const PlaneWindow& s, const SpreadStrip<kTaps, kVectors, T>& columns,
                           const T* weights, Vector<T> init, std::int64_t ahead, const T* out,
                           T* in) {
  constexpr int kMost = SpreadStrip<kTaps, kVectors, T>::kMost;
  Vector<T> w[kTaps][kMost];
  HWY_UNROLL(kMostTaps)
  for (int i = 0; i < kTaps; ++i) {
    HWY_UNROLL(kMostTaps)
    for (int m = 0; m < kMost; ++m) w[i][m] = columns.Weight(weights, i, m);
  }
  Vector<T> sum[kTaps][kVectors];
  HWY_UNROLL(kMostTaps)
  for (int i = 0; i < kTaps; ++i) {
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) sum[i][v] = init;
  }
  const std::int64_t begin = HWY_MIN(0, (s.pad_top - (s.pad_top % 2 != 0)) / 2);
  const std::int64_t out_rows = s.OH, out_step = s.OW, in_rows = s.H, in_step = s.W;
  const T* from = out + columns.out_offset + begin * out_step;
  std::int64_t done = 2 * begin - s.pad_top;
  T* to = in + columns.in_offset + done * in_step;
  const T* next_from = out + ahead * s.OH * out_step + columns.out_offset;
  const T* next_to = in + ahead * s.H * in_step + columns.in_offset;
  for (std::int64_t row = begin; done < in_rows; ++row, from += out_step) {
    if (row >= 0 && row < out_rows) {
      if (ahead > 0) {
        Request<false>(next_from, (kVectors + 1) / 2);
        next_from += out_step;
      }
      Vector<T> x[kMost][kVectors];
      columns.Load(from, x);
      HWY_UNROLL(kMostTaps)
      for (int i = 0; i < kTaps; ++i) {
        HWY_UNROLL(kMostTaps)
        for (int m = 0; m < kMost; ++m) {
          HWY_UNROLL(kMostVectors)
          for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(w[i][m], x[m][v], sum[i][v]);
        }
      }
    }
    HWY_UNROLL(2)
    for (int i = 0; i < 2; ++i, ++done, to += in_step) {
      if (done < 0 || done >= in_rows) continue;
      columns.Store(sum[i], to);
      if (ahead > 0) {
        Request<true>(next_to, kVectors);
        next_to += in_step;
      }
    }
    HWY_UNROLL(kMostTaps)
    for (int i = 0; i < kTaps; ++i) {
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) sum[i][v] = i + 2 < kTaps ? sum[i + 2][v] : init;
    }
  }
}

template <int kTaps, int kVectors, typename T>
HWY_NOINLINE void SpreadPlanes(const PlaneWindow& s, const SpreadStrip<kTaps, kVectors, T>& at,
                               std::int64_t planes, const T* out, const T* weights, const T* init,
                               T* in) {
  const SpreadStrip<kTaps, kVectors, T> columns = at;
  const std::int64_t ahead = s.far ? PlanesAhead<T>(s.H * s.W, 1) : 0;
  for (std::int64_t i = 0; i < planes; ++i)
    SpreadRows<kTaps, kVectors>(s, columns, weights + i * kTaps * kTaps,
                                InitOf<1>(init ? init + i : nullptr), ahead, out + i * s.OH * s.OW,
                                in + i * s.H * s.W);
}

template <int kTaps, int kVectors, typename T>
void SpreadStripOf(std::int64_t vectors, const PlaneWindow& s, std::int64_t column,
                   std::int64_t planes, const T* out, const T* weights, const T* init, T* in) {
  if (vectors == kVectors)
    return SpreadPlanes<kTaps, kVectors>(
        s, SpreadStrip<kTaps, kVectors, T>(s, column, in + planes * s.H * s.W), planes, out,
        weights, init, in);
  if constexpr (kVectors > 1)
    SpreadStripOf<kTaps, kVectors - 1>(vectors, s, column, planes, out, weights, init, in);
}

template <int kTaps>
constexpr int kWidestSpread = kTaps == 3 && kHasMaskedStores ? 4 : 2;

template <int kTaps, typename T>
void Adjoint(const PlaneWindow& s, std::int64_t planes, const T* out, const T* weights,
             const T* init, T* in) {
#if HWY_TARGET == HWY_AVX3
  if constexpr (kTaps == 3)
    if (FlatPlane<kTaps, T>::Fits(s))
      return SumFlat(FlatPlane<kTaps, T>::Adjoint(s, 2), planes, out, s.OH * s.OW, weights, init,
                     in, s.H * s.W);
#endif
  const std::int64_t vectors = (s.W + kLanes<T> - 1) / kLanes<T>;
  const std::int64_t together = vectors <= kWidestSpread<kTaps> ? planes : 1;
  for (std::int64_t i = 0; i < planes; i += together)
    ForStrips(vectors, kWidestSpread<kTaps>, [&](std::int64_t v, std::int64_t width) {
      SpreadStripOf<kTaps, kWidestSpread<kTaps>>(width, s, v * kLanes<T>, together,
                                                 out + i * s.OH * s.OW, weights + i * kTaps * kTaps,
                                                 init ? init + i : nullptr, in + i * s.H * s.W);
    });
}

template <typename T>
const PlaneTaps<T>* Taps(std::int64_t kernel, std::int64_t stride) {
  return TableFor<PlaneTaps<T>>(kernel, stride, [](auto taps, auto step) {
    PlaneTaps<T> table{Sums<taps, step, T>, nullptr};
    if constexpr (step == 2) table.adjoint = Adjoint<taps, T>;
    return table;
  });
}

#else

template <typename T>
const PlaneTaps<T>* Taps(std::int64_t, std::int64_t) {
  return nullptr;
}

#endif

const PlaneTaps<float>* TapsF32(std::int64_t kernel, std::int64_t stride) {
  return Taps<float>(kernel, stride);
}
const PlaneTaps<double>* TapsF64(std::int64_t kernel, std::int64_t stride) {
  return Taps<double>(kernel, stride);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(TapsF32);
HWY_EXPORT(TapsF64);

template <>
const PlaneTaps<float>* plane_taps(std::int64_t kernel, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(TapsF32)(kernel, stride);
}
template <>
const PlaneTaps<double>* plane_taps(std::int64_t kernel, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(TapsF64)(kernel, stride);
}

}  // namespace tapedeck::kernels

#endif
