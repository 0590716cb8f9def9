#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// to[c * to_step + r] = from[r * from_step + c] for r < rows and c < columns, in vectors. Word is
/// std::uint32_t or std::uint64_t.
template <typename Word>
void transpose(const Word* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns,
               Word* to, std::int64_t to_step);

}  // namespace tapedeck::kernels
