#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>

namespace tapedeck::kernels {

/// A fresh array of `sizes` with x from place `before` on, and `value` around it. Both have a
/// number for each axis of x; before[d] + x.sizes()[d] is not above sizes[d].
Array pad_constant(const Array& x, IntArrayRef before, IntArrayRef sizes, Scalar value);

/// A fresh array of x with its last `before` places along `axis` in front of it and its first
/// `after` ones behind it; neither is above the axis's size.
Array pad_circular(const Array& x, std::int64_t axis, std::int64_t before, std::int64_t after);
/// The same along `axis` and along the one before it, by `rows_before` and `rows_after`.
Array pad_circular_planes(const Array& x, std::int64_t axis, std::int64_t before,
                          std::int64_t after, std::int64_t rows_before, std::int64_t rows_after);

}  // namespace tapedeck::kernels
