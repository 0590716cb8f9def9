#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck::testing_support {

/// [M, K] x [K, N] by the definition, in double.
Array naive_product(const Array& a, const Array& b);

}  // namespace tapedeck::testing_support
