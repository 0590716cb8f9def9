#pragma once

#include <cstdint>
#include <cstring>

#include <tapedeck/ops/kernels/row_moves.h>

namespace tapedeck::kernels {

/// memcpy for rows, which are many and short: without a call, and by moves of a fixed size, the
/// last of which overlaps the one before it.
inline void move_bytes(char* to, const char* from, std::int64_t n) {
  constexpr std::int64_t kCallPays = 1 << 8;
  const auto move = [&]<std::size_t kSize>(std::int64_t at) {
    char bytes[kSize];
    std::memcpy(bytes, from + at, kSize);
    std::memcpy(to + at, bytes, kSize);
  };
  if (n > kCallPays) {
    detail::copy_bytes(to, from, n);
  } else if (n >= 16) {
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) move.template operator()<16>(i);
    if (i < n) move.template operator()<16>(n - 16);
  } else if (n >= 8) {
    move.template operator()<8>(0);
    move.template operator()<8>(n - 8);
  } else if (n >= 4) {
    move.template operator()<4>(0);
    move.template operator()<4>(n - 4);
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

}  // namespace tapedeck::kernels
