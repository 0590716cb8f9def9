#include <tapedeck/ops/kernels/winograd_rows.h>

#include <array>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/winograd_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/transpose-inl.h>
#include <tapedeck/ops/kernels/winograd_stages-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3

// The lanes whose places, from `place` on, are of [0, width).
template <class D>
HWY_INLINE hn::Mask<D> Inside(D d, std::int64_t place, std::int64_t width) {
  const auto first = [&](std::int64_t count) {
    constexpr std::int64_t kLanes = hn::MaxLanes(d);
    return hn::FirstN(d, static_cast<std::size_t>(HWY_MAX(0, HWY_MIN(count, kLanes))));
  };
  return hn::AndNot(first(-place), first(width - place));
}

// Transposes all squares of kSide x kSide elements of so many vectors.
template <int kSide, class D>
HWY_INLINE void TransposeSquares(D d, hn::Vec<D>* v) {
  if constexpr (kSide * sizeof(hn::TFromD<D>) == 16) {
    TransposeBlocks(d, v);
  } else {
    static_assert(kSide == 2);
    const auto even = hn::OddEven(hn::DupEven(v[1]), v[0]);
    v[1] = hn::OddEven(v[1], hn::DupOdd(v[0]));
    v[0] = even;
  }
}

// Some columns of a vector of tiles, from column `first` of the image on: those of kSide rows of
// tiles, each row of which is of the plane or zeros.
template <typename T>
struct Patch {
  const T* plane;
  const std::int64_t* rows;  // [tile][row of it]
  std::int64_t first, width;
};

// The columns from kFirst on of the tiles' elements, as many as squares have, transformed by the
// rows' axis.
template <class Rows, int kSide, int kFirst, int kColumns, class D, typename T>
HWY_INLINE void TransformColumns(D d, const Patch<T>& patch, hn::Vec<D> (*half)[kColumns]) {
  using V = hn::Vec<D>;
  const std::int64_t place = patch.first + kFirst;
  const auto inside = Inside(d, place, patch.width);
  V v[Rows::kReach][kSide];
  HWY_UNROLL(12)
  for (int i = 0; i < Rows::kReach; ++i) {
    HWY_UNROLL(4)
    for (int s = 0; s < kSide; ++s) {
      const std::int64_t row = patch.rows[s * Rows::kReach + i];
      v[i][s] = row < 0 ? hn::Zero(d) : hn::MaskedLoad(inside, d, patch.plane + row + place);
    }
    TransposeSquares<kSide>(d, v[i]);
  }
  HWY_UNROLL(4)
  for (int k = 0; k < HWY_MIN(kSide, kColumns - kFirst); ++k) {
    V column[Rows::kReach], result[Rows::kSize];
    HWY_UNROLL(12)
    for (int i = 0; i < Rows::kReach; ++i) column[i] = v[i][k];
    Rows::Input(d, column, result);
    HWY_UNROLL(12)
    for (int i = 0; i < Rows::kSize; ++i) half[i][kFirst + k] = result[i];
  }
}

template <class Rows, class Columns, int kSide, typename T>
void Inputs(const TileRows& tiles, const T* plane, T* out, std::int64_t position_step) {
  static_assert(Columns::kReach > kSide && Columns::kReach <= 2 * kSide);
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t g = 0; g < tiles.groups; ++g, out += tiles.group_step)
    for (std::int64_t at = 0; at < tiles.columns * kSide; at += kLanes) {
      const Patch<T> patch{plane, tiles.rows + g * kSide * Rows::kReach, tiles.first + at,
                           tiles.width};
      V half[Rows::kSize][Columns::kReach];
      TransformColumns<Rows, kSide, 0, Columns::kReach>(d, patch, half);
      TransformColumns<Rows, kSide, kSide, Columns::kReach>(d, patch, half);
      const Spaced<T> to{out + at, Columns::kSize * position_step, position_step};
      HWY_UNROLL(12)
      for (int i = 0; i < Rows::kSize; ++i) {
        V result[Columns::kSize];
        Columns::Input(d, half[i], result);
        to.template StoreRow<Columns::kSize>(d, i, result);
      }
    }
}

// Where rows of outputs go.
template <int kSide, typename T>
struct ToRows {
  const std::int64_t* rows;  // of the group
  T* plane;
  hn::Mask<hn::ScalableTag<T>> inside;
  hn::Vec<hn::ScalableTag<T>> addend;

  template <int kColumns, class D>
  HWY_INLINE void StoreRow(D d, int row, hn::Vec<D>* columns) const {
    static_assert(kColumns == kSide);
    TransposeSquares<kSide>(d, columns);
    HWY_UNROLL(4)
    for (int s = 0; s < kSide; ++s) {
      const std::int64_t to = rows[s * kSide + row];
      if (to >= 0) hn::BlendedStore(hn::Add(columns[s], addend), inside, d, plane + to);
    }
  }
};

template <class Rows, class Columns, int kSide, typename T>
void Outputs(const T* sums, std::int64_t position_step, const TileRows& tiles, T addend, T* plane) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  for (std::int64_t g = 0; g < tiles.groups; ++g, sums += tiles.group_step)
    for (std::int64_t at = 0; at < tiles.columns * kSide; at += kLanes) {
      const std::int64_t column = tiles.first + at;
      Transform<OutputStage, Rows, Columns>(
          d, Spaced<const T>{sums + at, Columns::kSize * position_step, position_step},
          ToRows<kSide, T>{tiles.rows + g * kSide * kSide, plane + column,
                           Inside(d, column, tiles.width), hn::Set(d, addend)});
    }
}

template <class Axis, typename T>
WinogradRows<T> RowsOf() {
  constexpr int kSide = Axis::kOutputs;
  static_assert(Axis::kStep == kSide && Axis::kSpread == 1);
  return {kSide, Inputs<Axis, Axis, kSide, T>, Outputs<Axis, Axis, kSide, T>};
}

#endif

template <typename T>
WinogradRows<T> Rows([[maybe_unused]] WinogradVariant variant) {
#if HWY_TARGET == HWY_AVX3
  if (variant == WinogradVariant::Dense3) return RowsOf<Dense3, T>();
  if constexpr (sizeof(T) == 4)  // squares of four doubles would cross blocks of 16 bytes
    if (variant == WinogradVariant::Dense3Large) return RowsOf<SixPoints<4, 3>, T>();
#endif
  return {};
}

WinogradRows<float> RowsF32(WinogradVariant variant) { return Rows<float>(variant); }
WinogradRows<double> RowsF64(WinogradVariant variant) { return Rows<double>(variant); }

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(RowsF32);
HWY_EXPORT(RowsF64);

namespace {

WinogradRows<float> find(WinogradVariant variant, float) {
  return HWY_DYNAMIC_DISPATCH(RowsF32)(variant);
}
WinogradRows<double> find(WinogradVariant variant, double) {
  return HWY_DYNAMIC_DISPATCH(RowsF64)(variant);
}

}  // namespace

template <typename T>
const WinogradRows<T>* winograd_rows(WinogradVariant variant) {
  static const std::array<WinogradRows<T>, kWinogradVariants> all = [] {
    std::array<WinogradRows<T>, kWinogradVariants> rows;
    for (int i = 0; i < kWinogradVariants; ++i)
      rows[static_cast<std::size_t>(i)] = find(static_cast<WinogradVariant>(i), T{});
    return rows;
  }();
  const WinogradRows<T>& rows = all[static_cast<std::size_t>(variant)];
  return rows.input ? &rows : nullptr;
}

template const WinogradRows<float>* winograd_rows(WinogradVariant);
template const WinogradRows<double>* winograd_rows(WinogradVariant);

}  // namespace tapedeck::kernels

#endif
