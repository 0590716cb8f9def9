#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/reduce_products.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/fold_lanes-inl.h>
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

// Products in [2^-63, 2^65) are safe: those of two of them are normal then, or infinite. Moved up
// by 64, the exponents in question are those with the highest bit.
struct Safety {
  hn::Vec<Bits32> all = Highest();

  static hn::Vec<Bits32> Highest() { return hn::Set(Bits32(), 1U << 30); }
  HWY_INLINE hn::Vec<D32> Checked(hn::Vec<D32> product) {
    const Bits32 bits;
    all = hn::And(all, hn::Add(hn::BitCast(bits, product), hn::Set(bits, 64U << 23)));
    return product;
  }
  HWY_INLINE bool IsSafe() const { return hn::AllTrue(Bits32(), hn::Eq(all, Highest())); }
};

// The product of the vectors load(0), ..., load(2 kPairs - 1), checked for itself and for those of
// two: none of four is lost then.
template <int kPairs, class Load>
HWY_INLINE hn::Vec<D32> ProductOfPairs(const Load& load, Safety& safety) {
  const auto pair = [&](std::int64_t k)
                        HWY_ATTR { return safety.Checked(hn::Mul(load(2 * k), load(2 * k + 1))); };
  auto product = pair(0);
  if constexpr (kPairs > 1) product = hn::Mul(product, pair(1));
  if constexpr (kPairs > 2) {
    auto other = pair(2);
    if constexpr (kPairs > 3) other = hn::Mul(other, pair(3));
    product = hn::Mul(product, other);
  }
  return kPairs > 1 ? safety.Checked(product) : product;
}
template <class Load>
HWY_INLINE hn::Vec<D32> ProductOfEight(const Load& load, bool& is_safe) {
  Safety safety;
  const auto product = ProductOfPairs<kTogether / 2>(load, safety);
  is_safe = safety.IsSafe();
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

// The last n elements of a run of `size` as float64, behind ones.
template <typename T>
HWY_INLINE hn::Vec<D64> WideEndOrOnes(const T* end, std::int64_t n, std::int64_t size) {
  const hn::Rebind<T, D64> d;
  const auto part = LoadEndOr(d, T(1), end, n, size);
  if constexpr (sizeof(T) == 8)
    return part;
  else
    return hn::PromoteTo(D64(), part);
}

// What gives ProductOfPairs() the vectors of a run of more than kPairs - 1 pairs, and ones after
// them.
template <int kPairs>
HWY_INLINE auto LoadsOfRun(const float* run, std::int64_t n) {
  const D32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t last = (n - 1) / lanes, left = n - last * lanes;
  return [=](std::int64_t k) HWY_ATTR {
    if (k + 2 < 2 * kPairs || k < last) return hn::LoadU(d, run + k * lanes);
    return k > last ? hn::Set(d, 1.0F) : LoadEndOr(d, 1.0F, run + n, left, n);
  };
}

// In lanes: the product of a run.
template <typename T>
HWY_INLINE hn::Vec<D64> ProductOfRun(const T* in, std::int64_t n) {
  const D64 d64;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  auto p0 = hn::Set(d64, 1.0), p1 = p0;
  std::int64_t i = 0;
  if constexpr (sizeof(T) == 4) {
    const auto narrow = static_cast<std::int64_t>(hn::Lanes(D32()));
    for (; i + kTogether * narrow <= n; i += kTogether * narrow) {
      bool is_safe;
      const auto product = ProductOfEight(
          [=](std::int64_t k) HWY_ATTR { return hn::LoadU(D32(), in + i + k * narrow); }, is_safe);
      if (HWY_LIKELY(is_safe))
        TimesBothHalves(product, p0, p1);
      else
        for (std::int64_t k = 0; k < kTogether * narrow; k += lanes)
          p0 = hn::Mul(p0, Wide(in + i + k));
    }
  } else {
    auto p2 = p0, p3 = p0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      p0 = hn::Mul(p0, Wide(in + i));
      p1 = hn::Mul(p1, Wide(in + i + lanes));
      p2 = hn::Mul(p2, Wide(in + i + 2 * lanes));
      p3 = hn::Mul(p3, Wide(in + i + 3 * lanes));
    }
    p0 = hn::Mul(p0, p2);
    p1 = hn::Mul(p1, p3);
  }
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    p0 = hn::Mul(p0, Wide(in + i));
    p1 = hn::Mul(p1, Wide(in + i + lanes));
  }
  if (i + lanes <= n) {
    p0 = hn::Mul(p0, Wide(in + i));
    i += lanes;
  }
  if (i < n) p1 = hn::Mul(p1, WideEndOrOnes(in + n, n - i, n));
  return hn::Mul(p0, p1);
}

// The same of a long run in pieces: products of many elements below 1 become subnormal before they
// are 0, and those take a hundred times as long.
constexpr std::int64_t kPiece = 8192;
template <typename T>
HWY_NOINLINE hn::Vec<D64> ProductOfPieces(const T* in, std::int64_t n) {
  auto product = hn::Set(D64(), 1.0);
  for (std::int64_t i = 0; i < n; i += kPiece)
    product = hn::Mul(product, ProductOfRun(in + i, HWY_MIN(kPiece, n - i)));
  return product;
}

constexpr auto kMultiply = [](auto x, auto y) HWY_ATTR { return hn::Mul(x, y); };

// Runs of so many pairs of vectors, or nearly.
template <int kPairs>
void ProductShortRuns(double* products, const char* in, std::int64_t stride, std::int64_t count,
                      std::int64_t n) {
  FoldLanesOfRows(
      D64(), count, kMultiply,
      [&](std::int64_t r) HWY_ATTR {
        const auto* const run = reinterpret_cast<const float*>(in + r * stride);
        Safety safety;
        const auto product = ProductOfPairs<kPairs>(LoadsOfRun<kPairs>(run, n), safety);
        if (HWY_UNLIKELY(!safety.IsSafe())) return ProductOfRun(run, n);
        auto low = hn::Set(D64(), 1.0), high = low;
        TimesBothHalves(product, low, high);
        return hn::Mul(low, high);
      },
      [&](std::int64_t r, const double* folds, std::int64_t rows)
          HWY_ATTR { MergeFolds(kMultiply, folds, rows, products + r); });
}

template <typename T>
void ProductRuns(void* acc, const void* in_runs, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  constexpr std::int64_t kFew = 8;
  auto* const products = static_cast<double*>(acc);
  const auto* const in = static_cast<const char*>(in_runs);
  const auto run = [=](std::int64_t r) { return reinterpret_cast<const T*>(in + r * stride); };
  if (n < kFew) {
    for (std::int64_t r = 0; r < count; ++r)
      for (std::int64_t i = 0; i < n; ++i) products[r] *= static_cast<double>(run(r)[i]);
    return;
  }
  if constexpr (sizeof(T) == 4) {
    const std::int64_t pair = 2 * static_cast<std::int64_t>(hn::Lanes(D32()));
    if (n <= pair) return ProductShortRuns<1>(products, in, stride, count, n);
    if (n <= 2 * pair) return ProductShortRuns<2>(products, in, stride, count, n);
    if (n <= 3 * pair) return ProductShortRuns<3>(products, in, stride, count, n);
    if (n <= 4 * pair) return ProductShortRuns<4>(products, in, stride, count, n);
  }
  FoldLanesOfRows(
      D64(), count, kMultiply,
      [&](std::int64_t r)
          HWY_ATTR { return n <= kPiece ? ProductOfRun(run(r), n) : ProductOfPieces(run(r), n); },
      [&](std::int64_t r, const double* folds, std::int64_t rows)
          HWY_ATTR { MergeFolds(kMultiply, folds, rows, products + r); });
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
