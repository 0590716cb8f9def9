// Whole rows of planes and whole planes in one vector: included by kernels after
// hwy/foreach_target.h, for AVX-512 alone, whose masked stores keep what lies behind a row.

#if defined(TAPEDECK_PLANE_WHOLE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_PLANE_WHOLE_INL_H
#undef TAPEDECK_PLANE_WHOLE_INL_H
#else
#define TAPEDECK_PLANE_WHOLE_INL_H
#endif

#include <cstdint>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/plane_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3

// Whole rows: of one plane, or of two in half a vector each.
template <int kTaps, int kStride, int kPlanes_, typename T>
class WholeRows {
 public:
  static constexpr int kPlanes = kPlanes_, kWidth = 1;
  static constexpr bool kWhole = true;
  static constexpr std::int64_t in_offset = 0, out_offset = 0;

  static bool Fits(const PlaneWindow& s) {
    // The second plane is read from half a vector before it.
    const bool apart = s.H * s.W >= kLanes<T> && s.OH * s.OW >= kLanes<T>;
    return s.W <= kStride * kPart && s.OW <= kPart && (kPlanes == 1 || apart);
  }

  explicit WholeRows(const PlaneWindow& s)
      : second_(kPlanes == 2 ? s.H * s.W : kLanes<T>), second_out_(s.OH * s.OW - kPart) {
    const hn::ScalableTag<T> d;
    stored_[0] = LanesBetween<T>(0, s.OW);
    stored_[1] = LanesBetween<T>(kPart, kPart + s.OW);
    loaded_[0] = LanesBetween<T>(0, s.W);
    loaded_[1] = loaded_[0];
    if (kStride == 1) {
      loaded_[1] = LanesBetween<T>(kPart, kPart + s.W);
      second_ -= kPart;
    } else if (kPlanes == 1) {
      loaded_[1] = LanesBetween<T>(0, s.W - kLanes<T>);
    }
    HWY_UNROLL(kMostTaps)
    for (int j = 0; j < kTaps; ++j) {
      const std::int64_t shift = j - kPad<kTaps>;
      Index lanes[kLanes<T>];
      for (std::int64_t lane = 0; lane < kLanes<T>; ++lane) {
        const std::int64_t column = HWY_MAX(0, lane % kPart * kStride + shift);
        lanes[lane] =
            static_cast<Index>(lane / kPart * kPart + HWY_MIN(column / kStride, kPart - 1));
      }
      places_[j] = hn::SetTableIndices(d, lanes);
      // The columns of the output from which on, and before which, the tap reads the plane.
      const std::int64_t first = HWY_MAX(0, (kStride - 1 - shift) / kStride);
      const std::int64_t end = s.W > shift ? (s.W - 1 - shift) / kStride + 1 : 0;
      inside_[j] = LanesBetween<T>(first, HWY_MIN(s.OW, end));
      if (kPlanes == 2)
        inside_[j] = hn::Or(inside_[j], LanesBetween<T>(kPart + first, kPart + HWY_MIN(s.OW, end)));
    }
  }

  class Row {
   public:
    HWY_INLINE Row(const WholeRows& rows, const T* from) : rows_(rows) {
      const hn::ScalableTag<T> d;
      all_[0] = hn::MaskedLoad(rows.loaded_[0], d, from);
      if constexpr (kStride == 2) {
        const Vector<T> low = all_[0];
        const Vector<T> high = hn::MaskedLoad(rows.loaded_[1], d, from + rows.second_);
        all_[kPad<kTaps> % 2] = hn::ConcatEven(d, high, low);
        all_[1 - kPad<kTaps> % 2] = hn::ConcatOdd(d, high, low);
      } else if constexpr (kPlanes == 2) {
        all_[0] = hn::Or(all_[0], hn::MaskedLoad(rows.loaded_[1], d, from + rows.second_));
      }
    }
    HWY_INLINE void Next(int j, Vector<T> (&x)[1]) const {
      if (kStride == 1 && j == kPad<kTaps>)
        x[0] = all_[0];
      else
        x[0] = hn::IfThenElseZero(rows_.inside_[j],
                                  hn::TableLookupLanes(all_[j % kStride], rows_.places_[j]));
    }

   private:
    const WholeRows& rows_;
    Vector<T> all_[kStride];  // of a stride: what even taps read, what odd ones do
  };

  HWY_INLINE Vector<T> LoadOut(const T* from) const {
    const hn::ScalableTag<T> d;
    const Vector<T> first = hn::MaskedLoad(stored_[0], d, from);
    if constexpr (kPlanes == 1) return first;
    return hn::Or(first, hn::MaskedLoad(stored_[1], d, from + second_out_));
  }
  HWY_INLINE void Store(const Vector<T> (&sum)[1], T* to) const {
    const hn::ScalableTag<T> d;
    hn::BlendedStore(sum[0], stored_[0], d, to);
    if constexpr (kPlanes == 2) hn::BlendedStore(sum[0], stored_[1], d, to + second_out_);
  }

 private:
  static constexpr std::int64_t kPart = kLanes<T> / kPlanes;
  using Index = hwy::MakeSigned<T>;

  std::int64_t second_, second_out_;  // to the second load, and the second store
  Mask<T> stored_[2], loaded_[2], inside_[kTaps];
  decltype(hn::SetTableIndices(hn::ScalableTag<T>(),
                               static_cast<const Index*>(nullptr))) places_[kTaps];
};

// Whole planes in a vector. Lane o of a plane to compute gets lane source(o, i, j) of the one that
// is read through tap (i, j), or nothing where that is negative.
template <int kTaps, typename T>
class FlatPlane {
 public:
  template <class Source>
  FlatPlane(std::int64_t in_elements, std::int64_t out_elements, const Source& source) {
    const hn::ScalableTag<T> d;
    loaded_ = LanesBetween<T>(0, in_elements);
    stored_ = LanesBetween<T>(0, out_elements);
    for (int t = 0; t < kTaps * kTaps; ++t) {
      Index lanes[kLanes<T>];
      inside_[t] = hn::FirstN(d, 0);
      for (std::int64_t lane = 0; lane < kLanes<T>; ++lane) {
        const std::int64_t from = lane < out_elements ? source(lane, t / kTaps, t % kTaps) : -1;
        if (from >= 0) inside_[t] = hn::Or(inside_[t], LanesBetween<T>(lane, lane + 1));
        lanes[lane] = static_cast<Index>(HWY_MAX(0, from));
      }
      places_[t] = hn::SetTableIndices(d, lanes);
    }
  }

  // A convolution's output, and its adjoint.
  static bool Fits(const PlaneWindow& s) {
    return s.H * s.W <= kLanes<T> && s.OH * s.OW <= kLanes<T>;
  }
  static FlatPlane Forward(const PlaneWindow& s, std::int64_t stride) {
    return FlatPlane(s.H * s.W, s.OH * s.OW, [&](std::int64_t o, std::int64_t i, std::int64_t j) {
      const std::int64_t row = o / s.OW * stride - s.pad_top + i;
      const std::int64_t column = o % s.OW * stride - kPad<kTaps> + j;
      const bool inside = row >= 0 && row < s.H && column >= 0 && column < s.W;
      return inside ? row * s.W + column : -1;
    });
  }
  static FlatPlane Adjoint(const PlaneWindow& s, std::int64_t stride) {
    return FlatPlane(s.OH * s.OW, s.H * s.W, [&](std::int64_t o, std::int64_t i, std::int64_t j) {
      const std::int64_t row = o / s.W + s.pad_top - i, column = o % s.W + kPad<kTaps> - j;
      const bool inside = row >= 0 && row < s.OH * stride && column >= 0 &&
                          column < s.OW * stride && row % stride == 0 && column % stride == 0;
      return inside ? row / stride * s.OW + column / stride : -1;
    });
  }

  HWY_INLINE Vector<T> LoadIn(const T* from) const {
    return hn::MaskedLoad(loaded_, hn::ScalableTag<T>(), from);
  }
  HWY_INLINE Vector<T> LoadOut(const T* from) const {
    return hn::MaskedLoad(stored_, hn::ScalableTag<T>(), from);
  }
  HWY_INLINE Vector<T> Tap(Vector<T> all, int t) const {
    return hn::IfThenElseZero(inside_[t], hn::TableLookupLanes(all, places_[t]));
  }
  HWY_INLINE void Store(Vector<T> sum, T* to) const {
    hn::BlendedStore(sum, stored_, hn::ScalableTag<T>(), to);
  }

 private:
  using Index = hwy::MakeSigned<T>;
  Mask<T> loaded_, stored_, inside_[kTaps * kTaps];
  decltype(hn::SetTableIndices(hn::ScalableTag<T>(),
                               static_cast<const Index*>(nullptr))) places_[kTaps * kTaps];
};

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
