#include <tapedeck/ops/kernels/cpu_capability.h>

#include <cstdlib>

#include <hwy/targets.h>
#if HWY_ARCH_X86
#include <cpuid.h>
#endif

#include <tapedeck/array/warning.h>
#include <tapedeck/ops/kernels/simd.h>

namespace tapedeck::kernels {

namespace {

// What Highway may choose from. To ask for it makes Highway choose from all that the CPU has again:
// it is told the answer, and asked once, before anything has been chosen.
std::int64_t targets() {
  static const std::int64_t allowed = [] {
    const std::int64_t supported = hwy::SupportedTargets();
    hwy::GetChosenTarget().Update(supported);
    return supported;
  }();
  return allowed;
}

// Highway numbers its targets from the best down: what is worse than AVX2 serves any CPU.
bool disable_targets() {
  const char* const wanted = std::getenv("TAPEDECK_CPU_CAPABILITY");
  if (!wanted || std::string_view(wanted) == "avx512") return false;
  if (std::string_view(wanted) == "avx2") {
    hwy::DisableTargets(HWY_AVX2 - 1);
  } else if (std::string_view(wanted) == "default") {
    hwy::DisableTargets(2 * HWY_AVX2 - 1);
  } else {
    TAPEDECK_WARN(
        "TAPEDECK_CPU_CAPABILITY is '", wanted,
        "', expected 'default', 'avx2' or 'avx512': the CPU's best instructions are used");
    return false;
  }
  return true;
}

}  // namespace

bool limit_cpu_capability() {
  const bool limited = disable_targets();
  targets();
  return limited;
}

std::string_view cpu_capability() {
  if (targets() & (2 * HWY_AVX3 - 1)) return "AVX512";
  return targets() & HWY_AVX2 ? "AVX2" : "DEFAULT";
}

// Bit FP512 of AMD's leaf "Performance Optimization Identifiers", which is 0 elsewhere.
bool has_512_bit_datapath() {
#if HWY_ARCH_X86
  constexpr unsigned kLeaf = 0x8000001A, kFp512 = 1U << 3;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(kLeaf, &eax, &ebx, &ecx, &edx) != 0 && (eax & kFp512) != 0;
#else
  return false;
#endif
}

}  // namespace tapedeck::kernels
