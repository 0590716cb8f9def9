#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Reverses the given axes (wrapped, distinct).
Array flip(const Array& x, IntArrayRef dims);
/// Moves the elements of an axis by `shift` places; those that leave come in at the other end.
Array roll(const Array& x, std::int64_t shift, std::int64_t dim);
/// Copies of the matrices of the last two axes with zeros above (below) a diagonal.
Array tril(const Array& x, std::int64_t diagonal);
Array triu(const Array& x, std::int64_t diagonal);

}  // namespace tapedeck::kernels
