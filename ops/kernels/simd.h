#pragma once

// To be included by every kernel that is compiled once per instruction set, before anything of
// Highway: it keeps AVX-512, AVX2 and the baseline. What lies between brings nothing that a CPU
// without AVX2 would notice, and each target costs a third of the compile time.

#include <tapedeck/ops/kernels/cpu_capability.h>

#ifdef HWY_DISABLED_TARGETS
#undef HWY_DISABLED_TARGETS
#endif
// A build with sanitizers runs where it was made, and leaves out what that CPU lacks.
#ifdef TAPEDECK_WITHOUT_AVX512
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_AVX3 | HWY_SSE4 | HWY_SSSE3)
#else
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSE4 | HWY_SSSE3)
#endif

namespace tapedeck::kernels {

// Does what the environment says (see ops/cpu_capability.h); before main, since what has been
// chosen once stays so.
inline const bool cpu_capability_is_limited = limit_cpu_capability();

}  // namespace tapedeck::kernels

// The end of a kernel file that finds loops by operation: defines `RowLoop accessor(Op,
// ScalarType)` by what Find(op, dtype) returns in the best instruction set of this CPU; null but
// for float32 and float64. Within HWY_ONCE, in the namespace of `accessor`.
#define TAPEDECK_DISPATCH_FIND(accessor, Op)                                           \
  namespace {                                                                          \
  HWY_EXPORT(Find);                                                                    \
  }                                                                                    \
  RowLoop accessor(Op op, ScalarType dtype) {                                          \
    return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(Find)(op, dtype) : nullptr; \
  }                                                                                    \
  static_assert(true, "takes the semicolon")

// The end of a kernel file whose functions stand in tables, one for each element type: defines
// `const Table<T>& accessor<T>()` for float and double, from what nameF32() and nameF64() return in
// the best instruction set of this CPU. Within HWY_ONCE, in the namespace of `accessor`.
#define TAPEDECK_DISPATCH_TABLES(Table, accessor, name)                   \
  HWY_EXPORT(name##F32);                                                  \
  HWY_EXPORT(name##F64);                                                  \
  template <>                                                             \
  const Table<float>& accessor<float>() {                                 \
    static const Table<float> table = HWY_DYNAMIC_DISPATCH(name##F32)();  \
    return table;                                                         \
  }                                                                       \
  template <>                                                             \
  const Table<double>& accessor<double>() {                               \
    static const Table<double> table = HWY_DYNAMIC_DISPATCH(name##F64)(); \
    return table;                                                         \
  }                                                                       \
  static_assert(true, "takes the semicolon")
