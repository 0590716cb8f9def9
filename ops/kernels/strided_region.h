#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// destination += source, element by element in row-major order of equal shapes: where the
/// destination overlaps itself, every element counts. float32 and float64.
void accumulate_strided(const Array& source, Array& destination);

}  // namespace tapedeck::kernels
