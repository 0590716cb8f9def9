#pragma once

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// A copy with its own memory; differentiable. Its axes lie in the memory as those of `self` do, or
/// row-major where MemoryFormat::Contiguous is asked for.
Variable clone(const Variable& self, std::optional<MemoryFormat> format = std::nullopt);
/// Fills with zeros or a value, in place.
Variable& zero_(Variable& self);
Variable& fill_(Variable& self, Scalar value);

}  // namespace tapedeck
