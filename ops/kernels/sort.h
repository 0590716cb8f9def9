#pragma once

#include <cstdint>
#include <utility>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// \throws Error in the name of `op` where a line is longer than the indices of what is sorted.
void check_sorted_length(const char* op, std::int64_t length);

/// Values and their int64 indices along `dim` (wrapped, a scalar counts as one element).
using ValuesAndIndices = std::pair<Array, Array>;

/// Sorts along `dim`; equal elements keep their order, NaN counts as the greatest.
ValuesAndIndices sort(const Array& input, std::int64_t dim, bool descending);

/// The k greatest (or smallest) along `dim`, in order where `sorted`. NaN counts as the greatest.
ValuesAndIndices topk(const Array& input, std::int64_t k, std::int64_t dim, bool largest,
                      bool sorted);

/// The k-th smallest along `dim`, counted from 1; the axis keeps a size of 1. NaN counts as the
/// greatest. \throws Error where k is not in [1, size].
ValuesAndIndices kthvalue(const Array& input, std::int64_t k, std::int64_t dim);

struct Distinct {
  Array values;   ///< [count], in the input's dtype
  Array inverse;  ///< where each element is among them: the input's shape, int64; if asked for
  Array counts;   ///< how often each occurs: [count], int64
};
/// The distinct elements in ascending order, or one element of each run of equal ones. No NaN
/// equals another.
Distinct distinct(const Array& input, bool sorted, bool with_inverse);

/// For each value the number of elements of its sorted sequence that are less (or, where `right`,
/// not greater): int64, the shape of `values`. `sequence` is a vector for all, or agrees with
/// `values` in all axes but the last.
Array searchsorted(const Array& sequence, const Array& values, bool right);

}  // namespace tapedeck::kernels
