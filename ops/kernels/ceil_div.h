#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// a / b, rounded up; a >= 0 and b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
/// The largest part of `size` that is at most `most` where all parts are about equal: at least 1,
/// but for a size of 0.
constexpr std::int64_t even_part(std::int64_t size, std::int64_t most) {
  const std::int64_t parts = ceil_div(size, most > 1 ? most : 1);
  return parts > 0 ? ceil_div(size, parts) : 0;
}
/// The least multiple of b that is not below a; a >= 0 and b > 0.
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }

}  // namespace tapedeck::kernels
