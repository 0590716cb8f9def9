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

// The vector, as an operand of several products. Where two of them need it, compilers make each
// read it from memory, and if it is not in the L1 cache each of them waits.
template <class V>
HWY_INLINE V InRegister(V v) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  asm("" : "+v"(v.raw));
#endif
  return v;
}

// sum + *scalar * column, for several columns one after the other. With AVX-512 each product
// broadcasts the scalar that it reads, which is one step to the front end, where a broadcast and
// the products by it are one more: that is what limits a core that two threads share. But loads are
// as many as products then, so a part of a tile's rows should come this way, not all.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> MulAddScalar([[maybe_unused]] D d, const T* scalar, hn::Vec<D> column,
                                   hn::Vec<D> sum) {
#if HWY_TARGET == HWY_AVX3  // compilers would broadcast once for all columns
  if constexpr (sizeof(T) == 4)
    asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum.raw) : "v"(column.raw), "m"(*scalar));
  else
    asm("vfmadd231pd %2%{1to8%}, %1, %0" : "+v"(sum.raw) : "v"(column.raw), "m"(*scalar));
  return sum;
#else
  return hn::MulAdd(hn::Set(d, *scalar), column, sum);
#endif
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
