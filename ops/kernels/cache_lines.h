#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// Asks for the cache lines of a part of some planes before a loop reads or writes them in an order
/// that would not keep the memory busy: a transposition touches few lines at a time, and strips of
/// columns skip from row to row.
template <bool kToWrite, typename T>
void request_lines(const T* from, std::int64_t plane_step, std::int64_t planes,
                   std::int64_t elements) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  for (std::int64_t i = 0; i < planes; ++i)
    for (std::int64_t j = 0; j < elements; j += kLine)
      __builtin_prefetch(from + i * plane_step + j, kToWrite, 2);
}

/// Whether that pays for a tensor of that size: what the L2 cache holds needs no asking.
template <typename T>
bool is_beyond_cache(std::int64_t elements) {
  constexpr std::int64_t kCacheBytes = 1 << 20;
  return elements * static_cast<std::int64_t>(sizeof(T)) > kCacheBytes;
}

}  // namespace tapedeck::kernels
