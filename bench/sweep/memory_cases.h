#pragma once

#include <vector>

#include "bench/sweep/sweep_case.h"

namespace bench {

/// Elementwise operations with and without broadcasting, reductions, softmax, normalisation,
/// pooling, losses, indexing, views, optimiser steps and chains of them: sizes from ten elements to
/// four million, float32 and float64, forward alone and with the backward pass.
std::vector<SweepCase> memory_cases();

}  // namespace bench
