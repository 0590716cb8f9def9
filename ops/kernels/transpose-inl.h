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

// Element i of each of as many rows of kCount elements as a vector has lanes; one row lies behind
// the other.
template <int kCount, class D, typename T = hn::TFromD<D>>
HWY_INLINE void LoadAdjacent(D d, const T* rows, hn::Vec<D>* v) {
  if constexpr (kCount == 1) v[0] = hn::LoadU(d, rows);
  if constexpr (kCount == 2) hn::LoadInterleaved2(d, rows, v[0], v[1]);
  if constexpr (kCount == 3) hn::LoadInterleaved3(d, rows, v[0], v[1], v[2]);
  if constexpr (kCount == 4) hn::LoadInterleaved4(d, rows, v[0], v[1], v[2], v[3]);
}
template <int kCount, class D, typename T = hn::TFromD<D>>
HWY_INLINE void StoreAdjacent(D d, const hn::Vec<D>* v, T* rows) {
  if constexpr (kCount == 1) hn::StoreU(v[0], d, rows);
  if constexpr (kCount == 2) hn::StoreInterleaved2(v[0], v[1], d, rows);
  if constexpr (kCount == 3) hn::StoreInterleaved3(v[0], v[1], v[2], d, rows);
  if constexpr (kCount == 4) hn::StoreInterleaved4(v[0], v[1], v[2], v[3], d, rows);
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

// Rows of kColumns elements without gaps.
template <int kColumns, typename T>
void TransposeAdjacent(const T* from, std::int64_t rows, const T* add, T* to,
                       std::int64_t to_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  std::int64_t r = 0;
  for (; r + kLanes <= rows; r += kLanes) {
    hn::Vec<decltype(d)> v[kColumns];
    LoadAdjacent<kColumns>(d, from + r * kColumns, v);
    for (int c = 0; c < kColumns; ++c)
      hn::StoreU(add ? hn::Add(v[c], hn::Set(d, add[c])) : v[c], d, to + c * to_step + r);
  }
  TransposeOneByOne(from + r * kColumns, kColumns, rows - r, kColumns, add, to + r, to_step);
}

// kLanes rows, whose columns are taken kSide at a time. The last columns are done once more with
// those before them where they are fewer, so that nothing outside of the matrix is read. A few
// pointers reach all rows by steps that addresses can have.
template <class D, typename T>
HWY_INLINE void TransposeStrip(D d, const T* from, std::int64_t from_step, std::int64_t columns,
                               const T* add, T* to, std::int64_t to_step) {
  constexpr std::int64_t kSide = 16 / sizeof(T);  // elements of a block
  constexpr std::int64_t kBlocks = hn::MaxLanes(d) / kSide;
  const T* first[kBlocks];
  HWY_UNROLL(4)
  for (std::int64_t b = 0; b < kBlocks; ++b) first[b] = from + b * kSide * from_step;
  for (std::int64_t left = columns - kSide;;) {
    hn::Vec<D> v[kSide];
    LoadTransposed(
        d, [&](std::int64_t k) { return first[k / kSide] + k % kSide * from_step; }, v);
    if (add) {
      HWY_UNROLL(4)
      for (std::int64_t k = 0; k < kSide; ++k) v[k] = hn::Add(v[k], hn::Set(d, add[k]));
    }
    HWY_UNROLL(4)
    for (std::int64_t k = 0; k < kSide; ++k) hn::StoreU(v[k], d, to + k * to_step);
    if (left == 0) return;
    const std::int64_t moved = HWY_MIN(kSide, left);
    HWY_UNROLL(4)
    for (std::int64_t b = 0; b < kBlocks; ++b) first[b] += moved;
    if (add) add += moved;
    to += moved * to_step;
    left -= moved;
  }
}

// The same of fewer rows than kLanes: the last one stands for those that do not exist.
template <class D, typename T>
HWY_INLINE void TransposeNarrow(D d, const T* from, std::int64_t from_step, std::int64_t rows,
                                std::int64_t columns, const T* add, T* to, std::int64_t to_step) {
  constexpr std::int64_t kSide = 16 / sizeof(T);
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(rows));
  for (std::int64_t j = 0; j < columns; j += kSide) {
    const std::int64_t c = HWY_MIN(j, columns - kSide);
    hn::Vec<D> v[kSide];
    LoadTransposed(
        d, [=](std::int64_t k) { return from + c + HWY_MIN(k, rows - 1) * from_step; }, v);
    if (add) {
      HWY_UNROLL(4)
      for (std::int64_t k = 0; k < kSide; ++k) v[k] = hn::Add(v[k], hn::Set(d, add[c + k]));
    }
    HWY_UNROLL(4)
    for (std::int64_t k = 0; k < kSide; ++k)
      hn::BlendedStore(v[k], mask, d, to + (c + k) * to_step);
  }
}

// The last rows are done once more with those before them where they are fewer than a vector has
// lanes.
template <class D, typename T>
HWY_INLINE void TransposeRows(D d, const T* from, std::int64_t from_step, std::int64_t rows,
                              std::int64_t columns, const T* add, T* to, std::int64_t to_step) {
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  if (rows < kLanes) return TransposeNarrow(d, from, from_step, rows, columns, add, to, to_step);
  for (std::int64_t i = 0; i < rows; i += kLanes) {
    const std::int64_t r = HWY_MIN(i, rows - kLanes);
    TransposeStrip(d, from + r * from_step, from_step, columns, add, to + r, to_step);
  }
}

template <typename T>
void Transpose(const T* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns,
               const T* add, T* to, std::int64_t to_step) {
  constexpr std::int64_t kSide = 16 / sizeof(T);
  if (columns == 2 && from_step == 2)
    TransposeAdjacent<2>(from, rows, add, to, to_step);
  else if (columns == 3 && from_step == 3)
    TransposeAdjacent<3>(from, rows, add, to, to_step);
  else if (rows == 1 || columns < kSide)
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
