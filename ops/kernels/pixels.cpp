#include <tapedeck/ops/kernels/pixels.h>
#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/pixels.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>

#include <hwy/highway.h>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

void PixelsToFloat(const std::uint8_t* in, float* out, std::int64_t n) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::int32_t, decltype(d)> d32;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, 255.0f);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto wide = hn::PromoteTo(d32, hn::LoadU(d8, in + i));
    hn::StoreU(hn::Div(hn::ConvertTo(d, wide), scale), d, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<float>(in[i]) / 255.0f;
}

void NormalizeRow(float* x, std::int64_t n, float mean, float std) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto m = hn::Set(d, mean), s = hn::Set(d, std);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Div(hn::Sub(hn::LoadU(d, x + i), m), s), d, x + i);
  for (; i < n; ++i) x[i] = (x[i] - mean) / std;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

HWY_EXPORT(PixelsToFloat);
HWY_EXPORT(NormalizeRow);

void pixels_to_float(const std::uint8_t* in, float* out, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(PixelsToFloat)(in, out, n);
}

void normalize_channels(Array& images, const float* mean, const float* std, std::int64_t channels) {
  const std::int64_t dims = images.dim();
  const std::int64_t plane = images.size(dims - 1) * images.size(dims - 2);
  if (images.numel() == 0) return;
  const std::int64_t planes = images.numel() / plane, per_image = images.size(dims - 3);
  float* const data = images.data<float>();
  const std::int64_t grain = std::max<std::int64_t>((1 << 15) / plane, 1);
  parallel_for(planes, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t c = channels == 1 ? 0 : i % per_image;
      HWY_DYNAMIC_DISPATCH(NormalizeRow)(data + i * plane, plane, mean[c], std[c]);
    }
  });
}

}  // namespace tapedeck::kernels
#endif
