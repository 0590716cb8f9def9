#include <tapedeck/ops/kernels/winograd_transforms.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/winograd_transforms.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Each variant has its transforms of one dimension, on vectors: B^T x, A dy, A^T s, G w, G^T s.

// F(2, 3), interpolated at 0, 1, -1 and infinity.
struct F2x3 {
  static constexpr int kOutputs = 2, kTaps = 3, kSize = 4, kReach = 4;

  template <class D, class V>
  static HWY_INLINE void Input(D, const V* x, V* out) {
    out[0] = hn::Sub(x[0], x[2]);
    out[1] = hn::Add(x[1], x[2]);
    out[2] = hn::Sub(x[2], x[1]);
    out[3] = hn::Sub(x[1], x[3]);
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D d, const V* dy, V* out) {
    out[0] = dy[0];
    out[1] = hn::Add(dy[0], dy[1]);
    out[2] = hn::Sub(dy[0], dy[1]);
    out[3] = hn::Sub(hn::Zero(d), dy[1]);
  }
  template <class D, class V>
  static HWY_INLINE void Output(D, const V* s, V* out) {
    out[0] = hn::Add(s[0], hn::Add(s[1], s[2]));
    out[1] = hn::Sub(hn::Sub(s[1], s[2]), s[3]);
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* out) {
    const V half = hn::Set(d, 0.5f);
    const V even = hn::Mul(half, hn::Add(w[0], w[2])), odd = hn::Mul(half, w[1]);
    out[0] = w[0];
    out[1] = hn::Add(even, odd);
    out[2] = hn::Sub(even, odd);
    out[3] = w[2];
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* out) {
    const V half = hn::Set(d, 0.5f);
    const V even = hn::Mul(half, hn::Add(s[1], s[2]));
    out[0] = hn::Add(s[0], even);
    out[1] = hn::Mul(half, hn::Sub(s[1], s[2]));
    out[2] = hn::Add(even, s[3]);
  }
};

// Five taps as three and two, whose outputs are added: F(2, 3) and F(2, 2), which is interpolated
// at 0, 1 and infinity. One element more than F(2, 5) has, and none of its large coefficients.
struct F2x3And2 {
  static constexpr int kOutputs = 2, kTaps = 5, kSize = 7, kReach = 6;

  template <class D, class V>
  static HWY_INLINE void Input(D d, const V* x, V* out) {
    F2x3::Input(d, x, out);
    out[4] = hn::Sub(x[3], x[4]);
    out[5] = x[4];
    out[6] = hn::Sub(x[4], x[5]);
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D d, const V* dy, V* out) {
    F2x3::GradOutput(d, dy, out);
    out[4] = out[0];
    out[5] = out[1];
    out[6] = out[3];
  }
  template <class D, class V>
  static HWY_INLINE void Output(D d, const V* s, V* out) {
    F2x3::Output(d, s, out);
    out[0] = hn::Add(out[0], hn::Add(s[4], s[5]));
    out[1] = hn::Add(out[1], hn::Sub(s[5], s[6]));
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* out) {
    F2x3::Filter(d, w, out);
    out[4] = w[3];
    out[5] = hn::Add(w[3], w[4]);
    out[6] = w[4];
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* out) {
    F2x3::GradFilter(d, s, out);
    out[3] = hn::Add(s[4], s[5]);
    out[4] = hn::Add(s[5], s[6]);
  }
};

// F(m, r) with m + r = 7, interpolated at 0, +-a, +-b and infinity. The polynomials of the input
// transform are those of M(x) = x (x^2 - a^2) (x^2 - b^2) without one of its factors.
template <int m, int r>
struct SixPoints {
  static constexpr int kOutputs = m, kTaps = r, kSize = 6, kReach = 6;
  static constexpr double a = 1, b = 2;
  static constexpr double a2 = a * a, b2 = b * b;
  // 1 / M'(x) at 0, +-a, +-b
  static constexpr double g0 = 1 / (a2 * b2), ga = 1 / (2 * a2 * (a2 - b2)),
                          gb = 1 / (2 * b2 * (b2 - a2));

  template <class D>
  static HWY_INLINE hn::Vec<D> Number(D d, double x) {
    return hn::Set(d, static_cast<hn::TFromD<D>>(x));
  }

  template <class D, class V>
  static HWY_INLINE void Input(D d, const V* x, V* out) {
    const V sum = Number(d, a2 + b2), product = Number(d, a2 * b2);
    out[0] = hn::MulAdd(product, x[0], hn::NegMulAdd(sum, x[2], x[4]));
    const V even_a = hn::NegMulAdd(Number(d, b2), x[2], x[4]);
    const V odd_a = hn::Mul(Number(d, a), hn::NegMulAdd(Number(d, b2), x[1], x[3]));
    out[1] = hn::Add(even_a, odd_a);
    out[2] = hn::Sub(even_a, odd_a);
    const V even_b = hn::NegMulAdd(Number(d, a2), x[2], x[4]);
    const V odd_b = hn::Mul(Number(d, b), hn::NegMulAdd(Number(d, a2), x[1], x[3]));
    out[3] = hn::Add(even_b, odd_b);
    out[4] = hn::Sub(even_b, odd_b);
    out[5] = hn::MulAdd(product, x[1], hn::NegMulAdd(sum, x[3], x[5]));
  }

  // The values of the polynomial with `count` coefficients c at 0, a, -a, b, -b, infinity.
  template <int count, class D, class V>
  static HWY_INLINE void Evaluate(D d, const V* c, V* out) {
    out[0] = c[0];
    out[5] = c[count - 1];
    for (int i = 0; i < 2; ++i) {
      const V square = Number(d, i == 0 ? a2 : b2);
      V even = c[(count - 1) / 2 * 2], odd = c[(count - 2) / 2 * 2 + 1];
      for (int k = (count - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = hn::MulAdd(square, even, c[k]);
      for (int k = (count - 2) / 2 * 2 - 1; k >= 1; k -= 2) odd = hn::MulAdd(square, odd, c[k]);
      const V point = Number(d, i == 0 ? a : b);
      out[1 + 2 * i] = hn::MulAdd(point, odd, even);
      out[2 + 2 * i] = hn::NegMulAdd(point, odd, even);
    }
  }
  // The adjoint: out[k] = the sum over the points of point^k s.
  template <int count, class D, class V>
  static HWY_INLINE void Collect(D d, const V* s, V* out) {
    V pa[2] = {hn::Add(s[1], s[2]), hn::Mul(Number(d, a), hn::Sub(s[1], s[2]))};
    V pb[2] = {hn::Add(s[3], s[4]), hn::Mul(Number(d, b), hn::Sub(s[3], s[4]))};
    for (int k = 0; k < count; ++k) {
      out[k] = hn::Add(pa[k % 2], pb[k % 2]);
      if (k + 2 < count) {
        pa[k % 2] = hn::Mul(Number(d, a2), pa[k % 2]);
        pb[k % 2] = hn::Mul(Number(d, b2), pb[k % 2]);
      }
    }
    out[0] = hn::Add(out[0], s[0]);
    out[count - 1] = hn::Add(out[count - 1], s[5]);
  }
  template <class D, class V>
  static HWY_INLINE void Scale(D d, const V* s, V* out) {
    out[0] = hn::Mul(Number(d, g0), s[0]);
    for (int i = 1; i < 5; ++i) out[i] = hn::Mul(Number(d, i < 3 ? ga : gb), s[i]);
    out[5] = s[5];
  }

  template <class D, class V>
  static HWY_INLINE void GradOutput(D d, const V* dy, V* out) {
    Evaluate<m>(d, dy, out);
  }
  template <class D, class V>
  static HWY_INLINE void Output(D d, const V* s, V* out) {
    Collect<m>(d, s, out);
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* out) {
    V values[6];
    Evaluate<r>(d, w, values);
    Scale(d, values, out);
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* out) {
    V scaled[6];
    Scale(d, s, scaled);
    Collect<r>(d, scaled, out);
  }
};

#define TAPEDECK_STAGE(Name)                                 \
  struct Name##Stage {                                       \
    template <class F, class D, class V>                     \
    static HWY_INLINE void Apply(D d, const V* in, V* out) { \
      F::Name(d, in, out);                                   \
    }                                                        \
  };
TAPEDECK_STAGE(Input)
TAPEDECK_STAGE(GradOutput)
TAPEDECK_STAGE(Output)
TAPEDECK_STAGE(Filter)
TAPEDECK_STAGE(GradFilter)
#undef TAPEDECK_STAGE

// A stage on the columns, then on the rows: kIn x kIn vectors to kOut x kOut.
template <class F, class Stage, int kIn, int kOut, class D, typename T>
HWY_INLINE void Transform(D d, const T* in, std::int64_t row_step, std::int64_t column_step, T* out,
                          std::int64_t out_row_step, std::int64_t out_column_step) {
  using V = hn::Vec<D>;
  V half[kOut][kIn];
  HWY_UNROLL(7)
  for (int j = 0; j < kIn; ++j) {
    V column[kIn], result[kOut];
    HWY_UNROLL(7)
    for (int i = 0; i < kIn; ++i) column[i] = hn::LoadU(d, in + i * row_step + j * column_step);
    Stage::template Apply<F>(d, column, result);
    HWY_UNROLL(7)
    for (int i = 0; i < kOut; ++i) half[i][j] = result[i];
  }
  HWY_UNROLL(7)
  for (int i = 0; i < kOut; ++i) {
    V result[kOut];
    Stage::template Apply<F>(d, half[i], result);
    HWY_UNROLL(7)
    for (int j = 0; j < kOut; ++j)
      hn::StoreU(result[j], d, out + i * out_row_step + j * out_column_step);
  }
}

template <class F, typename T>
void InputTiles(const T* x, std::int64_t row_step, std::int64_t tiles, T* out,
                std::int64_t position_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t t = 0; t < tiles; ++t)
    Transform<F, InputStage, F::kReach, F::kSize>(d, x + t * F::kOutputs * kLanes, row_step, kLanes,
                                                  out + t * kLanes, F::kSize * position_step,
                                                  position_step);
}

template <class F, typename T>
void GradOutputTiles(const T* dy, std::int64_t row_step, std::int64_t tiles, T* out,
                     std::int64_t position_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t t = 0; t < tiles; ++t)
    Transform<F, GradOutputStage, F::kOutputs, F::kSize>(d, dy + t * F::kOutputs * kLanes, row_step,
                                                         kLanes, out + t * kLanes,
                                                         F::kSize * position_step, position_step);
}

template <class F, typename T>
void OutputTiles(const T* sums, std::int64_t position_step, std::int64_t tiles, std::int64_t width,
                 T* out, std::int64_t row_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t t = 0; t < tiles; ++t)
    for (std::int64_t v = 0; v < width; v += kLanes)
      Transform<F, OutputStage, F::kSize, F::kOutputs>(
          d, sums + t * width + v, F::kSize * position_step, position_step,
          out + t * F::kOutputs * width + v, row_step, width);
}

template <class F, typename T>
void FilterVectors(const T* taps, std::int64_t tap_step, std::int64_t count, T* out,
                   std::int64_t position_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t i = 0; i < count; ++i)
    Transform<F, FilterStage, F::kTaps, F::kSize>(d, taps + i * kLanes, F::kTaps * tap_step,
                                                  tap_step, out + i * kLanes,
                                                  F::kSize * position_step, position_step);
}

template <class F, typename T>
void GradFilterVectors(const T* sums, std::int64_t position_step, std::int64_t count, T* taps,
                       std::int64_t tap_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t i = 0; i < count; ++i)
    Transform<F, GradFilterStage, F::kSize, F::kTaps>(
        d, sums + i * kLanes, F::kSize * position_step, position_step, taps + i * kLanes,
        F::kTaps * tap_step, tap_step);
}

template <class F, typename T>
WinogradTransforms<T> TransformsOf() {
  return {F::kOutputs,
          F::kTaps,
          F::kSize,
          F::kReach,
          InputTiles<F, T>,
          GradOutputTiles<F, T>,
          OutputTiles<F, T>,
          FilterVectors<F, T>,
          GradFilterVectors<F, T>};
}

template <typename T>
WinogradTransforms<T> Transforms(WinogradVariant variant) {
  switch (variant) {
    case WinogradVariant::F4x3:
      return TransformsOf<SixPoints<4, 3>, T>();
    case WinogradVariant::F2x5:
      return TransformsOf<SixPoints<2, 5>, T>();
    case WinogradVariant::F2x3And2:
      return TransformsOf<F2x3And2, T>();
    default:
      return TransformsOf<F2x3, T>();
  }
}

WinogradTransforms<float> TransformsF32(WinogradVariant variant) {
  return Transforms<float>(variant);
}
WinogradTransforms<double> TransformsF64(WinogradVariant variant) {
  return Transforms<double>(variant);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(TransformsF32);
HWY_EXPORT(TransformsF64);

namespace {

WinogradTransforms<float> find(WinogradVariant variant, float) {
  return HWY_DYNAMIC_DISPATCH(TransformsF32)(variant);
}
WinogradTransforms<double> find(WinogradVariant variant, double) {
  return HWY_DYNAMIC_DISPATCH(TransformsF64)(variant);
}

}  // namespace

template <typename T>
const WinogradTransforms<T>& winograd_transforms(WinogradVariant variant) {
  static const WinogradTransforms<T> all[] = {
      find(WinogradVariant::F2x3, T{}), find(WinogradVariant::F4x3, T{}),
      find(WinogradVariant::F2x5, T{}), find(WinogradVariant::F2x3And2, T{})};
  return all[static_cast<int>(variant)];
}

template const WinogradTransforms<float>& winograd_transforms(WinogradVariant);
template const WinogradTransforms<double>& winograd_transforms(WinogradVariant);

}  // namespace tapedeck::kernels

#endif
