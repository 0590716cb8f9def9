#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck {

/// The axes of `array` longer than one, from the largest stride to the smallest: walked in that
/// order, dense memory is walked from its start to its end.
DimVector memory_order(const Array& array);

/// The axes in the given order, as a view; axes left out must be of size one.
Array in_order(const Array& array, const DimVector& order);

/// Strides without gaps for a new array of `array`'s sizes whose elements lie in the same order:
/// what PyTorch calls the preserved memory format.
DimVector dense_strides_like(const Array& array);

/// Uninitialised, with the sizes of `array` and dense_strides_like(array).
Array empty_preserving(const Array& array, ScalarType dtype);

}  // namespace tapedeck
