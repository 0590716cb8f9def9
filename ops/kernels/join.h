#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Copies `parts`, which lie one after the other along `dim`, into `out`, a row-major array of
/// their sizes but along `dim`, where it has their sum. All have out's dtype.
void join(ArrayRef<Array> parts, std::int64_t dim, Array& out);

}  // namespace tapedeck::kernels
