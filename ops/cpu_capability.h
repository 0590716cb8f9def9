#pragma once

#include <string_view>

namespace tapedeck {

/// The vector instructions that kernels use: "AVX512", "AVX2", or "DEFAULT" for what every x86-64
/// has. The best that the CPU offers, or less if the environment variable TAPEDECK_CPU_CAPABILITY
/// says "avx2" or "default" when the program starts.
std::string_view get_cpu_capability();

}  // namespace tapedeck
