// The lanes of several vectors folded at once: included by kernels after hwy/foreach_target.h and
// compiled once per instruction set.

#if defined(TAPEDECK_FOLD_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_FOLD_LANES_INL_H
#undef TAPEDECK_FOLD_LANES_INL_H
#else
#define TAPEDECK_FOLD_LANES_INL_H
#endif

#include <cstdint>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The last n elements of a run of `size` that ends at `end`, behind copies of `rest`: by a whole
// vector where the run has one.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadEndOr(D d, T rest, const T* end, std::int64_t n, std::int64_t size) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (size < lanes) return LoadPartOr(d, rest, end - n, n);
  return hn::IfThenElse(hn::FirstN(d, static_cast<std::size_t>(lanes - n)), hn::Set(d, rest),
                        hn::LoadU(d, end - lanes));
}

// Vectors of elements T that are folded together.
template <typename T>
inline constexpr std::int64_t kFolded = 16 / sizeof(T);

// f over the lanes of each of kFolded vectors, in as many elements of `to`; f takes two vectors of
// any size, in any order.
template <class D, class F, typename T = hn::TFromD<D>>
HWY_INLINE void FoldLanes(D d, const hn::Vec<D>* v, const F& f, T* to) {
#if HWY_TARGET == HWY_SCALAR
  (void)d;
  (void)f;
  for (std::int64_t i = 0; i < kFolded<T>; ++i) to[i] = hn::GetLane(v[i]);
#else
  const auto folded = [&](hn::Vec<D> x, hn::Vec<D> y) HWY_ATTR {
    return f(hn::InterleaveLower(d, x, y), hn::InterleaveUpper(d, x, y));
  };
  auto blocks = folded(v[0], v[1]);  // of four: x02 y02 x13 y13
  if constexpr (sizeof(T) == 4) {
    const hn::Repartition<double, D> pairs;
    const auto xy = hn::BitCast(pairs, blocks), zw = hn::BitCast(pairs, folded(v[2], v[3]));
    blocks = f(hn::BitCast(d, hn::InterleaveLower(pairs, xy, zw)),
               hn::BitCast(d, hn::InterleaveUpper(pairs, xy, zw)));
  }
  const hn::CappedTag<T, 16 / sizeof(T)> block;
#if HWY_TARGET == HWY_AVX3
  const hn::Half<D> half;
  const auto two = f(hn::LowerHalf(half, blocks), hn::UpperHalf(half, blocks));
  hn::StoreU(f(hn::LowerHalf(block, two), hn::UpperHalf(block, two)), block, to);
#elif HWY_TARGET == HWY_AVX2
  hn::StoreU(f(hn::LowerHalf(block, blocks), hn::UpperHalf(block, blocks)), block, to);
#else
  hn::StoreU(blocks, block, to);
#endif
#endif
}

// Calls load(r), which gives the vector of row r, for `count` rows, and take(r, folds, n) with
// those of n <= kFolded rows from r on.
template <class D, class F, class Load, class Take>
HWY_INLINE void FoldLanesOfRows(D d, std::int64_t count, const F& f, const Load& load,
                                const Take& take) {
  using T = hn::TFromD<D>;
  for (std::int64_t r = 0; r < count; r += kFolded<T>) {
    hn::Vec<D> v[kFolded<T>];
    HWY_UNROLL(4)
    for (std::int64_t k = 0; k < kFolded<T>; ++k) v[k] = r + k < count ? load(r + k) : v[0];
    T folds[kFolded<T>];
    FoldLanes(d, v, f, folds);
    take(r, folds, HWY_MIN(kFolded<T>, count - r));
  }
}

// acc[i] = f(folds[i], acc[i]) for i < n <= kFolded.
template <class F, typename T>
HWY_INLINE void MergeFolds(const F& f, const T* folds, std::int64_t n, T* acc) {
  const hn::CappedTag<T, 16 / sizeof(T)> block;
  if (n == static_cast<std::int64_t>(hn::Lanes(block)))
    return hn::StoreU(f(hn::LoadU(block, folds), hn::LoadU(block, acc)), block, acc);
  const hn::CappedTag<T, 1> one;
  for (std::int64_t i = 0; i < n; ++i)
    hn::StoreU(f(hn::LoadU(one, folds + i), hn::LoadU(one, acc + i)), one, acc + i);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
