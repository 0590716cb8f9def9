#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>

namespace tapedeck::kernels {

/// Writes `src`, broadcast to dst's shape and converted to its dtype, into `dst` of any strides.
/// Conversions are C++'s; to bool it is x != 0. The two may overlap. \throws Error where src does
/// not broadcast or two indices of dst name one element.
void copy(const Array& src, Array& dst);

/// The array itself where it is row-major without gaps, else a fresh copy that is.
Array contiguous(const Array& src);
/// A fresh row-major copy.
Array clone(const Array& src);
/// The array itself where it has that dtype, else a fresh row-major one converted as copy() does.
Array cast(const Array& src, ScalarType dtype);

/// A fresh copy in another dtype or the same one, whose axes lie in the memory as src's do
/// (empty_preserving).
Array copy_preserving(const Array& src, ScalarType dtype);

/// Sets every element of `dst`, of any strides. \throws Error where two indices name one element.
void fill(Array& dst, Scalar value);
Array full(IntArrayRef sizes, Scalar value, ScalarType dtype);
Array zeros(IntArrayRef sizes, ScalarType dtype);
Array ones(IntArrayRef sizes, ScalarType dtype);

/// True where an element of `a` may also be one of `b`: they share storage and their extents meet.
bool may_overlap(const Array& a, const Array& b);

}  // namespace tapedeck::kernels
