#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// An operation that memory bounds, on operands of one shape; `make` gives what is timed.
struct MemoryCase {
  std::string name, kind;
  std::function<std::function<void()>()> make;
};

/// Elementwise operations with and without broadcasting, reductions, softmax, normalisation,
/// pooling, losses, indexing, views, optimiser steps and chains of them: sizes from ten elements to
/// four million, float32 and float64, forward alone and with the backward pass.
std::vector<MemoryCase> memory_cases();

}  // namespace bench
