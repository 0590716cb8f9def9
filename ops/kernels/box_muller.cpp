#include <tapedeck/ops/kernels/box_muller.h>

#include <cmath>
#include <numbers>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/box_muller.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Blocks hold eight radii and eight angles, so a vector holds eight lanes at most.
using D = hn::CappedTag<float, 8>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
constexpr D d;
constexpr DI di;

V constant(float value) { return hn::Set(d, value); }

// Cephes' logf for x in (0, 1]: x = 2^e m with m in [sqrt(1/2), sqrt(2)), then a polynomial in m-1.
// The fused operations stand where PyTorch's compiler puts them.
V log_of(V x) {
  const auto bits = hn::BitCast(di, x);
  auto exponent = hn::ShiftRight<23>(bits) - hn::Set(di, 0x7e);
  const V half_to_one = hn::BitCast(
      d, hn::Or(hn::And(bits, hn::Set(di, 0x007fffff)), hn::BitCast(di, constant(0.5f))));
  V e = hn::ConvertTo(d, exponent);
  const auto small = hn::Lt(half_to_one, constant(0.707106781186547524f));
  V m = half_to_one - constant(1.0f);
  e = e - hn::IfThenElseZero(small, constant(1.0f));
  m = m + hn::IfThenElseZero(small, half_to_one);

  const V m2 = m * m;
  V y = constant(7.0376836292e-2f);
  y = hn::MulAdd(y, m, constant(-1.1514610310e-1f));
  y = hn::MulAdd(y, m, constant(1.1676998740e-1f));
  y = hn::MulAdd(y, m, constant(-1.2420140846e-1f));
  y = hn::MulAdd(y, m, constant(1.4249322787e-1f));
  y = hn::MulAdd(y, m, constant(-1.6668057665e-1f));
  y = hn::MulAdd(y, m, constant(2.0000714765e-1f));
  y = hn::MulAdd(y, m, constant(-2.4999993993e-1f));
  y = hn::MulAdd(y, m, constant(3.3333331174e-1f));
  y = y * m;
  // ln 2 in two parts: the first product is exact.
  y = hn::MulAdd(y, m2, e * constant(-2.12194440e-4f));
  y = hn::NegMulAdd(m2, constant(0.5f), y);
  return hn::MulAdd(e, constant(0.693359375f), m + y);
}

// Cephes' sinf and cosf together, for 0 <= x < 8192: octants by pi/4, then a polynomial each.
void sincos_of(V x, V& sine, V& cosine) {
  auto octant = hn::ConvertTo(di, x * constant(1.27323954473516f));
  octant = hn::And(octant + hn::Set(di, 1), hn::Set(di, ~1));
  const V n = hn::ConvertTo(d, octant);
  const auto sign_of_sine = hn::ShiftLeft<29>(hn::And(octant, hn::Set(di, 4)));
  const auto sign_of_cosine =
      hn::ShiftLeft<29>(hn::AndNot(octant - hn::Set(di, 2), hn::Set(di, 4)));
  const auto sine_is_sine =
      hn::RebindMask(d, hn::Eq(hn::And(octant, hn::Set(di, 2)), hn::Zero(di)));

  V r = hn::MulAdd(n, constant(-0.78515625f), x);
  r = hn::MulAdd(n, constant(-2.4187564849853515625e-4f), r);
  r = hn::MulAdd(n, constant(-3.77489497744594108e-8f), r);

  const V z = r * r;
  V c = constant(2.443315711809948e-5f);
  c = hn::MulAdd(c, z, constant(-1.388731625493765e-3f));
  c = hn::MulAdd(c, z, constant(4.166664568298827e-2f));
  c = c * z;
  c = hn::MulSub(c, z, z * constant(0.5f));
  c = c + constant(1.0f);

  V s = constant(-1.9515295891e-4f);
  s = hn::MulAdd(s, z, constant(8.3321608736e-3f));
  s = hn::MulAdd(s, z, constant(-1.6666654611e-1f));
  s = s * z;
  s = hn::MulAdd(s, r, r);

  const V for_sine = hn::IfThenElse(sine_is_sine, s, c);
  const V for_cosine = hn::IfThenElse(sine_is_sine, c, s);
  sine = hn::Xor(for_sine, hn::BitCast(d, sign_of_sine));
  cosine = hn::Xor(for_cosine, hn::BitCast(d, sign_of_cosine));
}

}  // namespace

void scale_uniform_simd(const std::uint32_t* bits, float* out, std::int64_t count, float range,
                        float from) {
  const hn::ScalableTag<float> df;
  const hn::RebindToSigned<decltype(df)> dfi;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(df));
  const auto* signed_bits = reinterpret_cast<const std::int32_t*>(bits);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto low = hn::And(hn::LoadU(dfi, signed_bits + i), hn::Set(dfi, 0xffffff));
    const auto unit = hn::ConvertTo(df, low) * hn::Set(df, 0x1p-24f);
    hn::StoreU(hn::MulAdd(unit, hn::Set(df, range), hn::Set(df, from)), df, out + i);
  }
  for (; i < count; ++i) {
    const float unit = static_cast<float>(bits[i] & 0xffffff) * 0x1p-24f;
    const hn::CappedTag<float, 1> one;
    hn::StoreU(hn::MulAdd(hn::Set(one, unit), hn::Set(one, range), hn::Set(one, from)), one,
               out + i);
  }
}

void box_muller_simd(float* data, std::int64_t count, float mean, float std) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t block = 0; block < count; block += 16) {
    for (std::int64_t lane = 0; lane < 8; lane += lanes) {
      float* first = data + block + lane;
      float* second = first + 8;
      const V u1 = constant(1.0f) - hn::LoadU(d, first);  // (0, 1] for the logarithm
      const V radius = hn::Sqrt(constant(-2.0f) * log_of(u1));
      V sine, cosine;
      sincos_of(constant(2.0f * std::numbers::pi_v<float>) * hn::LoadU(d, second), sine, cosine);
      hn::StoreU(hn::MulAdd(radius * cosine, constant(std), constant(mean)), d, first);
      hn::StoreU(hn::MulAdd(radius * sine, constant(std), constant(mean)), d, second);
    }
  }
}

}  // namespace tapedeck::kernels::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels::detail {

HWY_EXPORT(scale_uniform_simd);
HWY_EXPORT(box_muller_simd);

void scale_uniform(const std::uint32_t* bits, float* out, std::int64_t count, float range,
                   float from) {
  HWY_DYNAMIC_DISPATCH(scale_uniform_simd)(bits, out, count, range, from);
}

void box_muller_blocks(float* data, std::int64_t count, float mean, float std) {
  HWY_DYNAMIC_DISPATCH(box_muller_simd)(data, count, mean, std);
}

void box_muller_blocks(double* data, std::int64_t count, double mean, double std) {
  for (std::int64_t block = 0; block < count; block += 16) {
    for (std::int64_t lane = 0; lane < 8; ++lane) {
      double& first = data[block + lane];
      double& second = data[block + lane + 8];
      const double radius = std::sqrt(-2.0 * std::log(1.0 - first));
      const double angle = 2.0 * std::numbers::pi * second;
      first = std::fma(radius * std::cos(angle), std, mean);
      second = std::fma(radius * std::sin(angle), std, mean);
    }
  }
}

}  // namespace tapedeck::kernels::detail
#endif
