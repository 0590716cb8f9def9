#include <tapedeck/ops/kernels/plane_taps.h>

#include <vector>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/plane_taps.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/plane_rows-inl.h>
#include <tapedeck/ops/kernels/transpose-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3

constexpr std::int64_t kChain = 256;  // products added up before the sum is set aside

// Asks for some cache lines of a row that is read or written later.
template <bool kToWrite, typename T>
HWY_INLINE void Request(const T* at, int lines) {
  HWY_UNROLL(8)
  for (int i = 0; i < lines; ++i) __builtin_prefetch(at + i * kLanes<T>, kToWrite, 2);
}

// Planes from one to that whose lines are asked for meanwhile.
template <typename T>
std::int64_t PlanesAhead(std::int64_t elements, std::int64_t planes) {
  constexpr std::int64_t kBytes = 2048;
  const std::int64_t step = HWY_MAX(1, elements * planes * static_cast<std::int64_t>(sizeof(T)));
  return (kBytes + step - 1) / step * planes;
}

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
  constexpr bool kSplit = kVectors == 1 || (kVectors == 2 && kTaps == 3);
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
constexpr int kWidest = kTaps == 7 ? 3 : 4;

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
    if constexpr (kTaps == 3 || kPlanes == 2)
      SumRows<kTaps, kStride>(s, columns, WeightVectors<kTaps, kPlanes, T>(weights), first, ahead,
                              in, out);
    else
      SumRows<kTaps, kStride>(s, columns, Broadcasts<kTaps, T>(weights), first, ahead, in, out);
    in += kPlanes * s.H * s.W;
    weights += kPlanes * kTaps * kTaps;
    out += kPlanes * s.OH * s.OW;
  }
}

template <int kTaps, int kStride, int kVectors, typename T>
void SumStrip(std::int64_t vectors, const PlaneWindow& s, std::int64_t column, std::int64_t planes,
              const T* in, const T* weights, const T* init, T* out) {
  if (vectors == kVectors)
    return SumPlanes<kTaps, kStride>(s, Strip<kTaps, kStride, kVectors, T>(s, column), planes, in,
                                     weights, init, out);
  if constexpr (kVectors > 1)
    SumStrip<kTaps, kStride, kVectors - 1>(vectors, s, column, planes, in, weights, init, out);
}

// Calls strip(first vector, vectors) for the parts of a row.
template <class OfStrip>
void ForStrips(std::int64_t vectors, std::int64_t widest, const OfStrip& strip) {
  std::int64_t strips = (vectors + widest - 1) / widest;
  for (std::int64_t v = 0; v < vectors; --strips) {
    const std::int64_t width = (vectors - v + strips - 1) / strips;
    strip(v, width);
    v += width;
  }
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
    return SpreadPlanes<kTaps, kVectors>(s, SpreadStrip<kTaps, kVectors, T>(s, column), planes, out,
                                         weights, init, in);
  if constexpr (kVectors > 1)
    SpreadStripOf<kTaps, kVectors - 1>(vectors, s, column, planes, out, weights, init, in);
}

template <int kTaps>
constexpr int kWidestSpread = kTaps == 3 ? 4 : 2;

template <int kTaps, typename T>
void Adjoint(const PlaneWindow& s, std::int64_t planes, const T* out, const T* weights,
             const T* init, T* in) {
  if constexpr (kTaps == 3)
    if (FlatPlane<kTaps, T>::Fits(s))
      return SumFlat(FlatPlane<kTaps, T>::Adjoint(s, 2), planes, out, s.OH * s.OW, weights, init,
                     in, s.H * s.W);
  const std::int64_t vectors = (s.W + kLanes<T> - 1) / kLanes<T>;
  const std::int64_t together = vectors <= kWidestSpread<kTaps> ? planes : 1;
  for (std::int64_t i = 0; i < planes; i += together)
    ForStrips(vectors, kWidestSpread<kTaps>, [&](std::int64_t v, std::int64_t width) {
      SpreadStripOf<kTaps, kWidestSpread<kTaps>>(width, s, v * kLanes<T>, together,
                                                 out + i * s.OH * s.OW, weights + i * kTaps * kTaps,
                                                 init ? init + i : nullptr, in + i * s.H * s.W);
    });
}

// An input row meets the rows of some planes of grad_output that read it, which stay in registers:
// grad[a] is row o + a. The taps are those of some rows of the kernel, from which s.pad_top counts.
// The lines of other planes are asked for meanwhile, unless these are null.
template <int kTaps, int kTapRows, int kStride, int kFilters, bool kTotal, class Columns,
          typename T>
HWY_INLINE void DotRows(const PlaneWindow& s, const Columns& columns, const T* in, const T* out,
                        const T* next_in, const T* next_out,
                        Vector<T> (&sum)[kFilters][kTapRows][kTaps], Vector<T>& total) {
  constexpr int kRows = (kTapRows + kStride - 1) / kStride;
  const hn::ScalableTag<T> d;
  Vector<T> grad[kRows][kFilters];
  HWY_UNROLL(kMostTaps)
  for (int a = 0; a < kRows; ++a) {
    HWY_UNROLL(2)
    for (int f = 0; f < kFilters; ++f) grad[a][f] = hn::Zero(d);
  }
  const std::int64_t in_rows = s.H, in_step = s.W, out_step = s.OW, out_plane = s.OH * s.OW;
  std::int64_t row = (1 - kRows) * kStride - s.pad_top + kTapRows - kStride;
  const T* from = in + columns.in_offset + row * in_step;
  const T* next = out + columns.out_offset;
  const bool in_far = next_in != nullptr, out_far = next_out != nullptr;
  if (in_far) next_in += columns.in_offset;
  if (out_far) next_out += columns.out_offset;
  for (std::int64_t left = s.OH; left > 1 - kRows; --left, next += out_step) {
    HWY_UNROLL(2)
    for (int f = 0; f < kFilters; ++f) {
      HWY_UNROLL(kMostTaps)
      for (int a = 1; a < kRows; ++a) grad[a - 1][f] = grad[a][f];
      grad[kRows - 1][f] = left > 0 ? columns.LoadOut(next + f * out_plane) : hn::Zero(d);
    }
    if (out_far) {
      HWY_UNROLL(2)
      for (int f = 0; f < kFilters; ++f) Request<false>(next_out + f * out_plane, 1);
      next_out += Columns::kPlanes * out_step;
    }
    if constexpr (kTotal) total = hn::Add(total, grad[kRows - 1][0]);
    HWY_UNROLL(2)
    for (int m = 0; m < kStride; ++m, ++row, from += in_step) {
      if (row < 0 || row >= in_rows) continue;
      if (in_far) {
        Request<false>(next_in, kStride);
        next_in += Columns::kPlanes * in_step;
      }
      typename Columns::Row taps(columns, from);
      HWY_UNROLL(kMostTaps)
      for (int j = 0; j < kTaps; ++j) {
        Vector<T> x[1];
        taps.Next(j, x);
        HWY_UNROLL(kMostTaps)
        for (int a = 0; a < kRows; ++a) {
          const int i = kTapRows - kStride + m - a * kStride;
          if (i < 0) continue;
          HWY_UNROLL(2)
          for (int f = 0; f < kFilters; ++f)
            sum[f][i][j] = hn::MulAdd(grad[a][f], x[0], sum[f][i][j]);
        }
      }
    }
  }
}

// Adds the lanes of each of some vectors to a sum of its own and, where the halves of vectors
// belong to two planes, to two of them `plane_step` apart.
template <int kPlanes, typename T>
HWY_INLINE void AddLanes(const Vector<T>* vectors, int count, double* sums,
                         std::int64_t plane_step) {
  const hn::ScalableTag<T> d;
  const hn::Half<decltype(d)> half;
  const hn::Half<decltype(half)> block;
  constexpr int kSide = 16 / sizeof(T);
  const auto add = [&](hn::Vec<decltype(half)> lanes, int rest, double* to) HWY_ATTR {
    const auto sum = hn::Add(hn::LowerHalf(block, lanes), hn::UpperHalf(block, lanes));
    const hn::CappedTag<double, kSide> wide;
    const auto mask = hn::FirstN(wide, static_cast<std::size_t>(HWY_MIN(rest, kSide)));
    const auto before = hn::MaskedLoad(mask, wide, to);
    if constexpr (sizeof(T) == sizeof(double))
      hn::BlendedStore(hn::Add(before, sum), mask, wide, to);
    else
      hn::BlendedStore(hn::Add(before, hn::PromoteTo(wide, sum)), mask, wide, to);
  };
  HWY_UNROLL(16)
  for (int first = 0; first < count; first += kSide) {
    Vector<T> r[kSide];
    HWY_UNROLL(4)
    for (int k = 0; k < kSide; ++k) r[k] = vectors[HWY_MIN(first + k, count - 1)];
    TransposeBlocks(d, r);
    Vector<T> sum = r[0];
    HWY_UNROLL(4)
    for (int k = 1; k < kSide; ++k) sum = hn::Add(sum, r[k]);
    const auto low = hn::LowerHalf(half, sum), high = hn::UpperHalf(half, sum);
    if constexpr (kPlanes == 1) {
      add(hn::Add(low, high), count - first, sums + first);
    } else {
      add(low, count - first, sums + first);
      add(high, count - first, sums + plane_step + first);
    }
  }
}

// The planes of some images, and their sums.
template <typename T>
struct DotRun {
  std::int64_t planes, images;
  const T* in;
  std::int64_t in_image_step;
  const T* grad;
  std::int64_t grad_image_step;
  double* sums;
};

// Apart from what finds the columns, see SumPlanes().
template <int kTaps, int kTapRows, int kStride, bool kTotal, class Columns, typename T>
HWY_NOINLINE void DotPlanes(const PlaneWindow& s, const Columns* strips, std::int64_t count,
                            const DotRun<T>& run, double* sums) {
  constexpr int kPlanes = Columns::kPlanes, kSums = kTapRows * kTaps;
  constexpr std::int64_t kStep = kTaps * kTaps + 1;
  const hn::ScalableTag<T> d;
  const Columns whole = strips[0];
  const std::int64_t chain = HWY_MAX(1, kChain / HWY_MAX(1, s.OH * count));
  // The plane and the image whose lines are asked for.
  const std::int64_t ahead = PlanesAhead<T>(s.H * s.W, kPlanes) / kPlanes;
  std::int64_t next_plane = ahead / run.images * kPlanes, next_image = ahead % run.images;
  for (std::int64_t plane = 0; plane < run.planes; plane += kPlanes, sums += kPlanes * kStep) {
    const T* const in = run.in + plane * s.H * s.W;
    const T* const grad = run.grad + plane * s.OH * s.OW;
    for (std::int64_t first = 0; first < run.images; first += chain) {
      const std::int64_t end = HWY_MIN(first + chain, run.images);
      Vector<T> sum[1][kTapRows][kTaps], total = hn::Zero(d);
      HWY_UNROLL(kMostTaps)
      for (int i = 0; i < kTapRows; ++i) {
        HWY_UNROLL(kMostTaps)
        for (int j = 0; j < kTaps; ++j) sum[0][i][j] = hn::Zero(d);
      }
      for (std::int64_t n = first; n < end; ++n) {
        const T* const x = in + n * run.in_image_step;
        const T* const g = grad + n * run.grad_image_step;
        const T* const next_x =
            s.far ? run.in + next_image * run.in_image_step + next_plane * s.H * s.W : nullptr;
        const T* const next_g =
            s.far ? run.grad + next_image * run.grad_image_step + next_plane * s.OH * s.OW
                  : nullptr;
        if (++next_image == run.images) {
          next_image = 0;
          next_plane += kPlanes;
        }
        if constexpr (Columns::kWhole) {
          DotRows<kTaps, kTapRows, kStride, 1, kTotal>(s, whole, x, g, next_x, next_g, sum, total);
        } else {
          for (std::int64_t i = 0; i < count; ++i) {
            const Columns columns = strips[i];
            DotRows<kTaps, kTapRows, kStride, 1, kTotal>(s, columns, x, g, next_x, next_g, sum,
                                                         total);
          }
        }
      }
      Vector<T> all[kSums + 1];
      HWY_UNROLL(kMostTaps)
      for (int i = 0; i < kTapRows; ++i) {
        HWY_UNROLL(kMostTaps)
        for (int j = 0; j < kTaps; ++j) all[i * kTaps + j] = sum[0][i][j];
      }
      all[kSums] = total;
      AddLanes<kPlanes, T>(all, kTotal ? kSums + 1 : kSums, sums, kStep);
    }
  }
}

// Rows of the kernel whose sums registers hold.
template <int kTaps>
constexpr int kMostTapRows = kTaps == 7 ? 3 : kTaps;

// The rows of the kernel before kEnd, from the last ones on: these have the total beside them.
template <int kTaps, int kEnd, int kStride, class Columns, typename T>
void DotPasses(const PlaneWindow& s, const Columns* strips, std::int64_t count,
               const DotRun<T>& run) {
  constexpr int kPasses = (kEnd + kMostTapRows<kTaps> - 1) / kMostTapRows<kTaps>;
  constexpr int kTapRows = kEnd / kPasses, kFirst = kEnd - kTapRows;
  PlaneWindow part = s;
  part.pad_top -= kFirst;
  DotPlanes<kTaps, kTapRows, kStride, kEnd == kTaps>(part, strips, count, run,
                                                     run.sums + kFirst * kTaps);
  if constexpr (kFirst > 0) DotPasses<kTaps, kFirst, kStride>(s, strips, count, run);
}

// Planes of so few pixels that a vector holds one; see SumPlanes().
template <int kTaps, typename T>
HWY_NOINLINE void DotFlat(const PlaneWindow& s, const FlatPlane<kTaps, T>& flat,
                          const DotRun<T>& run) {
  constexpr int kSums = kTaps * kTaps;
  const hn::ScalableTag<T> d;
  const FlatPlane<kTaps, T> plane = flat;
  for (std::int64_t i = 0; i < run.planes; ++i)
    for (std::int64_t first = 0; first < run.images; first += kChain) {
      Vector<T> sum[kSums + 1];
      HWY_UNROLL(64)
      for (int t = 0; t <= kSums; ++t) sum[t] = hn::Zero(d);
      for (std::int64_t n = first; n < HWY_MIN(first + kChain, run.images); ++n) {
        const Vector<T> all = plane.LoadIn(run.in + n * run.in_image_step + i * s.H * s.W);
        const Vector<T> grad = plane.LoadOut(run.grad + n * run.grad_image_step + i * s.OH * s.OW);
        HWY_UNROLL(64)
        for (int t = 0; t < kSums; ++t) sum[t] = hn::MulAdd(grad, plane.Tap(all, t), sum[t]);
        sum[kSums] = hn::Add(sum[kSums], grad);
      }
      AddLanes<1, T>(sum, kSums + 1, run.sums + i * (kSums + 1), 0);
    }
}

template <int kTaps, int kStride, typename T>
void Dots(const PlaneWindow& s, std::int64_t planes, std::int64_t images, const T* in,
          std::int64_t in_image_step, const T* grad, std::int64_t grad_image_step, double* sums) {
  using Two = WholeRows<kTaps, kStride, 2, T>;
  using One = WholeRows<kTaps, kStride, 1, T>;
  using Part = Strip<kTaps, kStride, 1, T>;
  constexpr std::int64_t kStep = kTaps * kTaps + 1;
  for (std::int64_t t = 0; t < planes * kStep; ++t) sums[t] = 0;
  DotRun<T> run{planes, images, in, in_image_step, grad, grad_image_step, sums};
  if constexpr (kTaps == 3)
    if (FlatPlane<kTaps, T>::Fits(s))
      return DotFlat(s, FlatPlane<kTaps, T>::Forward(s, kStride), run);
  if (planes > 1 && Two::Fits(s)) {
    run.planes = planes / 2 * 2;
    const Two rows(s);
    DotPasses<kTaps, kTaps, kStride>(s, &rows, 1, run);
    run.in += run.planes * s.H * s.W;
    run.grad += run.planes * s.OH * s.OW;
    run.sums += run.planes * kStep;
    run.planes = planes - run.planes;
  }
  if (One::Fits(s)) {
    const One rows(s);
    return DotPasses<kTaps, kTaps, kStride>(s, &rows, 1, run);
  }
  std::vector<Part> strips;
  for (std::int64_t c = 0; c < s.OW; c += kLanes<T>) strips.emplace_back(s, c);
  DotPasses<kTaps, kTaps, kStride>(s, strips.data(), static_cast<std::int64_t>(strips.size()), run);
}

// All channels of a group, some filters from `first` on, and some rows of the kernel from kFirst
// on; see SumPlanes().
template <int kTaps, int kFirst, int kTapRows, int kStride, int kFilters, class Columns, typename T>
HWY_NOINLINE void DotChannels(const PlaneWindow& s, const Columns* strips, std::int64_t count,
                              const GroupDots<T>& run, std::int64_t first) {
  constexpr int kSums = kTapRows * kTaps;
  const hn::ScalableTag<T> d;
  const Columns whole = strips[0];
  const std::int64_t plane = s.H * s.W, out_plane = s.OH * s.OW;
  for (std::int64_t c = 0; c < run.channels; ++c) {
    Vector<T> sum[kFilters][kTapRows][kTaps], total;
    HWY_UNROLL(2)
    for (int f = 0; f < kFilters; ++f) {
      HWY_UNROLL(kMostTaps)
      for (int i = 0; i < kTapRows; ++i) {
        HWY_UNROLL(kMostTaps)
        for (int j = 0; j < kTaps; ++j) sum[f][i][j] = hn::Zero(d);
      }
    }
    for (std::int64_t n = 0; n < run.images; ++n) {
      const std::int64_t in = n * run.in_image_step + c * plane;
      const std::int64_t grad = n * run.grad_image_step + first * out_plane;
      // Each plane once.
      const T* const next_in = s.far && first == 0 && kFirst == 0 ? run.next_in + in : nullptr;
      const T* const next_grad = s.far && c == 0 && kFirst == 0 ? run.next_grad + grad : nullptr;
      if constexpr (Columns::kWhole) {
        DotRows<kTaps, kTapRows, kStride, kFilters, false>(s, whole, run.in + in, run.grad + grad,
                                                           next_in, next_grad, sum, total);
      } else {
        for (std::int64_t i = 0; i < count; ++i) {
          const Columns columns = strips[i];
          DotRows<kTaps, kTapRows, kStride, kFilters, false>(
              s, columns, run.in + in, run.grad + grad, next_in, next_grad, sum, total);
        }
      }
    }
    HWY_UNROLL(2)
    for (int f = 0; f < kFilters; ++f) {
      Vector<T> all[kSums];
      HWY_UNROLL(kMostTaps)
      for (int i = 0; i < kTapRows; ++i) {
        HWY_UNROLL(kMostTaps)
        for (int j = 0; j < kTaps; ++j) all[i * kTaps + j] = sum[f][i][j];
      }
      double* const to = run.sums + ((first + f) * run.channels + c) * kTaps * kTaps;
      AddLanes<1, T>(all, kSums, to + kFirst * kTaps, 0);
    }
  }
}

template <int kTaps, int kEnd, int kStride, int kFilters, class Columns, typename T>
void DotChannelPasses(const PlaneWindow& s, const Columns* strips, std::int64_t count,
                      const GroupDots<T>& run, std::int64_t first) {
  constexpr int kPasses = (kEnd + kMostTapRows<kTaps> - 1) / kMostTapRows<kTaps>;
  constexpr int kTapRows = kEnd / kPasses, kFirst = kEnd - kTapRows;
  PlaneWindow part = s;
  part.pad_top -= kFirst;
  DotChannels<kTaps, kFirst, kTapRows, kStride, kFilters>(part, strips, count, run, first);
  if constexpr (kFirst > 0)
    DotChannelPasses<kTaps, kFirst, kStride, kFilters>(s, strips, count, run, first);
}

// Two filters at a time, where registers hold the sums of their taps.
template <int kTaps, int kStride, class Columns, typename T>
void DotFilters(const PlaneWindow& s, const Columns* strips, std::int64_t count,
                const GroupDots<T>& run) {
  constexpr int kFilters = kTaps == 3 ? 2 : 1;
  std::int64_t f = 0;
  for (; f + kFilters <= run.filters; f += kFilters)
    DotChannelPasses<kTaps, kTaps, kStride, kFilters>(s, strips, count, run, f);
  for (; f < run.filters; ++f) DotChannelPasses<kTaps, kTaps, kStride, 1>(s, strips, count, run, f);
}

template <int kTaps, int kStride, typename T>
void DotGroup(const PlaneWindow& s, const GroupDots<T>& run) {
  using One = WholeRows<kTaps, kStride, 1, T>;
  using Part = Strip<kTaps, kStride, 1, T>;
  if (One::Fits(s)) {
    const One rows(s);
    return DotFilters<kTaps, kStride>(s, &rows, 1, run);
  }
  std::vector<Part> strips;
  for (std::int64_t c = 0; c < s.OW; c += kLanes<T>) strips.emplace_back(s, c);
  DotFilters<kTaps, kStride>(s, strips.data(), static_cast<std::int64_t>(strips.size()), run);
}

template <int kTaps, int kStride, typename T>
PlaneTaps<T> TableOf() {
  PlaneTaps<T> taps{Sums<kTaps, kStride, T>, nullptr, Dots<kTaps, kStride, T>,
                    DotGroup<kTaps, kStride, T>};
  if constexpr (kStride == 2) taps.adjoint = Adjoint<kTaps, T>;
  return taps;
}

template <typename T>
const PlaneTaps<T>* Taps(std::int64_t kernel, std::int64_t stride) {
  static const PlaneTaps<T> all[3][2] = {{TableOf<3, 1, T>(), TableOf<3, 2, T>()},
                                         {TableOf<5, 1, T>(), TableOf<5, 2, T>()},
                                         {TableOf<7, 1, T>(), TableOf<7, 2, T>()}};
  const bool has = (kernel == 3 || kernel == 5 || kernel == 7) && (stride == 1 || stride == 2);
  return has ? &all[(kernel - 3) / 2][stride - 1] : nullptr;
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
