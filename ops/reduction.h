#pragma once

#include <optional>

#include <tapedeck/autograd/variable.h>

// Sums and their like over all elements, or over axes, which go away unless `keepdim`.

namespace tapedeck {

/// Integers and bool are summed in int64.
Variable sum(const Variable& self, std::optional<ScalarType> dtype = std::nullopt);
Variable sum(const Variable& self, IntArrayRef dim, bool keepdim = false,
             std::optional<ScalarType> dtype = std::nullopt);
/// \throws TypeError for integers unless a floating `dtype` is given.
Variable mean(const Variable& self, std::optional<ScalarType> dtype = std::nullopt);
Variable mean(const Variable& self, IntArrayRef dim, bool keepdim = false,
              std::optional<ScalarType> dtype = std::nullopt);

}  // namespace tapedeck
