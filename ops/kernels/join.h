#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Copies `parts`, which lie one after the other along `dim`, into `out`, a row-major array of
/// their sizes but along `dim`, where it has their sum. All have out's dtype.
void join(ArrayRef<Array> parts, std::int64_t dim, Array& out);

/// The same into a fresh array of `sizes`: images whose channels all lie next to each other stay
/// so, anything else becomes row-major.
Array joined(ArrayRef<Array> parts, std::int64_t dim, IntArrayRef sizes, ScalarType dtype);

}  // namespace tapedeck::kernels
