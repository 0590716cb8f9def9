#include <tapedeck/ops/kernels/margin_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/margin_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Calls body(vector, its first place, and which lanes are within the row) along a row.
template <class D, typename T, class Body>
HWY_INLINE void ForEachPart(D d, const T* row, std::int64_t n, Body body) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    body(hn::LoadU(d, row + i), i, hn::FirstN(d, static_cast<std::size_t>(lanes)));
  if (i < n) body(LoadPart(d, row + i, n - i), i, hn::FirstN(d, static_cast<std::size_t>(n - i)));
}

// The lanes of a part that begins at `first` but for that of place t.
template <class D>
HWY_INLINE hn::Mask<D> Without(D d, hn::Mask<D> lanes, std::int64_t first, std::int64_t t) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const auto is_t = hn::Eq(hn::Iota(di, I{0}), hn::Set(di, static_cast<I>(t - first)));
  return hn::AndNot(hn::RebindMask(d, is_t), lanes);
}

template <class D>
struct Hinge {
  hn::Vec<D> shift;
  bool square;
  HWY_INLINE hn::Vec<D> Value(D d, hn::Vec<D> v) const {
    const auto z = MaxOrNaN(hn::Zero(d), hn::Add(v, shift));
    return square ? hn::Mul(z, z) : z;
  }
  HWY_INLINE hn::Vec<D> Slope(D d, hn::Vec<D> v, hn::Vec<D> scale) const {
    const auto z = hn::Add(v, shift);
    const auto slope = square ? hn::Mul(hn::Add(z, z), scale) : scale;
    return hn::IfThenElseZero(hn::Gt(z, hn::Zero(d)), slope);
  }
};

template <class D, typename T>
HWY_INLINE T Total(D d, hn::Vec<D> v) {
  return hn::GetLane(hn::SumOfLanes(d, v));
}

template <class D, typename T>
HWY_INLINE void OneLabelIn(D d, const T* x, const std::int64_t* target, const T* weight, T margin,
                           bool square, std::int64_t rows, std::int64_t C, T* losses) {
  for (std::int64_t n = 0; n < rows; ++n, x += C) {
    const std::int64_t t = target[n];
    const Hinge<D> hinge{hn::Set(d, margin - x[t]), square};
    auto sum = hn::Zero(d);
    ForEachPart(d, x, C, [&](auto v, std::int64_t i, auto lanes) HWY_ATTR {
      sum = hn::Add(sum, hn::IfThenElseZero(Without(d, lanes, i, t), hinge.Value(d, v)));
    });
    losses[n] = Total<D, T>(d, sum) * weight[n];
  }
}

template <class D, typename T>
HWY_INLINE void OneLabelGradIn(D d, const T* x, const std::int64_t* target, const T* weight,
                               T margin, bool square, std::int64_t rows, std::int64_t C, T* grad) {
  for (std::int64_t n = 0; n < rows; ++n, x += C, grad += C) {
    const std::int64_t t = target[n];
    const Hinge<D> hinge{hn::Set(d, margin - x[t]), square};
    const auto scale = hn::Set(d, weight[n]);
    auto sum = hn::Zero(d);
    ForEachPart(d, x, C, [&](auto v, std::int64_t i, auto lanes) HWY_ATTR {
      const auto slope = hn::IfThenElseZero(Without(d, lanes, i, t), hinge.Slope(d, v, scale));
      sum = hn::Add(sum, slope);
      StoreUpTo(d, slope, grad + i, C - i);
    });
    grad[t] = T{0} - Total<D, T>(d, sum);
  }
}

// The scores of a row, those of its labels out of reach of any other.
template <typename T>
HWY_INLINE void HideLabels(const T* x, const std::uint8_t* is_label, std::int64_t C, T* others) {
  for (std::int64_t c = 0; c < C; ++c)
    others[c] = is_label[c] ? -static_cast<T>(__builtin_inff()) : x[c];
}

template <class D, typename T>
HWY_INLINE void LabelsIn(D d, const T* x, const std::uint8_t* is_label, T scale, std::int64_t rows,
                         std::int64_t C, T* others, T* losses) {
  for (std::int64_t n = 0; n < rows; ++n, x += C, is_label += C) {
    HideLabels(x, is_label, C, others);
    auto sum = hn::Zero(d);
    for (std::int64_t c = 0; c < C; ++c) {
      if (!is_label[c]) continue;
      const Hinge<D> hinge{hn::Set(d, T{1} - x[c]), false};
      ForEachPart(d, others, C, [&](auto v, std::int64_t, auto lanes) HWY_ATTR {
        sum = hn::Add(sum, hn::IfThenElseZero(lanes, hinge.Value(d, v)));
      });
    }
    losses[n] = Total<D, T>(d, sum) * scale;
  }
}

template <class D, typename T>
HWY_INLINE void LabelsGradIn(D d, const T* x, const std::uint8_t* is_label, const T* weight,
                             std::int64_t rows, std::int64_t C, T* others, T* grad) {
  for (std::int64_t n = 0; n < rows; ++n, x += C, is_label += C, grad += C) {
    HideLabels(x, is_label, C, others);
    const auto scale = hn::Set(d, weight[n]);
    for (std::int64_t c = 0; c < C; ++c) grad[c] = T{0};
    for (std::int64_t c = 0; c < C; ++c) {
      if (!is_label[c]) continue;
      const Hinge<D> hinge{hn::Set(d, T{1} - x[c]), false};
      auto sum = hn::Zero(d);
      ForEachPart(d, others, C, [&](auto v, std::int64_t i, auto lanes) HWY_ATTR {
        const auto slope = hn::IfThenElseZero(lanes, hinge.Slope(d, v, scale));
        sum = hn::Add(sum, slope);
        StoreUpTo(d, hn::Add(LoadUpTo(d, grad + i, C - i), slope), grad + i, C - i);
      });
      // No label is among the others, so nothing is added to this element.
      grad[c] = T{0} - Total<D, T>(d, sum);
    }
  }
}

// Short rows take short vectors, whose lanes are added sooner.
constexpr std::int64_t kShort = 8;

template <typename T>
void OneLabel(const T* x, const std::int64_t* target, const T* weight, T margin, bool square,
              std::int64_t rows, std::int64_t C, T* losses) {
  if (C <= kShort)
    OneLabelIn(hn::CappedTag<T, kShort>(), x, target, weight, margin, square, rows, C, losses);
  else
    OneLabelIn(hn::ScalableTag<T>(), x, target, weight, margin, square, rows, C, losses);
}
template <typename T>
void OneLabelGrad(const T* x, const std::int64_t* target, const T* weight, T margin, bool square,
                  std::int64_t rows, std::int64_t C, T* grad) {
  if (C <= kShort)
    OneLabelGradIn(hn::CappedTag<T, kShort>(), x, target, weight, margin, square, rows, C, grad);
  else
    OneLabelGradIn(hn::ScalableTag<T>(), x, target, weight, margin, square, rows, C, grad);
}
template <typename T>
void Labels(const T* x, const std::uint8_t* is_label, T scale, std::int64_t rows, std::int64_t C,
            T* others, T* losses) {
  if (C <= kShort)
    LabelsIn(hn::CappedTag<T, kShort>(), x, is_label, scale, rows, C, others, losses);
  else
    LabelsIn(hn::ScalableTag<T>(), x, is_label, scale, rows, C, others, losses);
}
template <typename T>
void LabelsGrad(const T* x, const std::uint8_t* is_label, const T* weight, std::int64_t rows,
                std::int64_t C, T* others, T* grad) {
  if (C <= kShort)
    LabelsGradIn(hn::CappedTag<T, kShort>(), x, is_label, weight, rows, C, others, grad);
  else
    LabelsGradIn(hn::ScalableTag<T>(), x, is_label, weight, rows, C, others, grad);
}

template <typename T>
MarginRows<T> Table() {
  return {OneLabel<T>, OneLabelGrad<T>, Labels<T>, LabelsGrad<T>};
}
MarginRows<float> MarginRowsF32() { return Table<float>(); }
MarginRows<double> MarginRowsF64() { return Table<double>(); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(MarginRows, margin_rows, MarginRows);

}  // namespace tapedeck::kernels
#endif
