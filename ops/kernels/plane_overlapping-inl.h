// Strips of the rows of planes that are stored in whole vectors: included by kernels after
// hwy/foreach_target.h, for AVX2 alone, whose masked stores take dozens of steps.

#if defined(TAPEDECK_PLANE_OVERLAPPING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_PLANE_OVERLAPPING_INL_H
#undef TAPEDECK_PLANE_OVERLAPPING_INL_H
#else
#define TAPEDECK_PLANE_OVERLAPPING_INL_H
#endif

#include <cstdint>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/plane_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX2

// A vector of a row that is read under masks and stored as a whole. What it writes too much comes
// later: in the next rows, strips being run from the last one on, or before `end` in other planes.
template <int kTaps, int kStride, typename T>
class MaskedStrip : public Strip<kTaps, kStride, 1, T> {
 public:
  MaskedStrip(const PlaneWindow& s, std::int64_t column, T* end)
      : Strip<kTaps, kStride, 1, T>(s, column), elements_(s.OW - column), end_(end) {}

  HWY_INLINE void Store(const Vector<T> (&sum)[1], T* to) const {
    StoreBefore(end_, sum[0], elements_, to);
  }

 private:
  const std::int64_t elements_;
  T* const end_;
};

// Some vectors of a row that is no shorter than one: the last of them begins at column `last`, so
// that it ends with the row, and has some columns once more that the one before has. Three taps
// reach over the edges of the plane with the first and the last lane alone.
template <int kStride, int kVectors, typename T>
class OverlappingStrip {
 public:
  static constexpr int kPlanes = 1, kWidth = kVectors;

  // Whether there is a vector of outputs, and the last of these alone read beyond the plane.
  static bool Fits(const PlaneWindow& s) {
    return s.OW >= kLanes<T> && (kStride == 1 || 2 * s.OW <= s.W + 2);
  }

  OverlappingStrip(const PlaneWindow& s, std::int64_t column, std::int64_t last)
      : in_offset(kStride * (column - 1)), out_offset(column), last_(last - column) {
    const std::int64_t end = kStride == 1 ? last + 1 : 2 * last + kLanes<T>;  // of the last load
    left_ = LanesBetween<T>(-in_offset, kLanes<T>);
    right_ = LanesBetween<T>(0, s.W - end);
  }

  const std::int64_t in_offset, out_offset;  // of the first column in a row

  // What the taps of a row of the kernel read, tap by tap.
  class Row {
   public:
    HWY_INLINE Row(const OverlappingStrip& strip, const T* from) : strip_(strip), from_(from) {}
    HWY_INLINE void Next(int j, Vector<T> (&x)[kVectors]) {
      const hn::ScalableTag<T> d;
      HWY_UNROLL(kMostVectors)
      for (int v = 0; v < kVectors; ++v) {
        const T* const at = from_ + kStride * (v == kVectors - 1 ? strip_.last_ : v * kLanes<T>);
        const bool is_left = v == 0, is_right = v == kVectors - 1;
        if constexpr (kStride == 1) {
          if (j == 0 && is_left)
            x[v] = hn::MaskedLoad(strip_.left_, d, at);
          else if (j == 2 && is_right)
            x[v] = hn::MaskedLoad(strip_.right_, d, at + j);
          else
            x[v] = hn::LoadU(d, at + j);
        } else if (j == 0) {
          const Vector<T> low = is_left ? hn::MaskedLoad(strip_.left_, d, at) : hn::LoadU(d, at);
          x[v] = hn::ConcatOdd(d, hn::LoadU(d, at + kLanes<T>), low);
        } else if (j == 1) {
          const Vector<T> low = hn::LoadU(d, at + 2);
          const Vector<T> high = is_right ? hn::MaskedLoad(strip_.right_, d, at + 2 + kLanes<T>)
                                          : hn::LoadU(d, at + 2 + kLanes<T>);
          x[v] = hn::ConcatEven(d, high, low);
          odd_[v] = hn::ConcatOdd(d, high, low);
        } else {
          x[v] = odd_[v];
        }
      }
    }

   private:
    const OverlappingStrip& strip_;
    const T* const from_;
    Vector<T> odd_[kVectors];  // of a stride
  };

  HWY_INLINE void Store(const Vector<T> (&sum)[kVectors], T* to) const {
    const hn::ScalableTag<T> d;
    HWY_UNROLL(kMostVectors)
    for (int v = 0; v < kVectors - 1; ++v) hn::StoreU(sum[v], d, to + v * kLanes<T>);
    hn::StoreU(sum[kVectors - 1], d, to + last_);
  }

 private:
  const std::int64_t last_;
  Mask<T> left_, right_;
};

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
