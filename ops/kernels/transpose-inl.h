// Transposition of small matrices in registers: included by kernels after hwy/foreach_target.h and
// compiled once per instruction set.

#if defined(TAPEDECK_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_TRANSPOSE_INL_H
#undef TAPEDECK_TRANSPOSE_INL_H
#else
#define TAPEDECK_TRANSPOSE_INL_H
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
void TransposeOneByOne(const T* from, std::int64_t from_step, std::int64_t rows,
                       std::int64_t columns, const T* add, T* to, std::int64_t to_step) {
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t r = 0; r < rows; ++r)
      to[c * to_step + r] = from[r * from_step + c] + (add ? add[c] : T{0});
}

#if HWY_TARGET == HWY_SCALAR

template <typename T>
void Transpose(const T* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns,
               const T* add, T* to, std::int64_t to_step) {
  TransposeOneByOne(from, from_step, rows, columns, add, to, to_step);
}

#else

// A vector whose blocks of 16 bytes come from row(first), row(first + kSide), ...
template <class D, class Row>
HWY_INLINE hn::Vec<D> LoadBlocks(D d, const Row& row, std::int64_t first) {
  using T = hn::TFromD<D>;
  constexpr std::int64_t kSide = 16 / sizeof(T);
  if constexpr (hn::MaxLanes(d) <= kSide) {
    return hn::LoadU(d, row(first));
  } else {
    const hn::Half<D> half;
    constexpr std::int64_t kHalf = hn::MaxLanes(d) / 2;
    return hn::Combine(d, LoadBlocks(half, row, first + kHalf), LoadBlocks(half, row, first));
  }
}

// The transposition within every block of 16 bytes: r[i] has element i of each of r[0], r[1], ...
template <class D>
HWY_INLINE void TransposeBlocks(D d, hn::Vec<D>* r) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    const auto low = hn::InterleaveLower(d, r[0], r[1]);
    r[1] = hn::InterleaveUpper(d, r[0], r[1]);
    r[0] = low;
  } else {
    const hn::Repartition<double, D> d64;
    const auto a = hn::BitCast(d64, hn::InterleaveLower(d, r[0], r[1]));
    const auto b = hn::BitCast(d64, hn::InterleaveUpper(d, r[0], r[1]));
    const auto e = hn::BitCast(d64, hn::InterleaveLower(d, r[2], r[3]));
    const auto f = hn::BitCast(d64, hn::InterleaveUpper(d, r[2], r[3]));
    r[0] = hn::BitCast(d, hn::InterleaveLower(d64, a, e));
    r[1] = hn::BitCast(d, hn::InterleaveUpper(d64, a, e));
    r[2] = hn::BitCast(d, hn::InterleaveLower(d64, b, f));
    r[3] = hn::BitCast(d, hn::InterleaveUpper(d64, b, f));
  }
}

// kSide vectors of a column's elements each, from kSide columns of the rows at `row(0)`, `row(1)`,
// ...
template <class D, class Row>
HWY_INLINE void LoadTransposed(D d, const Row& row, hn::Vec<D>* v) {
  constexpr std::int64_t kSide = 16 / sizeof(hn::TFromD<D>);
  HWY_UNROLL(4)
  for (std::int64_t i = 0; i < kSide; ++i) v[i] = LoadBlocks(d, row, i);
  TransposeBlocks(d, v);
}

// The last rows and columns are done once more with those before them where they are fewer than a
// vector has lanes or a block has columns, so that nothing outside of the matrix is read.
template <class D, typename T>
HWY_INLINE void TransposeRows(D d, const T* from, std::int64_t from_step, std::int64_t rows,
                              std::int64_t columns, const T* add, T* to, std::int64_t to_step) {
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  constexpr std::int64_t kSide = 16 / sizeof(T);  // elements of a block
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(HWY_MIN(rows, kLanes)));
  for (std::int64_t i = 0; i < rows; i += kLanes) {
    const std::int64_t r = HWY_MAX(std::int64_t{0}, HWY_MIN(i, rows - kLanes));
    for (std::int64_t j = 0; j < columns; j += kSide) {
      const std::int64_t c = HWY_MIN(j, columns - kSide);
      const T* const corner = from + r * from_step + c;
      T* const out = to + c * to_step + r;
      hn::Vec<decltype(d)> v[kSide];
      if (rows >= kLanes)
        LoadTransposed(
            d, [=](std::int64_t k) { return corner + k * from_step; }, v);
      else
        LoadTransposed(
            d, [=](std::int64_t k) { return corner + HWY_MIN(k, rows - 1) * from_step; }, v);
      if (add) {
        HWY_UNROLL(4)
        for (std::int64_t k = 0; k < kSide; ++k) v[k] = hn::Add(v[k], hn::Set(d, add[c + k]));
      }
      HWY_UNROLL(4)
      for (std::int64_t k = 0; k < kSide; ++k)
        if (rows >= kLanes)
          hn::StoreU(v[k], d, out + k * to_step);
        else
          hn::BlendedStore(v[k], mask, d, out + k * to_step);
    }
  }
}

template <typename T>
void Transpose(const T* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns,
               const T* add, T* to, std::int64_t to_step) {
  constexpr std::int64_t kSide = 16 / sizeof(T);
  if (rows == 1 || columns < kSide)
    TransposeOneByOne(from, from_step, rows, columns, add, to, to_step);
  else if (rows <= kSide)
    TransposeRows(hn::CappedTag<T, kSide>(), from, from_step, rows, columns, add, to, to_step);
  else
    TransposeRows(hn::ScalableTag<T>(), from, from_step, rows, columns, add, to, to_step);
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
