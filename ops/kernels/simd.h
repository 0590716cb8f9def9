#pragma once

// To be included by every kernel that is compiled once per instruction set, before anything of
// Highway: it keeps AVX-512, AVX2 and the baseline. What lies between brings nothing that a CPU
// without AVX2 would notice, and each target costs a third of the compile time.

#ifdef HWY_DISABLED_TARGETS
#undef HWY_DISABLED_TARGETS
#endif
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSE4 | HWY_SSSE3)
