#pragma once

#include <vector>

#include "bench/sweep/sweep_case.h"

namespace bench {

/// Products that nobody chose: the same ones from the same seed, in every program. Matrices,
/// vectors, batches with and without broadcasting, linear and recurrent layers and attention;
/// extents of all magnitudes from one to a few thousand, operands in several layouts, float32 and
/// float64, as far as one takes no longer than a tenth of a second.
std::vector<SweepCase> random_products(unsigned seed, int count);

}  // namespace bench
