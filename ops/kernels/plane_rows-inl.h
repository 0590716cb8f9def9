// Rows of the planes of a depthwise convolution in vectors: included by kernels after
// hwy/foreach_target.h and compiled once per instruction set. With AVX-512 masks are registers of
// their own, and masked loads and stores cost what others do: plane_whole-inl.h has what comes of
// that. With AVX2 only masked loads do: rows are stored in whole vectors, for which there is
// plane_overlapping-inl.h, and there are kernels of three taps alone, whose sums fit.

#if defined(TAPEDECK_PLANE_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_PLANE_ROWS_INL_H
#undef TAPEDECK_PLANE_ROWS_INL_H
#else
#define TAPEDECK_PLANE_ROWS_INL_H
#endif

#include <cstdint>
#include <type_traits>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/plane_taps.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2

constexpr bool kHasMaskedStores = HWY_TARGET == HWY_AVX3;
constexpr int kMostTaps = 8, kMostVectors = 4;

template <typename T>
using Vector = hn::Vec<hn::ScalableTag<T>>;
template <typename T>
using Mask = hn::Mask<hn::ScalableTag<T>>;
template <typename T>
constexpr std::int64_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());

template <typename T>
Mask<T> LanesBetween(std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  const auto first = [&](std::int64_t n) {
    return hn::FirstN(d, static_cast<std::size_t>(HWY_MAX(0, HWY_MIN(n, kLanes<T>))));
  };
  return hn::AndNot(first(begin), first(end));
}

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

// The padding on the left: in the middle of the kernel.
template <int kTaps>
constexpr std::int64_t kPad = (kTaps - 1) / 2;

// Some vectors of a row of one plane. Only the first and the last reach over its edges.
template <int kTaps, int kStride, int kVectors, typename T>
class Strip {
 public:
  static constexpr int kPlanes = 1, kWidth = kVectors;
  static constexpr bool kWhole = false;

  // Whether all vectors but the last one read inside of the plane, where that begins at `column`.
  static bool IsInside(const PlaneWindow& s, std::int64_t column) {
    return s.W - kStride * column >= kPad<kTaps>;
  }

  Strip(const PlaneWindow& s, std::int64_t column)
      : in_offset(column * kStride - kPad<kTaps>), out_offset(column) {
    const std::int64_t last = kVectors - 1, left = s.OW - column - last * kLanes<T>;
    all_ = LanesBetween<T>(0, kLanes<T>);
    stored_ = LanesBetween<T>(0, left);
    HWY_UNROLL(kMostTaps)
    for (int l = 0; l < kLoads; ++l) {
      first_[l] = LanesBetween<T>(-(in_offset + Place(l)), kLanes<T>);
      const std::int64_t at = in_offset + kStride * last * kLanes<T> + Place(l);
      const std::int64_t end = kStride * left - (kStride == 1 ? 0 : l % 2 * kLanes<T>);
      last_[l] = LanesBetween<T>(-at, HWY_MIN(s.W - at, end));
    }
  }

  const std::int64_t in_offset, out_offset;  // of the first column in a row

  // What the taps of a row of the kernel read, tap by tap.
  class Row {
   public:
    HWY_INLINE Row(const Strip& strip, const T* from) : strip_(strip), from_(from) {}
    HWY_INLINE void Next(int j, Vector<T> (&x)[kVectors]) {
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) {
        if constexpr (kStride == 1) {
          x[v] = strip_.Load(from_, v, j);
        } else if (j % 2 == 0) {
          const hn::ScalableTag<T> d;
          const Vector<T> low = strip_.Load(from_, v, j), high = strip_.Load(from_, v, j + 1);
          x[v] = hn::ConcatEven(d, high, low);
          odd_[v] = hn::ConcatOdd(d, high, low);
        } else {
          x[v] = odd_[v];
        }
      }
    }

   private:
    const Strip& strip_;
    const T* const from_;
    Vector<T> odd_[kVectors];
  };

  HWY_INLINE Vector<T> LoadOut(const T* from) const {
    return hn::MaskedLoad(stored_, hn::ScalableTag<T>(), from);
  }
  HWY_INLINE void Store(const Vector<T> (&sum)[kVectors], T* to) const {
    const hn::ScalableTag<T> d;
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors - 1; ++v) hn::StoreU(sum[v], d, to + v * kLanes<T>);
    hn::BlendedStore(sum[kVectors - 1], stored_, d, to + (kVectors - 1) * kLanes<T>);
  }

 private:
  // With a stride of two, two vectors have the even and the odd ones for two taps.
  static constexpr int kLoads = kStride == 1 ? kTaps : kTaps + 1;
  static constexpr std::int64_t Place(int load) {
    return kStride == 1 ? load : load / 2 * 2 + load % 2 * kLanes<T>;
  }
  HWY_INLINE Vector<T> Load(const T* from, int v, int l) const {
    const hn::ScalableTag<T> d;
    const T* const at = from + kStride * v * kLanes<T> + Place(l);
    const bool before = Place(l) < kPad<kTaps>;
    if (v == kVectors - 1) {
      // Not before the last column that is stored.
      const bool alike = kStride == 1 && kVectors > 1 && Place(l) <= kPad<kTaps>;
      return hn::MaskedLoad(alike ? stored_ : last_[l], d, at);
    }
    // With a mask, too: compilers would load the others once for every product.
    return hn::MaskedLoad(v == 0 && before ? first_[l] : all_, d, at);
  }

  Mask<T> all_, stored_, first_[kLoads], last_[kLoads];
};

// Stores the first `elements` lanes and, where there is room before `end`, what the others hold.
template <typename T>
HWY_INLINE void StoreBefore(const T* end, Vector<T> lanes, std::int64_t elements, T* to) {
  const hn::ScalableTag<T> d;
  if (end - to >= kLanes<T>) return hn::StoreU(lanes, d, to);
  HWY_ALIGN T buffer[kLanes<T>];
  hn::Store(lanes, d, buffer);
  for (std::int64_t i = 0; i < HWY_MIN(elements, kLanes<T>); ++i) to[i] = buffer[i];
}

// Some vectors of a row of the input's gradient with a stride of two. Column w is reached by the
// taps of its parity, j = j0 + 2 m with j0 = (w + kPad) % 2, from column (w + kPad - j0) / 2 - m of
// the output: the same lanes of a vector that begins kMost - 1 columns before the first.
template <int kTaps, int kVectors, typename T>
class SpreadStrip {
  static constexpr std::int64_t kOdd = kPad<kTaps> % 2;

 public:
  static constexpr int kMost = (kTaps + 1) / 2;  // taps of one parity

  // Without masked stores the last vector is moved to where it ends with the row or, since columns
  // keep their parity, one column later. What it writes too much comes later, too: in the next row,
  // strips being run from the last one on, or before `end` in the next plane.
  SpreadStrip(const PlaneWindow& s, std::int64_t column, T* end)
      : out_offset((column + kPad<kTaps> - kOdd) / 2 - (kMost - 1)),
        in_offset(column),
        last_((kVectors - 1) * kLanes<T>),
        end_(end) {
    if constexpr (!kHasMaskedStores)
      last_ = HWY_MIN(last_, HWY_MAX(0, (s.W - kLanes<T> + 1) / 2 * 2 - column));
    const hn::ScalableTag<T> d;
    even_ = hn::FirstN(d, 0);
    for (int m = 0; m < kMost; ++m) {
      Index lanes[kLanes<T>];
      for (std::int64_t lane = 0; lane < kLanes<T>; ++lane)
        lanes[lane] = static_cast<Index>((lane + kOdd) / 2 - m + kMost - 1);
      places_[m] = hn::SetTableIndices(d, lanes);
    }
    for (std::int64_t lane = kOdd; lane < kLanes<T>; lane += 2)
      even_ = hn::Or(even_, LanesBetween<T>(lane, lane + 1));
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t at = out_offset + Place(v) / 2;
      loaded_[v] = LanesBetween<T>(-at, s.OW - at);
    }
    elements_ = s.W - column - last_;
    stored_ = LanesBetween<T>(0, elements_);
  }

  const std::int64_t out_offset, in_offset;  // of the first columns in a row

  HWY_INLINE void Load(const T* from, Vector<T> (&x)[kMost][kVectors]) const {
    const hn::ScalableTag<T> d;
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors; ++v) {
      const auto all = hn::MaskedLoad(loaded_[v], d, from + Place(v) / 2);
      HWY_UNROLL(kMostTaps)
      for (int m = 0; m < kMost; ++m) {
        x[m][v] = hn::TableLookupLanes(all, places_[m]);
        // No tap of the odd ones is left.
        if (2 * m + 1 >= kTaps) x[m][v] = hn::IfThenElseZero(even_, x[m][v]);
      }
    }
  }
  HWY_INLINE Vector<T> Weight(const T* weights, int i, int m) const {
    const hn::ScalableTag<T> d;
    const T* const at = weights + i * kTaps + 2 * m;
    const auto even = hn::Set(d, *at);
    return 2 * m + 1 < kTaps ? hn::IfThenElse(even_, even, hn::Set(d, at[1])) : even;
  }
  HWY_INLINE void Store(const Vector<T> (&sum)[kVectors], T* to) const {
    const hn::ScalableTag<T> d;
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors - 1; ++v) hn::StoreU(sum[v], d, to + v * kLanes<T>);
    if constexpr (kHasMaskedStores)
      hn::BlendedStore(sum[kVectors - 1], stored_, d, to + Place(kVectors - 1));
    else
      StoreBefore(end_, sum[kVectors - 1], elements_, to + Place(kVectors - 1));
  }

 private:
  using Index = hwy::MakeSigned<T>;

  HWY_INLINE std::int64_t Place(int v) const {
    return !kHasMaskedStores && v == kVectors - 1 ? last_ : v * kLanes<T>;
  }

  std::int64_t last_, elements_;  // of the last vector
  T* const end_;
  Mask<T> even_, loaded_[kVectors], stored_;
  decltype(hn::SetTableIndices(hn::ScalableTag<T>(),
                               static_cast<const Index*>(nullptr))) places_[kMost];
};

// The table of functions for a kernel of so many taps on both axes and a stride of 1 or 2, null
// where there are none: make(kernel, stride) has these as constants.
template <class Table, typename Make>
const Table* TableFor(std::int64_t kernel, std::int64_t stride, Make make) {
  constexpr std::integral_constant<int, 3> three{};
  constexpr std::integral_constant<int, 1> one{};
  constexpr std::integral_constant<int, 2> two{};
#if HWY_TARGET == HWY_AVX2
  static const Table all[2] = {make(three, one), make(three, two)};
  return kernel == 3 && (stride == 1 || stride == 2) ? &all[stride - 1] : nullptr;
#else
  constexpr std::integral_constant<int, 5> five{};
  constexpr std::integral_constant<int, 7> seven{};
  static const Table all[3][2] = {{make(three, one), make(three, two)},
                                  {make(five, one), make(five, two)},
                                  {make(seven, one), make(seven, two)}};
  const bool has = (kernel == 3 || kernel == 5 || kernel == 7) && (stride == 1 || stride == 2);
  return has ? &all[(kernel - 3) / 2][stride - 1] : nullptr;
#endif
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
