#pragma once

#include <algorithm>
#include <cstdint>

namespace tapedeck::kernels {

/// How many rows, planes or tiles of `elements` each are worth a visit by a thread: a grain for
/// parallel_for. At least 1; `worth` is in elements.
constexpr std::int64_t grain_for(std::int64_t elements, std::int64_t worth = 16384) {
  return std::max<std::int64_t>(1, worth / std::max<std::int64_t>(1, elements));
}

}  // namespace tapedeck::kernels
