#pragma once

#include <string_view>

namespace tapedeck::kernels {

// Lets kernels use no more vector instructions than the environment allows. Whether it limited
// them.
bool limit_cpu_capability();

// What they use: "AVX512", "AVX2" or "DEFAULT".
std::string_view cpu_capability();

// Whether this CPU computes 512 bits at once and says so, as AMD's do since Zen 5: two such
// products a cycle leave no room for a load with each of them.
bool has_512_bit_datapath();

}  // namespace tapedeck::kernels
