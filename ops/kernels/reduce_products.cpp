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

// Products of floats go on in float64, as they may leave float32's range on their way. Eight of
// them at a time are multiplied in float32 first where that is safe.
constexpr std::int64_t kTogether = 8;

using D32 = hn::ScalableTag<float>;
using Bits32 = hn::RebindToUnsigned<D32>;

// The product of the vectors load(0), ..., load(kTogether - 1), and whether it and the products of
// two are in [2^-63, 2^65): those of four are normal then, or infinite, and so is it.
template <class Load>
HWY_INLINE hn::Vec<D32> ProductOfEight(const Load& load, bool& is_safe) {
  const Bits32 bits;
  // Moved up by 64, the exponents in question are those with the highest bit.
  const auto offset = hn::Set(bits, 64U << 23), highest = hn::Set(bits, 1U << 30);
  auto all = highest;
  const auto checked = [&](hn::Vec<D32> product) HWY_ATTR {
    all = hn::And(all, hn::Add(hn::BitCast(bits, product), offset));
    return product;
  };
  const auto pair = [&](std::int64_t k) HWY_ATTR { return checked(hn::Mul(load(k), load(k + 1))); };
  const auto ab = hn::Mul(pair(0), pair(2)), cd = hn::Mul(pair(4), pair(6));
  const auto product = checked(hn::Mul(ab, cd));
  is_safe = hn::AllTrue(bits, hn::Eq(all, highest));
  return product;
}

// A vector of float32 multiplied into two of float64: its lower and its upper half.
HWY_INLINE void TimesBothHalves(hn::Vec<D32> v, hn::Vec<D64>& low,
                                [[maybe_unused]] hn::Vec<D64>& high) {
  const D64 d64;
#if HWY_TARGET == HWY_SCALAR
  low = hn::Mul(low, hn::PromoteTo(d64, v));
#else
  const hn::Half<D32> half;
  low = hn::Mul(low, hn::PromoteTo(d64, hn::LowerHalf(half, v)));
  high = hn::Mul(high, hn::PromoteTo(d64, hn::UpperHalf(half, v)));
#endif
}

template <typename T>
HWY_INLINE double ProductOfRun(const T* in, std::int64_t n) {
  constexpr std::int64_t kFew = 8;
  if (n < kFew) {
    double product = 1;
    for (std::int64_t i = 0; i < n; ++i) product *= static_cast<double>(in[i]);
    return product;
  }
  const D64 d64;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  auto p0 = hn::Set(d64, 1.0), p1 = p0, p2 = p0, p3 = p0;
  const auto times_four = [&](const T* from) HWY_ATTR {
    p0 = hn::Mul(p0, Wide(from));
    p1 = hn::Mul(p1, Wide(from + lanes));
    p2 = hn::Mul(p2, Wide(from + 2 * lanes));
    p3 = hn::Mul(p3, Wide(from + 3 * lanes));
  };
  std::int64_t i = 0;
  if constexpr (sizeof(T) == 4) {
    const D32 d;
    const auto narrow = static_cast<std::int64_t>(hn::Lanes(d));
    for (; i + kTogether * narrow <= n; i += kTogether * narrow) {
      bool is_safe;
      const auto product = ProductOfEight(
          [=](std::int64_t k) HWY_ATTR { return hn::LoadU(d, in + i + k * narrow); }, is_safe);
      if (HWY_LIKELY(is_safe)) {
        TimesBothHalves(product, p0, p1);
      } else {
        for (std::int64_t k = 0; k < kTogether * narrow; k += 4 * lanes) times_four(in + i + k);
      }
    }
  }
  for (; i + 4 * lanes <= n; i += 4 * lanes) times_four(in + i);
  for (; i + lanes <= n; i += lanes) p0 = hn::Mul(p0, Wide(in + i));
  constexpr std::int64_t kLanes = hn::MaxLanes(D64());
  HWY_ALIGN double of_lanes[kLanes];
  hn::Store(hn::Mul(hn::Mul(p0, p1), hn::Mul(p2, p3)), d64, of_lanes);
  // In pairs, which do not wait for each other.
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t k = 0; k < half; ++k) of_lanes[k] *= of_lanes[k + half];
  double product = of_lanes[0];
  for (; i < n; ++i) product *= static_cast<double>(in[i]);
  return product;
}

template <typename T>
void ProductRuns(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  for (std::int64_t c = 0; c < count; ++c)
    static_cast<double*>(acc)[c] *=
        ProductOfRun(reinterpret_cast<const T*>(static_cast<const char*>(in) + c * stride), n);
}

// products[j] times the elements of the rows row(0), ..., row(count - 1), in the order of the rows.
template <class Row>
HWY_NOINLINE void TimesRows(const Row& row, std::int64_t count, std::int64_t n, double* products) {
  const D64 d64;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    auto product = hn::LoadU(d64, products + j);
    for (std::int64_t r = 0; r < count; ++r) product = hn::Mul(product, Wide(row(r) + j));
    hn::StoreU(product, d64, products + j);
  }
  for (; j < n; ++j)
    for (std::int64_t r = 0; r < count; ++r) products[j] *= static_cast<double>(row(r)[j]);
}

// Calls take(j, product) for the vectors of products of `count` <= kTogether rows of float32 that
// are safe, and rest(j, n) for the other columns.
template <class Row, class Take, class Rest>
HWY_INLINE void ForProductsOfRows(const Row& row, std::int64_t count, std::int64_t n,
                                  const Take& take, const Rest& rest) {
  const D32 d;
  const auto narrow = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + narrow <= n; j += narrow) {
    bool is_safe;
    hn::Vec<D32> product;
    if (count == kTogether)
      product = ProductOfEight([&](std::int64_t r) HWY_ATTR { return hn::LoadU(d, row(r) + j); },
                               is_safe);
    else
      product = ProductOfEight(
          [&](std::int64_t r)
              HWY_ATTR { return r < count ? hn::LoadU(d, row(r) + j) : hn::Set(d, 1.0F); },
          is_safe);
    if (HWY_LIKELY(is_safe))
      take(j, product);
    else
      rest(j, narrow);
  }
  rest(j, n - j);
}

template <class Row>
HWY_INLINE void TimesFewRows(const Row& row, std::int64_t count, std::int64_t n, double* products) {
  const D64 d64;
  const auto narrow = static_cast<std::int64_t>(hn::Lanes(D32()));
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  ForProductsOfRows(
      row, count, n,
      [&](std::int64_t j, hn::Vec<D32> product) HWY_ATTR {
        auto low = hn::LoadU(d64, products + j);
        auto high = narrow > lanes ? hn::LoadU(d64, products + j + lanes) : low;
        TimesBothHalves(product, low, high);
        hn::StoreU(low, d64, products + j);
        if (narrow > lanes) hn::StoreU(high, d64, products + j + lanes);
      },
      [&](std::int64_t j, std::int64_t columns) HWY_ATTR {
        TimesRows([&](std::int64_t r) { return row(r) + j; }, count, columns, products + j);
      });
}

// Eight rows at a time: the accumulators stay in the cache, and rows are read in order.
template <typename T>
void ProductRows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  double* const products = static_cast<double*>(acc);
  for (std::int64_t first = 0; first < count; first += kTogether) {
    const char* const base = static_cast<const char*>(in) + first * stride;
    const auto row = [=](std::int64_t r) { return reinterpret_cast<const T*>(base + r * stride); };
    const std::int64_t rows = HWY_MIN(kTogether, count - first);
    if constexpr (sizeof(T) == 4)
      TimesFewRows(row, rows, n, products);
    else
      TimesRows(row, rows, n, products);
  }
}

// The products of so few rows of float32, with the bits that ProductRows() and a rounding give.
void ProductFewRows(void* out, const void* in, std::int64_t stride, std::int64_t count,
                    std::int64_t n) {
  float* const products = static_cast<float*>(out);
  const char* const base = static_cast<const char*>(in);
  const auto row = [=](std::int64_t r) {
    return reinterpret_cast<const float*>(base + r * stride);
  };
  ForProductsOfRows(
      row, count, n,
      [&](std::int64_t j, hn::Vec<D32> product)
          HWY_ATTR { hn::StoreU(product, D32(), products + j); },
      [&](std::int64_t j, std::int64_t columns) HWY_ATTR {
        for (std::int64_t k = j; k < j + columns; ++k) {
          double product = 1;
          for (std::int64_t r = 0; r < count; ++r) product *= static_cast<double>(row(r)[k]);
          products[k] = static_cast<float>(product);
        }
      });
}

SimdReducer FindProducts(ScalarType dtype) {
  if (dtype == ScalarType::Float)
    return {ProductRuns<float>, ProductRows<float>, ProductFewRows, kTogether};
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
