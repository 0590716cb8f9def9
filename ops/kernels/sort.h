#pragma once

#include <cstdint>
#include <utility>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Values and their int64 indices along `dim` (wrapped, a scalar counts as one element).
using ValuesAndIndices = std::pair<Array, Array>;

/// Sorts along `dim`; equal elements keep their order, NaN counts as the greatest.
ValuesAndIndices sort(const Array& input, std::int64_t dim, bool descending);

/// The k greatest (or smallest) along `dim`, in order where `sorted`. NaN counts as the greatest.
ValuesAndIndices topk(const Array& input, std::int64_t k, std::int64_t dim, bool largest,
                      bool sorted);

}  // namespace tapedeck::kernels
