#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// to[r n + i] = from[r n + n - 1 - i] for r < rows and i < n, in vectors. Word is std::uint32_t or
/// std::uint64_t.
template <typename Word>
void reverse_rows(const Word* from, Word* to, std::int64_t n, std::int64_t rows);

}  // namespace tapedeck::kernels
