#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/row_moves.h>

namespace tapedeck::kernels {

/// Whether all of row[0], row[step], ... are in [0, size). Without branches, so that it is
/// vectorised: the sign bits of value and size - 1 - value say it.
inline bool all_within(const std::int64_t* row, std::int64_t step, std::int64_t count,
                       std::int64_t size) {
  constexpr std::int64_t kWorthACall = 64;
  if (step == 1 && count >= kWorthACall) return detail::all_up_to(row, count, size - 1);
  const std::uint64_t last = static_cast<std::uint64_t>(size) - 1;
  std::uint64_t signs = 0;
  const auto take = [&](std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    signs |= bits | (last - bits);
  };
  if (step == 1)
    for (std::int64_t i = 0; i < count; ++i) take(row[i]);
  else
    for (std::int64_t i = 0; i < count; ++i) take(row[i * step]);
  return signs >> 63 == 0;
}

}  // namespace tapedeck::kernels
