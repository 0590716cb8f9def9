#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/reduce_products.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/reducer.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Products of floats go on in float64, as they may leave float32's range on their way.
template <typename T>
HWY_INLINE hn::Vec<hn::ScalableTag<double>> LoadWide(const T* from) {
  const hn::ScalableTag<double> d64;
  if constexpr (sizeof(T) == 8)
    return hn::LoadU(d64, from);
  else
    return hn::PromoteTo(d64, hn::LoadU(hn::Rebind<T, decltype(d64)>(), from));
}

template <typename T>
double ProductOfRun(const T* in, std::int64_t n) {
  const hn::ScalableTag<double> d64;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  auto p0 = hn::Set(d64, 1.0), p1 = p0, p2 = p0, p3 = p0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    p0 = hn::Mul(p0, LoadWide(in + i));
    p1 = hn::Mul(p1, LoadWide(in + i + lanes));
    p2 = hn::Mul(p2, LoadWide(in + i + 2 * lanes));
    p3 = hn::Mul(p3, LoadWide(in + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) p0 = hn::Mul(p0, LoadWide(in + i));
  HWY_ALIGN double of_lanes[HWY_MAX_BYTES / sizeof(double)];
  hn::Store(hn::Mul(hn::Mul(p0, p1), hn::Mul(p2, p3)), d64, of_lanes);
  double product = 1;
  for (; i < n; ++i) product *= static_cast<double>(in[i]);
  for (std::int64_t k = 0; k < lanes; ++k) product *= of_lanes[k];
  return product;
}

template <typename T>
void ProductRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  for (std::int64_t c = 0; c < count; ++c)
    static_cast<double*>(acc)[c] *=
        ProductOfRun(reinterpret_cast<const T*>(static_cast<const char*>(in) + c * stride), n);
}

// Four rows at a time: the accumulators stay in the cache, and rows are read in order.
template <typename T>
void ProductRows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  const hn::ScalableTag<double> d64;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  double* const products = static_cast<double*>(acc);
  const auto row = [=](std::int64_t r) {
    return reinterpret_cast<const T*>(static_cast<const char*>(in) + r * stride);
  };
  std::int64_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const T *const a = row(r), *const b = row(r + 1), *const c = row(r + 2), *const e = row(r + 3);
    std::int64_t j = 0;
    for (; j + lanes <= n; j += lanes) {
      const auto ab = hn::Mul(LoadWide(a + j), LoadWide(b + j));
      const auto ce = hn::Mul(LoadWide(c + j), LoadWide(e + j));
      hn::StoreU(hn::Mul(hn::LoadU(d64, products + j), hn::Mul(ab, ce)), d64, products + j);
    }
    for (; j < n; ++j)
      products[j] *= (static_cast<double>(a[j]) * static_cast<double>(b[j])) *
                     (static_cast<double>(c[j]) * static_cast<double>(e[j]));
  }
  for (; r < count; ++r) {
    const T* const a = row(r);
    std::int64_t j = 0;
    for (; j + lanes <= n; j += lanes)
      hn::StoreU(hn::Mul(hn::LoadU(d64, products + j), LoadWide(a + j)), d64, products + j);
    for (; j < n; ++j) products[j] *= static_cast<double>(a[j]);
  }
}

SimdReducer FindProducts(ScalarType dtype) {
  if (dtype == ScalarType::Float) return {ProductRuns<float>, ProductRows<float>};
  return {ProductRuns<double>, ProductRows<double>};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {
HWY_EXPORT(FindProducts);
}  // namespace

SimdReducer find_simd_products(ScalarType dtype) {
  return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(FindProducts)(dtype) : SimdReducer{};
}

}  // namespace tapedeck::kernels
#endif
