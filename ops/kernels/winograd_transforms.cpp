#include <tapedeck/ops/kernels/winograd_transforms.h>

#include <array>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/winograd_transforms.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/winograd_stages-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

template <class Rows, class Columns, typename T>
void InputTiles(const T* x, std::int64_t row_step, std::int64_t tiles, T* out,
                std::int64_t position_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t t = 0; t < tiles; ++t)
    Transform<InputStage, Rows, Columns>(
        d, Spaced<const T>{x + t * Columns::kStep * kLanes, row_step, kLanes},
        Spaced<T>{out + t * kLanes, Columns::kSize * position_step, position_step});
}

template <class Rows, class Columns, typename T>
void GradOutputTiles(const T* dy, std::int64_t row_step, std::int64_t tiles, T* out,
                     std::int64_t position_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t t = 0; t < tiles; ++t)
    Transform<GradOutputStage, Rows, Columns>(
        d, Spaced<const T>{dy + t * Columns::kOutputs * kLanes, row_step, kLanes},
        Spaced<T>{out + t * kLanes, Columns::kSize * position_step, position_step});
}

template <class Rows, class Columns, typename T>
void OutputTiles(const T* sums, std::int64_t position_step, std::int64_t tiles, std::int64_t width,
                 T* out, std::int64_t row_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t t = 0; t < tiles; ++t)
    for (std::int64_t v = 0; v < width; v += kLanes)
      Transform<OutputStage, Rows, Columns>(
          d, Spaced<const T>{sums + t * width + v, Columns::kSize * position_step, position_step},
          Spaced<T>{out + t * Columns::kOutputs * width + v, row_step, width});
}

template <class Rows, class Columns, typename T>
void FilterVectors(const T* taps, std::int64_t tap_step, std::int64_t count, T* out,
                   std::int64_t position_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t i = 0; i < count; ++i)
    Transform<FilterStage, Rows, Columns>(
        d, Spaced<const T>{taps + i * kLanes, Columns::kTaps * tap_step, tap_step},
        Spaced<T>{out + i * kLanes, Columns::kSize * position_step, position_step});
}

template <class Rows, class Columns, typename T>
void GradFilterVectors(const T* sums, std::int64_t position_step, std::int64_t count, T* taps,
                       std::int64_t tap_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t i = 0; i < count; ++i)
    Transform<GradFilterStage, Rows, Columns>(
        d, Spaced<const T>{sums + i * kLanes, Columns::kSize * position_step, position_step},
        Spaced<T>{taps + i * kLanes, Columns::kTaps * tap_step, tap_step});
}

template <class Axis>
constexpr WinogradAxis axis_of() {
  return {Axis::kOutputs, Axis::kSize, Axis::kStep, Axis::kReach, Axis::kSpread, Axis::kPhase};
}

template <class Rows, class Columns, typename T>
WinogradTransforms<T> TransformsOf() {
  WinogradTransforms<T> transforms{axis_of<Rows>(),
                                   axis_of<Columns>(),
                                   InputTiles<Rows, Columns, T>,
                                   nullptr,
                                   OutputTiles<Rows, Columns, T>,
                                   FilterVectors<Rows, Columns, T>,
                                   nullptr};
  if constexpr (Rows::kSpread == 1 && Columns::kSpread == 1) {
    transforms.grad_output = GradOutputTiles<Rows, Columns, T>;
    transforms.grad_filter = GradFilterVectors<Rows, Columns, T>;
  }
  return transforms;
}

template <typename T>
WinogradTransforms<T> Transforms(WinogradVariant variant) {
  switch (variant) {
    case WinogradVariant::Dense3:
      return TransformsOf<Dense3, Dense3, T>();
    case WinogradVariant::Dense3Large:
      return TransformsOf<SixPoints<4, 3>, SixPoints<4, 3>, T>();
    case WinogradVariant::Dense5:
      return TransformsOf<Dense5, Dense5, T>();
    case WinogradVariant::Dense7:
      return TransformsOf<Dense7, Dense7, T>();
    case WinogradVariant::Dense5Large:
      return TransformsOf<SixPoints<2, 5>, SixPoints<2, 5>, T>();
    case WinogradVariant::Strided4:
      return TransformsOf<Strided4, Strided4, T>();
    case WinogradVariant::Spread4:
      return TransformsOf<Spread4, Spread4, T>();
    case WinogradVariant::Spread5:
      return TransformsOf<Spread5, Spread5, T>();
    case WinogradVariant::Spread3:
      return TransformsOf<Spread3, Spread3, T>();
    case WinogradVariant::Strided5:
      return TransformsOf<Strided5, Strided5, T>();
    case WinogradVariant::Strided3:
      return TransformsOf<Strided3, Strided3, T>();
    case WinogradVariant::Dense4:
      return TransformsOf<Dense4, Dense4, T>();
    case WinogradVariant::Dense2:
      return TransformsOf<Dense2, Dense2, T>();
    case WinogradVariant::Row3:
      return TransformsOf<Dense1, Dense3, T>();
    case WinogradVariant::Column3:
      return TransformsOf<Dense3, Dense1, T>();
    case WinogradVariant::Row5:
      return TransformsOf<Dense1, Dense5, T>();
    case WinogradVariant::Column5:
      return TransformsOf<Dense5, Dense1, T>();
    case WinogradVariant::Row7:
      return TransformsOf<Dense1, Dense7, T>();
    case WinogradVariant::Column7:
      return TransformsOf<Dense7, Dense1, T>();
  }
  return {};
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
  static const std::array<WinogradTransforms<T>, kWinogradVariants> all = [] {
    std::array<WinogradTransforms<T>, kWinogradVariants> transforms;
    for (int i = 0; i < kWinogradVariants; ++i)
      transforms[static_cast<std::size_t>(i)] = find(static_cast<WinogradVariant>(i), T{});
    return transforms;
  }();
  return all[static_cast<std::size_t>(variant)];
}

template const WinogradTransforms<float>& winograd_transforms(WinogradVariant);
template const WinogradTransforms<double>& winograd_transforms(WinogradVariant);

}  // namespace tapedeck::kernels

#endif
