#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>

namespace tapedeck::kernels {

/// A fresh array of `sizes` with x from place `before` on, and `value` around it. Both have a
/// number for each axis of x; before[d] + x.sizes()[d] is not above sizes[d].
Array pad_constant(const Array& x, IntArrayRef before, IntArrayRef sizes, Scalar value);

}  // namespace tapedeck::kernels
