#include <tapedeck/ops/kernels/tile_products.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/tile_products.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Broadcast weights times vectors of tiles: few loads for each product, and enough sums that none
// waits for the one before it.
#if HWY_TARGET == HWY_AVX3
constexpr int kFilters = 8, kVectors = 3;
#else
constexpr int kFilters = 4, kVectors = 3;
#endif

template <int kRows, int kColumns, typename T>
void ProductTile(const TileProducts<T>& run, std::int64_t k, std::int64_t t) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  using V = hn::Vec<decltype(d)>;
  V sum[kRows][kColumns];
  HWY_UNROLL(kFilters)
  for (int m = 0; m < kRows; ++m)
    for (int v = 0; v < kColumns; ++v) sum[m][v] = hn::Zero(d);
  const T* in = run.in + t;
  const T* weights = run.weights + k;
  for (std::int64_t c = 0; c < run.channels; ++c) {
    V x[kColumns];
    for (int v = 0; v < kColumns; ++v) x[v] = hn::LoadU(d, in + v * kLanes);
    HWY_UNROLL(kFilters)
    for (int m = 0; m < kRows; ++m) {
      const V w = hn::Set(d, weights[m]);
      for (int v = 0; v < kColumns; ++v) sum[m][v] = hn::MulAdd(w, x[v], sum[m][v]);
    }
    in += run.in_step;
    weights += run.weight_step;
  }
  T* const sums = run.sums + k * run.sums_step + t;
  HWY_UNROLL(kFilters)
  for (int m = 0; m < kRows; ++m)
    for (int v = 0; v < kColumns; ++v)
      hn::StoreU(sum[m][v], d, sums + m * run.sums_step + v * kLanes);
}

template <int kRows, int kColumns, typename T>
HWY_INLINE void ProductTileOf(std::int64_t rows, const TileProducts<T>& run, std::int64_t k,
                              std::int64_t t) {
  if (rows == kRows) return ProductTile<kRows, kColumns>(run, k, t);
  if constexpr (kRows > 1) ProductTileOf<kRows - 1, kColumns>(rows, run, k, t);
}

// All filters of some vectors of tiles.
template <int kColumns, typename T>
void ProductColumn(const TileProducts<T>& run, std::int64_t t) {
  std::int64_t pieces = (run.filters + kFilters - 1) / kFilters;
  for (std::int64_t k = 0; k < run.filters; --pieces) {
    const std::int64_t rows = (run.filters - k + pieces - 1) / pieces;
    ProductTileOf<kFilters, kColumns>(rows, run, k, t);
    k += rows;
  }
}

template <typename T>
void Products(const TileProducts<T>& run) {
  constexpr std::int64_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  const std::int64_t vectors = (run.tiles + kLanes - 1) / kLanes;
  std::int64_t pieces = (vectors + kVectors - 1) / kVectors;
  for (std::int64_t v = 0; v < vectors; --pieces) {
    const std::int64_t some = (vectors - v + pieces - 1) / pieces;
    const auto column = some == 3   ? ProductColumn<3, T>
                        : some == 2 ? ProductColumn<2, T>
                                    : ProductColumn<1, T>;
    column(run, v * kLanes);
    v += some;
  }
}

void ProductsF32(const TileProducts<float>& run) { Products(run); }
void ProductsF64(const TileProducts<double>& run) { Products(run); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

HWY_EXPORT(ProductsF32);
HWY_EXPORT(ProductsF64);

template <>
void tile_products(const TileProducts<float>& run) {
  HWY_DYNAMIC_DISPATCH(ProductsF32)(run);
}
template <>
void tile_products(const TileProducts<double>& run) {
  HWY_DYNAMIC_DISPATCH(ProductsF64)(run);
}

}  // namespace tapedeck::kernels
#endif
