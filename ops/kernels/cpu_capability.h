#pragma once

#include <string_view>

namespace tapedeck::kernels {

// Lets kernels use no more vector instructions than the environment allows. Whether it limited
// them.
bool limit_cpu_capability();

// What they use: "AVX512", "AVX2" or "DEFAULT".
std::string_view cpu_capability();

}  // namespace tapedeck::kernels
