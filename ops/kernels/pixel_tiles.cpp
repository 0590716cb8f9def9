#include <tapedeck/ops/kernels/pixel_tiles.h>

#include <tapedeck/ops/kernels/copy_run.h>
#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/pixel_tiles.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Sums that registers hold beside the operands.
#if HWY_TARGET == HWY_AVX3
constexpr int kSums = 24, kMostFilters = 8, kDotFilters = 4;
#else
constexpr int kSums = 12, kMostFilters = 4, kDotFilters = 2;
#endif
constexpr int kMostVectors = 8, kDotTaps = kSums / kDotFilters;

template <int kFilters>
constexpr int VectorsOf() {
  return kSums / kFilters < kMostVectors ? kSums / kFilters : kMostVectors;
}

template <int kFilters, typename T>
void PixelTilesOf(const PixelRun<T>& run) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  constexpr int kVectors = VectorsOf<kFilters>();
  const std::int64_t tiles = (run.vectors + kVectors - 1) / kVectors;
  const std::int64_t ahead = run.ahead ? (run.ahead_elements + tiles - 1) / HWY_MAX(1, tiles) : 0;
  const T* next = run.ahead;
  for (std::int64_t first = 0; first < run.vectors; first += kVectors) {
    constexpr std::int64_t kLine = 64 / sizeof(T);
    for (std::int64_t i = 0; i < ahead; i += kLine) __builtin_prefetch(next + i, 0, 2);
    next += ahead;
    const int vectors = static_cast<int>(HWY_MIN(kVectors, run.vectors - first));
    const T* in[kVectors];
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v)
      in[v] = run.in + run.in_offsets[first + (v < vectors ? v : 0)];
    V acc[kFilters][kVectors];
    HWY_UNROLL(kMostFilters)
    for (int m = 0; m < kFilters; ++m) {
      const V start = run.bias ? hn::Set(d, run.bias[m]) : hn::Zero(d);
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) acc[m][v] = start;
    }
    const T* weights = run.weights;
    std::int64_t channel = 0;
    for (std::int64_t c = 0; c < run.channels; ++c, channel += run.in_step)
      for (std::int64_t t = 0; t < run.taps; ++t, weights += kFilters) {
        const std::int64_t at = channel + run.offsets[t];
        // Registers hold the operands of which there are fewer, and one of the others.
        if constexpr (kFilters < kVectors) {
          V w[kFilters];
          HWY_UNROLL(kMostFilters)
          for (int m = 0; m < kFilters; ++m) w[m] = hn::Set(d, weights[m]);
          HWY_UNROLL(kMostVectors)
          for (int v = 0; v < kVectors; ++v) {
            const V x = hn::LoadU(d, in[v] + at);
            HWY_UNROLL(kMostFilters)
            for (int m = 0; m < kFilters; ++m) acc[m][v] = hn::MulAdd(w[m], x, acc[m][v]);
          }
          continue;
        }
        V x[kVectors];
        HWY_UNROLL(kMostVectors)
        for (int v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, in[v] + at);
        HWY_UNROLL(kMostFilters)
        for (int m = 0; m < kFilters; ++m) {
          const V w = hn::Set(d, weights[m]);
          HWY_UNROLL(kMostVectors)
          for (int v = 0; v < kVectors; ++v) acc[m][v] = hn::MulAdd(w, x[v], acc[m][v]);
        }
      }
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) {
      if (v >= vectors) break;
      T* const out = run.out + run.out_offsets[first + v];
      const std::int64_t count = run.counts[first + v];
      HWY_UNROLL(kMostFilters)
      for (int m = 0; m < kFilters; ++m) {
        T* const to = out + m * run.out_step;
        if (count == kLanes)
          hn::StoreU(run.add ? hn::Add(acc[m][v], hn::LoadU(d, to)) : acc[m][v], d, to);
        else
          StorePart(d, run.add ? hn::Add(acc[m][v], LoadPart(d, to, count)) : acc[m][v], to, count);
      }
    }
  }
}

template <int kFilters, int kTaps, typename T>
HWY_INLINE void DotTile(const DotRun<T>& run, const T* grad, const std::int64_t* offsets, T* sums,
                        std::int64_t sums_step) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  V acc[kFilters][kTaps];
  HWY_UNROLL(kDotFilters)
  for (int m = 0; m < kFilters; ++m) {
    HWY_UNROLL(kDotTaps)
    for (int t = 0; t < kTaps; ++t) acc[m][t] = hn::LoadU(d, sums + m * sums_step + t * kLanes);
  }
  const std::int64_t columns = run.columns, whole = columns / kLanes * kLanes;
  const auto rest = hn::FirstN(d, static_cast<std::size_t>(columns - whole));
  for (std::int64_t p = 0; p < run.planes; ++p)
    for (std::int64_t r = 0; r < run.rows; ++r) {
      const T* const g = grad + p * run.grad_plane_step + r * run.grad_row_step;
      const T* const x = run.in + p * run.in_plane_step + r * run.in_row_step;
      const T *xs[kTaps], *gs[kFilters];
      HWY_UNROLL(kDotTaps)
      for (int t = 0; t < kTaps; ++t) xs[t] = x + offsets[t];
      HWY_UNROLL(kDotFilters)
      for (int m = 0; m < kFilters; ++m) gs[m] = g + m * run.grad_step;
      for (std::int64_t i = 0; i < whole; i += kLanes) {
        V dy[kFilters];
        HWY_UNROLL(kDotFilters)
        for (int m = 0; m < kFilters; ++m) dy[m] = hn::LoadU(d, gs[m] + i);
        HWY_UNROLL(kDotTaps)
        for (int t = 0; t < kTaps; ++t) {
          const V v = hn::LoadU(d, xs[t] + i);
          HWY_UNROLL(kDotFilters)
          for (int m = 0; m < kFilters; ++m) acc[m][t] = hn::MulAdd(dy[m], v, acc[m][t]);
        }
      }
      if (whole == columns) continue;
      V dy[kFilters];
      HWY_UNROLL(kDotFilters)
      for (int m = 0; m < kFilters; ++m) dy[m] = hn::MaskedLoad(rest, d, gs[m] + whole);
      HWY_UNROLL(kDotTaps)
      for (int t = 0; t < kTaps; ++t) {
        const V v = hn::MaskedLoad(rest, d, xs[t] + whole);
        HWY_UNROLL(kDotFilters)
        for (int m = 0; m < kFilters; ++m) acc[m][t] = hn::MulAdd(dy[m], v, acc[m][t]);
      }
    }
  HWY_UNROLL(kDotFilters)
  for (int m = 0; m < kFilters; ++m) {
    HWY_UNROLL(kDotTaps)
    for (int t = 0; t < kTaps; ++t) hn::StoreU(acc[m][t], d, sums + m * sums_step + t * kLanes);
  }
}

template <int kFilters, int kTaps, typename T>
HWY_INLINE void DotTileOf(std::int64_t taps, const DotRun<T>& run, const T* grad,
                          const std::int64_t* offsets, T* sums, std::int64_t sums_step) {
  if (taps == kTaps) return DotTile<kFilters, kTaps>(run, grad, offsets, sums, sums_step);
  if constexpr (kTaps > 1)
    DotTileOf<kFilters, kTaps - 1>(taps, run, grad, offsets, sums, sums_step);
}

template <int kFilters, typename T>
HWY_INLINE void DotFilters(const DotRun<T>& run, std::int64_t m) {
  constexpr std::int64_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  constexpr int kTaps = kSums / kFilters < 9 ? kSums / kFilters : 9;
  for (std::int64_t t = 0, tiles = (run.taps + kTaps - 1) / kTaps; t < run.taps; --tiles) {
    const std::int64_t taps = (run.taps - t + tiles - 1) / tiles;
    DotTileOf<kFilters, kTaps>(taps, run, run.grad + m * run.grad_step, run.offsets + t,
                               run.sums + m * run.sums_step + t * kLanes, run.sums_step);
    t += taps;
  }
}

template <typename T>
void DotTiles(const DotRun<T>& run) {
  std::int64_t m = 0;
  for (; m + kDotFilters <= run.filters; m += kDotFilters) DotFilters<kDotFilters>(run, m);
  if constexpr (kDotFilters > 2)
    for (; m + 2 <= run.filters; m += 2) DotFilters<2>(run, m);
  for (; m < run.filters; ++m) DotFilters<1>(run, m);
}

template <typename T>
HWY_INLINE void CopyRow(const T* from, std::int64_t n, T* to) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  if (i == n) return;
  if (i > 0)  // once more, up to the end
    hn::StoreU(hn::LoadU(d, from + n - kLanes), d, to + n - kLanes);
  else
    StorePart(d, LoadPart(d, from, n), to, n);
}

#if HWY_TARGET != HWY_SCALAR

// Every kStep-th element of the kStep vectors at `from`.
template <int kStep, class D, typename T>
HWY_INLINE hn::Vec<D> EveryOf(D d, const T* from) {
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  if constexpr (kStep == 2) {
    return hn::ConcatEven(d, hn::LoadU(d, from + kLanes), hn::LoadU(d, from));
  } else if constexpr (kStep == 4) {
    return hn::ConcatEven(d, EveryOf<2>(d, from + 2 * kLanes), EveryOf<2>(d, from));
  } else {
    hn::Vec<D> every, second, third;
    hn::LoadInterleaved3(d, from, every, second, third);
    return every;
  }
}

template <int kStep, typename T>
HWY_INLINE void GatherRowBy(const T* from, std::int64_t n, T* to) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  std::int64_t i = 0;
  // The last elements of the last vector are not of those wanted: they may not exist.
  for (; i + kLanes < n; i += kLanes) hn::StoreU(EveryOf<kStep>(d, from + kStep * i), d, to + i);
  if (i >= n) return;
#if HWY_TARGET != HWY_AVX3
  // Vectors of a part, without masks, are put together by more than these are.
  return copy_few<T>(reinterpret_cast<char*>(to + i), sizeof(T),
                     reinterpret_cast<const char*>(from + kStep * i), kStep * sizeof(T), n - i);
#else
  const auto some = [&](std::int64_t count) {
    return hn::FirstN(d, static_cast<std::size_t>(HWY_MAX(0, HWY_MIN(count, kLanes))));
  };
  const std::int64_t left = kStep * (n - i - 1) + 1;
  HWY_ALIGN T last[kStep * kLanes];
  HWY_UNROLL(4)
  for (int v = 0; v < kStep; ++v)
    hn::Store(hn::MaskedLoad(some(left - v * kLanes), d, from + kStep * i + v * kLanes), d,
              last + v * kLanes);
  StorePart(d, EveryOf<kStep>(d, last), to + i, n - i);
#endif
}

// Rows that follow each other in `to`, as far as whole vectors of them neither read nor write what
// lies behind the last row: what they spoil, the next row stores. Returns how many these are. Rows
// are asked for ahead: there is a gap between them.
template <int kStep, typename T>
std::int64_t GatherWholeRows(const T* from, std::int64_t from_row_step, std::int64_t rows,
                             std::int64_t n, T* to) {
  constexpr std::int64_t kAhead = 8, kLine = 64 / sizeof(T);
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  const std::int64_t whole = (n + kLanes - 1) / kLanes * kLanes;
  const T* const from_end = from + (rows - 1) * from_row_step + kStep * (n - 1) + 1;
  const T* const to_end = to + rows * n;
  std::int64_t r = 0;
  for (; r < rows && to + whole <= to_end && from + kStep * whole <= from_end; ++r) {
    for (std::int64_t i = 0; i < kStep * n; i += kLine)
      hwy::Prefetch(from + kAhead * from_row_step + i);
    for (std::int64_t i = 0; i < whole; i += kLanes)
      hn::StoreU(EveryOf<kStep>(d, from + kStep * i), d, to + i);
    from += from_row_step;
    to += n;
  }
  return r;
}

template <typename T>
HWY_INLINE std::int64_t GatherWhole(const T* from, std::int64_t from_row_step, std::int64_t step,
                                    std::int64_t rows, std::int64_t n, T* to) {
  if (step == 2) return GatherWholeRows<2>(from, from_row_step, rows, n, to);
  if (step == 3) return GatherWholeRows<3>(from, from_row_step, rows, n, to);
  if (step == 4) return GatherWholeRows<4>(from, from_row_step, rows, n, to);
  return 0;
}

#endif

template <typename T>
HWY_INLINE void GatherRow(const T* from, std::int64_t step, std::int64_t n, T* to) {
#if HWY_TARGET != HWY_SCALAR
  if (n > 1) {
    if (step == 2) return GatherRowBy<2>(from, n, to);
    if (step == 3) return GatherRowBy<3>(from, n, to);
    if (step == 4) return GatherRowBy<4>(from, n, to);
  }
#endif
  for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * step];
}

template <typename T>
void GatherRows(const T* from, std::int64_t from_row_step, std::int64_t step, std::int64_t rows,
                std::int64_t n, T* to, std::int64_t to_row_step) {
  if (from_row_step == step * n && to_row_step == n) {  // all of them are one long row
    n *= rows;
    rows = 1;
  }
  std::int64_t r = 0;
  if (step == 1) {
    for (; r < rows; ++r) CopyRow(from + r * from_row_step, n, to + r * to_row_step);
    return;
  }
#if HWY_TARGET != HWY_SCALAR
  if (n > 1 && to_row_step == n) r = GatherWhole(from, from_row_step, step, rows, n, to);
#endif
  for (; r < rows; ++r) GatherRow(from + r * from_row_step, step, n, to + r * to_row_step);
}

#if HWY_TARGET == HWY_AVX3
// What is asked for ahead of rows of planes that follow each other: the hardware does not foresee
// short rows of several images.
template <typename T>
constexpr std::int64_t kAhead = 2048 / sizeof(T);

// Elements kStep * lane + kResidue of kStep vectors.
template <int kStep, int kResidue, class D>
HWY_INLINE hn::Vec<D> OfResidue(D d, const hn::Vec<D>* vectors) {
  if constexpr (kStep == 2) {
    return kResidue == 0 ? hn::ConcatEven(d, vectors[1], vectors[0])
                         : hn::ConcatOdd(d, vectors[1], vectors[0]);
  } else if constexpr (kStep == 4) {
    const hn::Vec<D> halves[] = {OfResidue<2, kResidue % 2>(d, vectors),
                                 OfResidue<2, kResidue % 2>(d, vectors + 2)};
    return OfResidue<2, kResidue / 2>(d, halves);
  } else {
    static_assert(kStep == 3);
    constexpr std::int64_t kLanes = hn::MaxLanes(d);
    using Index = hn::TFromD<hn::RebindToSigned<D>>;
    HWY_ALIGN Index lanes[kLanes];
    HWY_UNROLL(16)
    for (std::int64_t i = 0; i < kLanes; ++i)
      lanes[i] = static_cast<Index>((3 * i + kResidue) % kLanes);
    const auto index = hn::SetTableIndices(d, lanes);
    // The lanes whose elements are in the vectors before number v.
    const auto before = [&](int v) {
      return hn::FirstN(d, static_cast<std::size_t>((v * kLanes - kResidue + 2) / 3));
    };
    const auto last = hn::IfThenElse(before(2), hn::TableLookupLanes(vectors[1], index),
                                     hn::TableLookupLanes(vectors[2], index));
    return hn::IfThenElse(before(1), hn::TableLookupLanes(vectors[0], index), last);
  }
}

template <int kStep, typename T>
void SplitRowsBy(const T* from, std::int64_t from_row_step, std::int64_t first, std::int64_t width,
                 std::int64_t rows, std::int64_t n, T* to, std::int64_t to_row_step,
                 std::int64_t to_residue_step) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  const auto some = [&](std::int64_t count) {
    return hn::FirstN(d, static_cast<std::size_t>(HWY_MAX(0, HWY_MIN(count, kLanes))));
  };
  for (std::int64_t i = 0; i < n; i += kLanes) {
    const std::int64_t left = first + kStep * i;
    hn::Mask<decltype(d)> inside[kStep];
    HWY_UNROLL(4)
    for (int v = 0; v < kStep; ++v) {
      const std::int64_t place = left + v * kLanes;
      inside[v] = hn::AndNot(some(-place), some(width - place));
    }
    const auto written = some(n - i);
    const std::int64_t ahead = HWY_MIN(width - left, kStep * kLanes);
    for (std::int64_t r = 0; r < rows; ++r) {
      const T* const row = from + r * from_row_step + left;
      T* const out = to + r * to_row_step + i;
      V vectors[kStep];
      HWY_UNROLL(4)
      for (int v = 0; v < kStep; ++v) vectors[v] = hn::MaskedLoad(inside[v], d, row + v * kLanes);
      for (std::int64_t at = 0; at < ahead; at += kLanes) hwy::Prefetch(row + at + kAhead<T>);
      hn::BlendedStore(OfResidue<kStep, 0>(d, vectors), written, d, out);
      hn::BlendedStore(OfResidue<kStep, 1>(d, vectors), written, d, out + to_residue_step);
      if constexpr (kStep > 2)
        hn::BlendedStore(OfResidue<kStep, 2>(d, vectors), written, d, out + 2 * to_residue_step);
      if constexpr (kStep > 3)
        hn::BlendedStore(OfResidue<kStep, 3>(d, vectors), written, d, out + 3 * to_residue_step);
    }
  }
}

template <typename T>
void SplitRows(const T* from, std::int64_t from_row_step, std::int64_t first, std::int64_t width,
               std::int64_t step, std::int64_t rows, std::int64_t n, T* to,
               std::int64_t to_row_step, std::int64_t to_residue_step) {
  const auto split = step == 2   ? SplitRowsBy<2, T>
                     : step == 3 ? SplitRowsBy<3, T>
                                 : SplitRowsBy<4, T>;
  split(from, from_row_step, first, width, rows, n, to, to_row_step, to_residue_step);
}

// A vector of a joined row: each lane is an element of one image's row, or 0.
template <class D>
struct JoinedVector {
  static constexpr std::int64_t kLanes = hn::MaxLanes(D());
  std::int64_t place;  // where it goes
  hn::Mask<D> written;
  hn::Mask<D> owned[kLanes];                           // the lanes of each image
  hn::TFromD<hn::RebindToSigned<D>> elements[kLanes];  // the place of each lane's in its row
};

template <typename T>
void JoinRows(const ImageRows<T>& run) {
  const hn::ScalableTag<T> d;
  using D = decltype(d);
  const hn::RebindToSigned<D> di;
  using Index = hn::TFromD<decltype(di)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d), kMostVectors = 8;
  const auto some = [&](std::int64_t count) {
    return hn::FirstN(d, static_cast<std::size_t>(HWY_MAX(0, HWY_MIN(count, kLanes))));
  };
  const auto whole = some(run.width);

  const auto vector_of = [&](std::int64_t residue, std::int64_t first_lane, std::int64_t end) {
    JoinedVector<D> vector;
    vector.place = residue * run.to_residue_step + first_lane;
    vector.written = some(end - first_lane);
    HWY_ALIGN Index owners[kLanes];
    for (std::int64_t i = 0; i < kLanes; ++i) {
      const bool exists = first_lane + i < end;
      const std::int64_t lane = exists ? first_lane + i : first_lane;
      vector.elements[i] = static_cast<Index>(run.first + lane / run.places * run.step + residue);
      owners[i] = static_cast<Index>(lane % run.places);
    }
    for (std::int64_t m = 0; m < run.images; ++m)
      vector.owned[m] =
          hn::RebindMask(d, hn::Eq(hn::Load(di, owners), hn::Set(di, static_cast<Index>(m))));
    return vector;
  };
  const auto join = [&](const JoinedVector<D>* vectors, int count) {
    for (std::int64_t p = 0; p < run.planes; ++p) {
      const T* from = run.from + p * run.from_plane_step;
      T* to = run.to + p * run.to_plane_step;
      for (std::int64_t r = 0; r < run.rows;
           ++r, from += run.from_row_step, to += run.to_row_step) {
        for (std::int64_t m = 0; m < run.images; ++m)
          hwy::Prefetch(from + m * run.image_step + kAhead<T>);
        for (int v = 0; v < count; ++v) {
          const JoinedVector<D>& vector = vectors[v];
          const auto index = hn::SetTableIndices(d, vector.elements);
          auto row = hn::Zero(d);
          for (std::int64_t m = 0; m < run.images; ++m) {
            const auto image = hn::MaskedLoad(whole, d, from + m * run.image_step);
            row = hn::IfThenElse(vector.owned[m], hn::TableLookupLanes(image, index), row);
          }
          hn::BlendedStore(row, vector.written, d, to + vector.place);
        }
      }
    }
  };

  JoinedVector<D> vectors[kMostVectors];
  int count = 0;
  for (std::int64_t residue = 0; residue < run.step; ++residue) {
    if (!run.residues[residue]) continue;
    // Elements inside the row: i with 0 <= left + i * step < width.
    const std::int64_t left = run.first + residue;
    const std::int64_t begin = left >= 0 ? 0 : (-left + run.step - 1) / run.step;
    const std::int64_t end = HWY_MIN(run.n, (run.width - left + run.step - 1) / run.step);
    for (std::int64_t lane = begin * run.places; lane < end * run.places; lane += kLanes) {
      vectors[count++] = vector_of(residue, lane, end * run.places);
      if (count < kMostVectors) continue;
      join(vectors, count);
      count = 0;
    }
  }
  join(vectors, count);
}
#endif

template <typename T>
void GatherImages(const T* from, std::int64_t image_step, std::int64_t images,
                  std::int64_t from_row_step, std::int64_t step, std::int64_t rows, std::int64_t n,
                  T* to, std::int64_t to_row_step, std::int64_t places) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t m = 0; m < images; ++m)
      for (std::int64_t i = 0; i < n; ++i)
        to[r * to_row_step + i * places + m] = from[m * image_step + r * from_row_step + i * step];
}

// Adds a row to every second element; zero is added to those between.
template <typename T>
HWY_INLINE void AddToEverySecond(const T* from, std::int64_t n, T* to) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  HWY_ALIGN T spread[2 * kLanes];
  // What lies behind the last element is not this row's.
  for (; i + kLanes < n; i += kLanes) {
    hn::StoreInterleaved2(hn::LoadU(d, from + i), hn::Zero(d), d, spread);
    T* const at = to + 2 * i;
    hn::StoreU(hn::Add(hn::LoadU(d, at), hn::Load(d, spread)), d, at);
    hn::StoreU(hn::Add(hn::LoadU(d, at + kLanes), hn::Load(d, spread + kLanes)), d, at + kLanes);
  }
#endif
  for (; i < n; ++i) to[2 * i] += from[i];
}

template <typename T>
void AddRows(const T* from, std::int64_t from_row_step, std::int64_t rows, std::int64_t n, T* to,
             std::int64_t to_row_step, std::int64_t step) {
  if (step == 1 && from_row_step == n && to_row_step == n) {  // all of them are one long row
    n *= rows;
    rows = 1;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* const in = from + r * from_row_step;
    T* const out = to + r * to_row_step;
    if (step == 1)
      AddRow(in, n, out);
    else if (step == 2)
      AddToEverySecond(in, n, out);
    else
      for (std::int64_t i = 0; i < n; ++i) out[i * step] += in[i];
  }
}

template <typename T>
void Interleave(const T* even, const T* odd, std::int64_t n, T* to) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (; i + kLanes <= n; i += kLanes)
    hn::StoreInterleaved2(hn::LoadU(d, even + i), hn::LoadU(d, odd + i), d, to + 2 * i);
  if (i > 0 && i < n) {  // once more, up to the end
    i = n - kLanes;
    hn::StoreInterleaved2(hn::LoadU(d, even + i), hn::LoadU(d, odd + i), d, to + 2 * i);
    return;
  }
  if (i == 0 && n > 1) {
    HWY_ALIGN T pairs[2 * kLanes];
    hn::StoreInterleaved2(LoadPart(d, even, n), LoadPart(d, odd, n), d, pairs);
    StorePart(d, hn::Load(d, pairs), to, HWY_MIN(2 * n, kLanes));
    if (2 * n > kLanes) StorePart(d, hn::Load(d, pairs + kLanes), to + kLanes, 2 * n - kLanes);
    return;
  }
#endif
  for (; i < n; ++i) {
    to[2 * i] = even[i];
    to[2 * i + 1] = odd[i];
  }
}

template <typename T>
PixelTiles<T> Tiles() {
  PixelTiles<T> tiles{};
  tiles.lanes = static_cast<int>(hn::MaxLanes(hn::ScalableTag<T>()));
  tiles.most_filters = kMostFilters;
  tiles.pixel_run[0] = PixelTilesOf<1, T>;
  tiles.pixel_run[1] = PixelTilesOf<2, T>;
  tiles.pixel_run[2] = PixelTilesOf<3, T>;
  tiles.pixel_run[3] = PixelTilesOf<4, T>;
  if constexpr (kMostFilters == 8) {
    tiles.pixel_run[5] = PixelTilesOf<6, T>;
    tiles.pixel_run[7] = PixelTilesOf<8, T>;
  }
  tiles.dot_run = DotTiles<T>;
  tiles.gather_rows = GatherRows<T>;
#if HWY_TARGET == HWY_AVX3
  tiles.split_rows = SplitRows<T>;
  tiles.join_rows = JoinRows<T>;
#endif
  tiles.gather_images = GatherImages<T>;
  tiles.add_rows = AddRows<T>;
  tiles.interleave = Interleave<T>;
  return tiles;
}

PixelTiles<float> TilesF32() { return Tiles<float>(); }
PixelTiles<double> TilesF64() { return Tiles<double>(); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(PixelTiles, pixel_tiles, Tiles);

}  // namespace tapedeck::kernels
#endif
