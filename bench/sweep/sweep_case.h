#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// What a sweep measures: `make` prepares the operands and gives what is timed.
struct SweepCase {
  std::string name;
  std::string kind;  ///< what the summary groups it by
  std::function<std::function<void()>()> make;
};

using Shape = std::vector<std::int64_t>;

/// 2x3x5, as a case's name has it.
inline std::string text(const Shape& shape) {
  std::string result;
  for (const std::int64_t size : shape)
    result += (result.empty() ? "" : "x") + std::to_string(size);
  return result;
}

}  // namespace bench
