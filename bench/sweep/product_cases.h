#pragma once

#include <vector>

#include "bench/sweep/sweep_case.h"

namespace bench {

/// Products of matrices, batches and vectors, operands transposed or not, linear layers with their
/// backward pass and attention: from two rows to a thousand, float32 and float64.
std::vector<SweepCase> product_cases();

}  // namespace bench
