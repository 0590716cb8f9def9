#pragma once

#include <cstdint>

#include <tapedeck/array/dtype.h>

namespace tapedeck::kernels {

/// The best elements so far of gapless rows of n < 2^31 elements, `rows` of them one after the
/// other, and the places where they are: the last where there are several; a NaN wins.
using BestSoFarLoop = void (*)(const void* from, void* to, std::int64_t* index, std::int64_t n,
                               std::int64_t rows);
/// For the largest or the smallest; null but for float32 and float64, and for CPUs without vectors.
BestSoFarLoop find_best_so_far(bool largest, ScalarType dtype);

/// The same along `columns` columns side by side, of n < 2^31 elements `step` elements apart: for
/// so few columns that the best of each stays in a register.
using BestOfColumnsLoop = void (*)(const void* from, void* to, std::int64_t* index, std::int64_t n,
                                   std::int64_t step, std::int64_t columns);
/// Null but for float32 and float64.
BestOfColumnsLoop find_best_of_columns(bool largest, ScalarType dtype);

}  // namespace tapedeck::kernels
