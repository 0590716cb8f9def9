#include <tapedeck/ops/kernels/plane_taps.h>

#include <cstdint>
#include <new>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/plane_dots.cpp"
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/plane_overlapping-inl.h>
#include <tapedeck/ops/kernels/plane_rows-inl.h>
#include <tapedeck/ops/kernels/plane_whole-inl.h>
#include <tapedeck/ops/kernels/transpose-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2

constexpr std::int64_t kChain = 256;  // products added up before the sum is set aside

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

// The sum of the 16-byte blocks of a vector.
template <class D>
HWY_INLINE auto SumOfBlocks(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(d) * sizeof(hn::TFromD<D>) == 16) {
    return v;
  } else {
    const hn::Half<D> half;
    return SumOfBlocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

// Adds the first `count` lanes of a block to sums.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void AddBlock(D block, hn::Vec<D> lanes, int count, double* sums) {
  constexpr int kSide = 16 / sizeof(T);
  const hn::CappedTag<double, kSide> wide;
  hn::Vec<decltype(wide)> sum;
  if constexpr (sizeof(T) == sizeof(double))
    sum = lanes;
  else
    sum = hn::PromoteTo(wide, lanes);
  if (count >= kSide) return hn::StoreU(hn::Add(hn::LoadU(wide, sums), sum), wide, sums);
  HWY_ALIGN double rest[kSide];
  hn::Store(sum, wide, rest);
  for (int i = 0; i < count; ++i) sums[i] += rest[i];
}

// Adds the lanes of each of some vectors to a sum of its own and, where the halves of vectors
// belong to two planes, to two of them `plane_step` apart.
template <int kPlanes, typename T>
HWY_INLINE void AddLanes(const Vector<T>* vectors, int count, double* sums,
                         std::int64_t plane_step) {
  const hn::ScalableTag<T> d;
  const hn::Half<decltype(d)> half;
  constexpr int kSide = 16 / sizeof(T);
  const hn::CappedTag<T, kSide> block;
  HWY_UNROLL(16)
  for (int first = 0; first < count; first += kSide) {
    Vector<T> r[kSide];
    HWY_UNROLL(4)
    for (int k = 0; k < kSide; ++k) r[k] = vectors[HWY_MIN(first + k, count - 1)];
    TransposeBlocks(d, r);
    Vector<T> sum = r[0];
    HWY_UNROLL(4)
    for (int k = 1; k < kSide; ++k) sum = hn::Add(sum, r[k]);
    if constexpr (kPlanes == 1) {
      AddBlock(block, SumOfBlocks(d, sum), count - first, sums + first);
    } else {
      AddBlock(block, SumOfBlocks(half, hn::LowerHalf(half, sum)), count - first, sums + first);
      AddBlock(block, SumOfBlocks(half, hn::UpperHalf(half, sum)), count - first,
               sums + plane_step + first);
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

// Apart from what finds the columns, see SumPlanes() of plane_taps.cpp.
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

// All columns, a vector of them in each strip. Aligned as masks have to be, which GCC 12 does not
// see to in a std::vector of what a target pragma knows.
template <int kTaps, int kStride, typename T>
class Strips {
  using Part = Strip<kTaps, kStride, 1, T>;

 public:
  explicit Strips(const PlaneWindow& s)
      : count_((s.OW + kLanes<T> - 1) / kLanes<T>),
        strips_(hwy::AllocateAligned<Part>(static_cast<std::size_t>(count_))) {
    for (std::int64_t i = 0; i < count_; ++i) new (&strips_[i]) Part(s, i * kLanes<T>);
  }
  const Part* data() const { return strips_.get(); }
  std::int64_t count() const { return count_; }

 private:
  std::int64_t count_;
  hwy::AlignedFreeUniquePtr<Part[]> strips_;
};

#if HWY_TARGET == HWY_AVX2

template <int kTaps, int kStride, typename T>
void Dots(const PlaneWindow& s, std::int64_t planes, std::int64_t images, const T* in,
          std::int64_t in_image_step, const T* grad, std::int64_t grad_image_step, double* sums) {
  for (std::int64_t t = 0; t < planes * (kTaps * kTaps + 1); ++t) sums[t] = 0;
  const Strips<kTaps, kStride, T> strips(s);
  DotPasses<kTaps, kTaps, kStride>(
      s, strips.data(), strips.count(),
      DotRun<T>{planes, images, in, in_image_step, grad, grad_image_step, sums});
}

#else

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
  const Strips<kTaps, kStride, T> strips(s);
  DotPasses<kTaps, kTaps, kStride>(s, strips.data(), strips.count(), run);
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
  if (One::Fits(s)) {
    const One rows(s);
    return DotFilters<kTaps, kStride>(s, &rows, 1, run);
  }
  const Strips<kTaps, kStride, T> strips(s);
  DotFilters<kTaps, kStride>(s, strips.data(), strips.count(), run);
}

#endif

template <typename T>
const PlaneDots<T>* DotsOf(std::int64_t kernel, std::int64_t stride) {
  return TableFor<PlaneDots<T>>(kernel, stride, [](auto taps, auto step) {
#if HWY_TARGET == HWY_AVX2
    return PlaneDots<T>{Dots<taps, step, T>, nullptr};
#else
    return PlaneDots<T>{Dots<taps, step, T>, DotGroup<taps, step, T>};
#endif
  });
}

#else

template <typename T>
const PlaneDots<T>* DotsOf(std::int64_t, std::int64_t) {
  return nullptr;
}

#endif

const PlaneDots<float>* DotsF32(std::int64_t kernel, std::int64_t stride) {
  return DotsOf<float>(kernel, stride);
}
const PlaneDots<double>* DotsF64(std::int64_t kernel, std::int64_t stride) {
  return DotsOf<double>(kernel, stride);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(DotsF32);
HWY_EXPORT(DotsF64);

template <>
const PlaneDots<float>* plane_dots(std::int64_t kernel, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(DotsF32)(kernel, stride);
}
template <>
const PlaneDots<double>* plane_dots(std::int64_t kernel, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(DotsF64)(kernel, stride);
}

}  // namespace tapedeck::kernels

#endif
