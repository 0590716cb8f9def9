#pragma once

#include <cstdint>

#include <tapedeck/array/dtype.h>

namespace tapedeck::kernels {

/// Converts `n` elements, one after the other, to another type.
using ConvertRow = void (*)(const void* from, void* to, std::int64_t n);

/// The loop for two dtypes, of which `to` is not bool. What a floating-point number is made of
/// loses its fraction; beyond the range of int64, and for int32 beyond its own, it is unspecified.
ConvertRow find_conversion(ScalarType from, ScalarType to);

}  // namespace tapedeck::kernels
