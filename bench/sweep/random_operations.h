#pragma once

#include <vector>

#include "bench/sweep/sweep_case.h"

namespace bench {

/// Memory-bound operations on operands that nobody chose: the same ones from the same seed, in
/// every program. Ranks 1 to 4, sizes of all kinds up to four million elements, float32 and float64
/// and, where an operation takes them, int64 and bool; operands that are permuted, cut or in steps;
/// any axes; forward alone or with the backward pass.
std::vector<SweepCase> random_operations(unsigned seed, int count);

}  // namespace bench
