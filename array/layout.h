#pragma once

#include <span>

#include <tapedeck/array/array.h>

namespace tapedeck {

/// The axes of `array` longer than one, from the largest stride to the smallest: walked in that
/// order, dense memory is walked from its start to its end.
DimVector memory_order(const Array& array);

/// The axes in the given order, as a view; axes left out must be of size one.
Array in_order(const Array& array, const DimVector& order);

/// Strides without gaps for a new array of `shape` whose axes lie in the memory as those of arrays
/// that broadcast to it; the first one that tells two axes apart decides. What PyTorch calls the
/// preserved memory format, and what its elementwise operations give.
DimVector dense_strides_like(IntArrayRef shape, std::span<const Array* const> arrays);

/// Whether the elements, in some order of the axes, are one run without gaps or overlaps.
bool is_dense(const Array& array);

/// Uninitialised, with these strides.
Array empty_preserving(IntArrayRef shape, std::span<const Array* const> arrays, ScalarType dtype);
Array empty_preserving(const Array& array, ScalarType dtype);

}  // namespace tapedeck
