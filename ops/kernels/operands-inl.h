// Operands of products that are read from memory, the way that costs a CPU the fewest steps:
// included by kernels after hwy/foreach_target.h and compiled once per instruction set.

#if defined(TAPEDECK_OPERANDS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_OPERANDS_INL_H
#undef TAPEDECK_OPERANDS_INL_H
#else
#define TAPEDECK_OPERANDS_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A vector from memory, as an operand of kUses products. Where two of them need it, compilers make
// each read it, and if it is not in the L1 cache each of them waits.
template <int kUses, class V>
HWY_INLINE V OperandOf(V v) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  if constexpr (kUses > 1) asm("" : "+v"(v.raw));
#endif
  return v;
}

// sum + *scalar * column, for one of several columns. With AVX-512 the product itself broadcasts
// the scalar, which saves the front end the step of a broadcast for all columns: the front end is
// what limits a core that two threads share. But it is a load for each product, and a core does no
// more loads than products at a time: this is for a part of a tile's rows.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> MulAddScalar([[maybe_unused]] D d, const T* scalar, hn::Vec<D> column,
                                   hn::Vec<D> sum) {
#if HWY_TARGET == HWY_AVX3  // by itself, a compiler broadcasts once for all columns
  if constexpr (sizeof(T) == 4)
    asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum.raw) : "v"(column.raw), "m"(*scalar));
  else
    asm("vfmadd231pd %2%{1to8%}, %1, %0" : "+v"(sum.raw) : "v"(column.raw), "m"(*scalar));
  return sum;
#else
  return hn::MulAdd(hn::Set(d, *scalar), column, sum);
#endif
}

// sums[v] += *scalar * columns[v], for the `row`th scalar of a register tile: with kFolds every
// third one is broadcast by the products themselves.
template <bool kFolds, int kVectors, class D>
HWY_INLINE void MulAddRow(D d, int row, const hn::TFromD<D>* scalar,
                          const hn::Vec<D> (&columns)[kVectors], hn::Vec<D> (&sums)[kVectors]) {
  if (kFolds && row % 3 == 0) {
    for (int v = 0; v < kVectors; ++v) sums[v] = MulAddScalar(d, scalar, columns[v], sums[v]);
  } else {
    const auto x = hn::Set(d, *scalar);
    for (int v = 0; v < kVectors; ++v) sums[v] = hn::MulAdd(x, columns[v], sums[v]);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
