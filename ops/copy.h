#pragma once

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// A row-major copy with its own memory; differentiable.
Variable clone(const Variable& self, std::optional<MemoryFormat> format = std::nullopt);
/// Fills with zeros or a value, in place.
Variable& zero_(Variable& self);
Variable& fill_(Variable& self, Scalar value);

}  // namespace tapedeck
